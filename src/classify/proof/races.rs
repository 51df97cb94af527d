//! All races that a detector reports in one log: Go's, and ThreadSanitizer's of C, C++ and Rust.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::native;
use super::place::Place;
use crate::classify::finding::SYMBOL_BYTES;
use crate::classify::go::frames::{self, Layout, RawFrame};
use crate::classify::go::race::HEAD;
use crate::classify::lines::Lines;
use crate::classify::prefix::Prefix;
use crate::classify::scan::readable;
use crate::classify::text;

/// How ThreadSanitizer begins a report of any kind.
const NATIVE_HEAD: &str = "WARNING: ThreadSanitizer: ";
/// What stands before and behind a report.
const RULER: &[u8] = b"==================";
/// Most different races kept: a log with more has one cause of them all, or is hostile.
const RACES: usize = 512;
/// Most frames kept of one side; C++ puts dozens of the library's before the user's own.
const FRAMES: usize = 128;
/// Most of the user's own frames below the one that touched the memory.
const CALLERS: usize = 16;

/// One side of a race: who touched the memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Whether it wrote.
    pub writes: bool,
    /// The top frame in the user's own code; `None` where the report has no stack of this side or none of its own.
    pub place: Option<Place>,
    /// The user's own frames below it.
    #[serde(skip)]
    pub callers: Vec<Place>,
}

/// One race, however often it was reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Race {
    /// Its two sides; one where the report is cut.
    pub sides: Vec<Side>,
    /// Whether the memory is a Go map's, its own or that of its values: only that makes Go's `concurrent map …`.
    pub map: bool,
    /// The address, as it stands in the first report of it.
    pub address: String,
    /// How many reports of it there are.
    pub times: u64,
}

impl Race {
    /// The functions of its sides, in the order of their names.
    pub fn functions(&self) -> Vec<&str> {
        let places = self.sides.iter().filter_map(|side| side.place.as_ref());
        let mut functions: Vec<&str> = places.map(|place| place.function.as_str()).collect();
        functions.sort_unstable();
        functions
    }

    /// The sides' functions and lines, in an order that does not depend on which came second.
    fn key(&self) -> Key {
        let side = |side: &Side| side.place.as_ref().map(|place| (place.function.clone(), place.line));
        let mut sides: Vec<_> = self.sides.iter().map(|one| side(one).unwrap_or_default()).collect();
        sides.sort();
        (self.map, sides)
    }
}

/// Whether it is on a map, and the functions and lines of the sides.
type Key = (bool, Vec<(String, u32)>);

/// The races of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Races {
    /// The different ones, in the order of the log.
    pub known: Vec<Race>,
    /// Reports of further ones, which are not kept.
    pub dropped: u64,
}

/// Races under way, each known by its key: a log may report one a million times.
#[derive(Debug, Default)]
struct Collected {
    races: Races,
    index: HashMap<Key, usize>,
}

impl Collected {
    fn add(&mut self, race: Race) {
        let key = race.key();
        if let Some(at) = self.index.get(&key) {
            self.races.known[*at].times += race.times;
        } else if self.races.known.len() < RACES {
            self.index.insert(key, self.races.known.len());
            self.races.known.push(race);
        } else {
            self.races.dropped += 1;
        }
    }

    /// The compiler's own code touches the values of a map, so that the runtime's functions do not show in a race on one.
    /// But it does so on lines on which other reports show them.
    fn with_values(self) -> Races {
        let Races { known, dropped } = self.races;
        let of_maps = known.iter().filter(|race| race.map);
        let lines: HashSet<(String, u32)> = of_maps.flat_map(|race| race.key().1).collect();
        let is_value = |race: &Race| !race.map && race.key().1.iter().all(|side| lines.contains(side));
        let (values, others): (Vec<Race>, Vec<Race>) = known.into_iter().partition(is_value);
        let mut all = Self { races: Races { known: Vec::new(), dropped }, ..Self::default() };
        others.into_iter().for_each(|race| all.add(race));
        values.into_iter().for_each(|race| all.add(Race { map: true, ..race }));
        all.races
    }
}

/// Reads the races out of a log, fed with chunks of any size, in bounded memory.
#[derive(Debug, Default)]
pub struct RaceReader {
    lines: Lines,
    reports: Reports,
}

impl RaceReader {
    /// Takes the next bytes of the log.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.lines.feed(chunk, |block| self.reports.block(block));
    }

    /// The races of the whole log.
    pub fn finish(mut self) -> Races {
        self.lines.finish(|block| self.reports.block(block));
        self.reports.close();
        self.reports.races.with_values()
    }
}

#[derive(Debug, Default)]
struct Reports {
    races: Collected,
    layout: Layout,
    current: Option<Report>,
}

