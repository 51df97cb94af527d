//! Decides which of the findings is the cause, and why the others are not.

use super::engine::Engine;
use super::envelope::without_collector;
use super::excerpt::Block;
use super::exit::{self, Fact};
use super::finding::{
    CONTRIBUTING, Confidence, Contributing, CrashReason, Culprit, Frame, MESSAGE_BYTES, Related, Runtime,
};
use super::grammar::{Candidate, Standing};
use super::hints;
use super::last_words::{LastWords, Speech, ending, last_words};
use super::native::stacks;
use super::reason::{self, ABORT, DATA_RACE, ERROR_EXIT, HEAP_EXHAUSTED, UNHANDLED_ERROR};
use super::record::Record;
use super::ruled::{self, Ruled};
use super::rules::Exit;
use super::scan::{Found, readable};
use super::severity::{Severity, reads_like_error};
use super::{Category, ExitFacts};
use super::{text, wrapper};

/// Lines shown of a log in which no line is decisive.
const ENDING_LINES: usize = 12;

/// Most lines that may follow what ended the process. Nothing runs after a runtime's own last words, but a container
/// may have other processes, and their lines arrive late.
mod after {
    /// The runtime's words, and the exit code agrees. Standard output is a pipe of its own: what a busy program had put
    /// there is read after the trace, up to 64 KiB of it, in short lines.
    pub const RAW_AGREED: u64 = 2_000;
    /// The runtime's words, and the exit code is not known.
    pub const RAW_UNKNOWN: u64 = 50;
    /// The runtime's words, and the exit code is another one: a wrapper's.
    pub const RAW_OTHER: u64 = 20;
    /// The same form, but a program can print it and go on, and the exit code agrees: a wrapper's few words may follow.
    pub const PRINTED_AGREED: u64 = 24;
    /// What a program keeps of its standard output before it writes it, in bytes: Python, Perl, PHP.
    pub const BUFFER_BYTES: usize = 8192;
    /// The same, and the exit code is not known or another one.
    pub const PRINTED_OTHER: u64 = 12;
    /// A stack that a logger or the program itself wrote.
    pub const LOGGED: u64 = 5;
    /// The same, and nothing behind it sounds like an error: an orderly shutdown says a few things after its reason.
    pub const LOGGED_LAST: u64 = 12;
}

/// What won, raw: neither redacted nor cut.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The reason.
    pub reason: CrashReason,
    /// The runtime.
    pub runtime: Runtime,
    /// The error's type.
    pub exception: Option<String>,
    /// The decisive message.
    pub message: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// The user's own place.
    pub culprit: Option<Culprit>,
    /// The stack.
    pub stack: Vec<Frame>,
    /// Other stacks of the same event.
    pub related: Vec<Related>,
    /// What the fingerprint is made of beside the frames: the kind of error; `None` for the reason.
    pub kind: Option<String>,
    /// The frames that the fingerprint is made of.
    pub signature: Vec<(String, String)>,
    /// The lines to show.
    pub excerpt: Block,
    /// What did not win.
    pub contributing: Vec<Contributing>,
    /// The cause lies above what was read.
    pub head_missing: bool,
    /// What a rule adds.
    pub ruled: Option<Ruled>,
}

impl Decision {
    /// The category of its reason.
    pub fn category(&self) -> Category {
        let ruled = self.ruled.as_ref().map(|ruled| ruled.category);
        ruled.or_else(|| reason::category_of(&self.reason)).unwrap_or(Category::Unknown)
    }
}

/// Decides, by the order of the taxonomy: a fact of the kernel or the kubelet, a user's rule, the trace that ended the
/// process, the signal, the exit code, the last words.
pub fn decide(engine: &Engine, facts: &ExitFacts, found: &Found) -> Decision {
    let code = exit::code(facts);
    let judged = judge(found, code);
    let winner = judged.winner.map(|at| &found.candidates[at]);
    let stated = exit::stated(facts, &engine.messages);
    let is_stated = stated.is_some();
    let mut contributing = judged.losers(found);
    let mut decision = match (stated, winner) {
        (Some(fact), winner) => {
            let own = winner.map(|winner| {
                contributing_of(winner, format!("{} was stated by the kernel or the kubelet", fact.reason))
            });
            contributing.splice(0..0, own);
            of_fact(fact, found)
        }
        (None, Some(stack)) if stacks::is_wordless(stack) => of_stack(engine, facts, found, stack),
        (None, Some(winner)) => of_candidate(winner, code),
        (None, None) => of_exit(engine, facts, found),
    };
    let by_user = ruled::by_user(engine, facts, found, winner, &decision, is_stated);
    if let Some(by_user) = by_user {
        contributing.splice(0..0, by_user.beside);
        decision = by_user.decision;
    }
    contributing.truncate(CONTRIBUTING);
    decision.contributing = contributing;
    decision.head_missing = is_head_missing(&decision, winner, found);
    decision
}

