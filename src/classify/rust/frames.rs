//! The frames of a backtrace: a numbered symbol, and below it `at path:line:column`.

use crate::classify::finding::Culprit;
use crate::classify::stack::RawFrame;
use crate::classify::text;

/// Longest symbol that is looked at, in bytes.
const SYMBOL_BYTES: usize = 4096;

/// Crates of the language, and what its runtime is made of.
const STANDARD: [&str; 10] = [
    "std",
    "core",
    "alloc",
    "test",
    "proc_macro",
    "__rustc",
    "rust_begin_unwind",
    "rustc_demangle",
    "backtrace",
    "backtrace_rs",
];

/// Where a process or a thread begins, and what an address is that has no name.
const STARTS: [&str; 9] = [
    "main",
    "_start",
    "__libc_start_call_main",
    "__libc_start_main",
    "__libc_start_main_impl",
    "start_thread",
    "clone",
    "clone3",
    "<unknown>",
];

/// Types of the language, for which `core` implements much.
const PRIMITIVES: [&str; 17] = [
    "usize", "isize", "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f32", "f64", "bool",
    "char", "str",
];

/// Common libraries, for backtraces without places.
const LIBRARIES: [&str; 52] = [
    "tokio",
    "tokio_util",
    "futures",
    "futures_util",
    "futures_core",
    "hyper",
    "hyper_util",
    "tower",
    "tower_http",
    "tower_service",
    "axum",
    "axum_core",
    "actix",
    "actix_web",
    "actix_rt",
    "actix_http",
    "anyhow",
    "eyre",
    "color_eyre",
    "tracing",
    "tracing_core",
    "tracing_subscriber",
    "log",
    "serde",
    "serde_json",
    "reqwest",
    "sqlx",
    "sqlx_core",
    "diesel",
    "tonic",
    "prost",
    "rayon",
    "rayon_core",
    "crossbeam",
    "crossbeam_channel",
    "parking_lot",
    "parking_lot_core",
    "once_cell",
    "rustls",
    "tokio_rustls",
    "h2",
    "mio",
    "clap",
    "clap_builder",
    "rand",
    "regex",
    "http",
    "warp",
    "rocket",
    "async_std",
    "smol",
    "hashbrown",
];

/// `  12: lanes::gate` or `  12:     0x55be04b75184 - lanes::gate`: the number and the symbol.
pub fn symbol(line: &[u8]) -> Option<(u32, &str)> {
    if !line.starts_with(b" ") {
        return None;
    }
    let (digits, rest) = text::split_digits(line.trim_ascii());
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let rest = rest.strip_prefix(b":")?.trim_ascii_start();
    let rest = std::str::from_utf8(&rest[..rest.len().min(SYMBOL_BYTES)]).ok()?;
    let symbol = match rest.strip_prefix("0x") {
        Some(address) => address.split_once(" - ")?.1,
        None => rest,
    };
    (!symbol.is_empty()).then_some((number, symbol))
}

/// Where a line of a backtrace begins, perhaps behind a prefix; `None` where the line is none. The number of a frame takes
/// four columns, the place below it is indented by 13, in a full backtrace by 31.
pub fn find(line: &[u8]) -> Option<usize> {
    let blanks = |end: usize| line[..end].iter().rev().take_while(|b| **b == b' ').count();
    if let Some(at) = text::find(line, " at ").map(|at| at + 1).filter(|at| blanks(*at) >= 13) {
        let start = at - if blanks(at) >= 31 { 31 } else { 13 };
        return place(&line[start..]).filter(|(file, _)| file.ends_with(".rs")).map(|_| start);
    }
    let colons = memchr::memmem::find_iter(line, ": ").filter(|at| *at >= 4).take(8);
    colons.map(|colon| colon - 4).find(|start| symbol(&line[*start..]).is_some_and(|(_, symbol)| symbol.contains("::")))
}

/// `             at ./src/lanes.rs:9:5`: file and line.
pub fn place(line: &[u8]) -> Option<(&str, u32)> {
    let rest = std::str::from_utf8(line.trim_ascii()).ok()?.strip_prefix("at ")?;
    line.starts_with(b"      ").then(|| location(rest))?
}

/// The symbol of a call that was inlined into the one above it, which log-panics writes without a number.
pub fn inlined(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line.get(..line.len().min(SYMBOL_BYTES))?).ok()?;
    let symbol = line.strip_prefix("          ")?;
    (symbol.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '<' | '{' | '_'))
        && !symbol.starts_with("at "))
    .then(|| symbol.trim_end())
}

/// Leaves out the frames of a hook that took the backtrace itself: they stand above the panic.
pub fn below_hook(frames: &mut Vec<RawFrame>) {
    if let Some(at) = frames.iter().position(|frame| frame.function.ends_with("rust_begin_unwind")) {
        frames.drain(..at);
    }
}

