//! Frames of Ruby: ``app.rb:12:in `rate'`` and, from 3.4 on, `app.rb:12:in 'Shop::Ledger#rate'`.

use memchr::memmem;

use crate::classify::finding::Frame;
use crate::classify::text;

/// Longest path or name that is looked at.
const BYTES: usize = 1024;

/// Parts of paths of libraries and of Ruby itself.
const LIBRARIES: [&str; 13] = [
    "/gems/",
    "/vendor_ruby/",
    "/vendor/bundle/",
    "/rubygems/",
    "/rubygems-integration/",
    "/bundler/",
    "<internal:",
    "/usr/bin/",
    "/usr/local/bin/",
    "/usr/local/bundle/",
    "/bin/bundle",
    "/bin/rails",
    "(eval",
];

/// A place in a source and the method there: ``lib/a.rb:3:in `rate'``. What follows the method is returned too.
pub fn place(text: &[u8]) -> Option<(Frame, &[u8])> {
    let text_within = &text[..text.len().min(2 * BYTES)];
    let at = memmem::find(text_within, b":in `").or_else(|| memmem::find(text_within, b":in '"))?;
    let (file, line) = file_line(&text[..at])?;
    let name = &text[at + 5..];
    let end = end_of_name(name)?;
    let function = text::string(&name[..end]);
    let in_app = is_own(&file);
    Some((Frame { function, file: Some(file), line, in_app }, &name[end + 1..]))
}

/// JRuby's form: `    cars at /srv/lib/deck.rb:10`, the names set flush right.
pub fn flush_right(text: &[u8]) -> Option<Frame> {
    let text = std::str::from_utf8(text[..text.len().min(2 * BYTES)].trim_ascii_end()).ok()?;
    let (name, place) = text.trim_start().rsplit_once(" at ")?;
    let (file, line) = file_line(place.as_bytes())?;
    let source = [".rb", ".ru", ".java"].iter().any(|end| file.ends_with(end));
    let plain = !name.is_empty() && !name.contains([' ', ':', '"']) || name.starts_with("block in ");
    (source && plain && text.starts_with("  ") && line.is_some()).then(|| {
        let in_app = is_own(&file) && !file.ends_with(".java");
        Frame { function: name.to_owned(), file: Some(file), line, in_app }
    })
}

/// Where such a line begins, behind a collector's prefix.
pub fn find_flush_right(line: &[u8]) -> Option<usize> {
    let at = memmem::find(line, b" at ")?;
    let name = line[..at].iter().rposition(|b| *b == b' ').map_or(0, |blank| blank + 1);
    let blanks = line[..name].iter().rev().take_while(|b| **b == b' ').count();
    let start = name - blanks;
    // A prefix ends with a blank of its own.
    let start = start + usize::from(start > 0);
    flush_right(&line[start.min(line.len())..]).map(|_| start)
}

