//! What collectors put before a line of text, by the shapes that are known: for lines that stand alone, of which no
//! prefix can be learned.

/// The line without `[pod/x/y] `, the stamp and tag of the CRI, `web.1 | ` of foreman and compose, the stamp of
/// `kubectl logs --timestamps`.
pub fn without_collector(line: &str) -> &str {
    let mut rest = line;
    while let Some(shorter) = pod(rest).or_else(|| cri(rest)).or_else(|| process(rest)).or_else(|| kubelet(rest)) {
        rest = shorter;
    }
    rest
}

/// The line without the dates and times at its start.
pub fn without_stamps(line: &str) -> &str {
    let mut rest = line.trim();
    while let Some(shorter) = without_stamp(rest) {
        rest = shorter;
    }
    rest
}

/// `kubectl logs --prefix`
fn pod(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix("[pod/")?.split_once(']')?;
    (!name.contains(' ')).then_some(rest.trim_start())
}

/// `2026-11-24T04:15:10.1Z stderr F `
fn cri(line: &str) -> Option<&str> {
    let rest = without_stamp(line)?;
    ["stdout F ", "stderr F ", "stdout P ", "stderr P "].iter().find_map(|tag| rest.strip_prefix(tag))
}

/// `2026-11-24T04:15:10.007172192Z `: nine digits of a second, always, which hardly any program writes by itself.
fn kubelet(line: &str) -> Option<&str> {
    let (stamp, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (date, fraction) = stamp.split_once('.')?;
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let zoned = fraction.get(9..).is_some_and(|zone| zone == "Z" || zone.starts_with(['+', '-']));
    (digits == 9 && zoned && date.len() == 19 && without_stamp(line).is_some()).then_some(rest)
}

/// `04:15:10 web.1  | `, `api-1  | `
fn process(line: &str) -> Option<&str> {
    let (head, rest) = line.split_once(" | ")?;
    let name = without_stamp(head).unwrap_or(head).trim_end();
    let numbered = name.rsplit_once(['.', '-', '_']).is_some_and(|(_, number)| number.parse::<u32>().is_ok());
    (numbered && !name.contains(' ')).then_some(rest)
}

/// What follows a date, a time or both, perhaps in brackets; `None` where none stands at the start.
fn without_stamp(text: &str) -> Option<&str> {
    let (stamp, rest) = match text.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?,
        None => text.split_once(char::is_whitespace)?,
    };
    let digits = stamp.bytes().filter(u8::is_ascii_digit).count();
    let plain = stamp.bytes().all(|b| b.is_ascii_digit() || b"-/:.,TZ+ ".contains(&b));
    let separated = stamp.contains([':', '-', '/']);
    (plain && separated && digits >= 4).then(|| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_prefixes_go_and_text_stays() {
        let cases = [
            ("[pod/a-1/api] 2026/11/24 04:15:10 x", "2026/11/24 04:15:10 x"),
            ("2026-11-24T04:15:10.1Z stderr F 2026/11/24 04:15:10 x", "2026/11/24 04:15:10 x"),
            ("04:15:10 web.1  | x", "x"),
            ("api-1  | x | y", "x | y"),
            ("a | b", "a | b"),
            ("2026-11-24 04:15:10 x", "2026-11-24 04:15:10 x"),
            ("2026-11-24T04:15:10.007172192Z >>> 'maxmem 1'", ">>> 'maxmem 1'"),
            ("2026-11-24T04:15:10.007172192+01:00   x", "  x"),
            ("2026-11-24T04:15:10.007172Z x", "2026-11-24T04:15:10.007172Z x"),
        ];
        for (line, rest) in cases {
            assert_eq!(without_collector(line), rest, "{line}");
        }
        assert_eq!(without_stamps("[2026-11-25 01:44:05.483] 04:15:10 x"), "x");
        assert_eq!(without_stamps("404 pages"), "404 pages");
    }
}
