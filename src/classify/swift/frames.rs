//! Frames of Swift: `3 [ra] Orchard.row(_:) + 112 in orchard at /src/Sources/orchard/Orchard.swift:14:22`.

use super::head::place;
use crate::classify::finding::Frame;
use crate::classify::text;

/// Longest part of a line that is looked at.
const LINE_BYTES: usize = 4096;

/// Parts of paths of libraries.
const LIBRARIES: [&str; 7] = [
    "/.build/checkouts/",
    "/checkouts/",
    "/SourcePackages/",
    "/home/build/",
    "/usr/lib/swift",
    "/swift/stdlib/",
    "/swift-corelibs-",
];

/// Images of the runtime.
const IMAGES: [&str; 8] =
    ["libswift", "libFoundation", "libdispatch", "libc.", "libpthread", "ld-linux", "libBlocks", "lib_"];

/// Reads a frame in any of the forms.
pub fn frame(line: &[u8]) -> Option<Frame> {
    let shown = text::string(&line[..line.len().min(LINE_BYTES)]);
    let shown = shown.trim();
    if let Some(bare) = shown.strip_prefix("0x") {
        return plain_frame(bare);
    }
    let digits = shown.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = shown[digits..].strip_prefix(' ').filter(|_| digits > 0)?.trim_start();
    let mut system = false;
    while let Some((mark, after)) = rest.strip_prefix('[').and_then(|inside| inside.split_once("] ")) {
        system |= mark == "system";
        rest = after;
    }
    rest = without_address(rest);
    match rest.rsplit_once(" in ") {
        Some((function, image)) => Some(crashed_frame(function, image, system)),
        None => image_first(rest),
    }
}

/// `0x55d0, Orchard.row(_:) at /src/Orchard.swift:14`, as the package swift-backtrace writes it.
fn plain_frame(bare: &str) -> Option<Frame> {
    let (_, rest) = bare.split_once(", ")?;
    let (function, at) = rest.rsplit_once(" at ")?;
    let (file, line) = place(at)?;
    Some(Frame { function: name(function), in_app: is_own(&file), file: Some(file), line: Some(line) })
}

fn without_address(text: &str) -> &str {
    let address = text.split(' ').next().filter(|word| word.starts_with("0x"));
    address.map_or(text, |word| text[word.len()..].trim_start())
}

/// `Orchard.row(_:) + 112` in `orchard at /src/Orchard.swift:14:22`.
fn crashed_frame(function: &str, image: &str, system: bool) -> Frame {
    let (image, at) = image.split_once(" at ").map_or((image, ""), |(image, at)| (image, at));
    let place = place(at);
    let library = system || IMAGES.iter().any(|name| image.starts_with(name)) || image.contains(".so");
    let file = place.as_ref().map(|(file, _)| file.clone());
    let in_app = !library && file.as_deref().is_none_or(is_own) && !function.starts_with("0x");
    let in_app = in_app && !matches!(name(function).as_str(), "main" | "_start" | "");
    // The compiler copies the standard library's generic functions into the program, without their place.
    let in_app = in_app && (place.is_some() || !is_copied(&name(function)));
    Frame { function: name(function), file, line: place.map(|(_, line)| line), in_app }
}

fn is_copied(name: &str) -> bool {
    const TYPES: [&str; 8] =
        ["Array", "ContiguousArray", "ArraySlice", "Dictionary", "Set", "String", "Substring", "Optional"];
    name.starts_with('_') || name.split_once('.').is_some_and(|(root, _)| TYPES.contains(&root))
}

/// `libswiftCore.so 0x00007f3e5c2f1a10 _swift_stdlib_reportFatalError + 69`: before 5.9.
fn image_first(rest: &str) -> Option<Frame> {
    let (image, rest) = rest.split_once(' ')?;
    let rest = rest.trim_start();
    let function = without_address(rest);
    let addressed = function.len() < rest.len();
    let library = IMAGES.iter().any(|name| image.starts_with(name)) || image.contains(".so");
    let unknown = function.starts_with('<') || matches!(name(function).as_str(), "main" | "_start" | "");
    addressed.then(|| Frame { function: name(function), file: None, line: None, in_app: !library && !unknown })
}

/// The name without offset, arguments and result: `Orchard.row`. What a compiler made of it is left out.
pub fn name(function: &str) -> String {
    let function = function.rsplit_once(" + ").map_or(function, |(function, _)| function);
    let function = function.split(" -> ").next().unwrap_or(function);
    let kind = ["static ", "specialized ", "implicit closure #", "merged ", "class "];
    let mut rest = function.trim();
    while let Some(word) = kind.iter().find(|word| rest.starts_with(**word) && !word.ends_with('#')) {
        rest = &rest[word.len()..];
    }
    if let Some(at) = rest.rfind(" in ").filter(|_| rest.contains("closure #")) {
        return format!("closure in {}", name(&rest[at + " in ".len()..]));
    }
    rest.split(['(', '<']).next().unwrap_or(rest).trim().to_owned()
}

fn is_own(file: &str) -> bool {
    !file.starts_with("Swift/") && !LIBRARIES.iter().any(|part| file.contains(part)) && !file.starts_with("/<")
}

/// Whether a place that a head names is the program's.
pub fn is_own_place(file: &str) -> bool {
    is_own(file)
        && !["NIO", "Foundation/", "Vapor/", "_Concurrency/", "Dispatch/"].iter().any(|name| file.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_in_every_form() {
        let cases = [
            ("1 [ra] Orchard.row(_:) + 112 in orchard at /src/Orchard.swift:14:22", "Orchard.row", Some(14), true),
            (
                "0 [inlined] [system] _assertionFailure(_:_:) in libswiftCore.so at /x/A.swift:144",
                "_assertionFailure",
                Some(144),
                false,
            ),
            (
                "3 [async] closure #1 in Orchard.walk(_:) + 9 in orchard at /src/Orchard.swift:30:4",
                "closure in Orchard.walk",
                Some(30),
                true,
            ),
            (
                "0    libswiftCore.so                    0x00007f3e _swift_stdlib_reportFatalError + 69",
                "_swift_stdlib_reportFatalError",
                None,
                false,
            ),
            ("1 _checkSubscript #1 in orchard", "_checkSubscript #1", None, false),
            ("2 [ra] specialized Array.subscript.getter + 9 in orchard", "Array.subscript.getter", None, false),
            ("3 Orchard.row(_:) + 90 in orchard", "Orchard.row", None, true),
            ("5    orchard                            0x000055d0 Orchard.row(_:) + 112", "Orchard.row", None, true),
            ("0x55d0, Orchard.row(_:) -> orchard.Row at /src/Orchard.swift:14", "Orchard.row", Some(14), true),
        ];
        for (line, function, number, in_app) in cases {
            let frame = frame(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((frame.function.as_str(), frame.line, frame.in_app), (function, number, in_app), "{line}");
        }
        assert_eq!(frame("14│ return rows[n]".as_bytes()), None);
    }
}
