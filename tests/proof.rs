//! The proof through the real binary, on programs that were really run both ways: under Go's race detector, and without
//! it until they died. `tests/proof/make.sh` makes the logs, `tests/proof/cases` says what each shows.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use coroner::classify::proof::{Answer, Crash, RaceReader, compare};
use coroner::classify::{Engine, ExitFacts};
use serde::Deserialize;

/// What an engineer who knows the program says.
#[derive(Deserialize)]
struct Expected {
    shows: String,
    answer: String,
    /// The functions of the race that fits, in the order of their names; empty where none does.
    pair: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof")
}

fn cases() -> Vec<(String, PathBuf, Expected)> {
    let folders = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = folders
        .filter(|path| path.join("expect").is_file())
        .map(|path| {
            let expected = coroner::yaml::from_str(&fs::read_to_string(path.join("expect")).unwrap()).unwrap();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), path, expected)
        })
        .collect();
    cases.sort_by(|one, other| one.0.cmp(&other.0));
    cases
}

fn explain(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coroner")).arg("explain").args(args).env_remove("COLUMNS").output().unwrap()
}

fn same_as(race: &Path, crash: &Path, output: &str) -> Output {
    explain(&[race.to_str().unwrap(), "--same-as", crash.to_str().unwrap(), "-o", output])
}

fn pair(race: &serde_json::Value) -> Vec<String> {
    let short = |function: &str| function.rsplit('/').next().unwrap().to_owned();
    let generic = |function: String| match (function.find('['), function.rfind(']')) {
        (Some(open), Some(close)) => format!("{}[...]{}", &function[..open], &function[close + 1..]),
        _ => function,
    };
    let sides = race["sides"].as_array().into_iter().flatten();
    let mut pair: Vec<String> =
        sides.map(|side| generic(short(side["place"]["function"].as_str().unwrap_or_default()))).collect();
    pair.sort();
    pair
}

#[test]
fn programs_that_were_run_both_ways_are_told_apart() {
    let mut wrong = Vec::new();
    let cases = cases();
    for (name, path, expected) in &cases {
        let output = same_as(&path.join("race.log"), &path.join("crash.log"), "json");
        let proof: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let code = i32::from(expected.answer != "Same");
        let answered = proof["answer"] == expected.answer.as_str() && output.status.code() == Some(code);
        if !answered || (expected.answer == "Same" && pair(&proof["race"]) != expected.pair) {
            wrong.push(format!(
                "{name} ({}): {} instead of {}, pair {:?} of {:?}: {}",
                expected.shows,
                proof["answer"],
                expected.answer,
                pair(&proof["race"]),
                expected.pair,
                proof["why"]
            ));
        }
    }
    assert!(cases.len() >= 20, "only {} cases", cases.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_race_log_is_compared_with_every_crash_without_a_false_yes() {
    let engine = Engine::default();
    let cases = cases();
    let crashes: Vec<_> = cases
        .iter()
        .map(|(_, path, _)| engine.classify(&fs::read(path.join("crash.log")).unwrap(), ExitFacts::default()))
        .collect();
    let mut compared = 0;
    for (name, path, _) in &cases {
        let mut reader = RaceReader::default();
        reader.feed(&fs::read(path.join("race.log")).unwrap());
        let races = reader.finish();
        for ((other, ..), crash) in cases.iter().zip(&crashes).filter(|((other, ..), _)| program(other) != racy(name)) {
            let proof = compare(&races, Crash::of(crash));
            assert_ne!(proof.answer, Answer::Same, "{name} and {other}: {}", proof.why);
            compared += 1;
        }
    }
    assert!(compared > cases.len() * cases.len() / 2);
}

/// The program that raced.
fn racy(name: &str) -> &str {
    name.split('-').next().unwrap()
}

/// The program that crashed.
fn program(name: &str) -> &str {
    if name == "cache-against-queue" { "queue" } else { racy(name) }
}

#[test]
fn the_text_has_the_answer_both_sides_and_what_would_settle_it() {
    let case = folder().join("cache-one-side");
    let output = same_as(&case.join("race.log"), &case.join("crash.log"), "text");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut rest = text.as_str();
    for part in ["Same", "The race", "cache.go:17", "cache.go:12", "The crash", "cache.go:17", "GOTRACEBACK=all"] {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is missing or out of order in:\n{text}"));
        rest = &rest[at..];
    }
}

#[test]
fn yaml_says_the_same_as_json() {
    let case = folder().join("cache-all");
    let in_form = |form| same_as(&case.join("race.log"), &case.join("crash.log"), form).stdout;
    let yaml: serde_json::Value = coroner::yaml::from_str(std::str::from_utf8(&in_form("yaml")).unwrap()).unwrap();
    assert_eq!(yaml, serde_json::from_slice::<serde_json::Value>(&in_form("json")).unwrap());
}

#[test]
fn logs_in_the_wrong_order_and_missing_ones_are_told() {
    let case = folder().join("cache-all");
    let (race, crash) = (case.join("race.log"), case.join("crash.log"));
    let swapped = same_as(&crash, &race, "json");
    let proof: serde_json::Value = serde_json::from_slice(&swapped.stdout).unwrap();
    assert_eq!((swapped.status.code(), proof["answer"].as_str()), (Some(1), Some("NotEnough")));
    let missing = same_as(&race, &case.join("missing.log"), "json");
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("missing.log") && missing.stdout.is_empty());
    assert_eq!(explain(&[race.to_str().unwrap(), "--same-as"]).status.code(), Some(2));
    assert_eq!(explain(&["-", "--same-as", "-"]).status.code(), Some(2));
}
