//! Exit reasons: terms in which supervisors, applications and callers wrap what really went wrong.

use super::frames;
use super::kinds;
use super::term::{self, Kind, Term};
use crate::classify::finding::Frame;
use crate::classify::links::{Link, push_link};

/// Most wrappers that are opened.
const DEPTH: u32 = 24;

/// The chain that a reason holds, the outermost link first. `line` is what is shown of it.
pub fn links(text: &str, line: &[u8]) -> Vec<Link> {
    let mut links = Vec::new();
    if let Some(term) = term::read(text) {
        let mut chain = Chain { text, line, links: &mut links };
        chain.open(&term, 0);
    }
    links
}

/// Whether a reason says no more than that something was stopped on purpose, or because of something else.
pub fn is_orderly(text: &str) -> bool {
    let text = text.trim().trim_end_matches(['.', ')']);
    ["shutdown", "normal", "killed", "noconnection", ":shutdown", ":normal", ":stopped", "stopped", "{shutdown,"]
        .iter()
        .any(|word| text == *word || word.ends_with(',') && text.starts_with(word) && !text.contains("failed_to_start"))
        || text.trim_start_matches(':') == "reached_max_restart_intensity"
}

struct Chain<'a> {
    text: &'a str,
    line: &'a [u8],
    links: &'a mut Vec<Link>,
}

impl Chain<'_> {
    fn open(&mut self, term: &Term, depth: u32) {
        if depth > DEPTH {
            return;
        }
        let depth = depth + 1;
        // A reason that is a text of its own: the controller of applications prints one in quotes.
        if let Some(inner) = term.text().filter(|text| text.starts_with('{')) {
            for link in links(inner, self.line) {
                push_link(self.links, link);
            }
            return;
        }
        let Some(members) = term.tuple() else { return self.leaf(term, Vec::new()) };
        let tag = members.first().and_then(Term::atom).unwrap_or_default();
        match (tag, members) {
            ("shutdown", [_, inner])
            | ("failed_to_start_child", [_, _, inner])
            | ("EXIT", [_, inner] | [_, _, inner]) => {
                self.open(inner, depth);
            }
            ("application_start_failure" | "application_terminated", [_, _, inner]) => self.open(inner, depth),
            ("bad_return", [_, inner]) => self.returned(term, inner, depth),
            (_, [inner, stack]) if frames::is_stack(stack) => self.with_stack(inner, stack, depth),
            (_, [inner, caller]) if is_caller(caller) => self.called(term, inner, caller, depth),
            _ => self.leaf(term, Vec::new()),
        }
    }

    /// `{bad_return,{{shelf_app,start,[normal,[]]},Value}}`: what `start` returned, or how it failed.
    fn returned(&mut self, term: &Term, inner: &Term, depth: u32) {
        match inner.tuple() {
            Some([_, exit]) if exit.tuple().and_then(<[Term]>::first).and_then(Term::atom) == Some("EXIT") => {
                self.open(exit, depth);
            }
            Some([caller, _]) => self.leaf(term, frames_of(caller)),
            _ => self.leaf(term, Vec::new()),
        }
    }

    fn with_stack(&mut self, inner: &Term, stack: &Term, depth: u32) {
        let frames = frames::stack(stack);
        match inner.tuple() {
            // What a process that was asked died of stands inside of what its caller died of.
            Some([reason, caller]) if is_caller(caller) && reason.tuple().is_some() => {
                self.leaf(inner, frames);
                self.open(reason, depth);
            }
            _ => self.leaf(inner, frames),
        }
    }

    /// `{Reason,{shelf_app,start,[normal,[]]}}`: the function that was called when it happened.
    fn called(&mut self, term: &Term, inner: &Term, caller: &Term, depth: u32) {
        let wraps = inner.tuple().is_some();
        let before = self.links.len();
        if wraps {
            self.open(inner, depth);
        }
        if self.links.len() == before {
            self.leaf(if wraps { inner } else { term }, frames_of(caller));
        } else if let Some(link) = self.links.last_mut().filter(|link| link.frames.is_empty()) {
            link.frames = frames_of(caller);
        }
    }

    /// What there is nothing more in.
    fn leaf(&mut self, term: &Term, frames: Vec<Frame>) {
        let (class, message) = error(term, self.text);
        let mut link = Link::new(&class, &message, self.line);
        for (at, frame) in frames.into_iter().enumerate() {
            // The top frame of an undefined function is the one that does not exist.
            let absent = at == 0 && class == "undef";
            let frame = Frame { in_app: frame.in_app && !absent, ..frame };
            link.push(frame, b"");
        }
        push_link(self.links, link);
    }
}

/// `{gen_server,call,[ledger,{post,5}]}`
fn is_caller(term: &Term) -> bool {
    matches!(term.tuple(), Some([module, function, arguments])
        if module.atom().is_some() && function.atom().is_some() && arguments.list().is_some())
}

fn frames_of(caller: &Term) -> Vec<Frame> {
    let Some([module, function, arguments]) = caller.tuple() else { return Vec::new() };
    let arity = match &arguments.kind {
        Kind::List(arguments) => arguments.len(),
        Kind::Number(arity) => usize::try_from(*arity).unwrap_or_default(),
        _ => return Vec::new(),
    };
    let name = module.atom().zip(function.atom()).map(|(module, function)| frames::mfa(module, function, arity));
    name.map(|name| frames::named(&name, None)).into_iter().collect()
}

