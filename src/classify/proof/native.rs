//! Frames as the sanitizers of C, C++ and Rust print them.

use memchr::memmem;

use crate::classify::finding::SYMBOL_BYTES;
use crate::classify::go::frames::RawFrame;
use crate::classify::text;

/// Parts of the paths of what is not the user's: the C and C++ libraries, the sanitizer itself, Rust's library and crates.
const FOREIGN: [&str; 8] = [
    "/include/c++/",
    "/usr/include/",
    "/usr/lib/",
    "/libsanitizer/",
    "/compiler-rt/",
    "/sysdeps/",
    "/rustc/",
    "/.cargo/registry/",
];

/// `    #3 shop::Cache::get(int) /src/cache.cc:7:12 (server+0x246b)`; a place that is not known is `<null>`.
pub fn frame(line: &[u8]) -> Option<RawFrame> {
    let (number, rest) = text::split_digits(line.trim_ascii_start().strip_prefix(b"#")?);
    let rest = rest.strip_prefix(b" ").filter(|_| !number.is_empty())?;
    // Behind the place stand the module and its build id, which have parentheses as a parameter list has.
    let end = memmem::rfind(rest, b" (BuildId: ").unwrap_or(rest.len());
    let end =
        memmem::rfind(&rest[..end], b" (").filter(|at| memmem::find(&rest[*at..end], b"+0x").is_some()).unwrap_or(end);
    let text = text::string(&rest[..end]);
    let (function, place) = split(&text);
    let (file, line) = place.map_or(("", 0), file_and_line);
    Some(RawFrame { function: cut(function), file: cut(file), line })
}

fn cut(text: &str) -> String {
    text::cut(text, SYMBOL_BYTES)
}

/// Function and place. Both may hold blanks; a path begins with a slash, a drive or dots.
fn split(text: &str) -> (&str, Option<&str>) {
    let start = [" /", " ../", " ./", " <null>"].iter().filter_map(|start| text.find(start)).min();
    match start {
        Some(at) if text[at + 1..].starts_with("<null>") => (&text[..at], None),
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => match text.rsplit_once(' ') {
            Some((function, place)) if place.contains(':') && !place.contains("::") => (function, Some(place)),
            _ => (text, None),
        },
    }
}

/// `/src/a.cc:7:12` or `/src/a.cc:7`.
fn file_and_line(place: &str) -> (&str, u32) {
    let mut parts = place.rsplitn(3, ':');
    let (last, middle, first) = (parts.next(), parts.next(), parts.next());
    match (first, middle.map(str::parse::<u32>), last.map(str::parse::<u32>)) {
        (Some(file), Some(Ok(line)), Some(Ok(_))) => (file, line),
        (_, _, Some(Ok(line))) => (place.rsplit_once(':').map_or(place, |(file, _)| file), line),
        _ => (place, 0),
    }
}

/// Whether a frame is the user's own code: its source is known and is no library's.
pub fn in_app(frame: &RawFrame) -> bool {
    let library = FOREIGN.iter().any(|part| frame.file.contains(part)) || frame.file.starts_with("../");
    let name = frame.function.as_str();
    !frame.file.is_empty() && !library && !name.starts_with("std::") && !name.starts_with("__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_both_compilers_are_read() {
        let cases = [
            (
                "    #7 shop::get(int, long) /tmp/a.cc:7:157 (ac+0xd4941) (BuildId: db65)",
                "shop::get(int, long)",
                "/tmp/a.cc",
                7,
                true,
            ),
            ("    #7 operator() /tmp/my app/a.cc:8 (ag+0x246b)", "operator()", "/tmp/my app/a.cc", 8, true),
            ("    #14 <null> <null> (libstdc++.so.6+0xd44a2)", "<null>", "", 0, false),
            (
                "    #0 pthread_create ../../../../src/x.cpp:1001 (libtsan.so.2+0x5e)",
                "pthread_create",
                "../../../../src/x.cpp",
                1001,
                false,
            ),
            (
                "    #4 std::thread::_M_run() /usr/include/c++/12/bits/t.h:210:13 (a+0x1)",
                "std::thread::_M_run()",
                "/usr/include/c++/12/bits/t.h",
                210,
                false,
            ),
            (
                "    #1 app::main::{{closure}} src/main.rs:9:5 (app+0x5)",
                "app::main::{{closure}}",
                "src/main.rs",
                9,
                true,
            ),
        ];
        for (line, function, file, number, own) in cases {
            let read = frame(line.as_bytes()).unwrap();
            assert_eq!((read.function.as_str(), read.file.as_str(), read.line), (function, file, number), "{line}");
            assert_eq!(in_app(&read), own, "{line}");
        }
        assert_eq!(frame(b"#include <stdio.h>"), None);
    }
}