/// The rest of a dump is in the log, and nothing that was found explains more than it.
fn is_head_missing(decision: &Decision, winner: Option<&Candidate>, found: &Found) -> bool {
    let rest = found.candidates.iter().any(|candidate| candidate.headless);
    let explained = match winner {
        Some(winner) => !winner.headless,
        None => false,
    };
    rest && !explained && reason::category_of(&decision.reason) != Some(Category::Lifecycle)
}

/// Which trace won, and why each of the others did not.
struct Judged {
    winner: Option<usize>,
    why_not: Vec<Option<String>>,
}

fn judge(found: &Found, code: Option<i32>) -> Judged {
    let why_not: Vec<Option<String>> =
        found.candidates.iter().map(|candidate| why_survived(candidate, code, found)).collect();
    let standing = (0..found.candidates.len()).filter(|at| why_not[*at].is_none());
    let winner = standing.max_by_key(|at| rank(found, *at, code));
    Judged { winner, why_not }
}

impl Judged {
    /// What did not win, the latest first, each kind of thing once.
    fn losers(&self, found: &Found) -> Vec<Contributing> {
        let mut losers: Vec<Contributing> = Vec::new();
        for (at, candidate) in found.candidates.iter().enumerate().rev().filter(|(at, _)| Some(*at) != self.winner) {
            let why = self.why_not[at].clone().unwrap_or_else(|| "a later trace ended the process".to_owned());
            let loser = contributing_of(candidate, why);
            let known = losers.iter().any(|known| known.reason == loser.reason && known.culprit == loser.culprit);
            if !known && candidate.reason != ERROR_EXIT && losers.len() < CONTRIBUTING {
                losers.push(loser);
            }
        }
        losers
    }
}

/// Of the traces that can be the end: one that agrees with the exit, the runtime's own words before a logger's, the last
/// one. Of race reports, which end nothing by themselves, the first.
fn rank(found: &Found, at: usize, code: Option<i32>) -> (bool, u8, bool, bool, i64) {
    let candidate = &found.candidates[at];
    let agrees = code.is_some_and(|code| candidate.exits.contains(&code));
    let position = at as i64;
    let position = if candidate.reason == DATA_RACE { -position } else { position };
    let voice = match candidate.standing {
        Standing::Fatal | Standing::Closing => 2,
        Standing::Printed => 1,
        Standing::Logged | Standing::Warned(_) | Standing::Survived(_) => 0,
    };
    // What was found right before abort() was called says more than the abort. What is far above is that of a process that
    // ran before in the same container.
    let says =
        candidate.reason != ABORT || !found.candidates[..at].iter().any(|other| is_right_before(other, candidate));
    (agrees, voice, says, !candidate.headless, position)
}

/// Whether nothing but a few lines of others is between two traces.
fn is_right_before(first: &Candidate, second: &Candidate) -> bool {
    second.passage.first_line.saturating_sub(first.passage.last_line) <= after::RAW_OTHER
}

