//! Recordings of a real kubelet (v1.36.2, containerd 2.1.9), replayed through the real detector.
//!
//! Each folder has a pod watch as it came over the wire, what both log reads answered on the first sight of each
//! terminated record, and the manifest. `terminations.golden` lists every termination that the detector must find; it
//! was checked by hand against the recording. `UPDATE_GOLDEN=1` writes it anew: read the difference.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex};

use coroner::classify::{Category, Confidence, reason};
use coroner::log::{Which, choose};
use coroner::termination::{ContainerKind, Detector, DetectorOptions, SeenIn, Termination, Verdict, judge};
use coroner::watch::Scope;
use proptest::prelude::*;
use serde::Deserialize;
use support::replay::{Event, Instance, Recordings, debug_or_dash, distinct, golden_start, replay, verdict_word};
use support::samples::finding;

/// Those that the first release was promised to get right.
const PROMISED: [&str; 7] = ["a-mapwrite", "b-oom", "c-segv", "d-never", "e-init", "g-nocmd", "m-two"];

const RECORDINGS: Recordings = Recordings("recordings");

fn names() -> Vec<String> {
    RECORDINGS.names(21)
}

fn events(name: &str) -> Vec<Event> {
    static PARSED: LazyLock<Mutex<BTreeMap<String, Vec<Event>>>> = LazyLock::new(Mutex::default);
    let parse = || RECORDINGS.lines(name, "pods.watch.jsonl");
    PARSED.lock().unwrap().entry(name.to_owned()).or_insert_with(parse).clone()
}

fn detector() -> Detector {
    Detector::new(DetectorOptions::default())
}

fn instance(termination: &Termination) -> Instance {
    let Termination { pod, container, .. } = termination;
    (pod.uid.clone(), container.clone(), termination.instance().into_owned())
}

/// What a termination is judged to be when its log says nothing, and when it holds a fatal trace.
fn verdicts(termination: &Termination) -> [Verdict; 2] {
    let silent = match termination.reason.as_deref() {
        Some("OOMKilled") => finding(Category::Resource, reason::OOM_KILLED, Confidence::High),
        _ => finding(Category::Unknown, reason::ERROR_EXIT, Confidence::Low),
    };
    let trace = finding(Category::Code, reason::CONCURRENT_MAP_ACCESS, Confidence::High);
    [judge(termination, &silent), judge(termination, &trace)]
}

fn golden_line(termination: &Termination) -> String {
    let choice = choose(termination);
    let [silent, trace] = verdicts(termination);
    format!(
        "{start} log={first},{other} silent={silent} trace={trace}",
        start = golden_start(termination),
        first = debug_or_dash(&choice.first),
        other = debug_or_dash(&choice.otherwise),
        silent = verdict_word(silent),
        trace = verdict_word(trace),
    )
}

#[test]
fn every_recording_gives_the_terminations_that_were_checked_by_hand() {
    for name in names() {
        let mut text = String::new();
        for termination in replay(&mut detector(), &events(&name)) {
            writeln!(text, "{}", golden_line(&termination)).unwrap();
        }
        RECORDINGS.assert_golden(&name, &text);
    }
}

#[test]
fn every_instance_is_found_exactly_once() {
    for name in names() {
        let found = replay(&mut detector(), &events(&name));
        assert_eq!(distinct(&name, &found), RECORDINGS.instances(&name), "{name}");
        assert_eq!(found.iter().map(|it| it.unseen).sum::<u32>(), 0, "{name}: nothing was missed in the recording");
    }
}

#[test]
fn an_ephemeral_container_counts_only_where_that_is_switched_on() {
    let options = DetectorOptions { ephemeral: true, ..DetectorOptions::default() };
    let found = replay(&mut Detector::new(options), &events("v-ephemeral"));
    let [debug] = &found[..] else { panic!("one termination was expected: {found:?}") };
    assert_eq!((debug.container.as_str(), debug.kind, debug.exit_code), ("dbg", ContainerKind::Ephemeral, Some(1)));
}

/// The last state of each pod that still exists.
fn states(events: &[Event]) -> Vec<Event> {
    let mut states = BTreeMap::new();
    for event in events {
        if event.deleted() {
            states.remove(event.uid());
        } else {
            states.insert(event.uid().to_owned(), event.clone());
        }
    }
    states.into_values().collect()
}

