//! Frames of PHP: `#0 /srv/a.php(12): Shop\Cart->email()` says where a function was called, not where it is.

use crate::classify::finding::Frame;
use crate::classify::text;

/// Longest name that is looked at.
const NAME_BYTES: usize = 1024;

/// Parts of paths of libraries.
const LIBRARIES: [&str; 5] = ["/vendor/", "/usr/share/php/", "/usr/local/lib/php/", "/usr/lib/php/", "eval()'d code"];

/// Tools that come as one archive: any other one is the program's.
const TOOLS: [&str; 5] = ["composer", "phpunit", "wp-cli", "phpstan", "psalm"];

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Where the call stands; `None` where PHP itself made it.
    pub place: Option<(String, u32)>,
    /// What was called, as `Class::method`; `{main}` is the program itself.
    pub function: String,
}

/// `#3 /srv/a.php(12): Shop\Cart->email('x')`, `#4 [internal function]: {closure}()`, `#5 {main}`.
pub fn call(line: &[u8]) -> Option<Call> {
    let text = text::string(&line[..line.len().min(4 * NAME_BYTES)]);
    let text = text.trim().strip_prefix('#')?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text[digits..].strip_prefix(' ').filter(|_| digits > 0)?;
    if rest == "{main}" {
        return Some(Call { place: None, function: rest.to_owned() });
    }
    if let Some(called) = rest.strip_prefix("[internal function]: ") {
        return Some(Call { place: None, function: name(called)? });
    }
    let (at, called) = rest.split_once("): ")?;
    let (file, line) = at.rsplit_once('(')?;
    Some(Call { place: Some((file.to_owned(), line.parse().ok()?)), function: name(called)? })
}

/// Symfony's console: ` Mill\\Scale->weigh() at /srv/a.php:12`, and `  at /srv/a.php:12` for the place itself.
pub fn listed(line: &str) -> Option<Call> {
    let (called, place) = line.rsplit_once(" at ").or_else(|| Some(("", line.trim_start().strip_prefix("at ")?)))?;
    let (file, number) = place.trim().rsplit_once(':')?;
    let plain = !file.is_empty() && !file.contains(' ');
    let function = if called.trim().is_empty() { String::new() } else { name(called.trim())? };
    plain.then(|| Some(Call { place: Some((file.to_owned(), number.parse().ok()?)), function }))?
}

/// The name without arguments; `->` and `::` are the same, and a closure is one wherever it stands.
pub fn name(called: &str) -> Option<String> {
    // A logger that keeps places alone.
    if called == "?()" {
        return Some(String::new());
    }
    let end = if called.contains("{closure") { called.rfind('(') } else { called.find('(') };
    let name = &called[..end.unwrap_or(called.len()).min(called.len())];
    if name.is_empty() || name.len() > NAME_BYTES || name.contains(' ') && !name.contains("{closure") {
        return None;
    }
    let (class, method) = match name.split_once("->").or_else(|| name.split_once("::")) {
        Some((class, method)) if !class.contains("{closure") => (Some(class), method),
        _ => (None, name),
    };
    let method = if method.contains("{closure") { "{closure}" } else { method };
    // A logger doubles backslashes.
    let class = class.map(|class| class.replace("\\\\", "\\"));
    Some(class.map_or_else(|| method.to_owned(), |class| format!("{class}::{method}")))
}

/// The frames of an exception that was thrown at a place, where that is known: each function with the place that was
/// reached in it.
pub fn stack(thrown: Option<(String, u32)>, calls: &[Call]) -> Vec<Frame> {
    let mut place = thrown;
    let mut frames = Vec::with_capacity(calls.len() + 1);
    let mut inside = true;
    for (at, call) in calls.iter().enumerate() {
        // A function of PHP itself has no place, so that what it throws is thrown where it was called. So is what a
        // function throws in the line in which it calls itself.
        let recurs = calls.get(at + 1).is_some_and(|outer| outer.function == call.function);
        inside &= call.place.is_some() && call.place == place && !recurs;
        if inside {
            frames.push(frame(&call.function, None));
            continue;
        }
        frames.push(frame(&call.function, place.take()));
        place = call.place.clone();
    }
    if place.is_some() {
        frames.push(frame("", place));
    }
    frames
}

