//! A trace that a logger was told to write as one line: its line ends are replaced by a bar, by `\n` in two characters, by
//! U+2028, by a blank. It is taken apart into the lines that it was.

use super::frames;
use super::header;
use crate::classify::text;

/// Most places of a line that are tried for a frame.
const TRIES: usize = 4096;
/// Most lines that are made of one.
const LINES: usize = 1024;
/// Signs that stand for a line end.
const SIGNS: [&str; 8] = ["\\n", "\\r", "|", "#", "~", ";", "\u{2028}", "\r"];
/// What may be left of an escaped line end or tab.
const RESTS: [&str; 2] = ["\\t", "\\"];

/// The lines of a trace.
#[derive(Debug, PartialEq, Eq)]
pub struct Parts {
    /// Where the exception begins in the line.
    pub at: usize,
    /// The exception with the first line of its text, then what follows it.
    pub lines: Vec<String>,
}

/// Takes a line apart that holds an exception and at least two of its frames.
pub fn parts(line: &[u8]) -> Option<Parts> {
    let line = std::str::from_utf8(line).ok()?;
    let mut tries = 0;
    let (first, first_end) = next_frame(line, 0, &mut tries)?;
    let (second, _) = next_frame(line, first_end, &mut tries)?;
    let said = trimmed(&line[..first]);
    let whole = header::thrown(said).filter(|thrown| thrown.class.contains('.')).map(|_| 0);
    let at = whole.or_else(|| header::logged(said.as_bytes()).map(|(at, _)| at))?;
    let sign = separator(&line[first_end..second]);
    let mut lines: Vec<String> = sign.map_or_else(
        || vec![said[at..].to_owned()],
        |sign| said[at..].split(sign).map(|text| text.trim().to_owned()).collect(),
    );
    let (mut end, mut deep) = (first_end, false);
    lines.push(format!("\t{}", &line[first..first_end]));
    while lines.len() < LINES {
        let next = next_frame(line, end, &mut tries);
        for text in between(&line[end..next.map_or(line.len(), |(start, _)| start)]) {
            // Frames below a suppressed exception are moved in further, up to the cause of what suppressed it.
            deep = text.starts_with("\tSuppressed: ") || deep && text.starts_with('\t');
            lines.push(if deep && text.starts_with("\t... ") { format!("\t{text}") } else { text });
        }
        let Some((start, stop)) = next else { break };
        lines.push(format!("{}{}", if deep { "\t\t" } else { "\t" }, &line[start..stop]));
        end = stop;
    }
    Some(Parts { at, lines })
}

/// The next frame behind a place: where it begins and where it ends.
fn next_frame(line: &str, from: usize, tries: &mut usize) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    let mut at = from;
    while *tries < TRIES {
        *tries += 1;
        at += text::find(&bytes[at..], "at ")?;
        let free = at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || line[..at].ends_with("\\t");
        let close = bytes[at..].iter().take(frames::SYMBOL_BYTES).position(|byte| *byte == b')');
        if let Some(close) = close.filter(|_| free)
            && frames::frame(&bytes[at..=at + close]).is_some()
        {
            return Some((at, at + close + 1));
        }
        at += 3;
    }
    None
}

/// What is written for a line end, by what stands between two frames; blanks alone are no sign.
fn separator(gap: &str) -> Option<&'static str> {
    SIGNS.into_iter().find(|sign| gap.contains(sign))
}

/// Without the signs and blanks at both ends.
fn trimmed(mut text: &str) -> &str {
    loop {
        let before = text.len();
        text = text.trim();
        for sign in SIGNS.iter().chain(&RESTS) {
            text = text.strip_suffix(sign).unwrap_or(text);
            text = text.strip_prefix(sign).unwrap_or(text);
        }
        if text.len() == before {
            return text;
        }
    }
}

/// What stands between two frames: how many frames were left out, and a cause.
fn between(gap: &str) -> Vec<String> {
    let cause = ["Caused by: ", "Wrapped by: "].iter().find_map(|words| gap.find(words)).map(|at| (at, ""));
    let head = cause.or_else(|| gap.find("Suppressed: ").map(|at| (at, "\t")));
    let above = head.map_or(gap, |(at, _)| &gap[..at]);
    let omitted = above.find("... ").map(|at| format!("\t{}", trimmed(&above[at..])));
    omitted.into_iter().chain(head.map(|(at, inset)| format!("{inset}{}", trimmed(&gap[at..])))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_in_one_line_is_taken_apart_whatever_parts_it() {
        let lines = [
            "java.lang.IllegalStateException: cannot close",
            "\tat a.b.Journal.close(Journal.java:45)",
            "\tat a.b.Main.main(Main.java:49)",
            "Caused by: java.lang.ArithmeticException: / by zero",
            "\tat a.b.Journal.average(Journal.java:34)",
            "\t... 2 common frames omitted",
        ];
        for sign in [" | ", "\\n", "\u{2028}", "\r", " ", "#", " ~ "] {
            let line = format!("2026 ERROR [main] a.b.Main - ledger stops {}{sign}", lines.join(sign));
            let parts = parts(line.as_bytes()).unwrap_or_else(|| panic!("{sign:?}"));
            assert_eq!((parts.at, parts.lines.as_slice()), (42, lines.map(str::to_owned).as_slice()), "{sign:?}");
        }
    }

    #[test]
    fn what_a_suppressed_exception_leaves_out_is_its_own() {
        let line = "x java.lang.Error: a|\tat a.B.c(B.java:1)|\tat a.B.d(B.java:2)|\tSuppressed: java.lang.Error: b|\t\tat a.C.e(C.java:3)|\t\t... 2 more|Caused by: java.lang.Error: c|\tat a.B.f(B.java:4)|\t... 1 more";
        let parts = parts(line.as_bytes()).unwrap();
        assert_eq!(
            &parts.lines[5..],
            ["\t\t... 2 more", "Caused by: java.lang.Error: c", "\tat a.B.f(B.java:4)", "\t... 1 more"]
        );
    }

    #[test]
    fn a_line_with_one_frame_or_without_an_exception_is_left_alone() {
        for line in [
            "\tat a.b.Main.main(Main.java:49)",
            "look at a.b.Main.main(Main.java:49) and at a.b.Main.run(Main.java:50)",
            "java.lang.Error: x at a.b.Main.main(Main.java:49)",
        ] {
            assert_eq!(parts(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_hostile_line_ends_soon() {
        assert_eq!(parts("at x(".repeat(20_000).as_bytes()), None);
        let many = "at a.B.c(B.java:1) ".repeat(20_000);
        assert!(parts(format!("java.lang.Error: x {many}").as_bytes()).unwrap().lines.len() <= LINES + 1);
    }
}