/// A place as a culprit, if it is in the user's own code.
pub fn site(place: Option<&(String, u32)>) -> Option<Culprit> {
    let (file, line) = place.filter(|(file, _)| is_own(file))?;
    Some(Culprit { function: None, file: Some(file.clone()), line: Some(*line) })
}

/// `src/lanes.rs:9:5`, with or without the column: file and line.
pub fn location(text: &str) -> Option<(&str, u32)> {
    let text = text.trim_end_matches(':');
    let (rest, last) = text.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    match rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<u32>().ok()?))) {
        Some((file, line)) if file.len() > 1 => Some((file, line)),
        _ => Some((rest, last)),
    }
}

/// The frame of a symbol, as long as no place is known.
pub fn frame(symbol: &str) -> RawFrame {
    let function = plain(symbol);
    let own = function.contains("::") && !is_standard(symbol) && !LIBRARIES.contains(&root(symbol));
    RawFrame { own, function, file: String::new(), line: 0 }
}

/// Whether the language or its runtime itself is at work there.
pub fn is_standard(symbol: &str) -> bool {
    STANDARD.contains(&root(symbol)) || STARTS.contains(&symbol)
}

/// Gives a frame its place, which tells whose code it is; unless it is the standard library's, wherever that was built.
pub fn set_place(frame: &mut RawFrame, file: &str, line: u32) {
    let standard = ["std::", "core::", "alloc::"].iter().any(|root| frame.function.starts_with(root));
    (frame.file, frame.line, frame.own) = (file.to_owned(), line, is_own(file) && !standard);
}

/// Whether a file is the user's own code.
pub fn is_own(file: &str) -> bool {
    const INSTALLED: [&str; 15] = [
        "/rustc/",
        // Distributions build the standard library from a directory of their own: Debian's `/usr/src/rustc-1.63.0/`.
        "/rustc-",
        "/library/std/src/",
        "/library/core/src/",
        "/library/alloc/src/",
        "/.cargo/registry/",
        "/cargo/registry/",
        "/.cargo/git/",
        "/cargo/git/",
        "/rustlib/src/",
        "/vendor/",
        "/csu/",
        "\\.cargo\\registry\\",
        "/sysdeps/",
        "/glibc",
    ];
    let relative = ["library/", "rustc/", "rust:", "vendor/", "src/libstd/", "src/libcore/", "src/liballoc/"];
    file.ends_with(".rs")
        && !INSTALLED.iter().any(|part| file.contains(part))
        && !relative.iter().any(|start| file.starts_with(start))
}

/// The name of a function as a fingerprint holds it: that of its module and the last one of its path, because a call that was
/// inlined has no more than that and its file. A closure or the body of an async function may have none.
pub fn stable(frame: &RawFrame) -> Option<String> {
    let (path, name) = frame.function.rsplit_once("::").unwrap_or(("", &frame.function));
    let module = if path.is_empty() { file_module(&frame.file) } else { path_module(path) };
    match module {
        _ if name.is_empty() => None,
        Some(module) => Some(format!("{module}::{name}")),
        None => Some(name.to_owned()),
    }
}

/// `silo` of `granary::silo::Silo`; the root of a crate has no name.
fn path_module(path: &str) -> Option<&str> {
    let inside = path.split("::").skip(1).filter(|part| part.starts_with(|c: char| c.is_ascii_lowercase()));
    inside.last()
}

/// `silo` of `src/silo.rs` and of `src/silo/mod.rs`.
fn file_module(file: &str) -> Option<&str> {
    let file = file.strip_suffix(".rs")?;
    let (directory, stem) = file.rsplit_once(['/', '\\']).unwrap_or(("", file));
    let parent = directory.rsplit(['/', '\\']).next().unwrap_or_default();
    match stem {
        "main" | "lib" => None,
        "mod" => Some(parent),
        _ if matches!(parent, "bin" | "examples") => None,
        stem => Some(stem),
    }
}

/// The crate of a symbol: `lanes` of `<lanes[4f]::Lane as core::ops::Drop>::drop`.
fn root(symbol: &str) -> &str {
    let symbol = symbol.trim_start_matches(['<', '&']);
    let symbol = symbol.strip_prefix("dyn ").unwrap_or(symbol);
    let end = symbol.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(symbol.len());
    // `<E as anyhow::…>`: a type parameter says nothing, nor does `<str as …>`.
    let name = &symbol[..end];
    let is_parameter = name.len() < 2 || PRIMITIVES.contains(&name) || symbol[end..].starts_with(" as ");
    if is_parameter { "core" } else { name }
}

