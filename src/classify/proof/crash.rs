//! The sides of a crash: where the goroutine or thread was that died, and where the others were.

use serde::Serialize;

use super::place::Place;
use crate::classify::finding::{Category, CrashReason, Culprit, Frame, Related};
use crate::classify::go::frames;
use crate::classify::reason::CONCURRENT_MAP_ACCESS;
use crate::classify::{Classification, Runtime};

/// What of a crash can be compared with a race.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Crash {
    /// Its category.
    pub category: Category,
    /// Its reason.
    pub reason: CrashReason,
    /// Its message.
    pub message: String,
    /// The top frame in the user's own code of what died; `None` where the log has none.
    pub fatal: Option<Place>,
    /// The same of those that can be the other side: for a map, whoever may have been writing to it.
    pub others: Vec<Place>,
    /// Those that were in the same code, outside of the map at that moment: at the very line of a race they may have just
    /// left it.
    pub near: Vec<Place>,
    /// Whether Go itself says that a map was used by two at once.
    #[serde(skip)]
    pub map: bool,
    /// The user's own frames below all of these.
    #[serde(skip)]
    pub callers: Vec<Place>,
    /// The runtime.
    #[serde(skip)]
    pub runtime: Runtime,
}

impl Crash {
    /// The sides of what was classified.
    pub fn of(classification: &Classification) -> Self {
        let Classification { finding, excerpt, .. } = classification;
        let map = finding.reason == CONCURRENT_MAP_ACCESS;
        let sides: Vec<&Related> = finding.related.iter().filter(|related| !map || may_write(related)).collect();
        let near = finding.related.iter().filter(|related| map && related.title.ends_with("in the same code"));
        let place_of = |related: &Related| place(related.culprit.as_ref()?, excerpt);
        let stacks = std::iter::once(&finding.stack).chain(sides.iter().map(|side| &side.stack));
        Self {
            category: finding.category,
            reason: finding.reason.clone(),
            message: finding.message.clone(),
            fatal: finding.culprit.as_ref().and_then(|culprit| place(culprit, excerpt)),
            others: sides.iter().filter_map(|side| place_of(side)).collect(),
            near: near.filter_map(place_of).collect(),
            map,
            callers: stacks.flat_map(|stack| callers(stack, excerpt)).collect(),
            runtime: finding.runtime,
        }
    }
}

/// Go notices the clash in whoever reads, iterates or writes; the one it clashes with always writes.
fn may_write(related: &Related) -> bool {
    ["writing a map", "using a map"].iter().any(|work| related.title.ends_with(work))
}

fn place(culprit: &Culprit, excerpt: &str) -> Option<Place> {
    let function = culprit.function.as_deref()?;
    let file = culprit.file.clone().unwrap_or_default();
    Some(Place { function: whole(function, &file, excerpt), file, line: culprit.line.unwrap_or_default() })
}

fn callers(stack: &[Frame], excerpt: &str) -> Vec<Place> {
    let own = stack.iter().filter(|frame| frame.in_app).skip(1);
    let place = |frame: &Frame| {
        let file = frame.file.clone().unwrap_or_default();
        Place { function: whole(&frame.function, &file, excerpt), file, line: frame.line.unwrap_or_default() }
    };
    own.map(place).collect()
}

/// A finding shows functions without their import path, which would leave two packages of one name looking the same. The
/// lines that it quotes have it.
fn whole(function: &str, file: &str, excerpt: &str) -> String {
    let mut lines = excerpt.lines().peekable();
    while let Some(line) = lines.next() {
        let called = frames::call(line.as_bytes()).and_then(|symbol| std::str::from_utf8(symbol).ok());
        let (Some(symbol), Some(below)) = (called, lines.peek()) else { continue };
        let here = frames::place(below.as_bytes()).is_some_and(|(path, _)| path == file.as_bytes());
        if here && frames::short(symbol) == function {
            return symbol.to_owned();
        }
    }
    function.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn of_a_map_only_writers_are_the_other_side_and_import_paths_are_whole() {
        let map = "runtime.mapassign(0x1)\n\t/usr/local/go/src/runtime/map.go:1 +0x1\n";
        let read = map.replace("mapassign", "mapaccess1");
        let log = format!(
            "fatal error: concurrent map read and map write\n\ngoroutine 5 [running]:\nexample.com/a/store.(*S).Get(...)\n\
             \t/src/a/store/s.go:9\nmain.serve(0x1)\n\t/src/main.go:30 +0x1\n\ngoroutine 6 [runnable]:\n{map}\
             example.com/a/store.(*S).Put(0x1)\n\t/src/a/store/s.go:12 +0x1\n\ngoroutine 7 [runnable]:\n{read}\
             example.com/a/store.(*S).Get(0x1)\n\t/src/a/store/s.go:9 +0x1\n"
        );
        let crash = Crash::of(&Engine::default().classify(log.as_bytes(), ExitFacts::default()));
        assert!(crash.map);
        assert_eq!(crash.fatal.unwrap().function, "example.com/a/store.(*S).Get");
        let others: Vec<&str> = crash.others.iter().map(|other| other.function.as_str()).collect();
        assert_eq!(others, ["example.com/a/store.(*S).Put"]);
        assert_eq!(crash.callers[0].in_words(), "/src/main.go:30 in main.serve");
    }
}
