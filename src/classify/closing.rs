//! Last words that only say that a runtime ends: what it reported before is the cause.

use super::chain::weight;
use super::grammar::{Candidate, Standing};
use super::passage::Passage;

/// Most lines between a report and the last words that follow from it: other processes go on to write until the runtime
/// has stopped them.
const NEAR: u64 = 200;
/// Most lines between two reports of one cascade.
const CASCADE: u64 = 40;

/// Gives to each of the last words the report that they follow from, which thereby is what ended the process. Where there
/// is none they stand for themselves.
pub fn joined(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut joined: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if candidate.standing != Standing::Closing {
            let told = told_before(&joined, &candidate).map(|at| joined.remove(at));
            joined.push(match told {
                Some(told) => ended_by(told, &candidate),
                None => candidate,
            });
            continue;
        }
        let last = Candidate { standing: Standing::Fatal, ..candidate };
        match cause(&joined, &last) {
            Some(at) => {
                let report = joined.remove(at);
                // The rest of a report says nothing itself.
                let message = if report.message.is_empty() { &last.message } else { &report.message }.clone();
                joined.push(Candidate { message, ..ended_by(report, &last) });
            }
            None => joined.push(last),
        }
    }
    joined
}

/// The report, which reaches to what was said last.
fn ended_by(report: Candidate, last: &Candidate) -> Candidate {
    let passage = Passage { last_line: last.passage.last_line, ..report.passage };
    Candidate { standing: last.standing.clone(), exits: last.exits, passage, ..report }
}

/// The same error with its place, told by a logger right before the runtime or a console tells it without one.
fn told_before(reports: &[Candidate], last: &Candidate) -> Option<usize> {
    let last_words = matches!(last.standing, Standing::Fatal | Standing::Printed);
    let same = |report: &Candidate| {
        let placed = report.culprit.is_some() && report.standing == Standing::Logged;
        placed && report.runtime == last.runtime && report.reason == last.reason && report.message == last.message
    };
    let at = reports.iter().rposition(same).filter(|_| last_words && last.culprit.is_none() && !last.headless)?;
    (last.passage.first_line.saturating_sub(reports[at].passage.last_line) <= CASCADE).then_some(at)
}

/// The report from which the last words follow: the nearest one, or one right before it that says more.
fn cause(reports: &[Candidate], last: &Candidate) -> Option<usize> {
    let related = |at: &usize| {
        let report = &reports[*at];
        let survived = matches!(report.standing, Standing::Survived(_) | Standing::Fatal);
        report.runtime == last.runtime && !survived
    };
    // The rest of a report whose head is cut off serves where there is no whole one.
    let follows = |at: &usize| related(at) && !reports[*at].headless;
    let whole = (0..reports.len()).rev().find(follows);
    let mut best = whole.or_else(|| (0..reports.len()).rev().find(related))?;
    if last.passage.first_line.saturating_sub(reports[best].passage.last_line) > NEAR {
        return None;
    }
    let mut nearest = best;
    for at in (0..best).rev().filter(follows) {
        if reports[nearest].passage.first_line.saturating_sub(reports[at].passage.last_line) > CASCADE {
            break;
        }
        nearest = at;
        if says(&reports[at]) > says(&reports[best]) {
            best = at;
        }
    }
    (weight(&reports[best].reason) >= weight(&last.reason)).then_some(best)
}

fn says(candidate: &Candidate) -> (super::chain::Weight, bool) {
    (weight(&candidate.reason), candidate.culprit.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::excerpt::Block;
    use crate::classify::finding::{CrashReason, Culprit, Runtime};
    use crate::classify::reason::{CONNECTION_REFUSED, MISSING_KEY, UNHANDLED_ERROR};

    fn report(reason: CrashReason, standing: Standing, line: u64, culprit: bool) -> Candidate {
        Candidate {
            reason,
            message: line.to_string(),
            standing,
            exits: &[1],
            culprit: culprit.then(Culprit::default),
            ..Candidate::of(Runtime::Beam, Passage::at(Block::default(), line))
        }
    }

    fn of(reports: &[(CrashReason, u64, bool)], last: CrashReason) -> String {
        let mut all: Vec<Candidate> = reports
            .iter()
            .map(|(reason, line, culprit)| report(reason.clone(), Standing::Logged, *line, *culprit))
            .collect();
        all.push(report(last, Standing::Closing, 1000, false));
        let winner = joined(all).pop().unwrap();
        assert_eq!((winner.standing, winner.passage.last_line), (Standing::Fatal, 1000));
        winner.message
    }

    #[test]
    fn an_error_that_is_told_again_keeps_its_place() {
        let told = |line: u64, message: &str| Candidate {
            message: message.to_owned(),
            ..report(MISSING_KEY, Standing::Logged, line, true)
        };
        let last = Candidate { message: "no TX".to_owned(), ..report(MISSING_KEY, Standing::Fatal, 1000, false) };
        for (line, message, placed) in [(990, "no TX", true), (990, "no US", false), (900, "no TX", false)] {
            let winner = joined(vec![told(line, message), last.clone()]).pop().unwrap();
            assert_eq!((winner.culprit.is_some(), winner.passage.last_line), (placed, 1000), "{line} {message}");
        }
    }

    #[test]
    fn the_report_from_which_the_last_words_follow_is_the_cause() {
        assert_eq!(of(&[], UNHANDLED_ERROR), "1000");
        assert_eq!(of(&[(MISSING_KEY, 990, true)], UNHANDLED_ERROR), "990");
        assert_eq!(of(&[(MISSING_KEY, 700, true)], UNHANDLED_ERROR), "1000");
        assert_eq!(of(&[(MISSING_KEY, 970, true), (UNHANDLED_ERROR, 990, false)], UNHANDLED_ERROR), "970");
        assert_eq!(of(&[(MISSING_KEY, 900, true), (UNHANDLED_ERROR, 990, true)], UNHANDLED_ERROR), "990");
        assert_eq!(of(&[(UNHANDLED_ERROR, 990, true)], CONNECTION_REFUSED), "1000");
    }
}