/// The calls without those of the handler that made an exception of an error: it was called where the error is.
pub fn without_handler<'a>(thrown: Option<&(String, u32)>, calls: &'a [Call]) -> &'a [Call] {
    let handler = calls.iter().position(|call| call.place.is_some() && call.place.as_ref() == thrown);
    handler.filter(|at| *at > 0).map_or(calls, |at| &calls[at + 1..])
}

fn frame(function: &str, place: Option<(String, u32)>) -> Frame {
    let in_app = place.as_ref().is_some_and(|(file, _)| is_own(file));
    let (file, line) = place.unzip();
    Frame { function: function.to_owned(), file, line, in_app }
}

/// Whether a file is the program's.
pub fn is_own(file: &str) -> bool {
    let tool = file.strip_prefix("phar://").is_some_and(|path| TOOLS.iter().any(|name| path.contains(name)));
    !tool && !file.starts_with("vendor/") && !LIBRARIES.iter().any(|part| file.contains(part))
}

/// The name without what changes from build to build: PHP 8.4 names closures by their line, anonymous classes by their
/// file.
pub fn stable(function: &str) -> String {
    match function.find("@anonymous") {
        Some(at) => {
            let method = function.rsplit_once("::").map_or("", |(_, method)| method);
            format!("{}@anonymous::{method}", &function[..at])
        }
        None => function.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_in_every_form() {
        let cases = [
            ("#0 /srv/a.php(12): Shop\\Cart->email('x', Object(A))", "/srv/a.php:12 Shop\\Cart::email"),
            ("#1 /srv/a.php(7): Shop\\Cart::build()", "/srv/a.php:7 Shop\\Cart::build"),
            ("#2 /srv/a.php(7): array_map(Object(Closure), Array)", "/srv/a.php:7 array_map"),
            ("#3 [internal function]: Shop\\Cart->Shop\\{closure}(1)", "- Shop\\Cart::{closure}"),
            ("#4 /srv/a.php(9): {closure}()", "/srv/a.php:9 {closure}"),
            ("#4 /srv/a.php(9): {closure:/srv/a.php:18}()", "/srv/a.php:9 {closure}"),
            ("#4 /srv/a.php(9): Shop\\Cart->{closure:Shop\\Cart::run():117}(1)", "/srv/a.php:9 Shop\\Cart::{closure}"),
            ("#0 /srv/a.php(12): Shop\\\\Cart->email('x')", "/srv/a.php:12 Shop\\Cart::email"),
            ("#12 {main}", "- {main}"),
        ];
        for (line, expected) in cases {
            let call = call(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            let place = call.place.map_or("-".to_owned(), |(file, line)| format!("{file}:{line}"));
            assert_eq!(format!("{place} {}", call.function), expected);
        }
        for line in ["#7 is the best", "# comment", "#0"] {
            assert_eq!(call(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn calls_of_a_console_are_read() {
        let call = listed(" Mill\\Scale->weigh() at /srv/a.php:12").unwrap();
        assert_eq!((call.function.as_str(), call.place), ("Mill\\Scale::weigh", Some(("/srv/a.php".to_owned(), 12))));
        let place = listed("  at /srv/a.php:9").unwrap();
        assert_eq!((place.function.as_str(), place.place.unwrap().1), ("", 9));
        assert_eq!(listed("we met at noon: 3"), None);
    }

    #[test]
    fn each_function_gets_the_place_that_was_reached_in_it() {
        let calls: Vec<Call> = [
            "#0 /a/Shelf.php(23): intdiv()",
            "#1 /a/run.php(19): Shelf->average()",
            "#2 [internal function]: {closure}(1)",
            "#3 /a/run.php(40): array_map()",
            "#4 {main}",
        ]
        .iter()
        .map(|line| call(line.as_bytes()).unwrap())
        .collect();
        let shown: Vec<String> = stack(Some(("/a/Shelf.php".to_owned(), 23)), &calls)
            .iter()
            .map(|frame| {
                format!(
                    "{} {}",
                    frame.function,
                    frame.file.as_ref().map_or("-".into(), |file| format!("{file}:{}", frame.line.unwrap()))
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "intdiv -",
                "Shelf::average /a/Shelf.php:23",
                "{closure} /a/run.php:19",
                "array_map -",
                "{main} /a/run.php:40"
            ]
        );
    }
}
