//! Where no trace ends a log: the line that says why the program gave up.

use super::envelope::{Tag, without_collector, without_stamps};
use super::excerpt::Block;
use super::finding::{CrashReason, Culprit, Frame, Runtime, STACK_FRAMES};
use super::go::{dump, frames};
use super::hints;
use super::messages::{Meaning, Messages, Voice};
use super::reason::{COMMAND_NOT_FOUND, EXEC_FORMAT_ERROR};
use super::record::Record;
use super::ruled::Ruled;
use super::rules::{Exit, Rules};
use super::scan::{Found, readable};
use super::severity::{Severity, reads_like_error};
use super::{chatter, dotnet, haskell, jvm, perl, shell, text, wrapper};
use crate::log::answer::is_error_text;

/// How many of the last lines are looked at: a usage text may follow the error.
const LINES: usize = 80;
/// Most lines shown behind the chosen one.
const LINES_BEHIND: usize = 6;
/// A line farther from the end than this loses no more for it.
const FARTHEST: usize = 20;

/// Most lines between an error and the stack that its logger prints.
const LINES_BEFORE_STACK: usize = 3;
/// What a line loses that ends with a colon.
const ANNOUNCING: usize = 12;
/// The weight of a line that says no more than that it is over now, whatever its level.
const CLOSING: usize = 21;
/// What such lines say, without their level and punctuation.
const CLOSINGS: [&str; 18] = [
    "rake aborted",
    "bin rails aborted",
    "abort",
    "aborting",
    "aborted",
    "exit",
    "exiting",
    "exiting now",
    "exiting due to fatal error",
    "giving up",
    "quitting",
    "shutting down",
    "shutdown",
    "stopping",
    "terminating",
    "fatal errors found in configuration",
    "fatal error exiting the event loop",
    "fpm initialization failed",
];

/// Most lines behind what a tool said of which a rule does not tell who called it.
const ASKED: usize = 6;
/// The weight of a line that a rule knows: above every other one nearby.
const RULED: usize = 64;

/// The line that was chosen and what it says.
#[derive(Clone, Debug, Default)]
pub struct LastWords {
    /// The line, without its time stamp; for a record, its message and error.
    pub message: String,
    /// What it means, if that is known.
    pub reason: Option<CrashReason>,
    /// The exception that it names.
    pub exception: Option<String>,
    /// The runtime that wrote it.
    pub runtime: Option<Runtime>,
    /// The place that it names.
    pub culprit: Option<Culprit>,
    /// The stack that its logger added.
    pub stack: Vec<Frame>,
    /// Function and file of the user's own frames in that stack.
    pub signature: Vec<(String, String)>,
    /// The lines around it.
    pub excerpt: Block,
    /// It states a level, or it is the very last line and says something that is known.
    pub is_clear: bool,
    /// What the rule adds that knew the line.
    pub ruled: Option<Ruled>,
    /// That rule names the exit code.
    pub fits_code: bool,
}

/// What is needed to understand lines.
#[derive(Clone, Copy, Debug)]
pub struct Speech<'a> {
    /// How the process ended.
    pub exit: Exit<'a>,
    /// What texts mean.
    pub messages: &'a Messages,
    /// What lines mean.
    pub rules: &'a Rules,
}

/// One of the last lines.
struct Spoken {
    number: u64,
    text: Vec<u8>,
    record: Option<Record>,
}

impl Spoken {
    fn severity(&self) -> Option<Severity> {
        match &self.record {
            Some(record) => record.severity,
            None => Severity::of_line(&self.text),
        }
    }

    /// What rules see: the line, or what a record says, with what its summary leaves out below it.
    fn sight(&self) -> String {
        match &self.record {
            Some(record) => [record.summary(), record.message.clone(), record.error.clone()].join("\n"),
            None => text::string(&self.text),
        }
    }

    fn message(&self) -> String {
        match &self.record {
            Some(record) => record.summary(),
            None => without_level(without_stamps(&text::string(&self.text))).to_owned(),
        }
    }
}

/// A line without a level that is a field of its own: `ERROR\tcannot start`.
fn without_level(line: &str) -> &str {
    let fields = line.split_once('\t').filter(|(level, _)| Severity::of_word(level).is_some());
    fields.map_or(line, |(_, rest)| rest)
}

