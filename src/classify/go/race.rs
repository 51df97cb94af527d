//! Reports of Go's race detector. It reports and goes on; the process exits 66 when it ends.

use super::dump::{place_of, stack};
use super::frames::{self, Layout, RawFrame};
use super::kinds::RUNTIME;
use crate::classify::finding::{Related, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::DATA_RACE;
use crate::classify::text;

/// Words with which the detector introduces a report.
pub const HEAD: &str = "WARNING: DATA RACE";
/// What parts reports.
const RULER: &[u8] = b"==================";
/// Most frames kept of one side.
const FRAMES: usize = 64;
/// Most sections of a report: two accesses, and where their goroutines were made.
const SECTIONS: usize = 8;
/// Most foreign lines in a row inside of a report.
const FOREIGN: u32 = 16;

/// One section: `Write at 0x… by goroutine 7:` and its frames.
#[derive(Debug, Default)]
struct Section {
    title: String,
    frames: Vec<RawFrame>,
}

/// The parser of one report.
#[derive(Debug)]
pub struct Race {
    prefix: Prefix,
    sections: Vec<Section>,
    pending: Option<Vec<u8>>,
    layout: Layout,
    passage: Passage,
    foreign: u32,
    logged: bool,
    closed: bool,
}

impl Race {
    /// A report that begins with this line.
    pub fn new(line: &Line<'_>, at: usize, context: &Context<'_>) -> Self {
        Self {
            prefix: Prefix::learn(&line.text[..at]),
            sections: Vec::new(),
            pending: None,
            layout: Layout::default(),
            passage: Passage::begin(line, at, context),
            foreign: 0,
            logged: line.logged,
            closed: false,
        }
    }

    fn read(&mut self, bare: &[u8]) -> bool {
        if bare == RULER {
            self.closed = true;
            return true;
        }
        if let Some((file, line)) = frames::place(bare) {
            return self.place(file, line);
        }
        if bare.starts_with(b"  ")
            && let Some(symbol) = frames::call(bare)
        {
            self.pending = Some(symbol.to_vec());
            return true;
        }
        self.title(bare)
    }

    fn place(&mut self, file: &[u8], line: u32) -> bool {
        let (Some(function), Some(section)) = (self.pending.take(), self.sections.last_mut()) else { return false };
        let frame = frames::frame(&function, &file[..file.len().min(1024)], line);
        self.layout.learn(&frame);
        if section.frames.len() < FRAMES {
            section.frames.push(frame);
        }
        true
    }

    fn title(&mut self, bare: &[u8]) -> bool {
        let section = is_access(bare) || (bare.starts_with(b"Goroutine ") && text::has(bare, "created at:"));
        if section && self.sections.len() < SECTIONS {
            self.sections
                .push(Section { title: text::string(bare.trim_ascii().trim_suffix_colon()), frames: Vec::new() });
        }
        section || text::blank(bare) || text::has(bare, "[failed to restore the stack]")
    }

    fn sides(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(|section| is_access(section.title.as_bytes()))
    }
}

trait TrimColon {
    fn trim_suffix_colon(&self) -> &[u8];
}

impl TrimColon for [u8] {
    fn trim_suffix_colon(&self) -> &[u8] {
        self.strip_suffix(b":").unwrap_or(self)
    }
}

/// `Read at …`, `Previous atomic write at …`
fn is_access(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"Previous ").unwrap_or(line);
    let line = line.strip_prefix(b"atomic ").or_else(|| line.strip_prefix(b"Atomic ")).unwrap_or(line);
    [&b"Read at 0x"[..], b"Write at 0x", b"read at 0x", b"write at 0x"].iter().any(|start| line.starts_with(start))
}

impl Parser for Race {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.prefix.strip(line.text).filter(|_| !self.closed) else { return Flow::Over };
        if !self.read(bare) {
            self.foreign += 1;
            return if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign };
        }
        self.foreign = 0;
        self.passage.push(bare, line.number);
        Flow::Taken
    }

    fn finish(self: Box<Self>, _: &Messages) -> Option<Candidate> {
        let own = |section: &Section| section.frames.iter().find(|frame| self.layout.in_app(frame)).map(place_of);
        let first = self.sides().next()?;
        let related = self.sides().skip(1).map(|side| Related {
            title: side.title.clone(),
            culprit: own(side),
            stack: stack(&side.frames, &self.layout),
        });
        Some(Candidate {
            reason: DATA_RACE,
            kind: "data race".to_owned(),
            exception: Some("DATA RACE".to_owned()),
            message: format!("{HEAD}: {}", first.title),
            standing: if self.logged { Standing::Logged } else { Standing::Fatal },
            exits: &[66],
            culprit: own(first).or_else(|| self.sides().skip(1).find_map(own)),
            stack: stack(&first.frames, &self.layout),
            signature: self.signature(),
            related: related.collect(),
            ..Candidate::of(RUNTIME, self.passage)
        })
    }
}

impl Race {
    /// Both sides, in an order that does not depend on which came second.
    fn signature(&self) -> Vec<(String, String)> {
        let own = |section: &Section| -> Vec<(String, String)> {
            let frames = section.frames.iter().filter(|frame| self.layout.in_app(frame));
            frames.map(|frame| (frames::stable(&frame.function), base_name(&frame.file).to_owned())).collect()
        };
        let mut sides: Vec<_> = self.sides().map(own).collect();
        sides.sort();
        sides.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::grammar::Before;

    #[test]
    fn both_sides_of_a_race_are_read() {
        let report = "WARNING: DATA RACE\nWrite at 0x00c1 by goroutine 7:\n  main.write()\n      /app/main.go:9 +0x1\n\n\
                      Previous read at 0x00c1 by main goroutine:\n  main.main()\n      /app/main.go:20 +0x2\n\n\
                      Goroutine 7 (running) created at:\n  main.main()\n      /app/main.go:18 +0x3\n==================\n";
        let messages = Messages::default();
        let mut lines =
            report.lines().zip(1..).map(|(text, number)| Line { text: text.as_bytes(), number, logged: false });
        let context = Context { before: &Before::default(), messages: &messages };
        let mut race = Box::new(Race::new(&lines.next().unwrap(), 0, &context));
        assert!(lines.all(|line| race.line(&line) == Flow::Taken));
        let candidate = race.finish(&messages).unwrap();
        assert_eq!(candidate.culprit.unwrap().short(), "main.go:9");
        assert_eq!(candidate.related[0].culprit.as_ref().unwrap().short(), "main.go:20");
        assert_eq!((candidate.passage.first_line, candidate.passage.last_line), (1, 13));
    }
}
