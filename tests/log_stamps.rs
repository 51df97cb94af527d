//! The time stamps of a log: checked, stripped, and never a reason to hold much of the log in memory.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use coroner::log::stamps::{Foreign, Life, Proof, Stamps};
use proptest::prelude::*;

fn life() -> Life {
    Life::new(Some("2026-11-24T04:44:15Z".parse().unwrap()), Some("2026-11-24T04:44:20Z".parse().unwrap()))
}

/// What the container wrote of a log that comes in those chunks, and what the log is.
fn read<'c>(life: Life, chunks: impl IntoIterator<Item = &'c [u8]>) -> (Result<Proof, Foreign>, String) {
    let mut stamps = Stamps::new(life);
    let mut words = Vec::new();
    let mut out = |piece: &[u8]| words.extend_from_slice(piece);
    for chunk in chunks {
        if stamps.feed(chunk, &mut out).is_err() {
            return (Err(Foreign), String::new());
        }
    }
    let proof = stamps.finish(&mut out);
    (proof, String::from_utf8(words).unwrap())
}

fn whole(log: &str) -> (Result<Proof, Foreign>, String) {
    read(life(), [log.as_bytes()])
}

const ERROR: &str = "unable to retrieve container logs for containerd://84875d059666ffde";

#[test]
fn what_a_log_turns_out_to_be() {
    let lost = format!("{ERROR}\n");
    let broken = format!("2026-11-24T04:44:16.000000001Z a\n{ERROR}");
    let printed = format!("{ERROR}\nand then it went on\n");
    let stamped_error = format!("2026-11-24T04:44:16.000000001Z {ERROR}\n");
    let cases: &[(&str, Result<Proof, Foreign>, &str)] = &[
        ("", Ok(Proof::Empty), ""),
        ("2026-11-24T04:44:16.000000001Z a\n2026-11-24T04:44:20.900000000Z b\n", Ok(Proof::Verified), "a\nb\n"),
        ("2026-11-24T04:44:16.000000001Z no end", Ok(Proof::Verified), "no end"),
        ("2026-11-24T04:44:16.000000001Z \n2026-11-24T04:44:16.000000002Z   b\n", Ok(Proof::Verified), "\n  b\n"),
        ("2026-11-24T05:44:16.000000001+01:00 offset\n", Ok(Proof::Verified), "offset\n"),
        ("2026-11-24T04:44:16Z whole second\n", Ok(Proof::Verified), "whole second\n"),
        // Up to 60 ms before startedAt were measured.
        ("2026-11-24T04:44:14.900000000Z a\n", Ok(Proof::Verified), "a\n"),
        ("2026-11-24T04:44:14.899999999Z a\n", Err(Foreign), ""),
        ("2026-11-24T04:44:21.000000000Z a\n", Ok(Proof::Verified), "a\n"),
        ("2026-11-24T04:44:21.000000001Z a\n", Err(Foreign), ""),
        // It began before the end, so it is no successor's: the runtime fell behind.
        ("2026-11-24T04:44:19.9Z a\n2026-11-24T04:44:24.0Z b\n", Ok(Proof::Unverified), "a\nb\n"),
        ("2026-11-24T04:44:20.1Z a\n2026-11-24T04:44:24.0Z b\n", Err(Foreign), ""),
        ("2026-11-24T04:44:19.9Z a\n2026-11-24T04:45:24.0Z b\n", Err(Foreign), ""),
        ("no stamp\nat all", Ok(Proof::Unverified), "no stamp\nat all"),
        ("\n", Ok(Proof::Unverified), "\n"),
        ("2026-11-24 is a date\n", Ok(Proof::Unverified), "2026-11-24 is a date\n"),
        ("2026-99-99T99:99:99.000000000Z a\n", Ok(Proof::Unverified), "2026-99-99T99:99:99.000000000Z a\n"),
        (&lost, Ok(Proof::ErrorText), ""),
        (ERROR, Ok(Proof::ErrorText), ""),
        (
            "failed to try resolving symlinks in path \"/var/log/pods/a_b_c/app/1.log\": lstat \
             /var/log/pods/a_b_c/app/1.log: no such file or directory",
            Ok(Proof::ErrorText),
            "",
        ),
        (&broken, Ok(Proof::Unverified), "a\n"),
        (&printed, Ok(Proof::Unverified), &printed),
        (&stamped_error, Ok(Proof::Verified), &lost),
    ];
    for (log, proof, words) in cases {
        assert_eq!(whole(log), (*proof, (*words).to_owned()), "{log}");
    }
}

