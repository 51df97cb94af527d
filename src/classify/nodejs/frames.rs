//! The frames of a stack: `    at Cart.total (/app/src/cart.js:14:23)`, and which of them are the user's own.

use crate::classify::stack::RawFrame;
use crate::classify::text;

/// Longest name of a file or a function that is kept, in bytes.
const NAME_BYTES: usize = 512;

/// Where the indentation of a frame begins in a line, perhaps behind a prefix; `None` where the line is no frame.
pub fn find(line: &[u8]) -> Option<usize> {
    let spaces = text::find(line, "    at ")?;
    let at = spaces + line[spaces..].iter().position(|b| *b != b' ')?;
    read(&line[at..])?;
    let start = at - line[..at].iter().rev().take_while(|b| **b == b' ').count();
    // The indentation is even, four or more; an odd blank is the end of the prefix.
    Some(if (at - start) % 2 == 1 { start + 1 } else { start })
}

/// Reads a frame; blanks may stand before it.
pub fn read(line: &[u8]) -> Option<RawFrame> {
    let line = line.trim_ascii();
    // Properties of the error are printed behind the last frame.
    let line = line.strip_suffix(b" {").or_else(|| line.strip_suffix(b",")).unwrap_or(line);
    let call = line.strip_prefix(b"at ")?;
    let call = std::str::from_utf8(&call[..call.len().min(4096)]).ok()?;
    // `eval at f (/app/x.js:1:2), <anonymous>:1:1` is nested: the place of the call is the outer one.
    let (function, place) = match call.strip_suffix(')').and_then(|inner| inner.split_once(" (")) {
        Some((function, place)) => (function, place),
        None => ("", call),
    };
    let (file, number) = location(place)?;
    let cut = |name: &str| text::string(&name.as_bytes()[..name.len().min(NAME_BYTES)]);
    Some(RawFrame { function: cut(name(function)), own: is_own(file), file: cut(file), line: number })
}

/// File and line of `/app/src/cart.js:14:23`, `file:///app/x.mjs:1:2`, `node:events:502:28`, `<anonymous>`, `native`.
fn location(place: &str) -> Option<(&str, u32)> {
    let place = place.strip_prefix("async ").unwrap_or(place);
    if let Some(inner) = place.strip_prefix("eval at ") {
        let (_, inner) = inner.split_once('(')?;
        return location(inner.split(')').next()?);
    }
    if matches!(place, "<anonymous>" | "native") || place.starts_with("index ") || place.starts_with("wasm://") {
        return Some((place, 0));
    }
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    column.parse::<u32>().ok()?;
    let line = line.parse().ok()?;
    // Other languages' backtraces have the same form.
    let foreign = [".rs", ".c", ".cc", ".cpp", ".h", ".go", ".S"].iter().any(|end| file.ends_with(end));
    // webpack puts a hash behind the name, or nothing behind the mark.
    let file = file.strip_prefix("file://").unwrap_or(file).split('?').next().unwrap_or(file);
    (!file.is_empty() && !foreign && !file.contains(" at ")).then_some((file, line))
}

/// The function's name without what differs between calls: `async`, and `[as handler]`.
fn name(function: &str) -> &str {
    let function = function.strip_prefix("async ").unwrap_or(function);
    function.split(" [as ").next().unwrap_or(function)
}

/// `/app/src/cart.js:14`, above the source line that threw.
pub fn throw_site(line: &[u8]) -> Option<(String, u32)> {
    let line = std::str::from_utf8(line.trim_ascii_end()).ok()?;
    let (file, number) = line.rsplit_once(':')?;
    let number = number.parse().ok()?;
    let path = file.starts_with('/')
        || file.starts_with("file://")
        || file.starts_with("node:")
        || file.starts_with("internal/")
        || file.get(1..3) == Some(":\\")
        || [".js", ".ts", ".mjs", ".cjs", ".tsx"].iter().any(|end| file.ends_with(end));
    let plain = path && !file.contains(' ') && line.len() < NAME_BYTES;
    plain.then(|| (file.strip_prefix("file://").unwrap_or(file).to_owned(), number))
}

/// Parts of paths below which lies what was installed.
const INSTALLED: [&str; 6] =
    ["/node_modules/", "\\node_modules\\", "/.yarn/", "/.pnp.", "webpack/bootstrap", "/npm/registry"];

/// Starts of places that belong to a runtime.
const RUNTIMES: [&str; 9] =
    ["node:", "internal/", "internal:", "ext:", "bun:", "deno:", "evalmachine.", "wasm://", "index "];

/// Whether a file is the user's own code.
pub fn is_own(file: &str) -> bool {
    let remote =
        (file.starts_with("http://") || file.starts_with("https://") || file.starts_with("jsr:")) && !is_local(file);
    // Before version 16 the modules of the runtime are named by their file alone: `events.js`.
    let core = !file.contains(['/', '\\']) || file.starts_with('<');
    !remote
        && !core
        && !INSTALLED.iter().any(|part| file.contains(part))
        && !RUNTIMES.iter().any(|start| file.starts_with(start))
}

