//! Any bytes as a log: no panic, every bound kept, and the same answer however the log is cut into chunks.
#![no_main]

use std::sync::LazyLock;

use coroner::classify::{CONTRIBUTING, Engine, ExitFacts, MESSAGE_BYTES, RELATED, STACK_FRAMES};
use libfuzzer_sys::fuzz_target;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::default);

fuzz_target!(|input: &[u8]| {
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
});
