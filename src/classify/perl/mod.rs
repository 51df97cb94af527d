//! Perl: what `die` and Carp write, sources that do not compile, modules that are missing, exceptions that are objects.

pub mod frames;
pub mod kinds;
pub mod place;
pub mod trace;

use super::finding::{CrashReason, Culprit};
use super::grammar::{Context, Grammar, Line, Parser};
use super::messages::Messages;
use trace::Trace;

/// The grammar of Perl.
#[derive(Debug)]
pub struct Perl;

impl Grammar for Perl {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            ".pl line ",
            ".pm line ",
            ".psgi line ",
            ".cgi line ",
            "@INC",
            "BEGIN failed--",
            "called at ",
            trace::BEGUN,
            "HASH(0x",
            "ARRAY(0x",
            "Out of memory!",
            "Out of memory in perl",
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &[]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        Trace::new(line, context).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        Trace::without_head(line).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }
}

/// What a line that ends a log says, if Perl wrote it: `cannot open x at /usr/bin/feed line 7.` A script's name needs no
/// ending, so that no anchor shows such a line.
pub fn said(line: &str, messages: &Messages) -> Option<(CrashReason, Option<Culprit>)> {
    if kinds::is_survived(line) {
        return None;
    }
    let (said, place) = place::split(line).filter(|(_, place)| place.ends_line)?;
    let own = frames::is_own(&place.file).then_some(place);
    let culprit = own.map(|place| Culprit { function: None, file: Some(place.file), line: Some(place.line) });
    Some((kinds::of(said, messages), culprit))
}

#[cfg(test)]
mod tests {
    use crate::classify::{Classification, Engine, ExitFacts};

    fn classify(log: &str, code: i32) -> Classification {
        Engine::default().classify(log.as_bytes(), ExitFacts { exit_code: Some(code), ..ExitFacts::default() })
    }

    fn told(log: &str, code: i32) -> (String, String, String) {
        let finding = classify(log, code).finding;
        let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
        (finding.reason.to_string(), culprit, finding.message)
    }

    #[test]
    fn what_the_corpus_does_not_hold_is_read_too() {
        let cases = [
            ("feed: no lane at /usr/local/bin/feed line 7.\n", 255, "UnhandledError", "feed:7", "no lane"),
            (
                "Assertion (lane is open) failed!\n at /app/feed.pl line 7.\n",
                255,
                "AssertionFailed",
                "feed.pl:7",
                "Assertion",
            ),
            (
                "Can't connect to pay:443 (Connection timed out)\n\nConnection timed out at /usr/share/perl5/LWP/Protocol/http.pm line 50. at /app/lib/Pay.pm line 22.\n",
                110,
                "DependencyTimeout",
                "Pay.pm:22",
                "Connection timed out",
            ),
            (
                "Attribute (price) is required at constructor Shop::Item::new (defined at lib/Shop/Item.pm line 6) line 30\n\tShop::Item::new('Shop::Item') called at lib/Shop/Order.pm line 10\n\tShop::Order::need('Shop::Order') called at shop.pl line 3\n",
                255,
                "UnhandledError",
                "Order.pm:10",
                "Attribute (price) is required",
            ),
            ("Feed::Error=HASH(0x55d0c8a3e2a8)\n", 255, "UnhandledError", "", "Feed::Error"),
            ("HASH(0x55d0c8a3e2a8)\n", 255, "UnhandledError", "", "HASH(0x"),
            (
                "substr outside of string at /app/feed.pl line 3.\n",
                255,
                "IndexOutOfBounds",
                "feed.pl:3",
                "substr outside of string",
            ),
            (
                "[Wed Nov 25 14:30:44 2026] feed.pl: no lane at /app/feed.pl line 3.\n",
                255,
                "UnhandledError",
                "feed.pl:3",
                "no lane",
            ),
            (
                "\"pg_dump\" unexpectedly returned exit value 1 at (eval 14) line 13\n\tat /app/backup.pl line 22\n",
                1,
                "UnhandledError",
                "backup.pl:22",
                "unexpectedly returned",
            ),
            (
                "YAML::XS::Load Error: The problem:\n\n    mapping values are not allowed\n\nwas found at document: 1\nwhile reading a block\n at /app/lib/Settings.pm line 11.\n",
                255,
                "InvalidConfiguration",
                "Settings.pm:11",
                "mapping values",
            ),
            ("Out of memory!\n", 1, "HeapExhausted", "", "Out of memory!"),
            (
                "Can't open perl script \"/app/feed.pl\": No such file or directory\n",
                2,
                "MissingFile",
                "",
                "Can't open perl script",
            ),
            (
                "Can't load '/usr/lib/perl5/auto/DBD/Pg/Pg.so' for module DBD::Pg: libpq.so.5: cannot open shared object file: No such file or directory at /usr/lib/x86_64-linux-gnu/perl-base/DynaLoader.pm line 201.\n at /app/feed.pl line 3.\nCompilation failed in require at /app/feed.pl line 3.\n",
                2,
                "MissingLibrary",
                "feed.pl:3",
                "libpq.so.5",
            ),
        ];
        for (log, code, reason, place, said) in cases {
            let (named, culprit, message) = told(log, code);
            assert_eq!((named.as_str(), culprit.as_str()), (reason, place), "{log}");
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn a_warning_and_an_error_that_was_caught_end_nothing() {
        let warned = "Use of uninitialized value $x in addition (+) at /app/feed.pl line 3.\nfeed: required FEED_TOKEN is not set\n";
        assert_eq!(told(warned, 1).0, "MissingConfiguration");
        let survived = format!("no lane at /app/feed.pl line 3.\n{}", "fetched\n".repeat(40));
        assert_eq!(told(&survived, 0).0, "CleanExit");
        assert_eq!(told(&format!("{survived}Illegal division by zero at /app/a.pl line 9.\n"), 255).1, "a.pl:9");
    }

    #[test]
    fn a_million_frames_stay_bounded() {
        let log = format!("deep at /app/a.pl line 3.\n{}", "\tmain::f(1) called at /app/a.pl line 3\n".repeat(100_000));
        let found = classify(&log, 255);
        assert!(found.excerpt.len() <= 4096 && found.finding.stack.len() <= 20);
        assert_eq!(found.finding.culprit.unwrap().short(), "a.pl:3");
    }
}
