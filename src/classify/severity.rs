//! How serious a line says it is.

/// The level of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Information and below.
    Info,
    /// A warning: the program goes on.
    Warn,
    /// An error.
    Error,
    /// The last word of a program that gives up.
    Fatal,
}

/// How far into a line its level is looked for: behind a time stamp, a thread and a logger's name.
const LEVEL_WITHIN: usize = 128;

/// Words that an error has which carries no level.
const ERROR_WORDS: [&str; 30] = [
    "error",
    "fail",
    "fatal",
    "panic",
    "exception",
    "cannot",
    "can't",
    "could not",
    "couldn't",
    "unable",
    "refused",
    "denied",
    "invalid",
    "missing",
    "not found",
    "no such",
    "abort",
    "unexpected",
    "timed out",
    "timeout",
    "undefined",
    "required",
    "must be",
    "must not",
    "unknown",
    "not allowed",
    "not defined",
    "giving up",
    "already running",
    "don't know how",
];

impl Severity {
    /// The level that a logger's word or number (pino, bunyan) stands for.
    pub fn of_word(word: &str) -> Option<Self> {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "fatal" | "panic" | "dpanic" | "critical" | "crit" | "emerg" | "emergency" | "alert" | "60" => {
                Some(Self::Fatal)
            }
            "error" | "err" | "severe" | "fail" | "failure" | "eror" | "50" => Some(Self::Error),
            "warn" | "warning" | "wrn" | "40" => Some(Self::Warn),
            "info" | "information" | "informational" | "debug" | "trace" | "notice" | "verbose" | "inf" | "dbg"
            | "log" | "30" | "20" | "10" => Some(Self::Info),
            _ => None,
        }
    }

    /// The level that a line of text states near its start.
    pub fn of_line(line: &[u8]) -> Option<Self> {
        if let Some(severity) = klog(line) {
            return Some(severity);
        }
        let head = &line[..line.len().min(LEVEL_WITHIN)];
        if let Some(at) = super::text::find(head, "level=") {
            return word_at(&head[at + b"level=".len()..]).and_then(|word| Self::of_word(&word));
        }
        marked_words(head).find_map(|word| Self::of_word(&word))
    }
}

/// klog and glog: `E1124 04:15:10.123456       1 main.go:42] …`.
fn klog(line: &[u8]) -> Option<Severity> {
    let severity = match line.first()? {
        b'I' => Severity::Info,
        b'W' => Severity::Warn,
        b'E' => Severity::Error,
        b'F' => Severity::Fatal,
        _ => return None,
    };
    let dated = line.len() > 8 && line[1..5].iter().all(u8::is_ascii_digit) && line[5] == b' ' && line[8] == b':';
    dated.then_some(severity)
}

fn word_at(text: &[u8]) -> Option<String> {
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let end = text.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(text.len());
    (end > 0).then(|| super::text::string(&text[..end]))
}

/// Words that stand as a level does: in capitals, in brackets, or followed by a colon. A word inside a sentence is none.
fn marked_words(head: &[u8]) -> impl Iterator<Item = String> + '_ {
    head.split(|b| !b.is_ascii_alphabetic()).filter(|word| (3..=13).contains(&word.len())).filter_map(|word| {
        let start = word.as_ptr() as usize - head.as_ptr() as usize;
        let before = start.checked_sub(1).map(|at| head[at]);
        let after = head.get(start + word.len()).copied();
        let bracketed = matches!(before, Some(b'[' | b'<' | b'(')) && matches!(after, Some(b']' | b'>' | b')' | b' '));
        let leading = matches!(before, None | Some(b' ' | b'\t' | b'|')) && after == Some(b':');
        let capitals = word.iter().all(u8::is_ascii_uppercase)
            && matches!(before, None | Some(b' ' | b'\t' | b'|' | b'['))
            && matches!(after, None | Some(b' ' | b'\t' | b'|' | b':' | b']' | b'/'));
        // Monolog's `shop.CRITICAL: `.
        let channel = before == Some(b'.') && after == Some(b':') && word.iter().all(u8::is_ascii_uppercase);
        (bracketed || leading || capitals || channel).then(|| super::text::string(word))
    })
}

/// Whether a line without a level reads like an error.
pub fn reads_like_error(line: &[u8]) -> bool {
    let lower = line[..line.len().min(2048)].to_ascii_lowercase();
    ERROR_WORDS.iter().any(|word| super::text::has(&lower, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_where_loggers_put_them() {
        let cases = [
            ("2026-11-24T05:17:25Z [backup] ERROR: refused", Some(Severity::Error)),
            ("2026-11-24 04:15:10,123 CRITICAL [main] x", Some(Severity::Fatal)),
            ("time=2026-11-24T04:15:10Z level=WARN msg=x", Some(Severity::Warn)),
            ("F1124 04:15:10.123456       1 main.go:42] no store", Some(Severity::Fatal)),
            ("2026/11/24 05:17:25 [emerg] 1#1: unknown directive", Some(Severity::Fatal)),
            ("Error: unknown flag: --x", Some(Severity::Error)),
            ("[2026-11-25 11:14:02,107: CRITICAL/MainProcess] Shutting down...", Some(Severity::Fatal)),
            ("[2026-11-25T01:47:11+00:00] mill.ERROR: no scale", Some(Severity::Error)),
            ("GET /x HTTP/1.1 ERRORS/9", None),
            ("[error] boot failed", Some(Severity::Error)),
            ("2026/11/24 04:15:10 shopd: load config: no error here", None),
            ("the ERRORS of others", None),
        ];
        for (line, severity) in cases {
            assert_eq!(Severity::of_line(line.as_bytes()), severity, "{line}");
        }
    }
}
