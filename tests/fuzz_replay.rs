//! Replays what fuzzing has found, so that it holds without a fuzzer: `tests/fuzz/<target>/` has the inputs on which a
//! target has once failed, and a few of those that lead it furthest.

#[path = "../fuzz/checks.rs"]
mod checks;

use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(target);
    let inputs: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    assert!(!inputs.is_empty(), "no inputs in {}", folder.display());
    for path in inputs {
        let input = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // The name of the one that fails, which the check does not know.
        let failed = std::panic::catch_unwind(|| check(&input)).is_err();
        assert!(!failed, "it fails on {}", path.display());
    }
}

#[test]
fn the_classifier_bears_what_fuzzing_found() {
    replay("classify", checks::classify);
}

#[test]
fn the_redactor_bears_what_fuzzing_found() {
    replay("redact", checks::redact);
}

#[test]
fn the_proof_bears_what_fuzzing_found() {
    replay("proof", checks::proof);
}

#[test]
fn the_loader_of_rules_bears_what_fuzzing_found() {
    replay("rules", checks::rules);
}
