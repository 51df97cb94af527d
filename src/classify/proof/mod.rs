//! The proof: is a race that the detector reports the one that ended the process?
//!
//! A race has two sides, and a crash has one or two: where the goroutine died, and, where the dump has them, those that it
//! may have clashed with. A side is the top frame in the user's own code. The rule, in this order:
//!
//! 1. Nothing can be told without a race, or without a function of the user's in the crash; and what died of something
//!    that no memory access brings about (a refused connection, an eviction) did not die of a race.
//! 2. A race *fits* if one of its sides is the function that died. Of Go's `concurrent map …` only races inside of a map
//!    can be the cause: a counter that the same function races on is not.
//! 3. If none fits the answer is `Different`; but `NotEnough` where a side of a race has no stack, where races were too
//!    many to keep, or where what raced is a caller of what died. A race at the very line that called what died is
//!    `Same`: what the other side half wrote was handed on.
//! 4. Of those that fit, the ones at the very line win, and of these the ones whose other side is in the crash too. Lines
//!    are compared as far as the builds are alike: by how much a file's code has moved is learned from the callers that
//!    both logs show.
//! 5. At the very line the answer is `Same`, unless races of several pairs and of several addresses are left, none of
//!    whose other sides is known.
//! 6. At another line it is `Same` only if the races left are of one pair of functions, and the builds differ: the callers
//!    show it, or nothing shows the contrary and both sides of the crash are known. In one build another line may be
//!    other memory.

mod crash;
mod native;
mod place;
mod races;
mod words;

use serde::Serialize;

use super::finding::Category;
pub use crash::Crash;
pub use place::{Likeness, Place};
pub use races::{Race, RaceReader, Races, Side};

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Answer {
    /// The race ended the process.
    Same,
    /// None of the races did.
    Different,
    /// The two logs do not tell.
    NotEnough,
}

/// The answer, what it rests on, and what would settle it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The answer.
    pub answer: Answer,
    /// Why, in a sentence.
    pub why: String,
    /// What would settle it, or make it firmer; empty where nothing would.
    pub settle: Vec<String>,
    /// The race that was compared in the end: the one that fits, else the first.
    pub race: Option<Race>,
    /// How many different races the log has.
    pub races: u64,
    /// The crash.
    pub crash: Crash,
}

