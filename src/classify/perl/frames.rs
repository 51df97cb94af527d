//! Carp's frames: `Feed::title(Feed=HASH(0x1)) called at bin/feed line 12` says where a function was called, not where it is.

use super::place::{self, Place};
use crate::classify::finding::{Frame, base_name};
use crate::classify::text;

/// Longest part of a line that is looked at: arguments can be long.
const LINE_BYTES: usize = 8192;

/// Parts of paths of libraries and of Perl itself.
const LIBRARIES: [&str; 11] = [
    "/share/perl",
    "/lib/perl",
    "/perl-base/",
    "/perl5/",
    "/site_perl/",
    "/vendor_perl/",
    "/lib/x86_64-linux-gnu/perl",
    "/lib/aarch64-linux-gnu/perl",
    "/.cpan",
    "/local/lib/perl",
    "/carton/",
];

/// Programs that run others.
const RUNNERS: [&str; 10] =
    ["plackup", "starman", "hypnotoad", "morbo", "twiggy", "prove", "carton", "cpanm", "start_server", "mojo"];

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was called; empty for a file that was loaded, `None` for an `eval` block, which is part of its function.
    pub function: Option<String>,
    /// Where it was called.
    pub place: Place,
}

/// Reads a frame.
pub fn call(line: &[u8]) -> Option<Call> {
    let shown = text::string(&line[..line.len().min(LINE_BYTES)]);
    let shown = shown.trim();
    let at = shown.rfind(" called at ")?;
    let (_, place) = place::split(&shown[at + " called".len()..])?;
    Some(Call { function: called(&shown[..at])?, place })
}

/// A frame of Devel::StackTrace, which leaves out `called` where a function has no arguments: `main::run at feed.pl line 6`.
pub fn short_call(line: &[u8]) -> Option<Call> {
    let shown = text::string(&line[..line.len().min(LINE_BYTES)]);
    let (called, place) = place::split(shown.trim())?;
    let named = called.contains("::") && !called.contains(' ');
    named.then(|| Call { function: Some(called.to_owned()), place })
}

fn called(called: &str) -> Option<Option<String>> {
    Some(if called.starts_with("eval {") || called.starts_with("eval '") {
        None
    } else if called.starts_with("require ") || called.ends_with("::BEGIN()") {
        Some(String::new())
    } else {
        let name = called.split('(').next().unwrap_or_default();
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'\'' | b'&' | b'.'));
        Some(Some(name.trim_start_matches('&').to_owned()).filter(|name| !name.is_empty() && plain)?)
    })
}

/// The frames of an error at a place: each function with the place that was reached in it.
pub fn stack(place: Option<Place>, calls: Vec<Call>) -> Vec<Frame> {
    let mut frames = Vec::with_capacity(calls.len() + 1);
    let mut reached = place;
    // A handler of `die` is called from where the error was thrown.
    let handled = calls.len() > 1 && reached.is_some() && calls.first().map(|call| &call.place) == reached.as_ref();
    for call in calls.into_iter().skip(usize::from(handled)) {
        let Some(function) = call.function else {
            reached = reached.or(Some(call.place));
            continue;
        };
        frames.extend(reached.replace(call.place).map(|place| frame(function, place)));
    }
    frames.extend(reached.map(|place| frame(String::new(), place)));
    frames
}

/// A function at a place.
pub fn frame(function: String, place: Place) -> Frame {
    let in_app = is_own(&place.file);
    Frame { function, file: Some(place.file), line: Some(place.line), in_app }
}

/// Whether a file is the program's.
pub fn is_own(file: &str) -> bool {
    !file.starts_with('(') && !LIBRARIES.iter().any(|part| file.contains(part)) && !RUNNERS.contains(&base_name(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_gets_the_place_that_was_reached_in_it() {
        let calls: Vec<Call> = [
            "\tFeed::title(Feed=HASH(0x55), \"a (b)\") called at /app/feed.pl line 12",
            "\teval {...} called at /app/feed.pl line 11",
            "\tmain::run(1) called at /app/feed.pl line 20",
        ]
        .iter()
        .map(|line| call(line.as_bytes()).unwrap())
        .collect();
        let place = Place { file: "/app/lib/Feed.pm".into(), line: 7, ends_line: true };
        let shown: Vec<String> = stack(Some(place), calls)
            .iter()
            .map(|frame| format!("{}:{}", frame.function, frame.line.unwrap()))
            .collect();
        assert_eq!(shown, ["Feed::title:7", "main::run:12", ":20"]);
    }

    #[test]
    fn libraries_are_not_the_users_own() {
        for file in ["/usr/share/perl5/Mojo/IOLoop.pm", "/app/local/lib/perl5/DBI.pm", "(eval 5)", "/usr/bin/plackup"] {
            assert!(!is_own(file), "{file}");
        }
        assert!(is_own("/app/lib/Feed.pm") && is_own("feed.pl"));
    }
}
