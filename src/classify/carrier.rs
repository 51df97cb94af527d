//! Records that carry one raw line of a process, as collectors write them: docker's files, fluent-bit, pm2, journald,
//! Google's `textPayload`, a wrapper that reads the streams of its child, PHP-FPM for its workers. The line inside is what
//! the process wrote.

use bstr::ByteSlice;

use super::json::Reader;
use super::text;

/// Keys of the line.
const LINES: [&str; 8] = ["log", "message", "msg", "MESSAGE", "textPayload", "line", "text", "Message"];
/// What a record may hold that is more than a line.
const MORE: [&str; 12] = [
    "stack",
    "stacktrace",
    "stack_trace",
    "err",
    "error",
    "exception",
    "exc_info",
    "thrown",
    "@x",
    "Exception",
    "fields",
    "full_message",
];
/// Texts of which such a record holds one, looked for before it is read.
const MARKS: [&str; 7] =
    ["\"stderr\"", "\"stdout\"", "\"STDERR\"", "\"STDOUT\"", "\"textPayload\"", "\"MESSAGE\"", "\"process_id\""];

/// How a line of docker's files begins.
const DOCKER: &[u8] = b"{\"log\":\"";

/// What rsyslog writes for a tab.
const ESCAPED_TAB: &str = "#011";
/// What PHP-FPM writes before a line of one of its workers, behind a stamp and the pool's name.
const WORKER: [&str; 2] = ["said into stderr: \"", "said into stdout: \""];
/// How far into a line that is.
const WORKER_WITHIN: usize = 128;

/// The line inside, without its line end; `None` where nothing carries it.
pub fn inner(line: &[u8]) -> Option<Vec<u8>> {
    match line.first()? {
        b'{' => of_record(line),
        b'[' => of_worker(line),
        _ => text::has(line, ESCAPED_TAB).then(|| line.replace(ESCAPED_TAB, "\t")),
    }
}

/// `[24-Nov-2026 04:15:10] WARNING: [pool www] child 7 said into stderr: "…"`
fn of_worker(line: &[u8]) -> Option<Vec<u8>> {
    let head = &line[..line.len().min(WORKER_WITHIN)];
    let start = WORKER.iter().find_map(|mark| Some(text::find(head, mark)? + mark.len()))?;
    let inside = &line[start..];
    let inside = inside.strip_suffix(b", pipe is closed").unwrap_or(inside);
    Some(inside.strip_suffix(b"\"").unwrap_or(inside).to_vec())
}

fn of_record(line: &[u8]) -> Option<Vec<u8>> {
    // The end of a very long line is not there, and with it the stream.
    let cut = line.starts_with(DOCKER) && !line.trim_ascii_end().ends_with(b"}");
    if !cut && !MARKS.iter().any(|mark| text::has(line, mark)) {
        return None;
    }
    let (mut inside, mut marked, mut more) = (None, cut, false);
    Reader::new(line).top(|key, value| {
        let Some(value) = value else { return more |= MORE.contains(&key) };
        let stream = ["stderr", "stdout"].iter().any(|stream| value.eq_ignore_ascii_case(stream));
        marked |= stream || matches!(key, "textPayload" | "MESSAGE" | "process_id");
        more |= MORE.contains(&key);
        if inside.is_none() && LINES.contains(&key) {
            inside = Some(value);
        }
    })?;
    let mut inside = inside.filter(|_| marked && !more)?.into_bytes();
    if inside.last() == Some(&b'\n') {
        inside.pop();
    }
    // Several lines are a record of their own, also where pm2 took their ends out.
    let folded = !inside.starts_with(b"{") && text::has(&inside, ")    at ");
    (!inside.contains(&b'\n') && !folded).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_inside_is_found_whatever_stands_around_it() {
        let carriers = [
            r#"{"log":"panic: \"x\"\n","stream":"stderr","time":"2026-11-24T04:15:10Z"}"#,
            r#"{"log":"panic: \"x\"\n","stream":"stderr","attrs":{"tag":"a"},"time":"2026-11-24T04:15:10Z"}"#,
            r#"{"time":"t","stream":"stderr","_p":"F","log":"panic: \"x\"","kubernetes":{"labels":{"a":"b"}}}"#,
            r#"{"message":"panic: \"x\"\n","timestamp":"t","type":"err","process_id":0,"app_name":"api"}"#,
            r#"{"MESSAGE":"panic: \"x\"","PRIORITY":"3","_PID":"7"}"#,
            r#"{"insertId":"x","severity":"ERROR","textPayload":"panic: \"x\""}"#,
            r#"{"level":"error","logger":"STDERR","msg":"panic: \"x\""}"#,
            // A long one, whose end is cut off.
            r#"{"log":"panic: \"x\""#,
            r#"[24-Nov-2026 04:15:10] WARNING: [pool www] child 7 said into stderr: "panic: "x"", pipe is closed"#,
        ];
        for line in carriers {
            assert_eq!(inner(line.as_bytes()).as_deref(), Some(b"panic: \"x\"".as_slice()), "{line}");
        }
    }

    #[test]
    fn the_record_of_a_logger_is_no_carrier() {
        let records = [
            r#"{"log":"x"}"#,
            r#"{"level":"error","msg":"failed","stack":"a\n\tb","stream":"stderr"}"#,
            r#"{"level":"error","msg":"failed","err":{"stack":"a\n\tb"},"stream":"stderr"}"#,
            r#"{"message":"a\nb","stream":"stderr"}"#,
            r#"{"message":"Error: x    at f (/a.js:1:2)    at g (/a.js:3:4)","process_id":0}"#,
            r#"{"msg":"cannot write to \"stderr\""}"#,
            "stderr",
            "[stderr] x",
        ];
        for line in records {
            assert_eq!(inner(line.as_bytes()), None, "{line}");
        }
    }
}
