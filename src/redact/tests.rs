//! The tables in `tests/redaction`, properties, patterns of users.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

const SECRETS: &str = include_str!("../../tests/redaction/secrets.yaml");
const SURVIVORS: &str = include_str!("../../tests/redaction/survivors.yaml");

fn cases(table: &str) -> Vec<String> {
    let groups: BTreeMap<String, Vec<String>> = crate::yaml::from_str(table).unwrap();
    groups.into_values().flatten().map(|case| make_up(&case)).collect()
}

/// Puts made-up characters in place of every «set:n».
fn make_up(case: &str) -> String {
    let (mut text, mut rest) = (String::new(), case);
    while let Some((before, after)) = rest.split_once('«') {
        let (wanted, after) = after.split_once('»').unwrap();
        let (set, length) = wanted.split_once(':').unwrap();
        text.push_str(before);
        text.push_str(&characters(set, length.parse().unwrap(), text.len() + case.len()));
        rest = after;
    }
    text + rest
}

fn characters(set: &str, length: usize, seed: usize) -> String {
    let alphabet: &[u8] = match set {
        "hex" => b"0123456789abcdef",
        "upper" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "base64" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "alnum" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        other => panic!("no such set: {other}"),
    };
    let digests = (0..).flat_map(|block: usize| Sha256::digest([seed.to_le_bytes(), block.to_le_bytes()].concat()));
    digests.take(length).map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()])).collect()
}

/// The input without its marks, and what is expected of it.
fn input_and_expectation(case: &str) -> (String, String) {
    let input = case.replace(['⟦', '⟧'], "");
    let (mut expected, mut rest) = (String::new(), case);
    while let Some((before, after)) = rest.split_once('⟦') {
        expected.push_str(before);
        expected.push_str(MARK);
        rest = after.split_once('⟧').unwrap().1;
    }
    (input, expected + rest)
}

fn clean(text: &str) -> String {
    Redactor::default().clean(text.as_bytes())
}

