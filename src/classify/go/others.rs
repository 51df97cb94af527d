//! The other goroutines of a dump that belong to the same event: those inside of the same map, those asleep as well.

use super::dump::{place_of, stack};
use super::frames::{Layout, RawFrame};
use super::goroutine::Goroutine;
use crate::classify::excerpt::Block;
use crate::classify::finding::{RELATED, Related};

/// Most bytes of an excerpt that the other goroutines take, so that the fatal one is always whole.
const QUOTED_BYTES: usize = 2048;

/// The most telling of the other goroutines; as many as a finding keeps, however many there are.
#[derive(Debug, Default)]
pub struct Others {
    best: Vec<(u8, Goroutine)>,
}

/// What a goroutine does with a map, as the runtime's functions tell.
const MAP_WORK: [(&str, &str); 12] = [
    ("runtime.mapassign", "writing"),
    ("runtime.mapdelete", "writing"),
    ("runtime.mapclear", "writing"),
    ("runtime.growWork", "writing"),
    ("runtime.hashGrow", "writing"),
    ("runtime.evacuate", "writing"),
    ("runtime.mapaccess", "reading"),
    ("runtime.mapiter", "iterating over"),
    ("runtime.mapclone", "copying"),
    ("internal/runtime/maps.(*Iter)", "iterating over"),
    ("internal/runtime/maps.(*Map).get", "reading"),
    ("internal/runtime/maps.", "using"),
];

/// Methods of the maps package that only a write calls.
const MAP_WRITES: [&str; 7] = ["Put", "put", "grow", "rehash", "split", "Delete", "Clear"];

impl Others {
    /// Keeps the goroutine if it tells more than one of those that are kept.
    pub fn offer(&mut self, chosen: &Goroutine, other: Goroutine, layout: &Layout) {
        let score = score(chosen, &other, layout);
        if score == 0 {
            return;
        }
        let full = self.best.len() >= RELATED;
        if full && self.best.last().is_some_and(|(worst, _)| *worst >= score) {
            return;
        }
        self.best.truncate(RELATED - 1);
        let at = self.best.iter().position(|(kept, _)| *kept < score).unwrap_or(self.best.len());
        self.best.insert(at, (score, other));
    }

    /// The stacks for the finding; their lines are appended to the excerpt as long as there is room.
    pub fn take(&mut self, block: &mut Block, layout: &Layout, asleep: bool) -> Vec<Related> {
        let room = block.len() + QUOTED_BYTES;
        std::mem::take(&mut self.best)
            .into_iter()
            // Scores below 3 only say that it waits somewhere, which matters where everything does.
            .filter(|(score, _)| asleep || *score >= 2)
            .map(|(_, goroutine)| {
                if block.len() + goroutine.block.len() < room {
                    block.push(b"");
                    block.append(&goroutine.block);
                }
                related(&goroutine, layout, asleep)
            })
            .collect()
    }
}

/// How much a goroutine tells about the fatal one: 0 nothing, 5 it is inside of a map in the same function.
fn score(chosen: &Goroutine, other: &Goroutine, layout: &Layout) -> u8 {
    let Some(own) = other.first_own(layout, 0).map(|at| &other.frames[at]) else { return 0 };
    let culprit = chosen.first_own(layout, 0).map(|at| &chosen.frames[at]);
    let same_function = culprit.is_some_and(|culprit| culprit.function == own.function);
    let same_file = culprit.is_some_and(|culprit| culprit.file == own.file);
    match (map_work(&other.frames).is_some(), same_function, same_file) {
        (true, true, _) => 5,
        (true, _, true) => 4,
        (true, ..) => 3,
        // Without a frame of the runtime's, one that waits is waiting for something else.
        (_, true, _) | (_, _, true) if other.is_running() => 2,
        _ => 1,
    }
}

fn map_work(frames: &[RawFrame]) -> Option<&'static str> {
    let top = frames.iter().take(12);
    let mut works = top.filter_map(|frame| {
        let (_, work) = MAP_WORK.iter().find(|(start, _)| frame.function.starts_with(start))?;
        let name = frame.function.rsplit('.').next().unwrap_or_default();
        let writes = *work == "using" && MAP_WRITES.iter().any(|start| name.contains(start));
        Some(if writes { "writing" } else { *work })
    });
    let first = works.next()?;
    Some(works.find(|work| *work != "using").filter(|_| first == "using").unwrap_or(first))
}

fn related(goroutine: &Goroutine, layout: &Layout, asleep: bool) -> Related {
    let id = goroutine.header.id.unwrap_or_default();
    let title = match map_work(&goroutine.frames) {
        Some(work) if !asleep => format!("goroutine {id}, {work} a map"),
        _ if asleep => format!("goroutine {id}, asleep in {}", goroutine.header.state),
        _ => format!("goroutine {id}, in the same code"),
    };
    let culprit = goroutine.first_own(layout, 0).map(|at| place_of(&goroutine.frames[at]));
    Related { title, culprit, stack: stack(&goroutine.frames, layout) }
}

#[cfg(test)]
mod tests {
    use super::super::frames::frame;
    use super::*;

    fn goroutine(functions: &[&str], state: &str) -> Goroutine {
        let mut goroutine = Goroutine::default();
        goroutine.header.state = state.to_owned();
        let file = |f: &&str| if f.starts_with("main.") { "/app/cache.go" } else { "/go/src/runtime/map.go" };
        goroutine.frames = functions.iter().map(|f| frame(f.as_bytes(), file(f).as_bytes(), 1)).collect();
        goroutine
    }

    #[test]
    fn what_is_inside_of_the_same_map_is_kept_among_thousands() {
        let (layout, mut others) = (Layout::default(), Others::default());
        let chosen = goroutine(&["runtime.fatal", "main.(*C).Add"], "running");
        for _ in 0..5000 {
            others.offer(&chosen, goroutine(&["main.wait"], "chan receive"), &layout);
        }
        others.offer(&chosen, goroutine(&["runtime.mapaccess1_faststr", "main.(*C).Get"], "runnable"), &layout);
        others.offer(
            &chosen,
            goroutine(&["internal/runtime/maps.(*table).grow", "main.(*C).Add"], "runnable"),
            &layout,
        );
        for _ in 0..5000 {
            others.offer(&chosen, goroutine(&["main.wait"], "select"), &layout);
        }
        let related = others.take(&mut Block::default(), &layout, false);
        let titles: Vec<&str> = related.iter().map(|r| r.title.as_str()).collect();
        assert_eq!(titles, ["goroutine 0, writing a map", "goroutine 0, reading a map"]);
        assert!(others.best.is_empty());
    }
}
