//! Frames of Lua: `/srv/rules.lua:4: in function 'rules.match'`.

use crate::classify::finding::Frame;
use crate::classify::text;

/// Longest part of a line that is looked at.
const LINE_BYTES: usize = 2048;

/// Parts of paths of libraries.
const LIBRARIES: [&str; 9] = [
    "/share/lua/",
    "/lib/lua/",
    "/lualib/",
    "/lua_modules/",
    "/luarocks/",
    "/.rocks/",
    "/share/tarantool/",
    "builtin/",
    "[builtin",
];

/// Reads a frame; `None` where the line is none. The marks of left-out levels are frames without a place.
pub fn frame(line: &[u8]) -> Option<Frame> {
    let shown = text::string(&line[..line.len().min(LINE_BYTES)]);
    let shown = shown.trim();
    if shown == "(...tail calls...)" || shown.starts_with("...") || shown == "(tail call): ?" {
        return Some(Frame::default());
    }
    if shown == "[C]: ?" {
        return Some(Frame::default());
    }
    let (place, function) = shown.split_once(": in ").or_else(|| shown.split_once(": at "))?;
    if place == "[C]" || place.starts_with("[builtin") {
        return Some(Frame { function: name(function), ..Frame::default() });
    }
    let (file, line) = self::place(place)?;
    Some(Frame { function: name(function), in_app: is_own(&file), file: Some(file), line: Some(line) })
}

/// `/srv/rules.lua:4`, `[string "return 1"]:4`, `...cut/rules.lua:4`.
pub fn place(text: &str) -> Option<(String, u32)> {
    let (file, line) = text.rsplit_once(':')?;
    let quoted = file.starts_with("[string \"") && file.ends_with("\"]");
    let plain = !file.is_empty() && (quoted || !file.contains(['"', '\'', '\t']) && !file.contains(": "));
    plain.then_some(())?;
    Some((file.to_owned(), line.parse().ok()?))
}

/// The name in a frame, without how it was found: local, global, field, method.
fn name(function: &str) -> String {
    let quoted = function.find(['\'', '`']).and_then(|at| {
        let rest = &function[at + 1..];
        Some(&rest[..rest.rfind('\'')?])
    });
    match quoted {
        // A function that a table holds under a name of another kind.
        Some("?") => String::new(),
        Some(name) => name.to_owned(),
        None if function.starts_with("main chunk") => "main chunk".to_owned(),

        None => String::new(),
    }
}

/// The name as every version writes it: 5.4 knows the module of a function, the others do not.
pub fn stable(function: &str) -> String {
    function.rsplit(['.', ':']).next().unwrap_or(function).to_owned()
}

/// Whether a file is the program's.
pub fn is_own(file: &str) -> bool {
    !LIBRARIES.iter().any(|part| file.contains(part)) && file != "=[C]" && file != "stdin"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_in_every_form() {
        let cases = [
            ("\t/srv/rules.lua:4: in function 'rules.match'", "rules.match", "/srv/rules.lua", 4, true),
            ("\trules.lua:4: in upvalue 'pick'", "pick", "rules.lua", 4, true),
            ("\trules.lua:4: in method 'Gate:open'", "Gate:open", "rules.lua", 4, true),
            ("\trules.lua:4: in function <rules.lua:2>", "", "rules.lua", 4, true),
            ("\trules.lua:9: in main chunk", "main chunk", "rules.lua", 9, true),
            (
                "\t/usr/share/lua/5.4/socket.lua:9: in function 'bind'",
                "bind",
                "/usr/share/lua/5.4/socket.lua",
                9,
                false,
            ),
        ];
        for (line, function, file, number, in_app) in cases {
            let expected = Frame { function: function.into(), file: Some(file.into()), line: Some(number), in_app };
            assert_eq!(frame(line.as_bytes()), Some(expected), "{line}");
        }
        assert_eq!(frame(b"\t[C]: in function 'error'").unwrap().function, "error");
        assert_eq!(frame(b"\t[C]: at 0x55d0c8a3e2a8").unwrap().function, "");
        assert_eq!(frame(b"\t(...tail calls...)"), Some(Frame::default()));
        assert_eq!(frame(b"lane 3: in use"), None);
    }
}
