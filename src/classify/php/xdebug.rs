//! What xdebug adds to PHP's errors: a stack with the outermost call first, as text or as rows of a table in HTML.

use super::frames::{self, Call};
use crate::classify::text;

/// Longest row that is looked at.
const ROW_BYTES: usize = 16 * 1024;
/// How such a stack begins.
const HEADS: [&[u8]; 3] = [b"Call Stack", b"PHP Stack trace:", b"Stack trace:"];

/// Whether a stack begins with this line.
pub fn begins(line: &[u8]) -> bool {
    HEADS.iter().any(|head| line.starts_with(head))
}

/// `    0.0004     426328   3. Shop\Cart->email($to = 'x') /srv/a.php:16`, in a log `PHP   3. Shop\Cart->email() /srv/a.php:16`.
pub fn call(line: &[u8]) -> Option<Call> {
    let said = text::string(&line[..line.len().min(ROW_BYTES)]);
    let said = said.trim();
    let mut rest = said.strip_prefix("PHP ").unwrap_or(said).trim_start();
    for _ in 0..2 {
        let (word, after) = rest.split_once(' ')?;
        let counted = word.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !word.ends_with('.');
        rest = if counted { after.trim_start() } else { rest };
    }
    let (number, called) = rest.split_once(". ")?;
    let (called, place) = called.rsplit_once(' ')?;
    let (file, line) = place.rsplit_once(':')?;
    let line: u32 = line.parse().ok()?;
    let counted = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let function = frames::name(called).filter(|_| counted && called.contains('('))?;
    // The program itself is called from nowhere.
    let place = (function != "{main}").then(|| (file.to_owned(), line));
    let function = if place.is_none() { "{main}".to_owned() } else { function };
    Some(Call { place, function })
}

/// A row of the table as the line of text that it stands for, any other line of the table without its tags.
pub fn untabled(line: &[u8]) -> Option<Vec<u8>> {
    if !["</td>", "</th>", "<tr><th "].iter().any(|tag| text::has(line, tag)) {
        return None;
    }
    let said = text::string(&line[..line.len().min(ROW_BYTES)]);
    // What a collector put before the line stays.
    let (envelope, said) = said.split_at(said.find('<').unwrap_or(0));
    let cells: Vec<&str> = said.split("</td>").collect();
    if let [number, _, _, called, place, ..] = cells[..] {
        // The text of the place is abbreviated, its title is whole.
        let file = place.split_once("title='").and_then(|(_, rest)| Some(rest.split_once('\'')?.0.to_owned()));
        let shown = plain(place);
        let (short, line) = shown.rsplit_once(':')?;
        let file = file.unwrap_or_else(|| short.to_owned());
        return Some(format!("{envelope}{}. {} {file}:{line}", plain(number), plain(called)).into_bytes());
    }
    Some(format!("{envelope}{}", plain(said).trim_start_matches("( ! ) ")).into_bytes())
}

/// The text between the tags.
fn plain(html: &str) -> String {
    let (mut out, mut inside) = (String::new(), false);
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_as_text_and_as_rows() {
        let row = "<tr><td bgcolor='#eeeeec' align='center'>3</td><td>0.0004</td><td>426328</td><td>A\\Press->seal( <span>$key = </span><span>'k'</span> )</td><td title='/app/worker.php' bgcolor='#eeeeec'>.../worker.php<b>:</b>16</td></tr>";
        let cases = [
            ("    0.0004     426328   3. A\\Press->seal($key = 'a b') /app/worker.php:16", "A\\Press::seal", Some(16)),
            ("PHP   3. A\\Press->seal() /app/worker.php:16", "A\\Press::seal", Some(16)),
            ("  3. A\\Press->seal() /app/worker.php:16", "A\\Press::seal", Some(16)),
            ("    0.0001     392648   1. {main}() /app/worker.php:0", "{main}", None),
            ("    0.0001     392648  12. A\\{closure:/app/a.php:4-4}($x = 1) /app/a.php:4", "{closure}", Some(4)),
            (row, "A\\Press::seal", Some(16)),
        ];
        for (line, function, place) in cases {
            let text = untabled(line.as_bytes()).unwrap_or_else(|| line.as_bytes().to_vec());
            let call = call(&text).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((call.function.as_str(), call.place.map(|(_, line)| line)), (function, place), "{line}");
        }
        for line in ["3. read the manual /app/a.php:3", "1. one", "0.1 2 a /b:3"] {
            assert_eq!(call(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_heading_loses_its_tags() {
        let line = "<tr><th align='left' colspan=\"5\"><span>( ! )</span> Fatal error: Uncaught Error: no in /a.php on line <i>11</i></th></tr>";
        let plain = untabled(line.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(plain).unwrap(), "Fatal error: Uncaught Error: no in /a.php on line 11");
        assert_eq!(untabled(b"no table"), None);
    }
}
