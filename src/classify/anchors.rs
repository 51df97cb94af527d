//! One pass over the bytes for the anchors of all grammars: what makes ordinary traffic cost next to nothing.

use aho_corasick::{AhoCorasick, MatchKind, packed};
use memchr::memchr;

/// Most literals of one vectorised search. Beyond 64 the searcher gives up vectors, which is 20 times slower, and the
/// fuller its buckets, the more often it stops for nothing: two passes of 32 are faster than one of 64.
const LITERALS: usize = 32;

/// The first bytes of a literal that the searcher looks at before it compares the rest.
const FINGERPRINT: usize = 4;

/// The anchors, compiled twice: their heads, for which whole blocks are searched, and themselves, for one line.
#[derive(Debug)]
pub struct Anchors {
    heads: Searches,
    whole: Searches,
}

impl Anchors {
    /// Compiles the literals.
    pub fn new(literals: &[&str]) -> Self {
        let literals = shortest(literals);
        Self { heads: Searches::new(&heads(&literals)), whole: Searches::new(&literals) }
    }

    /// How many searches a block takes.
    #[cfg(test)]
    pub fn searches(&self) -> usize {
        match &self.heads {
            Searches::Vectors(searchers) => searchers.len(),
            Searches::Automaton(_) | Searches::None => usize::MAX,
        }
    }

    /// Position of the first anchor.
    pub fn find(&self, text: &[u8]) -> Option<usize> {
        self.whole.find(text)
    }
}

/// Searches for any of some literals.
///
/// The automaton of the same crate would take any number of literals, but on traffic without a match it reads 0.2 GB/s
/// where the vectorised search reads more than 3 (measured on 300 MB of JSON lines): it is only the fallback.
#[derive(Debug)]
enum Searches {
    /// Vectorised searches, each for a part of the literals.
    Vectors(Vec<packed::Searcher>),
    /// For processors without vectors.
    Automaton(AhoCorasick),
    /// Nothing compiles, which a test rules out: every line is looked at.
    None,
}

impl Searches {
    fn new(literals: &[&str]) -> Self {
        let mut literals = literals.to_vec();
        // A searcher looks at the low halves of the first bytes: with those that have the same ones in one searcher it stops
        // for nothing less often, and is two to three times as fast (measured on 30 MB of JSON lines).
        literals.sort_by_key(|literal| literal.bytes().take(FINGERPRINT).map(|byte| byte & 0xf).collect::<Vec<_>>());
        let searchers: Option<Vec<_>> = literals.chunks(LITERALS).map(packed::Searcher::new).collect();
        searchers.map_or_else(|| Self::automaton(&literals), Self::Vectors)
    }

    fn automaton(literals: &[&str]) -> Self {
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(literals);
        automaton.map_or(Self::None, Self::Automaton)
    }

    fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Vectors(searchers) => searchers.iter().fold(None, |first, searcher| {
                // Nothing behind what an earlier pass has found can be the first.
                let within = first.map_or(text, |end| &text[..end]);
                searcher.find(within).map(|found| found.start()).or(first)
            }),
            Self::Automaton(automaton) => automaton.find(text).map(|found| found.start()),
            Self::None => (!text.is_empty()).then_some(0),
        }
    }
}

/// What the literals begin with: those with the same first bytes are searched for by what they share. A line that has it
/// is looked at, so that a match for nothing costs little.
fn heads<'a>(literals: &[&'a str]) -> Vec<&'a str> {
    let mut sorted = literals.to_vec();
    sorted.sort_unstable();
    let mut heads: Vec<&str> = Vec::new();
    for literal in sorted {
        let shared = heads.last().map_or(0, |last| shared_length(last, literal));
        match heads.last_mut() {
            Some(last) if shared >= FINGERPRINT => *last = &literal[..shared],
            _ => heads.push(literal),
        }
    }
    heads
}

/// Length of what both begin with, in whole characters.
fn shared_length(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

impl Anchors {
    /// The places in a block where a line has to be looked at.
    pub fn stops<'a>(&'a self, block: &'a [u8]) -> Stops<'a> {
        let searches = match &self.heads {
            Searches::Vectors(searchers) => searchers.iter().map(Search::Packed).collect(),
            Searches::Automaton(automaton) => vec![Search::Automaton(automaton)],
            Searches::None => vec![Search::Always],
        };
        let hits = searches.into_iter().chain([Search::Escape]).map(|search| (search, Hit::Unknown)).collect();
        Stops { block, hits }
    }
}

/// The anchors and the terminal escapes of a block, from left to right. An escape may stand inside of an anchor, so that
/// such a line is looked at without it.
///
/// Each search goes over the block once, however many stops another one finds: its next hit is kept.
#[derive(Debug)]
pub struct Stops<'a> {
    block: &'a [u8],
    hits: Vec<(Search<'a>, Hit)>,
}

#[derive(Debug)]
enum Search<'a> {
    Packed(&'a packed::Searcher),
    Automaton(&'a AhoCorasick),
    Escape,
    Always,
}

#[derive(Clone, Copy, Debug)]
enum Hit {
    Unknown,
    At(usize),
    NoMore,
}

impl Stops<'_> {
    /// The first stop at or behind a position.
    pub fn next(&mut self, from: usize) -> Option<usize> {
        let block = self.block;
        let next_of = |(search, hit): &mut (Search<'_>, Hit)| {
            if matches!(hit, Hit::Unknown) || matches!(hit, Hit::At(at) if *at < from) {
                *hit = search.find(&block[from..]).map_or(Hit::NoMore, |at| Hit::At(from + at));
            }
            match hit {
                Hit::At(at) => Some(*at),
                _ => None,
            }
        };
        self.hits.iter_mut().filter_map(next_of).min()
    }
}

impl Search<'_> {
    fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Packed(searcher) => searcher.find(text).map(|found| found.start()),
            Self::Automaton(automaton) => automaton.find(text).map(|found| found.start()),
            Self::Escape => memchr(0x1b, text),
            Self::Always => (!text.is_empty()).then_some(0),
        }
    }
}

