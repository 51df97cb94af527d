//! The lines with which Lua says what ends a program or a request.

use super::frames;

/// Places that are read before one text.
const PLACES: usize = 8;

/// What stands above the frames.
pub const TRACEBACK: &str = "stack traceback:";

/// Who says it, which decides whether the process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// An interpreter, which ends with it.
    Interpreter,
    /// nginx or HAProxy while it reads its configuration, which ends it.
    Startup,
    /// A program that calls Lua without protection: it aborts.
    Abort,
    /// nginx, of which only a request or a timer has ended.
    Request,
    /// The program or a logger.
    Logged,
}

/// Names of interpreters as they stand before an error.
const INTERPRETERS: [&str; 12] = [
    "lua",
    "luajit",
    "lua5.1",
    "lua5.2",
    "lua5.3",
    "lua5.4",
    "lua51",
    "lua53",
    "lua54",
    "resty",
    "tarantool",
    "texlua",
];

/// What nginx says, and whether it ends with it.
const NGINX: [(&str, Voice); 14] = [
    ("init_by_lua error: ", Voice::Startup),
    ("init_by_lua_file error: ", Voice::Startup),
    ("init_worker_by_lua error: ", Voice::Request),
    ("init_worker_by_lua_file error: ", Voice::Request),
    ("lua entry thread aborted: runtime error: ", Voice::Request),
    ("lua entry thread aborted: memory allocation error: ", Voice::Request),
    ("lua user thread aborted: runtime error: ", Voice::Request),
    ("failed to load inlined Lua code: ", Voice::Request),
    ("failed to load external Lua file ", Voice::Request),
    ("failed to run log_by_lua*: ", Voice::Request),
    ("failed to run header_filter_by_lua*: ", Voice::Request),
    ("failed to run body_filter_by_lua*: ", Voice::Request),
    ("failed to run balancer_by_lua*: ", Voice::Request),
    ("lua handler aborted: runtime error: ", Voice::Request),
];

/// What a head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Where it begins in its line.
    pub at: usize,
    /// Who says it.
    pub voice: Voice,
    /// The text, without its place.
    pub message: String,
    /// The place before the text.
    pub place: Option<(String, u32)>,
}

/// Reads a head.
pub fn head(line: &str) -> Option<Head> {
    of_nginx(line).or_else(|| of_host(line)).or_else(|| of_tarantool(line)).or_else(|| of_interpreter(line))
}

fn of_nginx(line: &str) -> Option<Head> {
    let (at, words, voice) = NGINX.iter().find_map(|(words, voice)| Some((line.find(words)?, words, *voice)))?;
    let (message, place) = placed(&line[at + words.len()..]);
    Some(Head { at, voice, message: message.to_owned(), place })
}

/// Other programs that run scripts, with what stands before an error and behind it.
const HOSTS: [(&str, &str, Voice); 5] = [
    ("Lua runtime error: ", "", Voice::Startup),
    ("error in Lua file '", "", Voice::Startup),
    ("Lua init: runtime error: '", "' from ", Voice::Startup),
    ("PANIC: unprotected error in call to Lua API (", ")", Voice::Abort),
    ("Uncaught Error: ", "", Voice::Interpreter),
];

/// HAProxy, luv, and whoever does not protect its calls: `… : Lua runtime error: /etc/haproxy/a.lua:3: no lane`.
fn of_host(line: &str) -> Option<Head> {
    let (at, words, end, voice) =
        HOSTS.iter().find_map(|(words, end, voice)| Some((line.find(words)?, *words, *end, *voice)))?;
    let text = &line[at + words.len()..];
    // The name of the file stands before its place once more.
    let text = if words.ends_with("file '") { text.split_once("': ")?.1 } else { text };
    let text = Some(end).filter(|end| !end.is_empty()).and_then(|end| text.rfind(end)).map_or(text, |end| &text[..end]);
    let (message, place) = placed(text);
    // Others than Lua name an error so.
    let own = place.is_some() && (voice != Voice::Interpreter || text.contains(".lua:"));
    own.then(|| Head { at, voice, message: message.to_owned(), place })
}

