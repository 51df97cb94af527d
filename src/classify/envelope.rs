//! What collectors put before a line of text, by the shapes that are known: for lines that stand alone, of which no
//! prefix can be learned.

use super::severity::Severity;

/// The line without `[pod/x/y] `, the stamp and tag of the CRI, `web.1 | ` of foreman and compose, the head of a syslog
/// line.
pub fn without_collector(line: &str) -> &str {
    let mut rest = line;
    let shapes = [pod, cri, syslog_iso, kubelet, process, syslog, tai64n, kail, stern];
    while let Some(shorter) = shapes.iter().find_map(|shape| shape(rest)) {
        rest = shorter;
    }
    rest
}

/// Lines of which one shows nothing: a tag is what all of them have.
const TAGGED: usize = 3;

/// What a tool that runs or reads several programs puts before each line of one of them: `[api] ` (concurrently),
/// `shop-6d5f8c9b7-x2x4k api ` (stern).
#[derive(Clone, Debug, Default)]
pub struct Tag(String);

impl Tag {
    /// The tag that all lines have, if there are enough of them.
    pub fn learn<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut lines = lines.filter(|line| !line.trim().is_empty());
        let Some(tag) = lines.next().and_then(tag) else { return Self::default() };
        let mut others = 0;
        let shared = lines.all(|line| {
            others += 1;
            line.starts_with(tag) || line == tag.trim_end()
        });
        Self(if shared && others + 1 >= TAGGED { tag.to_owned() } else { String::new() })
    }

    /// The line without it.
    pub fn strip<'a>(&self, line: &'a str) -> &'a str {
        line.strip_prefix(self.0.as_str()).unwrap_or(line)
    }
}

/// A bracketed word, two plain words of which the first is the name of a pod, or a word before a bar.
fn tag(line: &str) -> Option<&str> {
    let end = match line.strip_prefix('[') {
        Some(inside) => {
            let end = inside.find(']').filter(|end| is_plain(&inside[..*end]))?;
            let behind = ["] ", "]: "].iter().find(|behind| inside[end..].starts_with(**behind))?;
            end + 1 + behind.len()
        }
        None => pod_tag(line).or_else(|| bar_tag(line))?,
    };
    let level = line[1..end].split(']').next().is_some_and(|word| Severity::of_word(word).is_some());
    (!level).then_some(&line[..end])
}

fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@/".contains(&b))
}

/// `shop/shop-6d5f8c9b7-x2x4k[api]: `: a namespace, a pod, a container.
fn kail(line: &str) -> Option<&str> {
    let (head, rest) = line.split_once("]: ").or_else(|| Some((line.strip_suffix("]:")?, "")))?;
    let (pod, container) = head.split_once('[')?;
    let (namespace, pod) = pod.split_once('/')?;
    let word = container.starts_with(|c: char| c.is_ascii_alphabetic());
    (word && pod.contains('-') && [namespace, pod, container].into_iter().all(is_plain)).then_some(rest)
}

/// `shop-6d5f8c9b7-x2x4k api `: a pod of a Deployment, known by its two generated words, and a container.
fn stern(line: &str) -> Option<&str> {
    let (pod, rest) = line.split_once(' ')?;
    let mut parts = pod.rsplitn(3, '-');
    let generated = |word: &str, length: std::ops::RangeInclusive<usize>| {
        length.contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit() || b"bcdfghjklmnpqrstvwxz".contains(&b))
    };
    let named = generated(parts.next()?, 5..=5) && generated(parts.next()?, 6..=10) && is_plain(parts.next()?);
    let (container, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    (named && is_plain(container)).then_some(rest)
}

/// The same of any pod, which only several lines tell from a sentence.
fn pod_tag(line: &str) -> Option<usize> {
    let (pod, rest) = line.split_once(' ')?;
    let (container, _) = rest.split_once(' ')?;
    let named = pod.contains('-') && is_plain(pod) && is_plain(container) && !pod.contains('/');
    named.then_some(pod.len() + container.len() + 2)
}

/// `web     | ` (overmind, goreman), `0|web  | ` (PM2), `api │ ` (Tilt).
fn bar_tag(line: &str) -> Option<usize> {
    let (at, bar) = [" | ", " │ "].iter().find_map(|bar| Some((line.find(bar)?, *bar)))?;
    let name = line[..at].trim();
    let name = name.split_once('|').filter(|(id, _)| id.parse::<u32>().is_ok()).map_or(name, |(_, name)| name);
    is_plain(name).then_some(at + bar.len())
}

/// Whether nothing stands here but what collectors and such tools put before a line.
pub fn is_envelope(prefix: &str) -> bool {
    let marked = format!("{prefix}{{");
    let rest = without_stamps(without_collector(&marked));
    rest == "{" || tag(rest).is_some_and(|tag| &rest[tag.len()..] == "{")
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
    // Of an empty line the blank behind the tag may be gone.
    ["stdout F", "stderr F", "stdout P", "stderr P"].iter().find_map(|tag| {
        let rest = rest.strip_prefix(tag)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix(' ') }
    })
}

