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
