//! JSON records over many lines, as loggers print them for people: `{`, a field on each line, `}`.
//!
//! Nothing in their first line shows what they hold, so they are only looked for where a field in the middle has an
//! anchor: then the lines above that belong to it are still in the tail.

use super::prefix::Prefix;
use super::record::Record;

/// Most lines above the one with the anchor.
const ABOVE: usize = 64;
/// Most lines from there on.
const LINES: usize = 4096;
/// Largest record, in bytes.
const BYTES: usize = 256 * 1024;

/// Most lines of others in a row between those of a record.
const FOREIGN: u32 = 8;

/// A record under way.
#[derive(Debug)]
pub struct Pile {
    /// What a collector puts before each of its lines.
    prefix: Prefix,
    /// Lines of others since its last one.
    foreign: u32,
    /// Its lines without blanks around them, joined.
    joined: Vec<u8>,
    /// How many brackets are open.
    open: i32,
    /// The lines from the one with the anchor on, with their numbers: what is to be read if this is no record after all.
    lines: Vec<(u64, Vec<u8>)>,
}

impl Pile {
    /// A pile that ends with this line, if the line is a field of a record that began above. `above` has the nearest line
    /// first; where it is none, the answer is how many of those lines were looked at.
    pub fn begun(line: &[u8], number: u64, above: impl Iterator<Item = Vec<u8>>) -> Result<Self, u64> {
        let at = line.iter().position(|b| *b == b'"').unwrap_or(line.len());
        let prefix = Prefix::learn(line[..at].trim_ascii_end());
        let own = line[at..].trim_ascii_end();
        if !goes_on(own) && !ends_value(own) {
            return Err(0);
        }
        let mut open = brackets(own);
        let mut taken = vec![own.to_vec()];
        let (mut looked_at, mut foreign) = (0, 0);
        let mut above = above.take(ABOVE).peekable();
        while let Some(line) = above.next() {
            looked_at += 1;
            let Some(line) = part(&prefix, &line) else {
                foreign += 1;
                if foreign > FOREIGN {
                    break;
                }
                continue;
            };
            foreign = 0;
            open += brackets(line);
            taken.push(line.to_vec());
            let inside = above.peek().and_then(|next| part(&prefix, next)).is_some_and(goes_on);
            if line.starts_with(b"{") && open > 0 && !inside {
                let joined = taken.into_iter().rev().flatten().collect();
                return Ok(Self { prefix, foreign: 0, joined, open, lines: vec![(number, own.to_vec())] });
            }
        }
        Err(looked_at)
    }

    /// Adds a line; whether the record goes on. Lines of others are left out.
    pub fn add(&mut self, line: &[u8], number: u64) -> bool {
        self.lines.push((number, line.to_vec()));
        let Some(own) = part(&self.prefix, line) else {
            self.foreign += 1;
            return self.foreign <= FOREIGN;
        };
        self.foreign = 0;
        self.open += brackets(own);
        self.joined.extend_from_slice(own);
        self.lines.len() < LINES && self.joined.len() < BYTES
    }

    /// Whether all of its brackets are closed.
    pub fn is_complete(&self) -> bool {
        self.open <= 0
    }

    /// What it holds; `None` where no logger wrote that.
    pub fn record(&self) -> Option<Record> {
        Record::read(&self.joined).filter(|record| !record.stack.is_empty() || record.severity.is_some())
    }

    /// The lines that were taken for a record.
    pub fn into_lines(self) -> Vec<(u64, Vec<u8>)> {
        self.lines
    }
}

/// Whether a line may be one of such a record, told by little: a record on one line has its brace before its first quote.
pub fn may_be_field(line: &[u8]) -> bool {
    let first = memchr::memchr2(b'"', b'{', line).map(|at| line[at]);
    let end = line.trim_ascii_end();
    first == Some(b'"') && (goes_on(end) || ends_value(end))
}

/// What a line adds to a record: without its prefix and blanks. `None` for another writer's.
fn part<'a>(prefix: &Prefix, line: &'a [u8]) -> Option<&'a [u8]> {
    let bare = prefix.strip(line)?.trim_ascii();
    let whole =
        || bare.starts_with(b"{") && brackets(bare) == 0 && Record::read(bare).is_some_and(|it| it.severity.is_some());
    (is_json(bare) && !whole()).then_some(bare)
}

fn is_json(line: &[u8]) -> bool {
    let words: [&[u8]; 3] = [b"true", b"false", b"null"];
    line.first().is_some_and(|first| b"\"{}[]-0123456789".contains(first)) && (goes_on(line) || ends_value(line))
        || words.iter().any(|word| line.starts_with(word))
}

/// Whether something must follow.
fn goes_on(line: &[u8]) -> bool {
    matches!(line.last(), Some(b',' | b'[' | b'{' | b':'))
}

fn ends_value(line: &[u8]) -> bool {
    matches!(line.last(), Some(b'"' | b']' | b'}' | b'0'..=b'9' | b'e' | b'l'))
}

/// How many brackets a line opens more than it closes, but for those in strings.
fn brackets(line: &[u8]) -> i32 {
    let (mut open, mut quoted, mut escaped) = (0, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => open += 1,
            b'}' | b']' if !quoted => open -= 1,
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pile(above: &[&str], line: &str) -> Option<Pile> {
        Pile::begun(line.as_bytes(), 9, above.iter().rev().map(|line| line.as_bytes().to_vec())).ok()
    }

    #[test]
    fn a_record_begins_above_its_fields() {
        let cases: [(&[&str], &str, bool); 10] = [
            (&["listening", "{", "  \"level\" : \"ERROR\","], "  \"stack_trace\" : \"A: b\\n\\tat c\"", true),
            (&["{\"level\": \"ERROR\", \"message\": \"x\", "], "\"stacktrace\": [\"A: b\",", true),
            (&["[0] {", "[0]   \"level\": \"ERROR\",", "04:15:10 GET /"], "[0]   \"error\": \"x\"", true),
            (&["{", "  \"level\": \"ERROR\",", "{\"level\": \"info\"}"], "  \"error\": \"x\"", true),
            (&["[pod/a-1/api] {", "[pod/a-1/api]   \"level\": \"ERROR\","], "[pod/a-1/api]   \"error\": \"x\"", true),
            (&["{", "  \"frames\": [", "    {"], "      \"file\": \"a.py\",", true),
            (&["{\"level\": \"ERROR\"}"], "\"A: b\",", false),
            (&["a text {", "  \"level\": \"ERROR\","], "  \"stack\": \"x\"", false),
            (&["{", "text", "1 a", "b", "c", "d", "e", "f", "g", "h", "i"], "  \"stack\": \"x\"", false),
            (&["{"], "  at a (b.js:1:2)", false),
        ];
        for (above, line, begins) in cases {
            assert_eq!(pile(above, line).is_some(), begins, "{above:?} {line}");
        }
    }

    #[test]
    fn it_is_read_when_its_brackets_are_closed() {
        let mut pile = pile(&["{", "  \"level\" : \"ERROR\","], "  \"stack_trace\" : \"A: {\\n\\tat c\",").unwrap();
        assert!(pile.add(b"  \"mdc\" : { \"a\" : 1 }", 10) && !pile.is_complete());
        assert!(pile.add(b"}", 11) && pile.is_complete());
        assert_eq!(pile.record().unwrap().stack, "A: {\n\tat c");
        for number in 12..=20 {
            assert_eq!(pile.add(b"listening", number), number < 20);
        }
        assert_eq!(pile.into_lines().len(), 12);
    }
}
