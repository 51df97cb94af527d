//! Lines that another writer puts between those of a trace: what a logger says while the process dies.

use super::envelope::without_stamps;
use super::record::Record;
use super::severity::Severity;

/// How much of a line is looked at for a time stamp and a level.
const HEAD_BYTES: usize = 256;

/// Whether a line is a logger's and says that nothing is wrong.
pub fn is_chatter(line: &[u8]) -> bool {
    let severity = match line.first() {
        Some(b'{') => Record::read(line).filter(|record| record.line().is_some()).and_then(|record| record.severity),
        Some(b'0'..=b'9' | b'[' | b't') if is_stamped(line) => Severity::of_line(line),
        _ => None,
    };
    severity.is_some_and(|severity| severity <= Severity::Warn)
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
    fn what_a_logger_says_between_is_no_part_of_a_trace() {
        let chatter = [
            r#"{"level":"info","msg":"served"}"#,
            "2026-11-25 02:11:07,007 INFO [http-2] access: GET /healthz 200 7ms",
            "[2026-11-25 02:11:07] INFO: served",
            "time=2026-11-24T04:15:10Z level=INFO msg=served",
        ];
        for line in chatter {
            assert!(is_chatter(line.as_bytes()), "{line}");
        }
        let others = [
            "goroutine 1 [running]:",
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
