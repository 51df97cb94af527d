//! Frames of Dart: `#1      Oven.tray (package:bakery/oven.dart:14:18)`.

use crate::classify::finding::Frame;
use crate::classify::text;

/// Longest part of a line that is looked at.
const LINE_BYTES: usize = 2048;

/// Packages that many programs use: nothing in a trace tells a library's package from the program's own.
const PACKAGES: [&str; 58] = [
    "alfred",
    "angel3_framework",
    "args",
    "async",
    "bloc",
    "build_runner",
    "cli_util",
    "collection",
    "conduit",
    "conduit_core",
    "convert",
    "crypto",
    "cupertino_http",
    "dart_frog",
    "dio",
    "drift",
    "fixnum",
    "flutter",
    "flutter_test",
    "get_it",
    "googleapis",
    "googleapis_auth",
    "graphql",
    "grpc",
    "hive",
    "html",
    "http",
    "http_multi_server",
    "http_parser",
    "injectable",
    "intl",
    "io",
    "isar",
    "jaguar",
    "json_annotation",
    "logging",
    "matcher",
    "meta",
    "mime",
    "mongo_dart",
    "mysql1",
    "mysql_client",
    "path",
    "pool",
    "postgres",
    "protobuf",
    "redis",
    "riverpod",
    "rxdart",
    "serverpod",
    "shelf",
    "shelf_router",
    "source_span",
    "sqlite3",
    "stack_trace",
    "stream_channel",
    "web_socket_channel",
    "yaml",
];

/// Reads a frame.
pub fn frame(line: &[u8]) -> Option<Frame> {
    let shown = text::string(&line[..line.len().min(LINE_BYTES)]);
    let shown = shown.trim();
    match shown.strip_prefix('#') {
        Some(rest) => of_vm(rest),
        None => of_chain(shown),
    }
}

/// Its number, a wide gap, the function, the place in parentheses.
fn of_vm(rest: &str) -> Option<Frame> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest[digits..].strip_prefix("  ").filter(|_| digits > 0)?.trim_start();
    let (function, place) = rest.rsplit_once(" (")?;
    let place = place.strip_suffix(')')?;
    let credible = place.contains(".dart") || place.contains(':') && !place.contains(' ');
    let (file, line) = split(place);
    // What the compiler made of a declaration has no line.
    let in_app = line.is_some() && is_own(&file);
    credible.then(|| Frame { function: name(function), in_app, file: Some(shown(&file)), line })
}

/// `package:bakery/oven.dart 14:18  Oven.tray`, as the package stack_trace writes it.
fn of_chain(shown_line: &str) -> Option<Frame> {
    let (file, rest) = shown_line.split_once(' ')?;
    let known = file.starts_with("package:") || file.starts_with("dart:") || file.ends_with(".dart");
    let (place, function) = rest.split_once("  ").filter(|_| known)?;
    let line = place.split(':').next()?.parse().ok()?;
    let function = name(function.trim());
    Some(Frame { function, in_app: is_own(file), file: Some(shown(file)), line: Some(line) })
}

/// `file:///app/bin/bakery.dart:9:8`: the file and the line, which may be absent.
fn split(place: &str) -> (String, Option<u32>) {
    let mut file = place;
    let mut numbers = Vec::new();
    while let Some((rest, number)) = file.rsplit_once(':') {
        let Ok(number) = number.parse::<u32>() else { break };
        numbers.push(number);
        file = rest;
    }
    (file.to_owned(), numbers.last().copied())
}

fn shown(file: &str) -> String {
    file.strip_prefix("file://").unwrap_or(file).to_owned()
}

fn name(function: &str) -> String {
    function.trim().replace("<fn>", "<anonymous closure>")
}

/// Whether a file is the program's.
fn is_own(file: &str) -> bool {
    if let Some(package) = file.strip_prefix("package:") {
        let package = package.split('/').next().unwrap_or_default();
        let family = ["shelf_", "flutter_", "googleapis", "angel3_", "serverpod_", "firebase_", "grpc"];
        return !PACKAGES.contains(&package) && !family.iter().any(|name| package.starts_with(name));
    }
    !file.starts_with("dart:")
        && !file.contains("/.pub-cache/")
        && !file.contains("/pub.dev/")
        && file.contains(".dart")
}

/// The name without how deep closures are nested.
pub fn stable(function: &str) -> String {
    let mut name = function.to_owned();
    while let Some(outer) = name.strip_suffix(".<anonymous closure>.<anonymous closure>") {
        name = format!("{outer}.<anonymous closure>");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_in_every_form() {
        let cases = [
            (
                "#1      Oven.tray (package:bakery/oven.dart:14:18)",
                "Oven.tray",
                "package:bakery/oven.dart",
                Some(14),
                true,
            ),
            (
                "#12     main.<anonymous closure> (file:///app/bin/a.dart:9:8)",
                "main.<anonymous closure>",
                "/app/bin/a.dart",
                Some(9),
                true,
            ),
            (
                "#0      List.[] (dart:core-patch/growable_array.dart:264:36)",
                "List.[]",
                "dart:core-patch/growable_array.dart",
                Some(264),
                false,
            ),
            (
                "#2      Response.read (package:shelf/shelf.dart:3)",
                "Response.read",
                "package:shelf/shelf.dart",
                Some(3),
                false,
            ),
            ("package:bakery/oven.dart 14:18  Oven.tray", "Oven.tray", "package:bakery/oven.dart", Some(14), true),
        ];
        for (line, function, file, number, in_app) in cases {
            let expected = Frame { function: function.into(), file: Some(file.into()), line: number, in_app };
            assert_eq!(frame(line.as_bytes()), Some(expected), "{line}");
        }
        for line in ["#0 /srv/a.php(12): f()", "#1  ticket (open)", "#3      0x1 in f (a.so)"] {
            assert_eq!(frame(line.as_bytes()), None, "{line}");
        }
    }
}