impl Reports {
    fn block(&mut self, block: &[u8]) {
        block.split(|b| *b == b'\n').for_each(|line| self.line(&readable(line)));
    }

    fn line(&mut self, line: &[u8]) {
        if let Some(at) = head(line) {
            self.close();
            self.current = Some(Report::new(Prefix::learn(&line[..at])));
        } else if let Some(report) = &mut self.current
            && let Some(bare) = report.prefix.strip(line)
        {
            if bare == RULER {
                return self.close();
            }
            report.line(bare);
        }
    }

    fn close(&mut self) {
        let Some(report) = self.current.take() else { return };
        report.frames().for_each(|frame| self.layout.learn(frame));
        if let Some(race) = report.race(&self.layout) {
            self.races.add(race);
        }
    }
}

/// Where a report of a race begins in a line. A use after free is one that the allocator took part in; other kinds,
/// such as an inversion of locks, touch no memory.
fn head(line: &[u8]) -> Option<usize> {
    text::find(line, HEAD).or_else(|| {
        let at = text::find(line, NATIVE_HEAD)?;
        ["race", "use-after-free"].iter().any(|kind| text::has(&line[at..], kind)).then_some(at)
    })
}

/// A report under way.
#[derive(Debug)]
struct Report {
    prefix: Prefix,
    accesses: Vec<Access>,
    /// Inside of one of the accesses, not of what the report tells beside them.
    inside: bool,
    pending: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Access {
    writes: bool,
    address: String,
    frames: Vec<RawFrame>,
    native: bool,
}

impl Report {
    fn new(prefix: Prefix) -> Self {
        Self { prefix, accesses: Vec::new(), inside: false, pending: None }
    }

    fn frames(&self) -> impl Iterator<Item = &RawFrame> {
        self.accesses.iter().filter(|access| !access.native).flat_map(|access| &access.frames)
    }

    fn line(&mut self, bare: &[u8]) {
        if let Some(access) = access(bare) {
            // A third access is that of a report of which the head is lost.
            self.inside = self.accesses.len() < 2;
            if self.inside {
                self.accesses.push(access);
            }
        } else if let Some(frame) = native::frame(bare) {
            self.push(frame, true);
        } else if let Some((file, line)) = frames::place(bare) {
            if let Some(function) = self.pending.take() {
                self.push(frames::frame(&function, &file[..file.len().min(SYMBOL_BYTES)], line), false);
            }
        } else if let Some(symbol) = frames::call(bare).filter(|_| bare.starts_with(b"  ")) {
            self.pending = Some(symbol.to_vec());
        } else if bare.trim_ascii_end().ends_with(b":") {
            self.inside = false;
        }
    }

    fn push(&mut self, frame: RawFrame, native: bool) {
        let Some(access) = self.accesses.last_mut().filter(|_| self.inside) else { return };
        access.native |= native;
        if access.frames.len() < FRAMES {
            access.frames.push(frame);
        }
    }

    fn race(self, layout: &Layout) -> Option<Race> {
        let address = self.accesses.first()?.address.clone();
        let map = self.accesses.iter().any(|access| access.uses_map(layout));
        let sides = self.accesses.iter().map(|access| access.side(layout)).collect();
        Some(Race { sides, map, address, times: 1 })
    }
}

impl Access {
    fn is_own(&self, frame: &RawFrame, layout: &Layout) -> bool {
        if self.native { native::in_app(frame) } else { layout.in_app(frame) }
    }

    fn side(&self, layout: &Layout) -> Side {
        let mut own = self.frames.iter().filter(|frame| self.is_own(frame, layout)).map(Place::of);
        Side { writes: self.writes, place: own.next(), callers: own.take(CALLERS).collect() }
    }