/// Which grammars have an anchor in a line: only they are asked for it.
#[derive(Debug)]
pub struct Owners {
    /// `None` where it does not compile, which a test rules out: then all are asked.
    automaton: Option<AhoCorasick>,
    /// The grammar of each literal.
    owners: Vec<usize>,
    count: usize,
}

impl Owners {
    /// Compiles the anchors of grammars, in their order.
    pub fn new<'a>(grammars: impl Iterator<Item = &'a [&'static str]>) -> Self {
        let (mut literals, mut owners, mut count) = (Vec::new(), Vec::new(), 0);
        for anchors in grammars {
            owners.extend(anchors.iter().map(|_| count));
            literals.extend_from_slice(anchors);
            count += 1;
        }
        Self { automaton: AhoCorasick::new(literals).ok(), owners, count }
    }

    /// For each grammar, whether the line has one of its anchors.
    pub fn of(&self, line: &[u8]) -> Vec<bool> {
        let Some(automaton) = &self.automaton else { return vec![true; self.count] };
        let mut found = vec![false; self.count];
        for hit in automaton.find_overlapping_iter(line) {
            found[self.owners[hit.pattern().as_usize()]] = true;
        }
        found
    }
}

/// The literals without those that hold another one, which is found wherever they are.
fn shortest<'a>(literals: &[&'a str]) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::with_capacity(literals.len());
    let holds = |literal: &str, other: &str| literal != other && literal.contains(other);
    for literal in literals.iter().filter(|literal| !literals.iter().any(|other| holds(literal, other))) {
        if !kept.contains(literal) {
            kept.push(literal);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_that_holds_another_one_is_left_out() {
        assert_eq!(shortest(&["    at ", "panic: ", "  at ", "panic: "]), ["panic: ", "  at "]);
    }

    #[test]
    fn the_first_anchor_is_found_by_vectors_and_by_the_automaton_alike() {
        let many: Vec<String> = (0..80).map(|n| format!("anchor {n:02}:")).collect();
        let literals: Vec<&str> = many.iter().map(String::as_str).collect();
        let (vectors, automaton) = (Searches::new(&literals), Searches::automaton(&literals));
        assert!(matches!(vectors, Searches::Vectors(_)) && matches!(automaton, Searches::Automaton(_)));
        let text = format!("{}anchor 79: and anchor 03: and anchor 41:", "anchor nothing\n".repeat(99));
        for from in [0, 1, 99 * 15, 99 * 15 + 1, text.len()] {
            let text = &text.as_bytes()[from..];
            assert_eq!(vectors.find(text), automaton.find(text));
        }
        assert_eq!(vectors.find(text.as_bytes()), Some(99 * 15));
    }

    #[test]
    fn a_line_belongs_to_all_grammars_that_have_an_anchor_in_it() {
        let grammars: [&[&str]; 3] = [&["panic: "], &["Error: ", "fatal"], &["ic: E"]];
        let owners = Owners::new(grammars.into_iter());
        assert!(owners.automaton.is_some());
        assert_eq!(owners.of(b"panic: Error: x"), [true, true, true]);
        assert_eq!(owners.of(b"a fatal one"), [false, true, false]);
    }

    #[test]
    fn literals_with_one_head_are_searched_for_by_it() {
        let literals = ["Fatal error: ", "main class ", "Fatal glibc error: ", "panic: ", "Fatal error</b>", "pan"];
        assert_eq!(heads(&literals), ["Fatal ", "main class ", "pan", "panic: "]);
    }

    #[test]
    fn stops_are_found_from_left_to_right_whichever_search_finds_them() {
        let many: Vec<String> = (0..80).map(|n| format!("{n:02} anchor:")).collect();
        let anchors = Anchors::new(&many.iter().map(String::as_str).collect::<Vec<_>>());
        let text = "70 anchor: \x1b[1m 02 anchor: 71 anchor: \x1b[0m";
        let mut stops = anchors.stops(text.as_bytes());
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = stops.next(from) {
            found.push(at);
            from = at + 1;
        }
        assert_eq!(found, [0, 11, 16, 27, 38]);
    }
}