/// The last lines, the last one first, without those of a trace.
fn spoken(found: &Found, count: usize) -> Vec<Spoken> {
    let inside =
        |number: u64| found.candidates.iter().any(|c| (c.passage.first_line..=c.passage.last_line).contains(&number));
    let tag = tag_of(found);
    let numbered = (0..=found.lines).rev().zip(found.tail.newest_first());
    let lines = numbered.take(count).filter(|(number, _)| !inside(*number));
    lines
        .map(|(number, raw)| {
            let line = text::string(&readable(raw));
            // What the kubelet writes where a log should be is no word of the program.
            let kubelets = is_error_text(line.as_bytes());
            let text = if kubelets { "" } else { wrapper::unboxed(without_collector(tag.strip(&line))) };
            let text = text.as_bytes().to_vec();
            let record = Record::read(&text).filter(|record| !record.summary().is_empty());
            Spoken { number, text, record }
        })
        .collect()
}

/// What stands before each of the last lines.
pub fn tag_of(found: &Found) -> Tag {
    let lines: Vec<String> = found.tail.newest_first().take(LINES).map(|raw| text::string(&readable(raw))).collect();
    Tag::learn(lines.iter().map(String::as_str))
}

/// The lines that users' rules see, the last one first, each with what a report would show of it.
pub fn for_rules(found: &Found) -> Vec<Sight> {
    let lines = spoken(found, super::rules::LINES);
    let sight =
        |at: usize| Sight { text: lines[at].sight(), message: lines[at].message(), excerpt: excerpt(&lines, at) };
    (0..lines.len()).filter(|at| !text::blank(&lines[*at].text)).map(sight).collect()
}

/// One line as rules see it.
#[derive(Clone, Debug)]
pub struct Sight {
    /// What an expression is tried on.
    pub text: String,
    /// The message that it is, where the rule has none of its own.
    pub message: String,
    /// The lines around it.
    pub excerpt: Block,
}

/// Finds the last words.
pub fn last_words(found: &Found, speech: &Speech<'_>) -> Option<LastWords> {
    let lines = spoken(found, LINES);
    let last = found.lines;
    let ranked = lines.iter().enumerate().filter(|(_, line)| !text::blank(&line.text)).map(|(at, line)| {
        let meaning = meaning(line, speech);
        let distance = usize::try_from(last - line.number).unwrap_or(FARTHEST).min(FARTHEST);
        (weight(line, meaning.as_ref(), distance).saturating_sub(distance), at, meaning)
    });
    // Of equals the later line, which comes first here.
    let (weight, at, meaning) = ranked.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    let at = if weight == 0 { unleveled(&lines, at) } else { at };
    Some(describe(&lines, at, meaning, weight))
}

/// Where no line says anything, and the last one is an ordinary record: what the program said without a level. Records that
/// it still had in a buffer are written when it ends, behind its last words on standard error.
fn unleveled(lines: &[Spoken], last: usize) -> usize {
    let ordinary = |line: &Spoken| line.severity().is_some_and(|level| level <= Severity::Info);
    if !ordinary(&lines[last]) {
        return last;
    }
    let said = |line: &Spoken| line.severity().is_none() && line.record.is_none() && is_sentence(&line.text);
    let rest = lines.iter().enumerate().skip(last).skip_while(|(_, line)| ordinary(line));
    rest.take(1).find(|(_, line)| said(line)).map_or(last, |(at, _)| at)
}

/// Some words, after which nothing but the next record follows.
fn is_sentence(text: &[u8]) -> bool {
    let words = text.split(u8::is_ascii_whitespace).filter(|word| word.iter().any(u8::is_ascii_alphabetic));
    words.count() >= 3 && !text.starts_with(b" ")
}

/// How much a line sounds like the reason, before its distance from the end is taken off.
fn weight(line: &Spoken, meaning: Option<&Meant>, distance: usize) -> usize {
    // Entry points ask for what they need until it is there: only at the end the last answer is the reason.
    let asked = |meaning: &Meant| meaning.runtime == Some(Runtime::Unknown) && distance > ASKED;
    if meaning.is_some_and(|meaning| meaning.ruled.is_some() && !asked(meaning)) {
        return RULED;
    }
    let known = meaning.is_some();
    if !known && is_closing(&line.message()) {
        return CLOSING;
    }
    let base = match line.severity() {
        // Whoever started the program says that it ended, behind what the program itself said last.
        _ if wrapper::is_echo(&line.text) => return 12,
        // What musl cannot resolve is missing because of the library that it names further up.
        None if line.text.starts_with(b"Error relocating ") => 13,
        Some(Severity::Fatal) => 50,
        Some(Severity::Error) => 40,
        Some(Severity::Warn) => 22,
        Some(Severity::Info) => return 0,
        None if known => 34,
        None if reads_like_error(&line.text) => 30,
        None => return 0,
    };
    // What only announces the next line says less than that.
    let announces = line.record.is_none() && line.text.trim_ascii_end().ends_with(b":");
    base + if known { 6 } else { 0 } - if announces { ANNOUNCING } else { 0 }
}