/// Why the answer is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Grounds<'a> {
    NoRace,
    NoFunction,
    OtherCause,
    BothSides(Fit<'a>),
    OneSide(Fit<'a>),
    MovedCode(Fit<'a>),
    Nowhere,
    NotAMap(&'a Race),
    SideUnknown(&'a Race),
    TooMany,
    ThroughCall(&'a Race),
    InACaller(&'a Race),
    Several(Vec<Fit<'a>>),
    OtherPartner(Fit<'a>),
    OtherLine(Fit<'a>),
}

/// A race that has the function that died on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fit<'a> {
    race: &'a Race,
    /// The other side's place, where it is known.
    partner: Option<&'a Place>,
    at_line: bool,
    /// The other side is in the crash too.
    both: bool,
    build: Build,
}

/// What the callers that both logs show tell about the two builds, for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    /// A caller stands at the same line in both.
    One,
    /// Every caller in this file has moved by so many lines.
    Moved(i64),
    /// Every caller has moved, but none is in this file.
    Another,
    /// Nothing.
    Unknown,
}

/// Compares the races of one log with the crash of another.
pub fn compare(races: &Races, crash: Crash) -> Proof {
    let grounds = grounds(races, &crash);
    let (answer, why, settle) = (grounds.answer(), grounds.why(races, &crash), grounds.settle(&crash));
    let race = grounds.race().or(races.known.first()).cloned();
    Proof { answer, why, settle, race, races: races.known.len() as u64 + races.dropped, crash }
}

fn grounds<'a>(races: &'a Races, crash: &'a Crash) -> Grounds<'a> {
    if races.known.is_empty() {
        return Grounds::NoRace;
    }
    if !matches!(crash.category, Category::Code | Category::Native | Category::Unknown) {
        return Grounds::OtherCause;
    }
    let Some(fatal) = &crash.fatal else { return Grounds::NoFunction };
    let able = |race: &&Race| race.map || !crash.map;
    let fits: Vec<Fit<'_>> = races.known.iter().filter(able).flat_map(|race| fits_of(race, fatal, crash)).collect();
    if fits.is_empty() { without_fit(races, fatal, crash) } else { judge(narrow(fits), crash, races) }
}

/// Both sides may be the function that died, and then stand at two lines.
fn fits_of<'a>(race: &'a Race, fatal: &Place, crash: &Crash) -> Vec<Fit<'a>> {
    let fit = |at: usize| {
        let place = race.sides[at].place.as_ref()?;
        let build = build(race, crash, place);
        let likeness = place.likeness(fatal, build.moved());
        let partner =
            race.sides.iter().enumerate().find(|(other, _)| *other != at).and_then(|(_, side)| side.place.as_ref());
        let both = partner.is_some_and(|partner| is_among(partner, crash));
        (likeness > Likeness::None).then_some(Fit { race, partner, at_line: likeness == Likeness::Line, both, build })
    };
    (0..race.sides.len()).filter_map(fit).collect()
}

/// Whether the crash has this place beside the one that died.
fn is_among(place: &Place, crash: &Crash) -> bool {
    crash.others.iter().any(|other| place.likeness(other, 0) > Likeness::None)
        || crash.near.iter().any(|near| place.likeness(near, 0) == Likeness::Line)
}

/// What the callers tell about the builds.
fn build(race: &Race, crash: &Crash, place: &Place) -> Build {
    let of_race: Vec<&Place> = race.sides.iter().flat_map(|side| &side.callers).collect();
    let pairs = of_race.iter().flat_map(|one| crash.callers.iter().map(move |other| (*one, other)));
    let mut common: Vec<(&Place, i64)> = pairs
        .filter(|(one, other)| one.likeness(other, 0) > Likeness::None)
        .map(|(one, other)| (one, i64::from(other.line) - i64::from(one.line)))
        .collect();
    if common.iter().any(|(_, moved)| *moved == 0) {
        return Build::One;
    }
    let known = !common.is_empty();
    common.retain(|(caller, _)| caller.file == place.file);
    match common.first() {
        Some((_, first)) if common.iter().all(|(_, moved)| moved == first) => Build::Moved(*first),
        None if known => Build::Another,
        _ => Build::Unknown,
    }
}

impl Build {
    fn moved(self) -> i64 {
        if let Self::Moved(lines) = self { lines } else { 0 }
    }
}

/// The best of those that fit: at the line, then with both sides.
fn narrow(mut fits: Vec<Fit<'_>>) -> Vec<Fit<'_>> {
    for better in [|fit: &Fit<'_>| fit.at_line, |fit: &Fit<'_>| fit.both] {
        if fits.iter().any(better) {
            fits.retain(better);
        }
    }
    fits
}

fn judge<'a>(fits: Vec<Fit<'a>>, crash: &Crash, races: &Races) -> Grounds<'a> {
    let first = fits[0].clone();
    if !is_one(&fits) {
        return Grounds::Several(fits);
    }
    match (first.at_line, first.both, first.build) {
        (true, true, _) => Grounds::BothSides(first),
        (true, false, _) if has_unexplained(crash, races) => Grounds::OtherPartner(first),
        (true, false, _) => Grounds::OneSide(first),
        (false, true, Build::Moved(_) | Build::Unknown) | (false, _, Build::Another) => Grounds::MovedCode(first),
        (false, ..) => Grounds::OtherLine(first),
    }
}

/// Whether all are races on the same memory, or of the same two functions.
fn is_one(fits: &[Fit<'_>]) -> bool {
    let first = &fits[0];
    let same_pair = |fit: &Fit<'_>| match (fit.partner, first.partner) {
        (Some(one), Some(other)) => one.same_function(other),
        (one, other) => one.is_none() && other.is_none(),
    };
    let known = fits.iter().all(|fit| fit.at_line && fit.both);
    known || fits.iter().all(same_pair) || fits.iter().all(|fit| fit.at_line && fit.race.address == first.race.address)
}

/// Whether somebody was writing to a map who is in none of the races: perhaps to this one.
fn has_unexplained(crash: &Crash, races: &Races) -> bool {
    let raced = |other: &Place| {
        let places = races.known.iter().flat_map(|race| &race.sides).filter_map(|side| side.place.as_ref());
        places.into_iter().any(|place| place.likeness(other, 0) > Likeness::None)
    };
    crash.map && crash.others.iter().any(|other| !raced(other))
}

fn without_fit<'a>(races: &'a Races, fatal: &Place, crash: &Crash) -> Grounds<'a> {
    let known = || races.known.iter();
    let touches = |race: &&Race, place: &Place| {
        race.sides.iter().filter_map(|side| side.place.as_ref()).any(|side| side.likeness(place, 0) > Likeness::None)
    };
    if let Some(race) = known().find(|race| race.sides.len() < 2 || race.sides.iter().any(|side| side.place.is_none()))
    {
        return Grounds::SideUnknown(race);
    }
    if races.dropped > 0 {
        return Grounds::TooMany;
    }
    if let Some(race) = known().find(|race| crash.map && touches(race, fatal)) {
        return Grounds::NotAMap(race);
    }
    if crash.map {
        return Grounds::Nowhere;
    }
    let caller = |race: &&Race| crash.callers.iter().any(|caller| touches(race, caller));
    let calls = |race: &&Race| crash.callers.first().is_some_and(|caller| is_at(race, caller));
    let first = known().find(calls);
    match first.filter(|first| known().filter(calls).all(|race| race.functions() == first.functions())) {
        Some(race) => Grounds::ThroughCall(race),
        None => known().find(caller).map_or(Grounds::Nowhere, Grounds::InACaller),
    }
}

/// Whether one side stands at the very line.
fn is_at(race: &Race, place: &Place) -> bool {
    race.sides.iter().filter_map(|side| side.place.as_ref()).any(|side| side.likeness(place, 0) == Likeness::Line)
}

#[cfg(test)]
mod tests;