fn of_tarantool(line: &str) -> Option<Head> {
    let at = line.find("LuajitError: ")?;
    let (message, place) = placed(&line[at + "LuajitError: ".len()..]);
    Some(Head { at, voice: Voice::Interpreter, message: message.to_owned(), place })
}

/// `lua: rules.lua:4: text`, `/usr/bin/lua5.4: text`.
fn of_interpreter(line: &str) -> Option<Head> {
    let found = line.match_indices(": ").take(8).find_map(|(end, _)| {
        let at = line[..end].rfind(|c: char| c.is_ascii_whitespace()).map_or(0, |blank| blank + 1);
        let name = line[at..end].rsplit('/').next().unwrap_or_default();
        let versioned = name.strip_prefix("luajit-").is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()));
        (INTERPRETERS.contains(&name) || versioned).then_some((at, end + 2))
    })?;
    let (message, place) = placed(&line[found.1..]);
    // Behind other words the name alone proves nothing.
    let enclosed = found.0 == 0
        || place.is_some()
        || line[..found.0].bytes().any(|b| b.is_ascii_digit() || b == b'|' || b == b']');
    enclosed.then(|| Head { at: found.0, voice: Voice::Interpreter, message: message.to_owned(), place })
}

/// `rules.lua:4: text`: the text and the place. A text without a place is all text. Whoever passes an error on adds a
/// place before it: the last one is where it was thrown.
pub fn placed(text: &str) -> (&str, Option<(String, u32)>) {
    let (mut rest, mut place) = (text, None);
    for _ in 0..PLACES {
        let Some((after, found)) = one_place(rest) else { break };
        (rest, place) = (after, Some(found));
    }
    (rest, place)
}

fn one_place(text: &str) -> Option<(&str, (String, u32))> {
    text.match_indices(": ").take(4).find_map(|(at, _)| {
        let (file, line) = frames::place(&text[..at])?;
        let plain = file.ends_with("\"]") || !file.contains(' ') || file.ends_with(".lua");
        plain.then(|| (&text[at + 2..], (file, line)))
    })
}

/// The place that a source has which does not compile: it stands inside of the text of whoever loads it.
pub fn uncompiled(text: &str) -> Option<(String, u32)> {
    let near = text.contains(" near ") || text.contains("unfinished ") || text.contains(" expected (to close ");
    let (_, place) = placed(text.trim_start());
    place.filter(|_| near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_in_every_form() {
        let cases = [
            ("lua: rules.lua:4: no lane", Voice::Interpreter, "no lane", Some(4)),
            ("/usr/bin/lua5.4: /srv/rules.lua:4: no lane: 3", Voice::Interpreter, "no lane: 3", Some(4)),
            ("luajit: [string \"x: y\"]:4: no lane", Voice::Interpreter, "no lane", Some(4)),
            ("lua: (error object is a table value)", Voice::Interpreter, "(error object is a table value)", None),
            ("[pod/a-1/api] lua: rules.lua:4: no lane", Voice::Interpreter, "no lane", Some(4)),
            ("nginx: [error] init_by_lua error: init.lua:4: no lane", Voice::Startup, "no lane", Some(4)),
            (
                "[ALERT] (7) : config : parsing [a.cfg:2] : Lua runtime error: a.lua:4: no lane",
                Voice::Startup,
                "no lane",
                Some(4),
            ),
            ("[ALERT] (7) : config : error in Lua file 'b.lua': b.lua:4: no lane", Voice::Startup, "no lane", Some(4)),
            (
                "[ALERT] (7) : Lua init: runtime error: 'a.lua:4: no lane' from a.lua:4: in function line 1",
                Voice::Startup,
                "no lane",
                Some(4),
            ),
            (
                "PANIC: unprotected error in call to Lua API (a.lua:4: no lane (x))",
                Voice::Abort,
                "no lane (x)",
                Some(4),
            ),
            ("LuajitError: init.lua:4: no lane", Voice::Interpreter, "no lane", Some(4)),
        ];
        for (line, voice, message, number) in cases {
            let head = head(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((head.voice, head.message.as_str()), (voice, message), "{line}");
            assert_eq!(head.place.map(|(_, line)| line), number, "{line}");
        }
        assert_eq!(head("loading lua: done"), None);
    }
}