/// From version 16 on a file without a folder is none of the runtime's, whose own ones begin with `node:`: a logger cut
/// the working directory from its path.
pub fn mark_relative(frames: &mut [RawFrame]) {
    if !frames.iter().any(|frame| frame.file.starts_with("node:")) {
        return;
    }
    for frame in frames.iter_mut().filter(|frame| !frame.file.contains(['/', '\\', '<', ':'])) {
        frame.own |= [".js", ".ts", ".mjs", ".cjs"].iter().any(|end| frame.file.ends_with(end));
    }
}

fn is_local(file: &str) -> bool {
    file.contains("//localhost") || file.contains("//127.0.0.1")
}

/// The name for a fingerprint: receivers that differ between versions and module systems are no part of it.
pub fn stable(frame: &RawFrame) -> Option<String> {
    let name = frame.function.strip_prefix("new ").unwrap_or(&frame.function);
    let bare =
        ["Object.", "Module.", "Function.", "global.", "globalThis."].iter().find_map(|it| name.strip_prefix(it));
    let name = bare.unwrap_or(name);
    Some(if name.is_empty() { "<anonymous>".to_owned() } else { name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_forms_are_read() {
        let cases: [(&str, Option<(&str, &str, u32, bool)>); 17] = [
            ("    at Cart.total (/app/src/cart.js:14:23)", Some(("Cart.total", "/app/src/cart.js", 14, true))),
            ("    at /app/src/cart.js:14:42", Some(("", "/app/src/cart.js", 14, true))),
            ("    at async load (file:///app/x.mjs:3:9) {", Some(("load", "/app/x.mjs", 3, true))),
            ("    at async file:///app/x.mjs:3:9", Some(("", "/app/x.mjs", 3, true))),
            ("    at new Lane (C:\\app\\lane.js:3:9)", Some(("new Lane", "C:\\app\\lane.js", 3, true))),
            (
                "    at Server.f [as listen] (/app/node_modules/once/once.js:25:25),",
                Some(("Server.f", "/app/node_modules/once/once.js", 25, false)),
            ),
            ("    at Array.map (<anonymous>)", Some(("Array.map", "<anonymous>", 0, false))),
            ("    at async Promise.all (index 0)", Some(("Promise.all", "index 0", 0, false))),
            (
                "    at process.processTimers (node:internal/timers:519:7)",
                Some(("process.processTimers", "node:internal/timers", 519, false)),
            ),
            ("    at emitOne (events.js:116:13)", Some(("emitOne", "events.js", 116, false))),
            ("    at eval (eval at run (/app/x.js:1:2), <anonymous>:1:1)", Some(("eval", "/app/x.js", 1, true))),
            (
                "    at async fetch (ext:deno_fetch/26_fetch.js:2:7360)",
                Some(("fetch", "ext:deno_fetch/26_fetch.js", 2, false)),
            ),
            ("    at f (webpack://shop/./src/a.ts?3c1b:8:28)", Some(("f", "webpack://shop/./src/a.ts", 8, true))),
            ("    at com.shop.Cart.total(Cart.java:14)", None),
            ("    at Shop.Cart.Total() in /src/Cart.cs:line 14", None),
            ("    at noon the shop closes", None),
            ("    at ", None),
        ];
        for (line, expected) in cases {
            let frame = read(line.as_bytes());
            let got = frame.as_ref().map(|f| (f.function.as_str(), f.file.as_str(), f.line, f.own));
            assert_eq!(got, expected, "{line}");
        }
    }

    #[test]
    fn a_file_without_a_folder_is_the_users_where_the_runtime_names_its_own() {
        let read = |lines: [&str; 2]| {
            let mut frames: Vec<_> = lines.iter().filter_map(|line| read(line.as_bytes())).collect();
            mark_relative(&mut frames);
            frames[0].own
        };
        assert!(read(["at run (run.js:20:3)", "at node:internal/main:36:49"]));
        assert!(!read(["at emitOne (events.js:116:13)", "at f (/app/a.js:1:2)"]));
    }

    #[test]
    fn the_indentation_is_no_part_of_the_prefix() {
        for (line, at) in [("    at /a.js:1:2", 0), ("web.1 |     at /a.js:1:2", 8), ("x:      at /a.js:1:2", 2)] {
            assert_eq!(find(line.as_bytes()), Some(at), "{line}");
        }
    }

    #[test]
    fn places_above_a_source_line_are_read() {
        let cases = [
            ("/app/a.js:3", true),
            ("node:events:502", true),
            ("at 10:30", false),
            ("main.ts:3", true),
            ("3:30", false),
        ];
        for (line, expected) in cases {
            assert_eq!(throw_site(line.as_bytes()).is_some(), expected, "{line}");
        }
    }
}