/// Why a trace did not end the process; `None` if it may have.
fn why_survived(candidate: &Candidate, code: Option<i32>, found: &Found) -> Option<String> {
    if let Standing::Survived(why) = candidate.standing {
        return Some(why.to_owned());
    }
    if candidate.reason == DATA_RACE {
        return why_not_the_race(code, found);
    }
    let follow = found.lines.saturating_sub(candidate.passage.last_line);
    if let Standing::Warned(why) = candidate.standing {
        let ended = says_it_ended(follow, found) && code.is_some_and(|code| candidate.exits.contains(&code));
        return (!ended).then(|| why.to_owned());
    }
    if let Some(code) = code {
        // Some runtimes refuse to start with a code that is a signal's elsewhere: `dotnet` with 129.
        let refused = candidate.standing == Standing::Fatal && candidate.exits.contains(&code) && follow == 0;
        if exit::is_orderly(code) && !refused {
            return Some(format!("the process went on and ended with exit code {code}"));
        }
        let logged = candidate.standing == Standing::Logged && candidate.reason != HEAP_EXHAUSTED;
        if code == 137 && (logged || follow > after::LOGGED) {
            return Some(format!("the process went on and was killed from outside, {follow} lines later"));
        }
    }
    let limit = match (&candidate.standing, code) {
        (Standing::Fatal | Standing::Closing, None) => after::RAW_UNKNOWN,
        (Standing::Fatal, Some(code)) if candidate.exits.contains(&code) => after::RAW_AGREED,
        (Standing::Fatal, Some(_)) => after::RAW_OTHER,
        (Standing::Printed, Some(code)) if candidate.exits.contains(&code) && is_flushed(follow, found) => follow,
        (Standing::Printed, Some(code)) if candidate.exits.contains(&code) => after::PRINTED_AGREED,
        (Standing::Printed, _) => after::PRINTED_OTHER,
        _ if follow <= after::LOGGED_LAST && is_last_error(follow, found) => after::LOGGED_LAST,
        _ => after::LOGGED,
    };
    (follow > limit).then(|| format!("the process went on: {follow} lines follow it"))
}

/// Whether the lines that follow are only those of whoever started the program.
fn says_it_ended(follow: u64, found: &Found) -> bool {
    let last = usize::try_from(follow).unwrap_or(usize::MAX);
    follow <= after::LOGGED && found.tail.newest_first().take(last).all(|line| wrapper::is_echo(&readable(line)))
}

/// Whether what follows a trace may be what the program had in its buffer for standard output, which is written when it
/// ends, behind what it said on standard error.
fn is_flushed(follow: u64, found: &Found) -> bool {
    let last = usize::try_from(follow).unwrap_or(usize::MAX);
    let written = |line: &[u8]| without_collector(&text::string(&readable(line))).len() + 1;
    let bytes: usize = found.tail.newest_first().take(last).map(written).sum();
    bytes <= after::BUFFER_BYTES && is_last_error(follow, found)
}

/// Whether none of the last lines, as many as follow a trace, says that something is wrong.
fn is_last_error(follow: u64, found: &Found) -> bool {
    let last = usize::try_from(follow).unwrap_or(usize::MAX);
    !found.tail.newest_first().take(last).any(|line| {
        let line = readable(line);
        match Record::read(&line).map_or_else(|| Severity::of_line(&line), |record| record.severity) {
            Some(severity) => severity >= Severity::Error,
            None => reads_like_error(&line),
        }
    })
}

/// The detector reports and the process goes on; the exit code tells that it found something. `go test` exits 1.
fn why_not_the_race(code: Option<i32>, found: &Found) -> Option<String> {
    let test =
        || found.tail.newest_first().take(50).any(|line| text::has(line, "race detected during execution of test"));
    match code {
        None | Some(66) => None,
        Some(1) if test() => None,
        Some(code) => Some(format!("the detector reports and the process goes on; it exited {code}, not 66")),
    }
}

pub fn contributing_of(candidate: &Candidate, why_not: String) -> Contributing {
    Contributing {
        category: reason::category_of(&candidate.reason).unwrap_or(Category::Unknown),
        reason: candidate.reason.clone(),
        message: text::cut(&candidate.message, MESSAGE_BYTES),
        why_not,
        culprit: candidate.culprit.clone(),
    }
}

fn of_candidate(winner: &Candidate, code: Option<i32>) -> Decision {
    let agrees = code.is_some_and(|code| winner.exits.contains(&code));
    let confidence = match (&winner.standing, winner.headless, agrees) {
        (_, true, _) => Confidence::Low,
        (Standing::Fatal | Standing::Printed, _, true) => Confidence::High,
        _ => Confidence::Medium,
    };
    Decision {
        reason: winner.reason.clone(),
        runtime: winner.runtime,
        exception: winner.exception.clone(),
        message: winner.message.clone(),
        confidence,
        culprit: winner.culprit.clone(),
        stack: winner.stack.clone(),
        related: winner.related.clone(),
        kind: Some(winner.kind.clone()),
        signature: winner.signature.clone(),
        excerpt: winner.passage.block.clone(),
        contributing: Vec::new(),
        head_missing: false,
        ruled: None,
    }
}

