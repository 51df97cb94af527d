//! `coroner explain` from outside: its exit codes, its errors, its forms of output.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

const PANIC: &str = "2026/11/24 04:15:10 starting\npanic: runtime error: index out of range [5] with length 3\n\n\
                     goroutine 1 [running]:\nmain.top(...)\n\t/app/main.go:42\nmain.main()\n\t/app/main.go:7 +0x1\n";

fn explain(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_coroner"))
        .arg("explain")
        .args(args)
        .env_remove("COLUMNS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command may end before it has read everything, which is fine.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

fn json(args: &[&str], stdin: &[u8]) -> serde_json::Value {
    let output = explain(&[args, &["-o", "json"]].concat(), stdin);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_log_on_standard_input_is_explained() {
    for args in [&["--exit-code", "2"][..], &["-", "--exit-code", "2"]] {
        let answer = json(args, PANIC.as_bytes());
        assert_eq!(answer["finding"]["reason"], "IndexOutOfBounds");
        assert_eq!(answer["finding"]["culprit"]["line"], 42);
        assert_eq!(answer["evidence"]["state"], "Unverified");
        assert_eq!(answer["evidence"]["source"], "CurrentLog");
        assert_eq!(answer["evidence"]["logBytes"], PANIC.len());
        assert!(answer["fingerprint"].as_str().unwrap().starts_with("1-"));
        let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["evidence", "finding", "fingerprint"]);
    }
}

#[test]
fn commands_in_the_advice_have_the_names_that_are_given_and_places_for_the_others() {
    let log = b"shop: open /etc/shop/rates.yaml: no such file or directory\n";
    let advice = |args: &[&str]| json(args, log)["finding"]["advice"].to_string();
    let named = advice(&["-n", "shop", "--pod", "shop-a", "-c", "app"]);
    assert!(named.contains("kubectl -n shop debug shop-a -it --copy-to=look --container=app"), "{named}");
    let unnamed = advice(&[]);
    assert!(
        unnamed.contains("kubectl -n <namespace> debug <pod> -it --copy-to=look --container=<container>"),
        "{unnamed}"
    );
}

#[test]
fn yaml_says_the_same_as_json() {
    let output = explain(&["--exit-code", "2", "-o", "yaml"], PANIC.as_bytes());
    let yaml: serde_json::Value = coroner::yaml::from_str(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
    assert_eq!(yaml, json(&["--exit-code", "2"], PANIC.as_bytes()));
}

#[test]
fn the_text_has_cause_place_lines_proof_and_fix_and_no_colour_in_a_pipe() {
    let output = explain(&["--exit-code", "2"], PANIC.as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    let expected =
        ["IndexOutOfBounds", "index out of range [5] with length 3", "/app/main.go:42", "Prove it", "Fix it"];
    let mut rest = text.as_str();
    for part in expected {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is missing or out of order in:\n{text}"));
        rest = &rest[at..];
    }
    assert!(!text.contains('\x1b'));
    let coloured = explain(&["--exit-code", "2", "--color", "always"], PANIC.as_bytes());
    assert!(coloured.stdout.contains(&0x1b));
}

/// The first log of the README is of its demo; the second one is a case of the corpus.
#[test]
fn the_readme_shows_what_is_printed() {
    let (_, sample) = include_str!("../README.md").split_once("$ coroner explain store.log --exit-code 1\n").unwrap();
    let (sample, _) = sample.split_once("```").unwrap();
    let log = include_bytes!("corpus/python-chained-connection-refused/log.txt");
    let printed = String::from_utf8(explain(&["--exit-code", "1"], log).stdout).unwrap();
    let (start, end) = sample.split_once("  | ...\n").unwrap();
    assert!(printed.starts_with(start) && printed.ends_with(end), "{printed}");
}

#[test]
fn an_empty_log_is_explained_by_the_exit_facts() {
    let answer = json(&["/dev/null", "--exit-code", "139"], b"");
    assert_eq!(answer["finding"]["reason"], "Segfault");
    assert_eq!(answer["evidence"]["state"], "Empty");
    assert_eq!(answer["evidence"]["source"], "Status");
    let text = String::from_utf8(explain(&["--exit-code", "1"], b"").stdout).unwrap();
    assert!(text.contains("nothing was written to the log"), "{text}");
}

#[test]
fn a_termination_message_stands_in_for_an_empty_log() {
    let answer = json(&["--exit-code", "2", "--reason", "Error", "--message", PANIC], b"");
    assert_eq!(answer["finding"]["reason"], "IndexOutOfBounds");
    assert_eq!(answer["evidence"]["source"], "TerminationMessage");
}

#[test]
fn exit_codes_of_windows_and_negative_ones_are_accepted() {
    assert_eq!(json(&["--exit-code", "3221225477"], b"x\n")["finding"]["reason"], "Segfault");
    assert_eq!(json(&["--exit-code", "-1073741819"], b"x\n")["finding"]["reason"], "Segfault");
    assert_eq!(json(&["--exit-code", "-1"], b"x\n")["finding"]["reason"], "ErrorExit");
}

#[test]
fn what_cannot_be_read_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("program");
    std::fs::write(&binary, [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0]).unwrap();
    let cases = [
        (folder.path().join("missing.log"), "cannot read"),
        (folder.path().to_path_buf(), "is a directory"),
        (binary, "is no log: it looks like an executable"),
    ];
    for (path, words) in cases {
        let output = explain(&[path.to_str().unwrap()], b"");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(words) && error.contains(path.to_str().unwrap()), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn wrong_usage_exits_two() {
    for args in
        [&["--exit-code", "many"][..], &["--exit-code", "4294967296"], &["--signal", "-1"], &["-o", "xml"], &["a", "b"]]
    {
        assert_eq!(explain(args, b"").status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_coroner"))
        .args(["explain", "--exit-code", "2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(PANIC.as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
