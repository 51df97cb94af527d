//! The committed definition of the custom resource is what the types say.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

const HINT: &str = "is not what `coroner crd` prints: write it anew with `coroner crd >";

fn assert_is_generated(path: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let committed = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"));
    let generated = coroner::report::crd_yaml().unwrap();
    if committed != generated && std::env::var_os("CORONER_REGENERATE").is_some() {
        fs::write(&file, &generated).unwrap();
    }
    assert!(committed == generated, "{path} {HINT} {path}`, or set CORONER_REGENERATE=1 and run this test twice");
}

#[test]
fn the_committed_definition_is_what_the_types_say() {
    assert_is_generated("crds/crashreports.coroner.dev.yaml");
}

#[test]
fn the_charts_copy_is_the_same() {
    let copy = "charts/coroner/files/crds/crashreports.coroner.dev.yaml";
    // Where the chart holds a copy at all: its folder of files is filled when it is packaged.
    if Path::new(env!("CARGO_MANIFEST_DIR")).join(copy).exists() {
        assert_is_generated(copy);
    }
}

#[test]
fn the_command_prints_the_definition() {
    let mut out = Vec::new();
    coroner::cli::crd::run(&mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), coroner::report::crd_yaml().unwrap());
}