    /// Whether the runtime's own functions for maps touched the memory on behalf of the user's.
    fn uses_map(&self, layout: &Layout) -> bool {
        let above = self.frames.iter().take_while(|frame| !self.is_own(frame, layout));
        !self.native && above.map(|frame| frame.function.as_str()).any(is_map_work)
    }
}

fn is_map_work(function: &str) -> bool {
    ["runtime.map", "internal/runtime/maps.", "reflect.map", "runtime.growWork", "runtime.evacuate", "runtime.hashGrow"]
        .iter()
        .any(|start| function.starts_with(start))
}

/// `Read at 0x…`, `  Previous atomic write of size 8 at 0x… by thread T1:`
fn access(line: &[u8]) -> Option<Access> {
    let line = line.trim_ascii();
    let words: Vec<&[u8]> = line.split(|b| *b == b' ').take(9).collect();
    let lead = words.iter().take_while(|word| matches!(word.to_ascii_lowercase().as_slice(), b"previous" | b"atomic"));
    let rest = &words[lead.count()..];
    let writes = match rest.first()?.to_ascii_lowercase().as_slice() {
        b"write" => true,
        b"read" => false,
        _ => return None,
    };
    let at = rest.iter().position(|word| *word == b"at")?;
    let address = rest.get(at + 1).filter(|word| word.starts_with(b"0x"))?;
    let address = text::string(&address[..address.len().min(32)]);
    Some(Access { writes, address, frames: Vec::new(), native: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "==================\nWARNING: DATA RACE\nRead at 0x00c1 by goroutine 8:\n  \
        runtime.mapaccess1_faststr()\n      /go/src/internal/runtime/maps/runtime.go:101 +0x0\n  main.get()\n      \
        /app/main.go:17 +0xc4\n  main.main.func2()\n      /app/main.go:30 +0x4\n\nPrevious write at 0x00c1 by goroutine \
        7:\n  main.add()\n      /app/main.go:12 +0xe8\n\nGoroutine 8 (running) created at:\n  main.main()\n      \
        /app/main.go:19 +0x1fc\n==================\n";
    const NATIVE: &str = "WARNING: ThreadSanitizer: data race (pid=9085)\n  Write of size 8 at 0x7b14 by thread T2:\n    \
        #0 operator new(unsigned long) <null> (a+0x1)\n    #1 std::map<int>::at(int) /usr/include/c++/12/bits/map.h:106:4 \
        (a+0x2)\n    #2 shop::Cache::get(int) /src/a b.cc:7:12 (a+0x3) (BuildId: ab)\n    #3 main /src/a b.cc:9 (a+0x4)\n\n  \
        Previous atomic read of size 8 at 0x7b14 by main thread (mutexes: write M1):\n    [failed to restore the stack]\n\n  \
        Location is heap block of size 72 at 0x7b14 allocated by thread T1:\n    #0 shop::make() /src/a b.cc:1 (a+0x5)\n\n\
        SUMMARY: ThreadSanitizer: data race\n==================\n";

    fn read(log: &str, size: usize) -> Races {
        let mut reader = RaceReader::default();
        log.as_bytes().chunks(size).for_each(|chunk| reader.feed(chunk));
        reader.finish()
    }

    #[test]
    fn every_race_is_read_once_however_the_log_is_cut() {
        let other = REPORT.replace("main.add", "main.drop");
        let log = format!("starting\n{REPORT}{REPORT}served\n{other}Found 3 data race(s)\n");
        for size in [1, 7, 4096] {
            let races = read(&log, size);
            let times: Vec<u64> = races.known.iter().map(|race| race.times).collect();
            assert_eq!((times, races.dropped), (vec![2, 1], 0));
            let race = &races.known[0];
            let places: Vec<_> = race.sides.iter().map(|side| side.place.as_ref().unwrap().in_words()).collect();
            assert_eq!(places, ["/app/main.go:17 in main.get", "/app/main.go:12 in main.add"]);
            assert_eq!((race.map, race.sides[0].writes, race.sides[1].writes), (true, false, true));
            assert_eq!(race.sides[0].callers[0].line, 30);
        }
    }

    #[test]
    fn a_race_on_a_value_of_a_map_is_one_on_the_map() {
        let map_work = "  runtime.mapaccess1_faststr()\n      /go/src/internal/runtime/maps/runtime.go:101 +0x0\n";
        let value = REPORT.replace(map_work, "").replace("0x00c1", "0x00c9");
        let counter = value.replace("main.go:17", "main.go:18");
        let races = read(&format!("{value}{REPORT}{counter}"), 4096);
        let known: Vec<(bool, u64)> = races.known.iter().map(|race| (race.map, race.times)).collect();
        assert_eq!(known, [(true, 2), (false, 1)]);
    }

    #[test]
    fn a_collectors_prefix_is_no_hindrance() {
        let log: String = REPORT.lines().map(|line| format!("[pod/a-1/api] {line}\n")).collect();
        assert_eq!(read(&log, 100).known[0].key(), read(REPORT, 100).known[0].key());
    }

    #[test]
    fn thread_sanitizers_reports_are_read_too() {
        let races = read(NATIVE, 100);
        let [one, two] = races.known[0].sides.as_slice() else { panic!("{races:?}") };
        assert_eq!(one.place.as_ref().unwrap().in_words(), "/src/a b.cc:7 in shop::Cache::get(int)");
        assert_eq!((one.callers[0].function.as_str(), two.place.as_ref()), ("main", None));
        assert!(one.writes && !two.writes && !races.known[0].map);
        assert!(read(&NATIVE.replace("data race", "lock-order-inversion"), 100).known.is_empty());
    }

    #[test]
    fn a_million_races_are_counted_and_not_kept() {
        let log: String = (0..2000).map(|n| REPORT.replace("main.add", &format!("main.add{n}"))).collect();
        let races = read(&log, 4096);
        assert_eq!((races.known.len(), races.dropped), (RACES, 2000 - RACES as u64));
    }
}
