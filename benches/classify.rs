//! How fast the classifier is and how much memory it takes: `make bench`.
//!
//! Ratios come from one run on the same bytes, taken in turns, the best turn of each: what else the machine does then
//! strikes both sides of a ratio alike. A table goes to standard output, the figures to `target/figures/classify.json`.

#![allow(clippy::unwrap_used)] // A figure that cannot be taken is no figure.

mod traffic;

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aho_corasick::AhoCorasick;
use coroner::classify::{Engine, ExitFacts};
use memchr::memchr_iter;
use serde::Deserialize;

const MIB: usize = 1 << 20;
/// Ordinary traffic for the ratios.
const TRAFFIC_BYTES: usize = 300_000_000;
/// What the classifier is fed with at once, as the commands do.
const CHUNK_BYTES: usize = 64 * 1024;
/// Turns, of which the best counts.
const TURNS: usize = 5;

/// A figure with what it should be.
struct Figure {
    name: &'static str,
    value: f64,
    goal: Option<Goal>,
}

enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

fn main() {
    let engine = Engine::default();
    let mut figures = ratios(&engine);
    figures.push(figure("dump_30mib_ms", milliseconds(&engine, &traffic::dump(30 * MIB)), None));
    figures.push(figure("log_10mib_ms", milliseconds(&engine, &traffic::log(10 * MIB)), None));
    figures.push(figure("stdin_1gib_peak_rss_mib", stdin_peak(1024 * MIB), Some(Goal::AtMost(32.0))));
    figures.extend(crashes(&engine));
    print!("{}", table(&figures));
    let path = write(&figures);
    println!("written to {}", path.display());
}

fn figure(name: &'static str, value: f64, goal: Option<Goal>) -> Figure {
    Figure { name, value, goal }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Throughput of the classifier over that of simpler passes over the same bytes.
fn ratios(engine: &Engine) -> Vec<Figure> {
    let bytes = traffic::json(TRAFFIC_BYTES);
    let literals: Vec<&str> = include_str!("literals.txt").lines().collect();
    let automaton = AhoCorasick::new(&literals).unwrap();
    let [mut newlines, mut matches, mut whole] = [Duration::MAX; 3];
    for _ in 0..TURNS {
        newlines = newlines.min(time(|| {
            bytes.chunks(CHUNK_BYTES).for_each(|chunk| {
                black_box(memchr_iter(b'\n', chunk).count());
            })
        }));
        matches = matches.min(time(|| {
            bytes.chunks(CHUNK_BYTES).for_each(|chunk| {
                black_box(automaton.find_iter(chunk).count());
            })
        }));
        whole = whole.min(time(|| classify(engine, &bytes)));
    }
    let over = |other: Duration| other.as_secs_f64() / whole.as_secs_f64();
    let rate = |time: Duration| bytes.len() as f64 / time.as_secs_f64() / 1e9;
    vec![
        figure("traffic_vs_newline_scan", over(newlines), Some(Goal::AtLeast(0.10))),
        figure("traffic_vs_literals", over(matches), Some(Goal::AtLeast(0.35))),
        figure("traffic_gb_per_s", rate(whole), None),
        figure("newline_scan_gb_per_s", rate(newlines), None),
        figure("literals_gb_per_s", rate(matches), None),
    ]
}

fn classify(engine: &Engine, bytes: &[u8]) {
    let mut classifier = engine.classifier(ExitFacts { exit_code: Some(2), ..ExitFacts::default() });
    bytes.chunks(CHUNK_BYTES).for_each(|chunk| classifier.feed(chunk));
    black_box(classifier.finish());
}

fn milliseconds(engine: &Engine, bytes: &[u8]) -> f64 {
    (0..TURNS).map(|_| time(|| classify(engine, bytes))).min().unwrap_or_default().as_secs_f64() * 1e3
}

/// Peak of the real binary's resident memory, in MiB, while it reads so many bytes of traffic and a crash.
fn stdin_peak(bytes: usize) -> f64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_coroner"))
        .args(["explain", "-", "--exit-code", "2", "-o", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let piece = traffic::json(16 * MIB);
    (0..bytes / piece.len()).for_each(|_| stdin.write_all(&piece).unwrap());
    stdin.write_all(&traffic::dump(MIB)).unwrap();
    drop(stdin);
    let peak = peak(&mut child);
    assert!(child.wait().unwrap().success());
    peak
}

/// The kernel keeps the peak as long as the process runs: the last answer is the one that holds.
fn peak(child: &mut Child) -> f64 {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(peak);
    }
    peak / 1024.0
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    termination: Termination,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Termination {
    exit_code: Option<i64>,
}

/// Each log of the corpus by itself, the best turn of each.
fn crashes(engine: &Engine) -> Vec<Figure> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let folders = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path());
    let mut times: Vec<f64> = folders.filter_map(|folder| one_crash(engine, &folder)).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    vec![
        figure("crash_median_us", at(0.5), None),
        figure("crash_p99_us", at(0.99), None),
        figure("crash_logs", times.len() as f64, None),
    ]
}

fn one_crash(engine: &Engine, folder: &Path) -> Option<f64> {
    let log = fs::read(folder.join("log.txt")).ok()?;
    let case: Case = coroner::yaml::from_str(&fs::read_to_string(folder.join("case.yaml")).ok()?).ok()?;
    let exit_code = case.termination.exit_code.and_then(|code| i32::try_from(code).ok());
    let run = || {
        let facts = ExitFacts { exit_code, ..ExitFacts::default() };
        time(|| {
            black_box(engine.classify(&log, facts));
        })
    };
    (0..TURNS).map(|_| run()).min().map(|best| best.as_secs_f64() * 1e6)
}

fn table(figures: &[Figure]) -> String {
    let row = |figure: &Figure| {
        let (goal, met) = match figure.goal {
            Some(Goal::AtLeast(least)) => (format!(">= {least}"), figure.value >= least),
            Some(Goal::AtMost(most)) => (format!("<= {most}"), figure.value <= most),
            None => (String::new(), true),
        };
        let missed = if met { "" } else { "  missed" };
        format!("{:<26} {:>12.3}  {goal:<8}{missed}\n", figure.name, figure.value)
    };
    figures.iter().map(row).collect()
}

fn write(figures: &[Figure]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/figures");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("classify.json");
    let values: BTreeMap<&str, f64> = figures.iter().map(|figure| (figure.name, figure.value)).collect();
    fs::write(&path, serde_json::to_string_pretty(&values).unwrap() + "\n").unwrap();
    path
}