fn relist(detector: &mut Detector, events: &[Event]) -> Vec<Termination> {
    detector.list_started(&Scope::All);
    let found = states(events).iter().flat_map(|event| detector.observe(&event.object, false, event.recv)).collect();
    detector.list_done(&Scope::All);
    found
}

#[test]
fn a_fresh_list_after_the_recording_finds_nothing_new() {
    for name in names() {
        let events = events(&name);
        let mut detector = detector();
        replay(&mut detector, &events);
        assert_eq!(relist(&mut detector, &events), [], "{name}");
        assert_eq!(detector.pods(), states(&events).len(), "{name}: who is not in the list is forgotten");
    }
}

/// What happens between two events of a watch.
#[derive(Clone, Copy, Debug)]
enum Disturbance {
    None,
    /// The same event once more.
    Again,
    /// The watch breaks, and every pod is listed anew.
    Relist,
    /// An API server that lags behind tells the state before once more.
    Stale,
}

fn disturbed(events: &[Event], disturbances: &[Disturbance]) -> Vec<Termination> {
    let mut detector = detector();
    let mut found = Vec::new();
    for (at, event) in events.iter().enumerate() {
        found.extend(detector.observe(&event.object, event.deleted(), event.recv));
        match disturbances[at % disturbances.len()] {
            Disturbance::None => {}
            Disturbance::Again if event.deleted() => {}
            Disturbance::Again => found.extend(detector.observe(&event.object, false, event.recv)),
            Disturbance::Relist => found.extend(relist(&mut detector, &events[..=at])),
            Disturbance::Stale => {
                let known: BTreeSet<_> = states(&events[..=at]).iter().map(|state| state.uid().to_owned()).collect();
                let earlier = events[..at].iter().rev().find(|it| it.uid() == event.uid() && known.contains(it.uid()));
                found.extend(earlier.into_iter().flat_map(|it| detector.observe(&it.object, false, event.recv)));
            }
        }
    }
    found
}

fn undisturbed(events: &[Event]) -> Vec<Termination> {
    disturbed(events, &[Disturbance::None])
}

fn any_disturbance() -> impl Strategy<Value = Disturbance> {
    prop_oneof![Just(Disturbance::None), Just(Disturbance::Again), Just(Disturbance::Relist)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn repeated_events_and_fresh_lists_change_nothing(
        disturbances in prop::collection::vec(any_disturbance(), 1..40),
    ) {
        for name in names() {
            let events = events(&name);
            prop_assert_eq!(disturbed(&events, &disturbances), undisturbed(&events), "{}", name);
        }
    }

    #[test]
    fn stale_events_double_nothing(
        disturbances in prop::collection::vec(prop_oneof![any_disturbance(), Just(Disturbance::Stale)], 1..40),
    ) {
        for name in names() {
            let events = events(&name);
            let mut found: Vec<_> = disturbed(&events, &disturbances).iter().map(instance).collect();
            let mut expected: Vec<_> = undisturbed(&events).iter().map(instance).collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected, "{}", name);
        }
    }

    #[test]
    fn what_is_missed_while_events_are_lost_is_counted_as_unseen(
        kept in prop::collection::vec(prop::bool::weighted(0.4), 1..60),
    ) {
        // There every container is restarted with the pod, which is no termination of its own.
        for name in names().into_iter().filter(|name| name != "r2-restartall") {
            let mut known = BTreeSet::new();
            let events: Vec<_> = events(&name).into_iter().enumerate()
                .filter(|(at, event)| known.insert(event.uid().to_owned()) || kept[at % kept.len()])
                .map(|(_, event)| event)
                .collect();
            let mut counts: BTreeMap<_, (u32, i32)> = BTreeMap::new();
            for termination in undisturbed(&events) {
                let (count, ended) = counts.entry((termination.pod.uid.clone(), termination.container)).or_default();
                *count += 1 + termination.unseen;
                *ended = (*ended).max(termination.restart_count + 1);
            }
            for (container, (count, ended)) in counts {
                prop_assert_eq!(i64::from(count), i64::from(ended), "{} {:?}", name, container);
            }
        }
    }
}

