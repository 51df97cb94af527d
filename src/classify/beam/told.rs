//! What every form of report comes to.

use super::{frames, kinds};
use crate::classify::finding::Runtime;
use crate::classify::grammar::{Candidate, Standing};
use crate::classify::links::{Link, Names, Story};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;

/// Who wrote a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// The runtime, which ends: what it says is all that is known, unless something was reported before.
    Closing,
    /// A script or a task, in the form in which Elixir ends one.
    Printed,
    /// A logger: a process ended, and a supervisor may have started it again.
    Logged,
    /// Its head is cut off.
    Missing,
}

/// Tells a chain of links, the outermost one first.
pub fn tell(links: Vec<Link>, voice: Voice, passage: Passage, messages: &Messages) -> Option<Candidate> {
    let (standing, exits): (Standing, &'static [i32]) = match voice {
        Voice::Closing => (Standing::Closing, &[1]),
        // A script's runner ends with 127.
        Voice::Printed => (Standing::Printed, &[1, 127]),
        Voice::Logged | Voice::Missing => (Standing::Logged, &[]),
    };
    let links = links.into_iter().map(|link| {
        let reason = kinds::of_link(&link, messages);
        (link, reason)
    });
    let headless = voice == Voice::Missing;
    let story = Story { runtime: Runtime::Beam, standing, exits, passage, headless };
    let candidate = story.tell(links.collect(), false, Names { stable: frames::stable, files: true })?;
    let kind = kinds::stable(candidate.exception.as_deref().unwrap_or(&candidate.message)).to_owned();
    Some(Candidate { kind, ..candidate })
}
