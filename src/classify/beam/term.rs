//! Erlang terms as reports print them: read as far as they go, since crash dumps cut them and loggers break their lines.

/// Longest text that is read as a term: reports hold whole states of servers.
pub const TERM_BYTES: usize = 64 * 1024;
/// Deepest nesting that is read; what lies deeper is skipped.
const DEPTH: u32 = 48;
/// Most terms that are read of one text.
const TERMS: usize = 8 * 1024;

/// A term with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// What it is.
    pub kind: Kind,
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// What a term is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `{a,b}`
    Tuple(Vec<Term>),
    /// `[a,b]`
    List(Vec<Term>),
    /// `#{a => b}`
    Map(Vec<(Term, Term)>),
    /// `a`, `'Elixir.A'`; quotes are taken off.
    Atom(String),
    /// `"a"`, `<<"a">>`, `<<97,98>>`
    Text(String),
    /// A whole number.
    Number(i64),
    /// A process, a function, a reference, or what was cut off.
    Other,
}

impl Term {
    /// The members of a tuple.
    pub fn tuple(&self) -> Option<&[Term]> {
        match &self.kind {
            Kind::Tuple(members) => Some(members),
            _ => None,
        }
    }

    /// The members of a list.
    pub fn list(&self) -> Option<&[Term]> {
        match &self.kind {
            Kind::List(members) => Some(members),
            _ => None,
        }
    }