/// `Nov 24 04:15:10 node-7 api[1234]: `, and RFC 5424's `<11>1 2026-11-24T04:15:10.1Z node-7 api 1234 - - `.
fn syslog(line: &str) -> Option<&str> {
    // RFC 3164 has the priority before the month.
    let bare = line.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(_, rest)| rest);
    if let Some(bare) = bare.filter(|bare| bare.starts_with(|c: char| c.is_ascii_uppercase())) {
        return syslog(bare);
    }
    if line.starts_with('<') {
        return syslog_5424(line);
    }
    let (month, rest) = line.split_once(' ')?;
    let (day, rest) = rest.trim_start().split_once(' ')?;
    let (time, rest) = rest.split_once(' ')?;
    let (_, rest) = rest.split_once(' ')?;
    let (program, rest) = rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, "")))?;
    let dated = month.len() == 3 && day.parse::<u8>().is_ok() && time.len() == 8 && time.matches(':').count() == 2;
    let named = program.ends_with(']') && program.contains('[') && !program.contains(' ') && !is_script(program);
    (dated && named).then_some(rest)
}

/// A script with a line, as ksh writes it: `entry.sh[7]`. In a process's place would be the name of a program.
fn is_script(program: &str) -> bool {
    program.split_once('[').is_some_and(|(name, _)| name.ends_with(".sh"))
}

/// Priority and version, stamp, host, program, process, kind, data, each of them perhaps `-`.
fn syslog_5424(line: &str) -> Option<&str> {
    let mut words = line.splitn(7, ' ');
    let (priority, version) = words.next()?[1..].split_once('>')?;
    let numbers = [priority, version].iter().all(|number| number.parse::<u16>().is_ok());
    let stamped = words.next()?.contains('T');
    let rest = words.nth(4).filter(|_| numbers && stamped)?;
    let behind = match rest.starts_with('[') {
        true => rest.split_once("] ").map(|(_, rest)| rest).or_else(|| rest.ends_with(']').then_some(""))?,
        false => rest.strip_prefix('-')?,
    };
    let behind = behind.strip_prefix(' ').filter(|_| rest.starts_with('-')).unwrap_or(behind);
    Some(behind.strip_prefix('\u{feff}').unwrap_or(behind))
}

/// `2026-11-24T04:15:10.1+00:00 node-7 api[1234]: ` of rsyslog and journalctl, `2026-11-24T04:15:10.1+00:00 app[web.1]: `
/// of Heroku.
fn syslog_iso(line: &str) -> Option<&str> {
    let (stamp, rest) = line.split_once(' ')?;
    let dated = stamp.len() >= 19 && stamp.as_bytes()[10] == b'T' && without_stamp(line).is_some();
    let (head, rest) = rest.split_once("]: ").or_else(|| Some((rest.strip_suffix("]:")?, "")))?;
    let (program, number) = head.split_once('[')?;
    let named = program.split(' ').count() <= 2 && program.split(' ').all(is_plain) && is_plain(number);
    let named = named && !is_script(head);
    (dated && named).then_some(rest)
}

/// The stamp of daemontools, runit and s6: `@4000000067428a850b5c2e14 `.
fn tai64n(line: &str) -> Option<&str> {
    let length = tai64n_length(line.as_bytes())?;
    let rest = &line[length..];
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(' ') }
}

/// Length of such a stamp at the start.
pub fn tai64n_length(line: &[u8]) -> Option<usize> {
    const DIGITS: usize = 24;
    let digits = line.strip_prefix(b"@4")?.iter().take_while(|b| b.is_ascii_hexdigit()).count() + 1;
    (digits == DIGITS).then_some(DIGITS + 1)
}

/// `2026-11-24T04:15:10.007172192Z `: nine digits of a second, always, which hardly any program writes by itself.
fn kubelet(line: &str) -> Option<&str> {
    let (stamp, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (date, fraction) = stamp.split_once('.')?;
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let zoned = fraction.get(9..).is_some_and(|zone| zone == "Z" || zone.starts_with(['+', '-']));
    (digits == 9 && zoned && date.len() == 19 && is_stamp(stamp)).then_some(rest)
}

/// `04:15:10 web.1  | `, `api-1  | `, and where the process has no number `04:15:10 web | ` and `web     | `.
fn process(line: &str) -> Option<&str> {
    let (head, rest) = line.split_once(" | ").or_else(|| Some((line.strip_suffix(" |")?, "")))?;
    let name = without_stamp(head).unwrap_or(head).trim_end();
    let numbered = name.rsplit_once(['.', '-', '_']).is_some_and(|(_, number)| number.parse::<u32>().is_ok());
    let padded = head.ends_with("  ") && head.starts_with(|c: char| c.is_ascii_alphabetic());
    let stamped = name.len() < head.trim_end().len();
    ((numbered || padded || stamped) && !name.contains(' ') && is_plain(name)).then_some(rest)
}

/// What follows a date, a time or both, perhaps in brackets; `None` where none stands at the start.
fn without_stamp(text: &str) -> Option<&str> {
    if let Some(rest) = without_month(text) {
        return Some(rest);
    }
    let (stamp, rest) = match text.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?,
        None => text.split_once(char::is_whitespace)?,
    };
    is_stamp(stamp).then(|| rest.trim_start())
}