#[test]
fn a_life_that_is_not_known_proves_nothing() {
    let log = "2026-11-24T04:44:16.000000001Z a\n";
    let finished = Some("2026-11-24T04:44:20Z".parse().unwrap());
    assert_eq!(read(Life::default(), [log.as_bytes()]).0, Ok(Proof::Unverified));
    assert_eq!(read(Life::new(None, finished), [log.as_bytes()]).0, Ok(Proof::Unverified));
    let late = "2026-11-24T04:44:26.000000001Z a\n";
    assert_eq!(read(Life::new(None, finished), [late.as_bytes()]).0, Err(Foreign));
}

#[test]
fn a_log_that_begins_in_the_last_second_may_be_the_successors() {
    for (log, expected) in [
        ("2026-11-24T04:44:19.999999999Z a\n", false),
        ("2026-11-24T04:44:20.000000000Z a\n", true),
        ("without stamps\n", true),
    ] {
        let mut stamps = Stamps::new(life());
        stamps.feed(log.as_bytes(), &mut |_| {}).unwrap();
        stamps.finish(&mut |_| {}).unwrap();
        assert_eq!(stamps.may_be_successors(), expected, "{log}");
    }
}

#[test]
fn a_line_without_end_passes_through_in_constant_memory() {
    let mut stamps = Stamps::new(life());
    let (mut longest, mut total) = (0, 0);
    let mut out = |piece: &[u8]| {
        longest = longest.max(piece.len());
        total += piece.len();
    };
    stamps.feed(b"2026-11-24T04:44:16.000000001Z ", &mut out).unwrap();
    for _ in 0..1024 {
        stamps.feed(&[b'x'; 1024], &mut out).unwrap();
    }
    assert_eq!(stamps.finish(&mut out), Ok(Proof::Verified));
    assert_eq!((longest, total), (1024, 1024 * 1024));
    assert_eq!((stamps.lines(), stamps.bytes()), (1, 1024 * 1024 + 31));
}

/// One line of a log: stamped or not, the kubelet's error or the container's words.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0u32..6_000, "[ -~é]{0,80}").prop_map(|(ms, text)| {
            format!("2026-11-24T04:44:{:02}.{:03}000000Z {text}", 15 + ms / 1000, ms % 1000)
        }),
        1 => "[ -~]{0,60}",
        1 => Just(ERROR.to_owned()),
        1 => "unable to retrieve [a-z ]{0,30}",
        1 => "20[0-9:TZ.-]{0,40}",
    ]
}

proptest! {
    #[test]
    fn how_a_log_is_cut_into_chunks_does_not_matter(
        lines in prop::collection::vec(line(), 0..12),
        last_ends in any::<bool>(),
        cuts in prop::collection::vec(1usize..50, 1..60),
    ) {
        let mut log = lines.join("\n");
        if last_ends {
            log.push('\n');
        }
        let mut rest = log.as_bytes();
        let mut chunks = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at(rest.len().min(*cut));
            chunks.push(chunk);
            rest = after;
        }
        prop_assert_eq!(read(life(), chunks), whole(&log));
    }

    #[test]
    fn every_stamped_line_comes_out_as_it_was_written(texts in prop::collection::vec("[ -~é]{0,80}", 1..20)) {
        let stamped = |text: &String| format!("2026-11-24T04:44:16.5Z {text}\n");
        let log: String = texts.iter().map(stamped).collect();
        let words: String = texts.iter().map(|text| format!("{text}\n")).collect();
        prop_assert_eq!(whole(&log), (Ok(Proof::Verified), words));
    }
}
