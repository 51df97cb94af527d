//! What the further lines of an error's text tell: the rest of a message that its first line only announces, and the
//! source that a compiler refused.

use super::frames;
use super::head::Head;
use crate::classify::finding::Culprit;
use crate::classify::text;

/// Longest message that is put together, in bytes.
const MESSAGE_BYTES: usize = 1024;
/// Most further lines that go into it.
const LINES: usize = 24;

/// The message: its first line, with the further ones where that says nothing by itself.
pub fn message(head: &Head, details: &str) -> String {
    let mut more = details.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES).peekable();
    if more.peek().is_none() {
        return if head.message.is_empty() { head.line.trim().to_owned() } else { head.message.clone() };
    }
    if !head.message.is_empty() && !announces(&head.message) {
        return head.message.clone();
    }
    let mut whole = head.message.clone();
    for line in more {
        if !whole.is_empty() {
            whole.push(' ');
        }
        whole.push_str(line);
        // A list has no end of its own; a sentence is enough.
        if !announces(&whole) && !whole.starts_with(['[', '{']) {
            break;
        }
    }
    text::cut(&whole, MESSAGE_BYTES)
}

fn announces(said: &str) -> bool {
    said.ends_with([':', '[', '{', '('])
}

/// The source that did not compile: `src/a.ts(3,7): error TS2322: …` of ts-node, `src/a.ts:3:7 - error TS2322: …` of
/// TypeScript's own, `/app/src/a.ts:3:7: ERROR: …` of esbuild and tsx.
pub fn refused(details: &str) -> Option<Culprit> {
    details.lines().take(LINES).map(str::trim).find_map(|line| {
        let end = ["): error TS", " - error TS", ": ERROR: "].iter().find_map(|words| line.find(words))?;
        let (file, line) = match line[..end].rsplit_once('(') {
            Some((file, place)) => (file, place.split(',').next()?),
            None => line[..end].rsplit_once(':')?.0.rsplit_once(':')?,
        };
        let own = !file.is_empty() && !file.contains(' ') && frames::is_own(&format!("./{file}"));
        own.then(|| Some(Culprit { function: None, file: Some(file.to_owned()), line: Some(line.parse().ok()?) }))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_announces_more_has_it() {
        let cases = [
            ("Error: no gate", "", "no gate"),
            ("Error: no gate", "(see the plan)\n", "no gate"),
            (
                "TSError: Unable to compile TypeScript:",
                "a.ts(1,7): error TS2322: x\nmore\n",
                "Unable to compile TypeScript: a.ts(1,7): error TS2322: x",
            ),
            ("ZodError: [", "  {\n    \"path\": [\n      \"DSN\"\n    ]\n", "[ { \"path\": [ \"DSN\" ]"),
            (
                "PrismaClientInitializationError: ",
                "Invalid `prisma.seat.findMany()` invocation:\n\n\nCan't reach database server\n",
                "Invalid `prisma.seat.findMany()` invocation: Can't reach database server",
            ),
            ("Error", "", "Error"),
        ];
        for (line, details, expected) in cases {
            assert_eq!(message(&Head::read(line.as_bytes()), details), expected, "{line}");
        }
    }

    #[test]
    fn the_source_that_did_not_compile_is_named() {
        let cases = [
            ("src/bad.ts(1,7): error TS2322: Type", Some(("src/bad.ts", 1))),
            ("bad.ts(12,7): error TS1005: ';' expected.", Some(("bad.ts", 12))),
            ("src/bad.ts:3:7 - error TS2322: Type", Some(("src/bad.ts", 3))),
            ("/srv/kiosk/src/bad.ts:5:13: ERROR: Expected \")\"", Some(("/srv/kiosk/src/bad.ts", 5))),
            ("node_modules/x/a.d.ts(1,7): error TS2322: Type", None),
            ("a word (see 3): error TS", None),
        ];
        for (line, expected) in cases {
            let culprit = refused(line);
            let place = culprit.as_ref().map(|c| (c.file.as_deref().unwrap(), c.line.unwrap()));
            assert_eq!(place, expected, "{line}");
        }
    }
}
