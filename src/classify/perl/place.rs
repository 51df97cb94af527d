//! Places as Perl writes them: `text at lib/Feed.pm line 7.`, with what is being read behind it: `, <STDIN> line 4.`

/// Places that are tried in one line.
const PLACES: usize = 8;
/// How names of sources end.
const SOURCES: [&str; 5] = [".pl", ".pm", ".psgi", ".t", ".cgi"];
/// Longest path.
const PATH_BYTES: usize = 512;

/// A place in a source.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file, or `(eval 5)`.
    pub file: String,
    /// The line.
    pub line: u32,
    /// Nothing but Perl's own words follows.
    pub ends_line: bool,
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file && self.line == other.line
    }
}

impl Eq for Place {}

/// The text before the first place in a line, and that place: what a text quotes was thrown first.
pub fn split(line: &str) -> Option<(&str, Place)> {
    line.match_indices(" line ").take(PLACES).find_map(|(at, word)| {
        let (line_number, ends_line) = number(&line[at + word.len()..])?;
        let before = &line[..at];
        let (said, file) = match before.rfind(" at ") {
            Some(start) => (&before[..start], &before[start + " at ".len()..]),
            None => ("", before.trim_start().strip_prefix("at ")?),
        };
        let evaluated = file.starts_with("(eval ") && file.ends_with(')');
        // autodie and others write no full stop.
        let bare = line[at + word.len()..].trim_end().bytes().all(|b| b.is_ascii_digit());
        let ends_line = ends_line || bare && SOURCES.iter().any(|end| file.ends_with(end));
        let plain = !file.is_empty() && file.len() <= PATH_BYTES && (evaluated || !file.contains(['"', ' ', '\t']));
        plain.then(|| (said, Place { file: file.to_owned(), line: line_number, ends_line }))
    })
}

/// The last place in a line.
pub fn last(line: &str) -> Option<Place> {
    split(&line[line.rfind(" at ")?..]).map(|(_, place)| place)
}

/// The number, and whether only what Perl itself adds follows.
fn number(text: &str) -> Option<(u32, bool)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..digits].parse().ok()?;
    let rest = text[digits..].trim_end();
    let words = [", <", ", near ", ", at EOF", ", at end of line", ", within ", " during global destruction"];
    let known = words.iter().any(|word| rest.starts_with(word));
    let free = rest.is_empty() || rest.starts_with(['.', ',', ' ', '\\', ')', ';', ':']);
    free.then_some((number, known || rest == "." || rest == ".)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_in_every_form() {
        let cases = [
            ("no lane at /app/Feed.pm line 7.", "no lane", "/app/Feed.pm", 7, true),
            ("no lane at Feed.pm line 7, <STDIN> line 4.", "no lane", "Feed.pm", 7, true),
            ("syntax error at feed.pl line 7, near \"}\"", "syntax error", "feed.pl", 7, true),
            ("no lane at (eval 5) line 1.", "no lane", "(eval 5)", 1, true),
            ("look at this at a.pl line 3. at b.pl line 4.", "look at this", "a.pl", 3, false),
            (" at b.pl line 4.", "", "b.pl", 4, true),
        ];
        for (text, said, file, line, ends_line) in cases {
            let (found, place) = split(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found, place.file.as_str(), place.line), (said, file, line), "{text}");
            assert_eq!(place.ends_line, ends_line, "{text}");
        }
        for text in ["File \"a.py\", line 3, in f", "stopped at line 3", "at the bus stop line 3 ends"] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