/// Whether a message says no more than that it is over.
fn is_closing(message: &str) -> bool {
    let mut words: Vec<String> = Vec::new();
    for word in message.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if words.len() > 6 {
            return false;
        }
        words.push(word.to_ascii_lowercase());
    }
    let level = |word: &&String| Severity::of_word(word).is_some();
    let said: Vec<&str> = words.iter().skip_while(level).map(String::as_str).collect();
    CLOSINGS.contains(&said.join(" ").as_str())
}

#[derive(Default)]
struct Meant {
    reason: Option<CrashReason>,
    exception: Option<String>,
    runtime: Option<Runtime>,
    culprit: Option<Culprit>,
    message: Option<String>,
    ruled: Option<Ruled>,
    fits_code: bool,
}

fn meaning(line: &Spoken, speech: &Speech<'_>) -> Option<Meant> {
    let message = line.message();
    let ruled = |text: &str| speech.rules.meaning(text, &speech.exit);
    let unstamped = || line.record.is_none().then(|| ruled(&message)).flatten();
    if let Some(hit) = ruled(&line.sight()).or_else(unstamped) {
        return Some(Meant {
            reason: Some(hit.rule.reason.clone()),
            runtime: hit.rule.by,
            culprit: hit.culprit,
            fits_code: hit.rule.names_code(),
            ruled: Some(Ruled::of(hit.rule)),
            message: hit.message,
            exception: None,
        });
    }
    // A collector may have wrapped each line of a script into a record.
    let plain = line.record.as_ref().is_none_or(|record| record.error.is_empty() && record.stack.is_empty());
    if plain && let Some(complaint) = shell::complaint(&message) {
        let told = || Some(speech.messages.meaning(&message, Voice::LastWords)?.reason);
        if let Some(reason) = complaint.reason(speech.exit.code).or_else(told) {
            let (runtime, culprit) = (Some(Runtime::Shell), complaint.culprit());
            return Some(Meant { reason: Some(reason), runtime, culprit, ..Meant::default() });
        }
    }
    if line.record.is_none() {
        if let Some(reason) = of_exec(&message) {
            return Some(Meant { reason: Some(reason), ..Meant::default() });
        }
        if let Some((reason, culprit)) = perl::said(&message, speech.messages) {
            return Some(Meant { reason: Some(reason), runtime: Some(Runtime::Perl), culprit, ..Meant::default() });
        }
    }
    if let Some(meant) = thrown(&message, speech.messages).or_else(|| shown(&message, speech.messages)) {
        return Some(meant);
    }
    let said = |text: &str| speech.messages.meaning(text, Voice::LastWords);
    let whole = |meaning: Meaning| (meaning, None);
    let (meaning, message) = said(&message).map(whole).or_else(|| further(line.record.as_ref()?, said))?;
    Some(Meant { reason: Some(meaning.reason), runtime: meaning.runtime, message, ..Meant::default() })
}

/// Where the first line of a record says nothing, a further one may: `soft error\nrecords retrieval failed: …`.
fn further(record: &Record, said: impl Fn(&str) -> Option<Meaning>) -> Option<(Meaning, Option<String>)> {
    let text = if record.error.is_empty() { &record.message } else { &record.error };
    text.lines().skip(1).take(LINES).find_map(|line| Some((said(line)?, Some(line.trim().to_owned()))))
}

/// An exception by its class, of which no trace was written.
fn thrown(message: &str, messages: &Messages) -> Option<Meant> {
    let java = || Some((Runtime::Jvm, jvm::kinds::said(message, messages)?));
    let dotnet = || Some((Runtime::Dotnet, dotnet::kinds::said(message, messages)?));
    let (runtime, (class, text, reason)) = java().or_else(dotnet)?;
    // A program's own words before the class are part of what it said.
    let said = match message.starts_with(&class) {
        true if text.is_empty() || text == "null" => Some(class.clone()),
        true => Some(text),
        false => None,
    };
    Some(Meant {
        reason: Some(reason),
        exception: Some(class),
        runtime: Some(runtime),
        message: said,
        ..Meant::default()
    })
}

/// A value of Haskell that nobody caught and that has no text.
fn shown(message: &str, messages: &Messages) -> Option<Meant> {
    let shown = haskell::value::shown(message, messages)?;
    Some(Meant {
        reason: Some(shown.reason),
        exception: Some(shown.constructor),
        runtime: Some(Runtime::Haskell),
        culprit: shown.culprit,
        message: Some(shown.value),
        ..Meant::default()
    })
}

