//! Any bytes as the log of a race detector, and any as that of a crash: no panic, bounds kept, the same races however the
//! log is cut into chunks.
#![no_main]

use std::sync::LazyLock;

use coroner::classify::proof::{Crash, RaceReader, compare};
use coroner::classify::{Engine, ExitFacts};
use libfuzzer_sys::fuzz_target;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::default);

fuzz_target!(|input: &[u8]| {
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
});