/// A stack that says where, but not what: the exit says that, or the last words.
fn of_stack(engine: &Engine, facts: &ExitFacts, found: &Found, stack: &Candidate) -> Decision {
    let mut decision = of_exit(engine, facts, found);
    let open = decision.ruled.is_none() && decision.culprit.is_none();
    if !open || !matches!(decision.runtime, Runtime::Native | Runtime::Unknown) {
        return decision;
    }
    let by_code = exit::code(facts).and_then(exit::of_code).is_some();
    let words = std::mem::replace(&mut decision.excerpt, stack.passage.block.clone());
    if !by_code {
        decision.excerpt.append(&words);
    }
    decision.runtime = stack.runtime;
    decision.culprit.clone_from(&stack.culprit);
    decision.stack.clone_from(&stack.stack);
    decision.signature.clone_from(&stack.signature);
    decision
}

fn of_fact(fact: Fact, found: &Found) -> Decision {
    Decision {
        runtime: runtime_of(&fact, found),
        reason: fact.reason,
        exception: None,
        message: fact.message,
        confidence: fact.confidence,
        culprit: None,
        stack: Vec::new(),
        related: Vec::new(),
        kind: None,
        signature: Vec::new(),
        excerpt: ending(found, ENDING_LINES),
        contributing: Vec::new(),
        head_missing: false,
        ruled: None,
    }
}

/// What the log shows, unless the fact refutes it: Go's runtime turns a fault of the machine into a dump and exit code 2, so
/// a bare signal beside lines that merely look like those of Go's loggers is not Go's.
fn runtime_of(fact: &Fact, found: &Found) -> Runtime {
    let shown = shown_runtime(found);
    let refuted = shown == Some(Runtime::Go) && found.candidates.is_empty();
    match fact.runtime {
        Some(proven) if refuted => proven,
        proven => shown.or(proven).unwrap_or_default(),
    }
}

/// The runtime that the log shows, whatever ended it.
fn shown_runtime(found: &Found) -> Option<Runtime> {
    let traced = found.candidates.last().map(|candidate| candidate.runtime);
    traced.or_else(|| hints::runtime_of(found.tail.newest_first()))
}

/// No trace: the signal, then what the log says last, then the exit code alone.
fn of_exit(engine: &Engine, facts: &ExitFacts, found: &Found) -> Decision {
    let code = exit::code(facts);
    let exit = exit_of(facts, found);
    let speech = Speech { exit, messages: &engine.messages, rules: &engine.rules };
    let words = last_words(found, &speech).unwrap_or_default();
    // What a server says of its own end counts beside a signal only where its rule names that signal.
    if let Some(fact) = code.and_then(exit::of_code).filter(|_| !words.fits_code) {
        return of_fact(fact, found);
    }
    let shell = code.and_then(exit::of_shell_code).filter(|_| words.reason.is_none());
    match shell {
        Some(fact) => of_fact(fact, found),
        None => of_last_words(words, code, found),
    }
}

/// What rules know of this exit.
pub fn exit_of<'a>(facts: &'a ExitFacts, found: &Found) -> Exit<'a> {
    Exit { code: exit::code(facts), kubelet_reason: facts.reason.as_deref(), runtime: shown_runtime(found) }
}

fn of_last_words(words: LastWords, code: Option<i32>, found: &Found) -> Decision {
    let traced = !words.stack.is_empty() && words.culprit.is_some();
    let unknown = if traced { UNHANDLED_ERROR } else { ERROR_EXIT };
    let confidence = if words.reason.is_some() && words.is_clear { Confidence::Medium } else { Confidence::Low };
    let silent = words.message.is_empty();
    Decision {
        reason: words.reason.unwrap_or(unknown),
        runtime: words.runtime.or_else(|| shown_runtime(found)).unwrap_or_default(),
        exception: words.exception,
        message: if silent { silence(code) } else { words.message.clone() },
        confidence,
        culprit: words.culprit,
        stack: words.stack,
        related: Vec::new(),
        kind: (!words.signature.is_empty()).then_some(words.message),
        signature: words.signature,
        excerpt: if words.excerpt.is_empty() { ending(found, ENDING_LINES) } else { words.excerpt },
        contributing: Vec::new(),
        head_missing: false,
        ruled: words.ruled,
    }
}

fn silence(code: Option<i32>) -> String {
    match code {
        Some(code) => format!("it exited with code {code} and said nothing"),
        None => "nothing is known: no log and no exit code".to_owned(),
    }
}
