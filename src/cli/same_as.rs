//! `coroner explain RACE.log --same-as CRASH.log`: is the race that the detector reports the one that killed the pod?

use std::fmt::Write;
use std::path::Path;

use super::explain::{self, Args, ExplainError};
use super::text::Page;
use crate::classify::proof::{Answer, Crash, Place, Proof, Race, RaceReader, Side, compare};

/// Reads both logs, compares them and prints the answer; whether it is yes.
///
/// # Errors
/// When a log cannot be read or is none, or when the answer cannot be written.
pub fn run(args: &Args, crash: &Path) -> Result<bool, ExplainError> {
    let engine = args.engine()?;
    let mut reader = RaceReader::default();
    explain::read(args.file(), |chunk| reader.feed(chunk))?;
    let mut classifier = engine.classifier(args.facts());
    explain::read(Some(crash), |chunk| classifier.feed(chunk))?;
    let proof = engine.cleaned(compare(&reader.finish(), Crash::of(&classifier.finish())));
    let text = |color| render(&proof, color);
    explain::print(args, &proof, text)?;
    Ok(proof.answer == Answer::Same)
}

fn render(proof: &Proof, color: bool) -> String {
    let mut page = Page::new(color);
    page.answer(
        match proof.answer {
            Answer::Same => "Same",
            Answer::Different => "Different",
            Answer::NotEnough => "Not enough to tell",
        },
        &proof.why,
    );
    page.section("The race", &race(proof.race.as_ref(), proof.races));
    page.section("The crash", &crash(&proof.crash));
    page.steps(if proof.answer == Answer::Same { "To be surer" } else { "What would settle it" }, &proof.settle);
    page.finish()
}

fn race(race: Option<&Race>, races: u64) -> Vec<String> {
    let Some(race) = race else { return vec!["none in the log".to_owned()] };
    let mut lines: Vec<String> = race.sides.iter().map(side).collect();
    let mut about = if race.map { "on a map".to_owned() } else { format!("at {}", race.address) };
    let reports = if race.times == 1 { "one report" } else { &format!("{} reports", race.times) };
    // Writing to a string cannot fail.
    let _ = write!(about, ", {reports}");
    if races > 1 {
        let _ = write!(about, "; one of {races} different races in the log");
    }
    lines.push(about);
    lines
}

fn side(side: &Side) -> String {
    let work = if side.writes { "write" } else { "read" };
    let place = side.place.as_ref().map_or_else(|| "a place that the report does not show".to_owned(), Place::in_words);
    format!("{work} at {place}")
}

fn crash(crash: &Crash) -> Vec<String> {
    let died = crash.fatal.as_ref().map_or_else(|| "at a place that the log does not show".to_owned(), Place::in_words);
    let others = crash.others.iter().chain(&crash.near).map(|other| format!("with it {}", other.in_words()));
    let mut lines = vec![format!("{}: {}", crash.reason, crash.message), format!("died at {died}")];
    lines.extend(others);
    lines.dedup();
    lines
}
