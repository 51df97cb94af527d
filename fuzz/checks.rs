//! What must hold for any bytes. The fuzz targets and the test that replays what they found share it.

use std::sync::LazyLock;

use coroner::classify::proof::{Crash, RaceReader, compare};
use coroner::classify::rules::{RuleFile, Rules};
use coroner::classify::{CONTRIBUTING, Engine, ExitFacts, MESSAGE_BYTES, RELATED, STACK_FRAMES};
use coroner::redact::Redactor;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::default);
static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// Any bytes as a log: no panic, every bound kept, and the same answer however the log is cut into chunks.
pub fn classify(input: &[u8]) {
    let [code, size, log @ ..] = input else { return };
    let facts = ExitFacts { exit_code: Some(i32::from(*code)), ..ExitFacts::default() };
    let whole = ENGINE.classify(log, facts.clone());
    let mut classifier = ENGINE.classifier(facts);
    log.chunks(usize::from(*size) + 1).for_each(|chunk| classifier.feed(chunk));
    assert_eq!(classifier.finish(), whole);
    assert!(whole.excerpt.len() <= 4096 && whole.finding.message.len() <= MESSAGE_BYTES);
    assert!(whole.decisive_from <= whole.excerpt.len() && whole.excerpt.is_char_boundary(whole.decisive_from));
    let finding = &whole.finding;
    assert!(finding.stack.len() <= STACK_FRAMES && finding.related.len() <= RELATED);
    assert!(finding.contributing.len() <= CONTRIBUTING);
}

/// A secret that no input has.
const CANARY: &str = "q7Zk2vXw9LrT4mBs";

/// Any bytes as a text that is to leave: no panic, nothing in it that a terminal would take for a command, and a secret in
/// a line of its own is gone, whatever stands above it. Between them is an empty line, since the one below a frame is source
/// code, in which a bare word is a variable.
pub fn redact(text: &[u8]) {
    let clean = REDACTOR.clean(&[text, b"\n\npassword=", CANARY.as_bytes(), b"\n"].concat());
    assert!(!clean.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{clean:?}");
    assert!(!clean.contains(CANARY), "{clean:?}");
}

/// Any bytes as the log of a race detector, and any as that of a crash: no panic, bounds kept, the same races however the
/// log is cut into chunks.
pub fn proof(input: &[u8]) {
    let [size, logs @ ..] = input else { return };
    let (race, crash) = logs.split_at(logs.iter().position(|byte| *byte == 0).unwrap_or(logs.len() / 2));
    let read = |size: usize| {
        let mut reader = RaceReader::default();
        race.chunks(size).for_each(|chunk| reader.feed(chunk));
        reader.finish()
    };
    let races = read(1 << 16);
    assert_eq!(read(usize::from(*size) + 1), races);
    let proof = ENGINE.cleaned(compare(&races, Crash::of(&ENGINE.classify(crash, ExitFacts::default()))));
    assert!(!proof.why.is_empty());
}

/// Any text as a file of rules, and any bytes as a log that they see: each mistake has its place in the text, and rules
/// that were accepted do their work without a panic and within the bounds of a finding.
pub fn rules(input: &[u8]) {
    let (text, log) = input.split_at(input.iter().position(|byte| *byte == 0).unwrap_or(input.len()));
    let Ok(text) = std::str::from_utf8(text) else { return };
    match RuleFile::parse(text) {
        Ok(file) => {
            let engine = Engine::with_rules(Redactor::default(), Rules::new(vec![file]));
            let found = engine.classify(log, ExitFacts { exit_code: Some(3), ..ExitFacts::default() });
            assert!(found.excerpt.len() <= 4096 && found.finding.message.len() <= MESSAGE_BYTES);
        }
        Err(faults) => {
            let ends = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
            // What is missing at the end is missing in the line behind it.
            let lines = text.matches(ends).count() + 2;
            assert!(!faults.is_empty());
            for fault in faults {
                let placed = (1..=lines).contains(&fault.line) && fault.column >= 1;
                assert!(placed && !fault.message.contains('\n'), "{fault}");
            }
        }
    }
}