    /// The name of an atom.
    pub fn atom(&self) -> Option<&str> {
        match &self.kind {
            Kind::Atom(name) => Some(name),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key, which is an atom, in a map.
    pub fn value(&self, key: &str) -> Option<&Term> {
        let Kind::Map(pairs) = &self.kind else { return None };
        pairs.iter().find(|(name, _)| name.atom() == Some(key)).map(|(_, value)| value)
    }

    /// The value in a list of pairs: `[{file,"a.erl"},{line,3}]`.
    pub fn property(&self, key: &str) -> Option<&Term> {
        self.list()?.iter().find_map(|pair| match pair.tuple()? {
            [name, value] if name.atom() == Some(key) => Some(value),
            _ => None,
        })
    }

    /// How the text writes it, in one line.
    pub fn written(&self, text: &str) -> String {
        let text = text.get(self.start..self.end).unwrap_or_default();
        let mut out = String::with_capacity(text.len());
        for line in text.lines() {
            // A printer breaks lines behind commas, where one line has no blank.
            let tight = out.is_empty() || out.ends_with([',', '{', '[', '(']);
            out.push_str(if tight { "" } else { " " });
            out.push_str(line.trim());
        }
        out
    }
}

/// The term at the start of the text; nothing where there is none.
pub fn read(text: &str) -> Option<Term> {
    let end = (0..=text.len().min(TERM_BYTES)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let mut reader = Reader { text: &text[..end], at: 0, left: TERMS };
    reader.blanks();
    reader.term(0)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    left: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Skips one of these bytes, with the blanks around it.
    fn skip(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
            self.blanks();
        }
        found
    }

    fn term(&mut self, depth: u32) -> Option<Term> {
        let start = self.at;
        self.left = self.left.checked_sub(1)?;
        let first = self.rest().chars().next()?;
        let deep = depth >= DEPTH;
        let kind = match first {
            '{' | '[' | '#' if deep => self.skipped(),
            '{' => Kind::Tuple(self.members("{", "}", depth)),
            '[' => Kind::List(self.members("[", "]", depth)),
            '#' if self.rest().starts_with("#{") => self.map(depth),
            '#' => self.opaque(),
            '"' => Kind::Text(self.quoted('"')),
            '\'' => Kind::Atom(self.quoted('\'')),
            '<' if self.rest().starts_with("<<") => self.binary(),
            '<' => self.opaque(),
            ')' | '}' | ']' | ',' | '|' => return None,
            _ => self.word(),
        };
        Some(Term { kind, start, end: self.at })
    }

    fn members(&mut self, open: &str, close: &str, depth: u32) -> Vec<Term> {
        self.skip(open);
        let mut members = Vec::new();
        while !self.rest().is_empty() && !self.closed(close) {
            let before = self.at;
            members.extend(self.term(depth + 1));
            if !self.skip(",") && !self.skip("|") && self.at == before {
                // Something that is no term, such as a member that a crash dump left out.
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            }
            if self.left == 0 {
                break;
            }
        }
        members
    }

    /// Skips the end, without the blanks behind it, which belong to what surrounds the term.
    fn closed(&mut self, close: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(close);
        self.at += if found { close.len() } else { 0 };
        found
    }

    fn map(&mut self, depth: u32) -> Kind {
        self.skip("#{");
        let mut pairs = Vec::new();
        while !self.rest().is_empty() && !self.closed("}") {
            let before = self.at;
            let key = self.term(depth + 1);
            let value = if self.skip("=>") || self.skip(":=") { self.term(depth + 1) } else { None };
            pairs.extend(key.zip(value));
            if !self.skip(",") && self.at == before {
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            }
            if self.left == 0 {
                break;
            }
        }
        Kind::Map(pairs)
    }

    /// The text between quotes, with its escapes resolved.
    fn quoted(&mut self, quote: char) -> String {
        let mut out = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        let mut end = self.rest().len();
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => match characters.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, escaped)) => out.push(escaped),
                    None => break,
                },
                c if c == quote => {
                    end = at + c.len_utf8();
                    break;
                }
                c => out.push(c),
            }
        }
        self.at += end;
        out
    }

    /// `<<"a">>`, or the bytes of a text where a printer does not look at them: `<<97,98>>`.
    fn binary(&mut self) -> Kind {
        self.at += 2;
        let text = if self.rest().starts_with('"') {
            Some(self.quoted('"'))
        } else {
            let bytes = self.rest().split(">>").next().unwrap_or_default();
            let read: Option<Vec<u8>> = bytes.split(',').map(|byte| byte.trim().parse().ok()).collect();
            read.and_then(|bytes| String::from_utf8(bytes).ok())
        };
        let end = self.rest().find(">>").map_or(self.rest().len(), |end| end + 2);
        self.at += end;
        text.map_or(Kind::Other, Kind::Text)
    }

    /// `<0.83.0>`, `#Fun<a.1.2>`, `#Ref<0.1>`, `#PID<0.1.0>`
    fn opaque(&mut self) -> Kind {
        let end = self.rest().find(['>', ',', '}', ']', '\n']);
        let end = end.map_or(self.rest().len(), |end| end + usize::from(self.rest()[end..].starts_with('>')));
        self.at += end.max(1);
        Kind::Other
    }

    /// What lies too deep, as far as its brackets are closed.
    fn skipped(&mut self) -> Kind {
        let mut open = 0_usize;
        let end = self.rest().char_indices().find_map(|(at, c)| {
            match c {
                '{' | '[' => open += 1,
                '}' | ']' => open = open.saturating_sub(1),
                _ => {}
            }
            (open == 0 && c != '#').then_some(at + c.len_utf8())
        });
        self.at += end.unwrap_or(self.rest().len());
        Kind::Other
    }

    fn word(&mut self) -> Kind {
        let stops = |c: char| matches!(c, ',' | '}' | ']' | ')' | '|' | '{' | '[' | '=' | ':') || c.is_whitespace();
        let length = self.rest().find(stops).unwrap_or(self.rest().len()).max(1);
        let length = (length..=self.rest().len()).find(|end| self.rest().is_char_boundary(*end)).unwrap_or(length);
        let word = self.rest()[..length].to_owned();
        self.at += length;
        match word.parse() {
            Ok(number) => Kind::Number(number),
            Err(_) if word.starts_with(|c: char| c.is_alphabetic()) => Kind::Atom(word),
            Err(_) => Kind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_they_are_printed() {
        let text = "{{badkey,<<\"TX\">>},\n  [{shelf,price,2,[{file,\"shelf.erl\"},{line,16}]}]} trailing";
        let term = read(text).unwrap();
        let [reason, stack] = term.tuple().unwrap() else { panic!("{term:?}") };
        assert_eq!(reason.written(text), "{badkey,<<\"TX\">>}");
        let frame = stack.list().unwrap()[0].tuple().unwrap();
        assert_eq!((frame[0].atom(), &frame[2].kind), (Some("shelf"), &Kind::Number(2)));
        assert_eq!(frame[3].property("file").and_then(Term::text), Some("shelf.erl"));
        assert_eq!(&text[term.end..], " trailing");
    }

    #[test]
    fn maps_binaries_and_opaque_terms_are_read() {
        let text =
            "#{'__struct__' => 'Elixir.KeyError',message=><<101,110,118>>,pid => <0.83.0>,f => #Fun<a.1.2>,n => -3}";
        let term = read(text).unwrap();
        assert_eq!(term.value("__struct__").and_then(Term::atom), Some("Elixir.KeyError"));
        assert_eq!(term.value("message").and_then(Term::text), Some("env"));
        assert_eq!(term.value("n").map(|n| &n.kind), Some(&Kind::Number(-3)));
        assert_eq!(term.value("pid").map(|pid| &pid.kind), Some(&Kind::Other));
    }

    #[test]
    fn what_is_cut_is_read_as_far_as_it_goes() {
        for text in
            ["{badkey,[{a,b,1,[{file,\"x.e", "{,[{_},{_}]}", "{{badkey,},[x|...", "#{a =>", "{a,<<1,2", "'a", "é,"]
        {
            assert!(read(text).is_some(), "{text}");
        }
        assert_eq!(read("{{badkey,},[]}").unwrap().tuple().map(<[Term]>::len), Some(2));
        for text in ["", "}", ","] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_hostile_term_is_bounded() {
        let deep = read(&"{".repeat(1_000_000)).unwrap();
        assert!(deep.end <= TERM_BYTES);
        let wide = read(&"[1,2,3,".repeat(100_000)).unwrap();
        assert!(wide.end <= TERM_BYTES);
    }
}