/// One row of `prevlogs.jsonl`: what one read answered right after the first sight of a record.
#[derive(Deserialize)]
struct LogRow {
    pod: String,
    container: String,
    seen_in: String,
    previous: String,
    want_container: String,
    log_container: Vec<String>,
    r#match: Option<bool>,
    bytes: u64,
    http: u16,
}

/// What a read is to the fetcher. The recordings were read without time stamps, so the container ID that each program
/// prints stands in for the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Own,
    Foreign,
    Missing,
}

fn log_rows(name: &str) -> Vec<LogRow> {
    RECORDINGS.lines(name, "prevlogs.jsonl")
}

fn answer(rows: &[LogRow], termination: &Termination, which: Which) -> Option<Answer> {
    let id = termination.container_id.as_deref()?.rsplit('/').next()?;
    let seen_in = if termination.seen_in == SeenIn::State { "state" } else { "lastState" };
    let row = rows.iter().find(|row| {
        row.pod == termination.pod.name
            && row.container == termination.container
            && row.seen_in == seen_in
            && row.previous == which.previous().to_string()
            && id.starts_with(&row.want_container)
    })?;
    let foreign = !row.log_container.is_empty() && row.r#match != Some(true);
    Some(match row.r#match {
        Some(true) => Answer::Own,
        _ if foreign => Answer::Foreign,
        _ => {
            assert!(row.http != 200 || row.bytes == 0 || row.r#match.is_none());
            Answer::Missing
        }
    })
}

/// The first choice, and the other one where the first was not the instance's own.
fn choose_and_read(rows: &[LogRow], termination: &Termination) -> [Option<Answer>; 2] {
    let choice = choose(termination);
    let read = |which: Option<Which>| which.and_then(|which| answer(rows, termination, which));
    match read(choice.first) {
        Some(Answer::Own) => [Some(Answer::Own), None],
        first => [first, read(choice.otherwise)],
    }
}

#[test]
fn the_promised_recordings_get_the_right_log_at_the_first_read() {
    for name in PROMISED {
        let rows = log_rows(name);
        for termination in replay(&mut detector(), &events(name)).iter().filter(|it| it.container_id.is_some()) {
            let expected = match termination.reason.as_deref() {
                // Nothing ever ran, so the log is empty, whichever is read.
                Some("StartError") => Answer::Missing,
                _ => Answer::Own,
            };
            assert_eq!(choose_and_read(&rows, termination)[0], Some(expected), "{name}: {}", golden_line(termination));
        }
    }
}

/// The recorder read `previous=true` before `previous=false`, the other way round than the fetcher does. So where the
/// restart came between the two, its second answer is foreign, and its first one is from before the restart.
const READ_TOO_EARLY: [&str; 2] = ["q-sigkill child/app rc=0", "q-sigkill shared/app rc=0"];
/// The logs of an evicted pod are gone when the event arrives.
const GONE: [&str; 2] = ["p-evict fill/app rc=0", "p-evict fill/other rc=0"];

#[test]
fn a_wrong_first_read_is_made_good_by_the_other_one() {
    let (mut right, mut recovered, mut lost) = (0, Vec::new(), Vec::new());
    for name in names() {
        let rows = log_rows(&name);
        let found = replay(&mut detector(), &events(&name));
        for t in found.iter().filter(|it| it.reason.as_deref() != Some("StartError")) {
            let line = format!("{name} {}/{} rc={}", t.pod.name, t.container, t.restart_count);
            match choose_and_read(&rows, t) {
                [Some(Answer::Own), _] => right += 1,
                [Some(_), Some(Answer::Own)] => recovered.push(line),
                [Some(_), _] => lost.push(line),
                [None, _] => assert_eq!(t.container_id, None, "{line} was not read by the recorder"),
            }
        }
    }
    recovered.sort();
    lost.sort();
    assert_eq!(recovered, ["p-evict podmem/hog rc=0", "q-sigkill self/app rc=0", "r-rules rules/retry42 rc=0"]);
    assert_eq!(lost, [&GONE[..], &READ_TOO_EARLY].concat());
    assert_eq!(right, 187);
}