/// `lib/a.rb:3`; C functions that were called by no Ruby code have no line.
fn file_line(text: &[u8]) -> Option<(String, Option<u32>)> {
    let text = std::str::from_utf8(text).ok()?;
    let (file, line) = match text.rsplit_once(':') {
        Some((file, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => (file, digits.parse().ok()),
        _ => (text, None),
    };
    let internal = file.starts_with('<');
    let plain = !file.is_empty()
        && file.len() <= BYTES
        && (internal || !file.contains([' ', '\t', '"', '(']) || file.starts_with("(eval"));
    plain.then(|| (file.to_owned(), line))
}

/// The quote that ends a method's name: the last one before `: ` or the end of the line.
fn end_of_name(name: &[u8]) -> Option<usize> {
    let name = &name[..name.len().min(BYTES)];
    match memmem::find(name, b"': ") {
        Some(end) => Some(end),
        None => name.trim_ascii_end().strip_suffix(b"'").map(<[u8]>::len),
    }
}

fn is_own(file: &str) -> bool {
    !LIBRARIES.iter().any(|part| file.contains(part)) && !is_standard(file)
}

/// `/usr/lib/ruby/3.1.0/socket.rb`
fn is_standard(file: &str) -> bool {
    let version = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    file.match_indices("/ruby/").any(|(at, part)| version(&file[at + part.len()..]))
}

/// A line that is a frame and nothing else, with or without the `from` before it.
pub fn frame(line: &[u8]) -> Option<Frame> {
    let text = line.trim_ascii();
    // A terminal gets the frames in reverse, with numbers: `	1: from app.rb:3:in …`.
    let (digits, rest) = text::split_digits(text);
    let text = if digits.is_empty() { text } else { rest.strip_prefix(b": ")? };
    let text = text.strip_prefix(b"from ").unwrap_or(text);
    let (frame, rest) = place(text).or_else(|| bare_place(text))?;
    text::blank(rest).then_some(frame)
}

/// `from app.rb:3` behind a tab: code outside of any method, in old versions.
fn bare_place(text: &[u8]) -> Option<(Frame, &[u8])> {
    let text = text.strip_suffix(b"'").unwrap_or(text);
    let (file, line) = file_line(text)?;
    line.filter(|_| file.ends_with(".rb") || file.ends_with(".ru"))?;
    let in_app = is_own(&file);
    Some((Frame { function: String::new(), file: Some(file), line, in_app }, &[]))
}

/// A function written in C is shown at the place of its caller: it is not the user's.
pub fn mark_native(frames: &mut [Frame]) {
    for at in 1..frames.len() {
        let (above, below) = frames.split_at_mut(at);
        let (top, caller) = (&mut above[at - 1], &below[0]);
        let same = top.file == caller.file && top.line == caller.line && top.function != caller.function;
        let scope = ["block ", "rescue in ", "ensure in ", "<"].iter().any(|word| top.function.starts_with(word));
        if same && !scope {
            top.in_app = false;
        }
    }
}

/// The name as every version would write it: without the class that 3.4 adds and without how deep a block is.
pub fn stable(function: &str) -> String {
    let (scope, name) = match function.rsplit_once(" in ") {
        Some((scope, name)) => (scope.split(' ').next().unwrap_or_default(), name),
        None => ("", function),
    };
    if name.starts_with('<') {
        return if name == "<top (required)>" { "<main>".to_owned() } else { name.to_owned() };
    }
    let name = name.rsplit_once(['#', '.']).map_or(name, |(_, method)| method);
    // A class has `::` in it where it is all there is.
    if scope.is_empty() { name.to_owned() } else { format!("{scope} in {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_set_flush_right_are_read() {
        let frame = flush_right(b"    cars at /srv/lib/deck.rb:10").unwrap();
        assert_eq!((frame.function.as_str(), frame.line, frame.in_app), ("cars", Some(10), true));
        assert!(!flush_right(b"    each at org/jruby/RubyArray.java:1989").unwrap().in_app);
        assert_eq!(find_flush_right(b"web.1 |    <main> at jobs.rb:8"), Some(8));
        assert_eq!(find_flush_right(b"  <main> at jobs.rb:8"), Some(0));
        for line in ["stopped at jobs.rb:8", "  it stopped at jobs.rb:8", "    at gate (/a.rb:3)", "  x at noon"] {
            assert_eq!(flush_right(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn frames_are_read_in_every_form() {
        let cases = [
            ("\tfrom /srv/shop/lib/ledger.rb:23:in `rate'", "rate /srv/shop/lib/ledger.rb:23 own"),
            ("\tfrom app.rb:12:in 'Shop::Ledger#rate'", "Shop::Ledger#rate app.rb:12 own"),
            ("app.rb:12:in `block (2 levels) in <main>'", "block (2 levels) in <main> app.rb:12 own"),
            ("\tfrom <internal:kernel>:187:in `loop'", "loop <internal:kernel>:187"),
            ("\tfrom /usr/lib/ruby/3.1.0/socket.rb:56:in `tcp'", "tcp /usr/lib/ruby/3.1.0/socket.rb:56"),
            (
                "\tfrom /usr/local/bundle/gems/puma-5.6.5/lib/puma/cli.rb:81:in `run'",
                "run /usr/local/bundle/gems/puma-5.6.5/lib/puma/cli.rb:81",
            ),
            ("\tfrom config.ru:in `new'", "new config.ru:0 own"),
            ("\t 2: from app.rb:9:in `<main>'", "<main> app.rb:9 own"),
        ];
        for (line, expected) in cases {
            let frame = frame(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            let own = if frame.in_app { " own" } else { "" };
            assert_eq!(
                format!("{} {}:{}{own}", frame.function, frame.file.unwrap(), frame.line.unwrap_or(0)),
                expected
            );
        }
        for line in ["INFO order 7 in 'depot' done", "app.rb:3:in `x': boom (Error)", "it was in `x'"] {
            assert_eq!(frame(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn functions_in_c_are_told_by_the_place_of_their_caller() {
        let frame = |function: &str, line| Frame {
            function: function.into(),
            file: Some("a.rb".into()),
            line: Some(line),
            in_app: true,
        };
        let mut frames = vec![
            frame("fetch", 3),
            frame("rate", 3),
            frame("depth", 5),
            frame("depth", 5),
            frame("block in <main>", 9),
            frame("each", 9),
            frame("<main>", 9),
        ];
        mark_native(&mut frames);
        let own: Vec<bool> = frames.iter().map(|frame| frame.in_app).collect();
        assert_eq!(own, [false, true, true, true, true, false, true]);
    }

    #[test]
    fn names_are_stable_across_versions() {
        let cases = [
            ("rate", "rate"),
            ("Shop::Ledger#rate", "rate"),
            ("Shop::Ledger.build", "build"),
            ("block (2 levels) in in_block", "block in in_block"),
            ("block in Shop::Ledger#in_block", "block in in_block"),
            ("block in <main>", "<main>"),
            ("<top (required)>", "<main>"),
            ("rescue in Shop::Ledger#close", "rescue in close"),
        ];
        for (name, expected) in cases {
            assert_eq!(stable(name), expected);
        }
    }
}
