//! What a comparison came to, in words.

use super::{Answer, Crash, Fit, Grounds, Place, Race, Races};
use crate::classify::Runtime;

const ALL_GOROUTINES: &str = "let the pod crash once more with GOTRACEBACK=all: the dump then shows the other goroutine too \
                              (Go 1.26 dumps only the one that died)";
const SAME_REVISION: &str = "run the detector on the very revision that the pod runs: then lines can be compared";
const RACE_RUN: &str = "run the program, or its tests, under the detector (go test -race, -fsanitize=thread) with what the pod \
                        did when it died";

impl Grounds<'_> {
    /// The answer that they give.
    pub(super) fn answer(&self) -> Answer {
        match self {
            Self::BothSides(_) | Self::OneSide(_) | Self::MovedCode(_) | Self::ThroughCall(_) => Answer::Same,
            Self::OtherCause | Self::Nowhere | Self::NotAMap(_) => Answer::Different,
            Self::NoRace
            | Self::NoFunction
            | Self::SideUnknown(_)
            | Self::TooMany
            | Self::InACaller(_)
            | Self::Several(_)
            | Self::OtherPartner(_)
            | Self::OtherLine(_) => Answer::NotEnough,
        }
    }

    /// The race that they are about.
    pub(super) fn race(&self) -> Option<&Race> {
        match self {
            Self::BothSides(fit)
            | Self::OneSide(fit)
            | Self::MovedCode(fit)
            | Self::OtherPartner(fit)
            | Self::OtherLine(fit) => Some(fit.race),
            Self::Several(fits) => fits.first().map(|fit| fit.race),
            Self::NotAMap(race) | Self::SideUnknown(race) | Self::InACaller(race) | Self::ThroughCall(race) => {
                Some(race)
            }
            Self::NoRace | Self::NoFunction | Self::OtherCause | Self::Nowhere | Self::TooMany => None,
        }
    }

    pub(super) fn why(&self, races: &Races, crash: &Crash) -> String {
        let died = crash.fatal.as_ref().map_or_else(|| "nowhere known".to_owned(), Place::in_words);
        match self {
            Self::NoRace => "the first log has no report of a race".into(),
            Self::NoFunction => format!("the crash ({}) names no function of the program's own", crash.reason),
            Self::OtherCause => format!("it died of {}, which no race brings about", crash.reason),
            Self::BothSides(_) => {
                "both sides of the race are those of the crash, at the same lines of what died".into()
            }
            Self::OneSide(fit) => format!(
                "it died at {died}, one side of this race{}; who was on the other side, the crash does not show",
                alone(fit, races)
            ),
            Self::MovedCode(_) => {
                "both sides of the race are the functions of the crash; their lines differ, as those of two builds do"
                    .into()
            }
            Self::Nowhere => format!("none of the {} touches anything in what died, {died}", counted(races)),
            Self::NotAMap(_) => format!(
                "{died} races, but on memory that is no map, and Go itself says that it died of a map used by two at once"
            ),
            Self::SideUnknown(_) => "a race has a side without a stack, which may be the one that died".into(),
            Self::TooMany => format!("the log has more races than were compared, of which none touches {died}"),
            Self::ThroughCall(_) => format!("the race is at the very line that called what died, {died}"),
            Self::InACaller(_) => format!("the race is in a function that called what died, {died}"),
            Self::Several(fits) => format!("races with several others fit {died} equally well: {}", partners(fits)),
            Self::OtherPartner(_) => format!(
                "it died at {died}, one side of this race, but who wrote to a map at that moment is in no race of the log: {}",
                crash.others.iter().map(Place::in_words).collect::<Vec<_>>().join(", ")
            ),
            Self::OtherLine(_) => {
                format!(
                    "the race is in the function that died, but at another line than {died}, which may touch other memory"
                )
            }
        }
    }

    pub(super) fn settle(&self, crash: &Crash) -> Vec<String> {
        let go = crash.runtime == Runtime::Go && crash.others.is_empty();
        let all = || go.then(|| ALL_GOROUTINES.to_owned());
        let also = |text: &str| Some(text.to_owned());
        let steps = match self {
            Self::OneSide(_) => [all(), None],
            Self::Several(_) => [all(), also(SAME_REVISION)],
            Self::MovedCode(_) | Self::OtherLine(_) => [also(SAME_REVISION), all()],
            Self::NoRace | Self::OtherPartner(_) | Self::InACaller(_) | Self::NotAMap(_) => [also(RACE_RUN), None],
            Self::SideUnknown(_) => {
                [also("run it with GORACE=history_size=7 (TSAN_OPTIONS=history_size=7): more stacks are kept"), None]
            }
            Self::NoFunction => [all(), also("give the whole log of the crash")],
            Self::TooMany => [also("fix the races that are reported first, and run the detector again"), None],
            Self::BothSides(_) | Self::ThroughCall(_) | Self::Nowhere | Self::OtherCause => [None, None],
        };
        steps.into_iter().flatten().collect()
    }
}

fn alone(fit: &Fit<'_>, races: &Races) -> &'static str {
    match (races.known.len(), fit.partner) {
        (1, _) => " and the only one there is",
        (_, Some(_)) => " (of those of the log it fits best)",
        (_, None) => "",
    }
}

fn counted(races: &Races) -> String {
    let count = races.known.len();
    if count == 1 { "races (there is one)".to_owned() } else { format!("{count} races") }
}

fn partners(fits: &[Fit<'_>]) -> String {
    let mut names: Vec<String> = fits.iter().filter_map(|fit| fit.partner).map(Place::in_words).collect();
    names.sort();
    names.dedup();
    names.truncate(4);
    names.join(", ")
}