/// The name and the text of an error.
fn error(term: &Term, text: &str) -> (String, String) {
    if let Some(name) = term.value("__struct__").and_then(Term::atom) {
        let name = name.trim_start_matches("Elixir.").to_owned();
        let message = said(term, &name, text);
        return (name, message);
    }
    let written = term.written(text);
    let tag = match &term.kind {
        Kind::Atom(name) => name.clone(),
        Kind::Tuple(members) => members.first().and_then(Term::atom).unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    (tag, written)
}

/// What an exception of Elixir says. Some make their text from fields when they are printed.
fn said(term: &Term, name: &str, text: &str) -> String {
    if let Some(message) = term.value("message").and_then(Term::text) {
        return message.to_owned();
    }
    let field = |key: &str| term.value(key).map(|value| value.written(text)).unwrap_or_default();
    match name {
        "System.EnvError" => {
            let variable = term.value("env").and_then(Term::text).unwrap_or_default();
            format!("could not fetch environment variable \"{variable}\" because it is not set")
        }
        "KeyError" => format!("key {} not found", elixir_key(term.value("key"), text)),
        _ if !field("reason").is_empty() => format!("{name}: {}", field("reason")),
        _ => term.written(text),
    }
}

fn elixir_key(key: Option<&Term>, text: &str) -> String {
    match key.map(|key| &key.kind) {
        Some(Kind::Atom(name)) => format!(":{name}"),
        Some(Kind::Text(name)) => format!("\"{name}\""),
        _ => key.map(|key| key.written(text)).unwrap_or_default(),
    }
}

/// The name of an error that Erlang's shell describes in words, and its frame where the words name one.
pub fn described(said: &str, line: &[u8]) -> Link {
    let class = kinds::of_shell(said).unwrap_or_default();
    let mut link = Link::new(class, said, line);
    if let Some(frame) = frames::unmatched(said) {
        link.push(frame, b"");
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    fn innermost(text: &str) -> (String, String, Option<String>) {
        let links = links(text, b"");
        let link = links.last().unwrap();
        let own = link.frames.iter().find(|frame| frame.in_app).map(|frame| frame.function.clone());
        (link.exception.clone(), link.message.clone(), own)
    }

    #[test]
    fn wrappers_are_opened_down_to_what_went_wrong() {
        let stack = "[{shelf_server,init,1,[{file,\"shelf_server.erl\"},{line,5}]},{gen_server,init_it,2,[]}]";
        let badmatch = format!("{{{{badmatch,{{error,econnrefused}}}},{stack}}}");
        let own = Some("shelf_server:init/1".to_owned());
        let cases = [
            (badmatch.clone(), "badmatch", "{badmatch,{error,econnrefused}}", own.clone()),
            (
                format!("{{application_start_failure,shelf,{{{{shutdown,{{failed_to_start_child,shelf_server,{badmatch}}}}},{{shelf_app,start,[normal,[]]}}}}}}"),
                "badmatch",
                "{badmatch,{error,econnrefused}}",
                own.clone(),
            ),
            (
                format!("{{bad_return,{{{{shelf_app,start,[normal,[]]}},{{'EXIT',{badmatch}}}}}}}"),
                "badmatch",
                "{badmatch,{error,econnrefused}}",
                own.clone(),
            ),
            (
                "{bad_return,{{shelf_app,start,[normal,[]]},nope}}".to_owned(),
                "bad_return",
                "{bad_return,{{shelf_app,start,[normal,[]]},nope}}",
                Some("shelf_app:start/2".to_owned()),
            ),
            (
                "{no_shelf,{shelf_app,start,[normal,[]]}}".to_owned(),
                "no_shelf",
                "{no_shelf,{shelf_app,start,[normal,[]]}}",
                Some("shelf_app:start/2".to_owned()),
            ),
            ("{noproc,{gen_server,call,[nobody,x]}}".to_owned(), "noproc", "{noproc,{gen_server,call,[nobody,x]}}", None),
            (format!("{{{{{badmatch},{{gen_server,call,[ledger,x]}}}},{stack}}}"), "badmatch", "{badmatch,{error,econnrefused}}", own.clone()),
            ("{shelf_full,7}".to_owned(), "shelf_full", "{shelf_full,7}", None),
            (
                format!("{{#{{'__exception__' => true,'__struct__' => 'Elixir.RuntimeError',message => <<\"sealed\">>}},{stack}}}"),
                "RuntimeError",
                "sealed",
                own,
            ),
            (
                "{#{'__struct__' => 'Elixir.System.EnvError',env => <<\"PORT\">>},[{'Elixir.System','fetch_env!',1,[]}]}".to_owned(),
                "System.EnvError",
                "could not fetch environment variable \"PORT\" because it is not set",
                None,
            ),
        ];
        for (text, class, message, function) in cases {
            assert_eq!(innermost(&text), (class.to_owned(), message.to_owned(), function), "{text}");
        }
    }

    #[test]
    fn an_orderly_end_is_no_error() {
        for text in ["shutdown", "normal", "{shutdown,3}", "reached_max_restart_intensity"] {
            assert!(is_orderly(text), "{text}");
        }
        for text in ["{shutdown,{failed_to_start_child,a,b}}", "{badkey,a}", "shutdown_failed"] {
            assert!(!is_orderly(text), "{text}");
        }
    }
}
