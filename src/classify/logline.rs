//! Log lines in forms of their own: `key=value` pairs, zap's console form, klog; and what is left of any other line when
//! its time stamps are gone.

use super::envelope::{without_collector, without_stamps};
use super::json;
use super::record::{Builder, Record};
use super::severity::Severity;

/// Reads a line in one of these forms.
pub fn record(line: &str) -> Option<Record> {
    let text = without_collector(line);
    logfmt(without_stamps(text)).or_else(|| zap_console(text)).or_else(|| klog(without_stamps(text)))
}

/// `time=… level=error msg="no store" err="refused"`: it begins with a pair, and one of the keys is a message, or an error
/// beside a level.
fn logfmt(text: &str) -> Option<Record> {
    let mut builder = Builder::default();
    let mut rest = text;
    while let Some((key, value, quoted, after)) = pair(rest) {
        builder.field(&[key.to_owned()], value, quoted);
        rest = after;
    }
    let empty = text.contains(" msg=\"\"");
    builder
        .finish()
        .filter(|record| empty || !record.message.is_empty() || record.severity.is_some() && !record.error.is_empty())
}

/// The first pair of a text, and what follows it. Words that are no pair end the record.
fn pair(text: &str) -> Option<(&str, String, bool, &str)> {
    let (key, value) = text.trim_start().split_once('=')?;
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-@".contains(&b));
    if !plain {
        return None;
    }
    let Some(quoted) = value.strip_prefix('"') else {
        let end = value.find(' ').unwrap_or(value.len());
        return Some((key, value[..end].to_owned(), false, &value[end..]));
    };
    let (unescaped, after) = unquote(quoted);
    Some((key, unescaped, true, after))
}

/// The text up to the closing quote, unescaped, and what follows.
fn unquote(quoted: &str) -> (String, &str) {
    let mut out = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (out, &quoted[at + 1..]),
            '\\' => match chars.next().map(|(_, escaped)| escaped) {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    (out, "")
}

/// `2026-…\tFATAL\tcmd/main.go:70\tcannot start\t{"error": "refused"}`
fn zap_console(text: &str) -> Option<Record> {
    let mut fields = text.split('\t').skip_while(|field| go_place(field).is_none());
    let caller = go_place(fields.next()?);
    let message = fields.next()?.to_owned();
    let severity = Severity::of_line(text.as_bytes())?;
    let error = fields.next().and_then(|added| json::record(added.as_bytes())).map(|record| record.summary());
    let (error, stack) = (error.unwrap_or_default(), String::new());
    Some(Record { severity: Some(severity), message, error, stack, caller, go_logger: true })
}

/// `F1124 04:15:10.123456       1 main.go:42] no store`
fn klog(text: &str) -> Option<Record> {
    let (head, message) = text.split_once("] ")?;
    let caller = go_place(head.rsplit(' ').next()?)?;
    let digits = head.get(1..5)?.bytes().all(|b| b.is_ascii_digit());
    let severity = Severity::of_line(text.as_bytes()).filter(|_| digits)?;
    Some(Record {
        severity: Some(severity),
        message: message.to_owned(),
        caller: Some(caller),
        go_logger: true,
        ..Record::default()
    })
}

/// `cmd/main.go:70`
fn go_place(field: &str) -> Option<(String, u32)> {
    let (file, line) = field.rsplit_once(':')?;
    let line = line.parse().ok()?;
    (file.ends_with(".go") && !file.contains(' ')).then(|| (file.to_owned(), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_common_loggers_are_read() {
        let cases = [
            (
                "time=2026-11-24T04:15:10Z level=ERROR msg=\"no \\\"store\\\"\" err=refused",
                "no \"store\": refused",
                Some(Severity::Error),
            ),
            (
                "time=\"2026-11-24T04:15:10Z\" level=fatal msg=\"cannot start\" error=\"dial: refused\"",
                "cannot start: dial: refused",
                Some(Severity::Fatal),
            ),
            (
                "ts=2026-11-24T04:15:10Z caller=main.go:7 level=error err=\"no store\"",
                "no store",
                Some(Severity::Error),
            ),
            ("F1124 04:15:10.123456       1 main.go:42] no store", "no store", Some(Severity::Fatal)),
            (
                "2026-11-25T04:05:48.280Z\tFATAL\ta/main.go:70\tcannot start\t{\"error\": \"refused\"}",
                "cannot start: refused",
                Some(Severity::Fatal),
            ),
        ];
        for (line, summary, severity) in cases {
            let record = record(line).unwrap();
            assert_eq!((record.summary().as_str(), record.severity), (summary, severity), "{line}");
        }
        for line in
            ["2026/11/24 04:15:10 shopd: load config: x", "a=b", "panic: x=1 msg=\"a\"", "listening on main.go:7"]
        {
            assert_eq!(record(line), None, "{line}");
        }
    }

    #[test]
    fn a_stack_in_a_pair_is_unescaped() {
        let record =
            record("level=error msg=\"job failed\" stack=\"goroutine 1 [running]:\\nmain.f()\\n\\t/a.go:1\"").unwrap();
        assert_eq!(record.stack, "goroutine 1 [running]:\nmain.f()\n\t/a.go:1");
    }
}