/// `Nov 24 04:15:10 `, as `ts` and syslog write it.
fn without_month(text: &str) -> Option<&str> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(' ').filter(|(month, _)| MONTHS.contains(month))?;
    let (day, rest) = rest.trim_start().split_once(' ')?;
    let (time, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let dated =
        matches!(day.parse(), Ok(1..=31)) && time.len() >= 8 && time.matches(':').count() == 2 && is_stamp(time);
    dated.then(|| rest.trim_start())
}

fn is_stamp(stamp: &str) -> bool {
    let digits = stamp.bytes().filter(u8::is_ascii_digit).count();
    let plain = stamp.bytes().all(|b| b.is_ascii_digit() || b"-/:.,TZ+ ".contains(&b));
    plain && digits >= 4 && stamp.contains([':', '-', '/'])
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
            ("2026-11-24T04:15:10.123456789Z 2026/11/24 x", "2026/11/24 x"),
            ("2026-11-24T04:15:10.123456Z x", "2026-11-24T04:15:10.123456Z x"),
            ("Nov 24 04:15:10 node-7 api[1234]: x: y", "x: y"),
            ("<11>1 2026-11-24T04:15:10.1Z node-7 api 1234 - - x y", "x y"),
            ("<11>1 2026-11-24T04:15:10.1Z node-7 api 1234 - -", ""),
            ("<11>1 2026-11-24T04:15:10.1Z node-7 api 1234 ID7 [meta a=\"b c\"]   x y", "  x y"),
            ("<11>1 2026-11-24T04:15:10.1Z node-7 api - - - \u{feff}x", "x"),
            ("<30>Nov 24 04:15:10 node-7 api[1234]: x: y", "x: y"),
            ("2026-11-24T04:15:10.1+00:00 node-7 api[1234]: x: y", "x: y"),
            ("2026-11-24T04:15:10.123456+00:00 app[web.1]: x", "x"),
            ("2026-11-24T04:15:10.1Z [main]: x", "2026-11-24T04:15:10.1Z [main]: x"),
            ("@4000000067428a850b5c2e14 x y", "x y"),
            ("@4000000067428a850b5c2e14", ""),
            ("@40000000 x", "@40000000 x"),
            ("shop/shop-x2x4k[api]: x y", "x y"),
            ("/app/run-api.sh[5]: x", "/app/run-api.sh[5]: x"),
            ("shop-6d5f8c9b7-x2x4k api   x y", "  x y"),
            ("shop-6d5f8c9b7-x2x4k api", ""),
            ("order-12345-23456 has no price", "order-12345-23456 has no price"),
            ("web     | x y", "x y"),
            ("04:15:10 web | x y", "x y"),
            ("name | x", "name | x"),
            ("Nov 24 04:15:10 node-7 x: y", "Nov 24 04:15:10 node-7 x: y"),
            ("2026-11-24 04:15:10 x", "2026-11-24 04:15:10 x"),
            ("2026-11-24T04:15:10.007172192Z >>> 'maxmem 1'", ">>> 'maxmem 1'"),
            ("2026-11-24T04:15:10.007172192+01:00   x", "  x"),
            ("2026-11-24T04:15:10.007172192Z", ""),
            ("2026-11-24T04:15:10.007172Z x", "2026-11-24T04:15:10.007172Z x"),
        ];
        for (line, rest) in cases {
            assert_eq!(without_collector(line), rest, "{line}");
        }
        assert_eq!(without_stamps("[2026-11-25 01:44:05.483] 04:15:10 x"), "x");
        assert_eq!(without_stamps("404 pages"), "404 pages");
        assert_eq!(without_stamps("Nov  4 04:15:10 x: y"), "x: y");
        assert_eq!(without_stamps("May 5 people x"), "May 5 people x");
    }

    #[test]
    fn a_tag_is_what_all_lines_have() {
        let cases: [(&[&str], &str); 9] = [
            (&["[@shop/api]: x y", "[@shop/api]: z", "[@shop/api]: y"], "x y"),
            (&["web     | x y", "web     | z", "web     |"], "x y"),
            (&["0|web  | x y", "0|web  | z", "0|web  | y"], "x y"),
            (&["[api] x y", "[api] z", "", "[api]"], "x y"),
            (&["shop-db api x y", "shop-db api z", "shop-db api"], "x y"),
            (&["[api] x y", "[api] z"], "[api] x y"),
            (&["[api] x y", "[web] z", "[api] z"], "[api] x y"),
            (&["[error] x y", "[error] z", "[error] z"], "[error] x y"),
            (&["a sentence x", "a sentence y", "a sentence z"], "a sentence x"),
        ];
        for (lines, rest) in cases {
            assert_eq!(Tag::learn(lines.iter().copied()).strip(lines[0]), rest, "{lines:?}");
        }
    }
}
