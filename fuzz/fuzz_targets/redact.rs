//! Any bytes as a text that is to leave: no panic, nothing in it that a terminal would take for a command, and what is
//! clean stays as it is.
#![no_main]

use std::sync::LazyLock;

use coroner::redact::Redactor;
use libfuzzer_sys::fuzz_target;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

fuzz_target!(|text: &[u8]| {
    let clean = REDACTOR.clean(text);
    assert!(!clean.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{clean:?}");
    assert_eq!(REDACTOR.clean(clean.as_bytes()), clean);
});
