//! Lines that another writer puts between those of a trace: what a logger says while the process dies.

use super::envelope::{without_collector, without_stamps};
use super::record::Record;
use super::severity::Severity;
use super::text;

/// How much of a line is looked at for a time stamp and a level.
const HEAD_BYTES: usize = 256;

/// Whether a line is a logger's and says that nothing is wrong, perhaps behind what a collector put before it. Where it is
/// known that there is none, [`says_nothing`] is the same and much faster.
pub fn is_chatter(line: &[u8]) -> bool {
    let bare = collected(line);
    if bare.len() == line.len() {
        return says_nothing(line);
    }
    // A stamp may be the collector's or the logger's: behind it then stands a level.
    says_nothing(bare) || level(bare).is_some_and(|severity| severity <= Severity::Warn)
}

/// Whether a process itself wrote the line, not a logger of it: nothing stands before it but what a collector puts there.
pub fn is_bare(line: &[u8]) -> bool {
    let bare = collected(line);
    !is_stamped(line) || bare.len() < line.len() && !is_stamped(bare) && level(bare).is_none()
}

/// Whether a collector put something before the line.
pub fn is_collected(line: &[u8]) -> bool {
    collected(line).len() < line.len()
}

/// The level with which a line begins: `ERROR lanes: …`, `[WARN] …`; a runtime's own words such as `fatal error: ` are in small letters.
fn level(line: &[u8]) -> Option<Severity> {
    let word = line.trim_ascii_start().split(|b| matches!(b, b' ' | b'\t' | b':')).next().unwrap_or_default();
    let word = word.strip_prefix(b"[").unwrap_or(word);
    let word = word.strip_suffix(b"]").unwrap_or(word);
    let capitals = !word.is_empty() && word.iter().all(u8::is_ascii_uppercase);
    std::str::from_utf8(word).ok().filter(|_| capitals).and_then(Severity::of_word)
}

/// The line without what a collector put before it.
fn collected(line: &[u8]) -> &[u8] {
    let head = std::str::from_utf8(&line[..line.len().min(HEAD_BYTES)]).unwrap_or_default();
    &line[head.len() - without_collector(head).len()..]
}

/// [`is_chatter`] of a line before which no collector put anything.
pub fn says_nothing(line: &[u8]) -> bool {
    let severity = match line.first() {
        Some(b'{') => Record::read(line).filter(|record| record.line().is_some()).and_then(|record| record.severity),
        Some(b'0'..=b'9' | b'[' | b't') if is_stamped(line) => Severity::of_line(line),
        _ => None,
    };
    severity.is_some_and(|severity| severity <= Severity::Warn) || is_access(line)
}

/// Methods with which the requests of an access log begin.
const METHODS: [&str; 7] = ["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "PATCH ", "OPTIONS "];

/// Whether a line is that of an access log: in the common format (`… "GET / HTTP/1.1" 200 2`), which nginx, gunicorn,
/// uvicorn and others write; parted by bars, as gin and fiber do; or short (`GET / 200 1.2 ms`), as morgan does.
fn is_access(line: &[u8]) -> bool {
    let head = &line[..line.len().min(4 * HEAD_BYTES)];
    if head.first().is_none_or(u8::is_ascii_whitespace) {
        return false;
    }
    let request = |before: &str| METHODS.iter().any(|method| text::has(head, &format!("{before}{method}")));
    if let Some(end) = text::find(head, " HTTP/") {
        let rest = head[end..].iter().position(|b| *b == b'"').map_or(&head[..0], |quote| &head[end + quote + 1..]);
        let status = rest.trim_ascii_start();
        return status.len() > 2 && status[..3].iter().all(u8::is_ascii_digit) && request("\"");
    }
    if text::has(head, "s | ") && text::has(head, " | ") {
        return request("| ") || METHODS.iter().any(|method| text::has(head, &format!("| {}", method.trim_end())));
    }
    let short =
        METHODS.iter().any(|method| head.starts_with(method.as_bytes()) && head[method.len()..].starts_with(b"/"));
    short && text::has(head, " ms")
}

/// Whether a line begins with a time stamp or as a record.
pub fn is_stamped(line: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&line[..line.len().min(HEAD_BYTES)]);
    head.starts_with(['{']) || head.starts_with("time=") || without_stamps(&head).len() < head.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collectors_stamp_is_none_of_a_logger() {
        let bare = [
            "panic: boom",
            "2026-11-25T02:11:07.123456789Z fatal error: all goroutines are asleep",
            "2026-11-25T02:11:07.123456789Z thread 'main' panicked at src/a.rs:3:5:",
        ];
        let stamped =
            ["2026-11-25 02:11:07,007 panic: boom", "2026-11-24T08:00:30.123456789Z ERROR lanes: panic: boom"];
        assert!(bare.iter().all(|line| is_bare(line.as_bytes())));
        assert!(!stamped.iter().any(|line| is_bare(line.as_bytes())));
    }

    #[test]
    fn what_a_logger_says_between_is_no_part_of_a_trace() {
        let chatter = [
            r#"{"level":"info","msg":"served"}"#,
            "2026-11-25 02:11:07,007 INFO [http-2] access: GET /healthz 200 7ms",
            "[2026-11-25 02:11:07] INFO: served",
            "time=2026-11-24T04:15:10Z level=INFO msg=served",
            r#"10.1.2.7 - - [25/Nov/2026:02:11:07 +0000] "GET /healthz HTTP/1.1" 200 2 "-" "kube-probe/1.33""#,
            r#"INFO:     10.1.2.7:41234 - "POST /orders HTTP/1.1" 201 Created"#,
            r#"[GIN] 2026/11/25 - 01:35:28 | 200 |     1.2ms |        10.1.1.1 | GET      "/healthz""#,
            "01:35:28 | 200 |  1.2ms | 10.1.1.1 | GET | /healthz | -",
            "GET /healthz 200 1.204 ms - 2",
            "2026-11-25T02:11:07.020893Z  INFO lanes: scanned parcel=467213",
            r#"2026-11-25T02:11:07.123456789Z 10.1.2.7 - - [25/Nov/2026:02:11:07 +0000] "GET / HTTP/1.1" 200 2"#,
            "[pod/a-7b6c5d4f8-m4n5p/api] GET /healthz 200 1.204 ms - 2",
        ];
        for line in chatter {
            assert!(is_chatter(line.as_bytes()), "{line}");
        }
        let others = [
            "goroutine 1 [running]:",
            "2026-11-25T02:11:07.123456789Z [25-Nov-2026 02:11:07 UTC] PHP Stack trace:",
            r#"error: "GET /orders HTTP/1.1" was refused"#,
            r#"    at "GET / HTTP/1.1" 200"#,
            "GET / ended in a panic",
            "2026-11-25 02:11:07,007 ERROR [http-2] store: refused",
            r#"{"level":"error","msg":"failed"}"#,
            "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]",
            "  File \"a.py\", line 3, in f",
            "thread 'main' panicked at src/main.rs:7:5:",
        ];
        for line in others {
            assert!(!is_chatter(line.as_bytes()), "{line}");
        }
    }
}