#[test]
fn every_secret_goes_and_nothing_beside_it() {
    let cases = cases(SECRETS);
    assert!(cases.len() >= 120, "{} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| input_and_expectation(case))
        .filter(|(input, expected)| clean(input) != *expected)
        .map(|(input, expected)| format!("in   {input}\nwant {expected}\ngot  {}\n", clean(&input)))
        .collect();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_no_secret_survives_to_the_letter() {
    let cases = cases(SURVIVORS);
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter(|case| clean(case) != **case)
        .map(|case| format!("in  {case}\ngot {}\n", clean(case)))
        .collect();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_escape_never_survives_and_its_text_does() {
    let table = [
        ("\u{1b}[31mred\u{1b}[0m", "red"),
        ("\u{1b}[38;2;1;2;3mred", "red"),
        ("pass\u{1b}[1mword=hunter2", "password=[redacted]"),
        ("\u{1b}]0;title\u{7}text", "text"),
        ("\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{1b}Pq#0\u{1b}\\text", "text"),
        ("\u{1b}(Btext\u{1b}7\u{1b}c", "text"),
        ("\u{9b}31mtext", "text"),
        ("\u{9d}0;title\u{9c}text", "text"),
        // An end that never comes must not hide what follows.
        ("\u{1b}]0;panic: x\nnext", "0;panic: x\nnext"),
        ("\u{1b}[31\nnext", "31\nnext"),
        ("end\u{1b}", "end"),
        ("a\u{0}b\u{8}c\u{7f}d\u{84}e", "abcde"),
        ("a\tb\nc", "a\tb\nc"),
        ("one\r\ntwo\r\r\nthree", "one\ntwo\nthree"),
        ("10%\r20%\rdone", "10%\n20%\ndone"),
        ("one\u{2028}two\u{85}three", "one\ntwo\nthree"),
        ("user\u{202e}gnp.exe\u{202c}", "usergnp.exe"),
        ("to\u{200b}ken\u{feff}", "token"),
        ("tag\u{e0041}", "tag"),
        ("grün 日本 🦀", "grün 日本 🦀"),
    ];
    for (input, expected) in table {
        assert_eq!(clean(input), expected, "{input:?}");
    }
}

#[test]
fn invalid_utf8_is_replaced_and_secrets_around_it_still_go() {
    assert_eq!(Redactor::default().clean(b"a\xffb password=hun\xfeter2 c"), "a\u{fffd}b password=[redacted] c");
}

#[test]
fn with_redaction_off_a_text_is_still_safe_to_print() {
    assert_eq!(Redactor::sanitise_only().clean(b"\x1b[31mpassword=hunter2\x07"), "password=hunter2");
}

#[test]
fn a_pattern_of_the_user_replaces_its_group_or_the_whole_match() {
    let redactor = Redactor::new(&[r"card (\d{4})".to_owned(), r"\bACME-[0-9]+\b".to_owned()]).unwrap();
    assert_eq!(
        redactor.clean(b"card 1234 of ACME-77 password=x1"),
        "card [redacted] of [redacted] password=[redacted]"
    );
}

#[test]
fn a_pattern_that_cannot_be_used_is_named_with_what_is_wrong() {
    let message = |pattern: &str| Redactor::new(&["ok".to_owned(), pattern.to_owned()]).unwrap_err().to_string();
    assert_eq!(message("a(b"), "redaction pattern 2 `a(b`: unclosed group");
    assert_eq!(
        message("x*"),
        "redaction pattern 2 `x*` matches the empty text: make it ask for at least one character"
    );
    assert!(message(r"\w{500}{500}").contains("exceeds size limit"), "{}", message(r"\w{500}{500}"));
    assert!(message(&"x".repeat(2000)).contains("2000 bytes"));
    let many = vec!["x".to_owned(); PATTERNS + 1];
    assert!(Redactor::new(&many).unwrap_err().to_string().contains("65 redaction patterns"));
}

#[test]
fn what_is_cut_ends_on_a_character_border() {
    assert_eq!(cut("grün", 3), "gr");
    assert_eq!(cut("grün", 4), "grü");
    assert_eq!(cut("grün", 99), "grün");
    assert_eq!(cut_lines("one\nlonger line\nthree\n", 8, 100), "one\nlonge…\nthree\n");
    assert_eq!(cut_lines("one\ntwo\nthree", 8, 8), "one\ntwo\n");
    assert_eq!(cut_lines("one\ntwo\nthree", 8, 7), "one\ntwo");
    assert_eq!(cut_lines("much too long", 100, 6), "muc…");
    assert_eq!(cut_lines("abc", 2, 2), "ab");
}

/// Pieces of which hostile and ordinary texts are made.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "password",
        "token",
        "secret",
        "api_key",
        "Authorization",
        "Cookie",
        "Bearer ",
        "Basic ",
        "://",
        "@",
        "@tcp(",
        "eyJ",
        "sk-",
        "ghp_",
        "AKIA",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "=",
        ":",
        ": ",
        "=>",
        "\"",
        "'",
        "\\",
        "\\\"",
        "\\n",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        ",",
        ";",
        "&",
        "?key=",
        " ",
        "\n",
        "\t",
        "\r",
        "\u{1b}[",
        "\u{1b}]",
        "\u{9b}",
        "[redacted]",
        "hunter2",
        "is invalid",
        "/etc/x",
        "--",
        "é",
        "日",
        "\u{202e}",
        "0123456789abcdef",
        "value",
        "identified by ",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    ]);
    prop_oneof![8 => words.prop_map(str::to_owned), 2 => ".{0,12}"]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cleaning_twice_changes_nothing_more(text in text()) {
        let once = clean(&text);
        prop_assert_eq!(clean(&once), once);
    }

    #[test]
    fn nothing_that_steers_a_terminal_or_hides_text_is_left(bytes in prop::collection::vec(any::<u8>(), 0..200), text in text()) {
        for clean in [Redactor::default().clean(&bytes), clean(&text)] {
            prop_assert!(!clean.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{clean:?}");
            prop_assert!(!clean.contains(['\u{202e}', '\u{200b}', '\u{feff}', '\u{e0041}']), "{clean:?}");
        }
    }

    #[test]
    fn text_without_a_literal_of_a_secret_is_kept_as_it_is(text in "([abdfghilmnoqrtvz0-9 .,(){}\\[\\]=:\n]{0,80})") {
        prop_assert_eq!(clean(&text), text);
    }

    #[test]
    fn a_password_goes_whatever_it_consists_of(password in "[a-zA-Z0-9#@!][!#-\\[\\]-~]{0,4}[a-zA-Z]{6,20}7") {
        let json = serde_json::json!({"user": "bob", "password": password}).to_string();
        prop_assert_eq!(clean(&json), r#"{"password":"[redacted]","user":"bob"}"#);
    }

    #[test]
    fn a_password_with_quotes_and_backslashes_goes_from_json_and_from_json_in_json(password in r#"[a-z"\\ \{\}:,]{0,12}7x"#) {
        let inner = serde_json::json!({"password": password, "user": "bob"}).to_string();
        prop_assert_eq!(&clean(&inner), r#"{"password":"[redacted]","user":"bob"}"#);
        let outer = serde_json::json!({"msg": inner}).to_string();
        prop_assert_eq!(clean(&outer), r#"{"msg":"{\"password\":\"[redacted]\",\"user\":\"bob\"}"}"#);
    }

    #[test]
    fn what_is_cut_is_a_beginning_within_its_limits(text in ".{0,60}", line in 0usize..40, total in 0usize..80) {
        prop_assert!(text.starts_with(cut(&text, line)) && cut(&text, line).len() <= line);
        let lines = cut_lines(&text, line, total);
        prop_assert!(lines.len() <= total && lines.lines().all(|cut| cut.len() <= line), "{lines:?}");
    }
}