/// The container runtime's own line in the log of a process that it could not start: `exec /app: exec format error`. Or
/// that of `env`, tini and others that start a program in its place.
fn of_exec(message: &str) -> Option<CrashReason> {
    let started = ["exec /", "[FATAL tini (", "env: ", "/usr/bin/env: ", "su-exec: ", "[dumb-init] "];
    let text = started.iter().find_map(|words| message.strip_prefix(words))?.to_ascii_lowercase();
    if text.ends_with("exec format error") {
        Some(EXEC_FORMAT_ERROR)
    } else {
        text.ends_with("no such file or directory").then_some(COMMAND_NOT_FOUND)
    }
}

fn describe(lines: &[Spoken], at: usize, meaning: Option<Meant>, weight: usize) -> LastWords {
    let chosen = &lines[at];
    let trace = stack_behind(lines, at);
    let layout = frames::Layout::default();
    let own = trace.iter().find(|frame| layout.in_app(frame));
    let meant = meaning.unwrap_or_default();
    LastWords {
        message: meant.message.unwrap_or_else(|| chosen.message()),
        reason: meant.reason,
        exception: meant.exception,
        runtime: meant
            .runtime
            .or_else(|| logger(chosen))
            .or_else(|| hints::runtime_of(lines.iter().map(|l| l.text.as_slice()))),
        culprit: own.map(dump::place_of).or(meant.culprit).or_else(|| caller(chosen)),
        stack: dump::stack(&trace, &layout),
        signature: dump::signature(&trace, &layout, false),
        excerpt: excerpt(lines, at),
        is_clear: weight >= 36,
        ruled: meant.ruled,
        fits_code: meant.fits_code,
    }
}

fn logger(line: &Spoken) -> Option<Runtime> {
    line.record.as_ref().filter(|record| record.go_logger).map(|_| Runtime::Go)
}

/// The place of a fatal log call. Of a mere error it would only be where it was noticed.
fn caller(line: &Spoken) -> Option<Culprit> {
    if line.severity() != Some(Severity::Fatal) {
        return None;
    }
    let (file, number) = line.record.as_ref()?.caller.clone()?;
    (!file.contains("@v")).then_some(Culprit { function: None, file: Some(file), line: Some(number) })
}

/// The stack in the record, or the one that zap's console form prints below the line.
fn stack_behind(lines: &[Spoken], at: usize) -> Vec<frames::RawFrame> {
    let within = lines[at].record.as_ref().map(|record| {
        // `%+v` writes the stack of pkg/errors into the text itself.
        [&record.stack, &record.error, &record.message].map(|text| frames_in(text.lines().map(str::as_bytes)))
    });
    let within = within.into_iter().flatten().find(|frames| !frames.is_empty());
    let behind = || lines[..at].iter().rev().map(|line| line.text.as_slice()).filter(|line| !chatter::is_chatter(line));
    within.unwrap_or_else(|| frames_in(behind()))
}

/// Pairs of lines, a symbol with or without arguments and a place. An error that wraps another one may say more before
/// its stack begins; it ends where the lines are something else.
fn frames_in<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<frames::RawFrame> {
    let lines: Vec<&[u8]> = lines.take(2 * STACK_FRAMES + LINES_BEFORE_STACK).collect();
    let pairs = |from: usize| lines[from.min(lines.len())..].chunks_exact(2).map_while(|pair| frame(pair[0], pair[1]));
    (0..=LINES_BEFORE_STACK)
        .map(|from| pairs(from).collect::<Vec<_>>())
        .find(|stack| !stack.is_empty())
        .unwrap_or_default()
}

/// A name without arguments and package is fine where a place follows.
fn frame(function: &[u8], below: &[u8]) -> Option<frames::RawFrame> {
    let symbol = frames::call(function).unwrap_or(function.trim_ascii());
    let (file, line) = frames::place(below).filter(|_| !symbol.is_empty() && !symbol.contains(&b' '))?;
    Some(frames::frame(symbol, file, line))
}

fn excerpt(lines: &[Spoken], at: usize) -> Block {
    let before: Vec<Vec<u8>> =
        lines[at + 1..].iter().take(super::excerpt::LINES_BEFORE).map(|line| line.text.clone()).collect();
    let mut block = Block::after(&before);
    for line in lines[at.saturating_sub(LINES_BEHIND)..=at].iter().rev() {
        block.push(&line.text);
    }
    block
}

/// The lines at the end, where no line says anything.
pub fn ending(found: &Found, count: usize) -> Block {
    let lines: Vec<&[u8]> = found.tail.newest_first().take(count).collect();
    let mut block = Block::default();
    for line in lines.iter().rev() {
        block.push(&readable(line));
    }
    block
}