/// The symbol without what the compiler adds: hashes, closures, type arguments.
fn plain(symbol: &str) -> String {
    let symbol = without_hash(symbol);
    let mut out = String::with_capacity(symbol.len());
    let mut depth = 0u32;
    let (qualified, rest) = match symbol.strip_prefix('<').and_then(closing) {
        Some((inner, rest)) => (Some(inner), rest),
        None => (None, symbol),
    };
    if let Some(inner) = qualified {
        out.push_str(&plain(inner.split(" as ").next().unwrap_or(inner)));
    }
    for part in rest.chars() {
        match part {
            '<' | '{' | '[' => depth += 1,
            '>' | '}' | ']' => depth = depth.saturating_sub(1),
            part if depth == 0 => out.push(part),
            _ => {}
        }
    }
    let parts = out.split("::").filter(|part| !part.is_empty()).collect::<Vec<_>>();
    parts.join("::")
}

/// What is inside of the angle that is open, and what follows it.
fn closing(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1u32;
    for (at, part) in text.char_indices() {
        match part {
            '<' => depth += 1,
            // The arrow of a function's type closes nothing.
            '>' if !text[..at].ends_with('-') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&text[..at], &text[at + 1..]));
        }
    }
    None
}

/// `lanes::gate::h975fda917a911885`: without the hash.
fn without_hash(symbol: &str) -> &str {
    match symbol.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => name,
        _ => symbol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_made_plain_and_their_crate_is_known() {
        let cases = [
            ("lanes::lanes::first::h975fda917a911885", "lanes::lanes::first", true),
            ("lanes::tasks::{{closure}}::{{closure}}::hf87624a3bf192056", "lanes::tasks", true),
            ("<lanes[4f1c]::hub::Hub>::sort", "lanes::hub::Hub::sort", true),
            ("<lanes::lanes::Lane as core::ops::drop::Drop>::drop", "lanes::lanes::Lane::drop", true),
            ("lanes[e28293b1aa0f68bd]::main::{closure#0}", "lanes::main", true),
            ("lanes::Map<K,V>::get::<&str>", "lanes::Map::get", true),
            ("core::option::Option<T>::unwrap", "core::option::Option::unwrap", false),
            ("core::ptr::drop_in_place<lanes::lanes::Lane>", "core::ptr::drop_in_place", false),
            ("<E as anyhow::context::ext::StdError>::ext_context", "E::ext_context", false),
            (
                "<&dyn core::ops::function::Fn<(), Output = i32> as core::ops::function::FnOnce<()>>::call_once",
                "&dyn core::ops::function::Fn::call_once",
                false,
            ),
            ("<usize as core::slice::index::SliceIndex<[T]>>::index_mut", "usize::index_mut", false),
            ("__rustc::rust_begin_unwind", "__rustc::rust_begin_unwind", false),
            ("main", "main", false),
            ("_start", "_start", false),
        ];
        for (symbol, function, own) in cases {
            let frame = frame(symbol);
            assert_eq!((frame.function.as_str(), frame.own), (function, own), "{symbol}");
        }
    }

    #[test]
    fn a_function_is_the_same_with_and_without_its_path() {
        let of = |function: &str, file: &str| {
            stable(&RawFrame { function: function.into(), file: file.into(), line: 1, own: true }).unwrap_or_default()
        };
        let same = [
            ("granary::silo::Silo::level", "", "silo::level"),
            ("granary::silo::Silo::level", "./src/silo.rs", "silo::level"),
            ("level", "./src/silo.rs", "silo::level"),
            ("level", "./src/silo/mod.rs", "silo::level"),
            ("granary::main", "", "main"),
            ("main", "src/main.rs", "main"),
            ("main", "src/bin/sorter.rs", "main"),
            ("vat::Vat::at", "vat.rs", "at"),
            ("", "src/silo.rs", ""),
        ];
        for (function, file, name) in same {
            assert_eq!(of(function, file), name, "{function} {file}");
        }
    }

    #[test]
    fn the_lines_of_a_frame_are_read() {
        assert_eq!(symbol(b"   6: lanes::gate"), Some((6, "lanes::gate")));
        assert_eq!(symbol(b"  19:     0x563946bff926 - lanes::gate"), Some((19, "lanes::gate")));
        assert_eq!(symbol(b"6: lanes"), None);
        assert_eq!(place(b"             at ./src/lanes.rs:9:5"), Some(("./src/lanes.rs", 9)));
        assert_eq!(place(b"             at C:\\a\\lanes.rs:9"), Some(("C:\\a\\lanes.rs", 9)));
        assert_eq!(place(b"at noon"), None);
        assert_eq!(find(b"web.1 |    6: lanes::gate"), Some(8));
        assert_eq!(find(b"web.1 |              at ./src/lanes.rs:9:5"), Some(8));
        assert_eq!(find(b"2026-11-25 at noon: lanes::gate"), None);
        let cases = [
            ("./src/a.rs", true),
            ("./usr/src/rustc-1.63.0/library/std/src/panicking.rs", false),
            ("/rustc/5968/library/core/src/cell.rs", false),
            ("./csu/../csu/libc-start.c", false),
        ];
        for (file, own) in cases {
            assert_eq!(is_own(file), own, "{file}");
        }
    }
}
