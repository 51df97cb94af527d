//! A finding as one would read it in a terminal: the cause, where, the decisive lines, how to prove it, how to fix it.

use std::fmt::Write;

use crate::classify::{Classification, Confidence, Culprit, Finding};
use crate::report::{Evidence, EvidenceSource};

/// Width of the text where the terminal's is not known or is more: longer lines are hard to read.
const WIDTH: usize = 96;
/// What a reader should know who gave nothing but the log.
const UNTOLD: &str = "How it ended is not known here: with --exit-code N (`kubectl describe pod` shows it) what ended the process can be \
told from what it survived.";
/// Width below which nothing is wrapped any more.
const LEAST_WIDTH: usize = 40;

/// Everything as one text. `told`: whether anything is known of the exit beside the log.
pub fn render(classification: &Classification, evidence: &Evidence, told: bool, color: bool) -> String {
    let mut page = Page::new(color);
    page.headline(&classification.finding);
    page.place(&classification.finding);
    page.related(&classification.finding);
    page.lines(evidence);
    page.advice(&classification.finding);
    page.contributing(&classification.finding);
    page.footer(classification, evidence, told);
    page.finish()
}

fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
    columns.unwrap_or(WIDTH).clamp(LEAST_WIDTH, WIDTH)
}

/// The message with the error's type before it, without which some say little: `KeyError: 'DATABASE_URL'`.
fn typed(finding: &Finding) -> String {
    let message = &finding.message;
    match finding.exception.as_deref() {
        Some(exception) if exception != "panic" && !message.contains(exception) => format!("{exception}: {message}"),
        _ => message.clone(),
    }
}

/// A text under way.
pub struct Page {
    text: String,
    width: usize,
    color: bool,
}

/// What a part of the text is, for its colour.
#[derive(Clone, Copy)]
enum Style {
    Cause,
    Title,
    Place,
    Quiet,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Cause => "1;31",
            Self::Title => "1",
            Self::Place => "1;36",
            Self::Quiet => "2",
        }
    }
}

impl Page {
    /// An empty one.
    pub fn new(color: bool) -> Self {
        Self { text: String::new(), width: width(), color }
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    /// The answer to a question, and why.
    pub fn answer(&mut self, answer: &str, why: &str) {
        self.put(Style::Cause, answer);
        self.plain("\n");
        self.wrapped("  ", "  ", &capital(why));
    }

    /// A title with lines below it.
    pub fn section(&mut self, title: &str, lines: &[String]) {
        self.title(title);
        lines.iter().for_each(|line| self.wrapped("  ", "    ", line));
    }

    /// A title with steps below it, if there are any.
    pub fn steps(&mut self, title: &str, steps: &[String]) {
        if !steps.is_empty() {
            self.title(title);
            steps.iter().for_each(|step| self.wrapped("  - ", "    ", step));
        }
    }

    fn put(&mut self, style: Style, text: &str) {
        // Writing to a string cannot fail.
        let _ = if self.color {
            write!(self.text, "\x1b[{}m{text}\x1b[0m", style.code())
        } else {
            write!(self.text, "{text}")
        };
    }

    fn plain(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn title(&mut self, title: &str) {
        self.plain("\n");
        self.put(Style::Title, title);
        self.plain("\n");
    }

    fn headline(&mut self, finding: &Finding) {
        self.put(Style::Cause, finding.reason.as_str());
        let runtime = finding.runtime.as_str();
        let unsure = if finding.confidence == Confidence::Low { ", a guess" } else { "" };
        self.put(Style::Quiet, &format!("  {}, {runtime}{unsure}", finding.category));
        self.plain("\n");
        self.wrapped("  ", "  ", &typed(finding));
        if let Some(advice) = &finding.advice {
            self.plain("\n");
            self.wrapped("", "", &advice.summary);
        }
    }

    fn place(&mut self, finding: &Finding) {
        let Some(culprit) = &finding.culprit else { return };
        self.title("Where");
        self.culprit(culprit);
        let own = finding.stack.iter().filter(|frame| frame.in_app);
        let mut places: Vec<String> = own
            .map(|frame| Culprit { function: Some(frame.function.clone()), file: frame.file.clone(), line: frame.line })
            .map(|place| place_in_words(&place))
            .collect();
        if places.first().is_some_and(|top| places.get(1) == Some(top)) {
            self.put(Style::Quiet, "  called by itself, over and over\n");
        }
        places.dedup();
        for caller in places.iter().skip(1).take(4) {
            self.put(Style::Quiet, &format!("  called by {caller}\n"));
        }
    }

    fn culprit(&mut self, culprit: &Culprit) {
        self.plain("  ");
        self.put(Style::Place, &place_in_words(culprit));
        self.plain("\n");
    }

    fn related(&mut self, finding: &Finding) {
        for related in &finding.related {
            self.plain("  ");
            self.plain(&related.title);
            let place = related.culprit.as_ref().map(place_in_words);
            self.plain(&place.map_or("\n".to_owned(), |place| format!(": {place}\n")));
        }
    }

    fn lines(&mut self, evidence: &Evidence) {
        if evidence.excerpt.is_empty() {
            return;
        }
        self.title(match evidence.source {
            EvidenceSource::TerminationMessage => "What its termination message says",
            _ => "What the log says",
        });
        for line in evidence.excerpt.lines() {
            self.put(Style::Quiet, "  | ");
            self.plain(line);
            self.plain("\n");
        }
    }

    fn advice(&mut self, finding: &Finding) {
        let Some(advice) = &finding.advice else { return };
        for (title, steps) in [("Prove it", &advice.prove), ("Fix it", &advice.fix)] {
            self.steps(title, steps);
        }
    }

    fn contributing(&mut self, finding: &Finding) {
        if finding.contributing.is_empty() {
            return;
        }
        self.title("Also in the log, but not the cause");
        for other in &finding.contributing {
            let place = other.culprit.as_ref().map_or(String::new(), |culprit| format!(" ({})", culprit.short()));
            self.wrapped(
                "  - ",
                "    ",
                &format!("{}{place}: {}. {}", other.reason, other.message, capital(&other.why_not)),
            );
        }
    }

    fn footer(&mut self, classification: &Classification, evidence: &Evidence, told: bool) {
        self.plain("\n");
        if !told {
            self.wrapped("", "", UNTOLD);
        }
        let log = match (evidence.log_bytes, classification.head_missing) {
            (0, _) => "nothing was written to the log".to_owned(),
            (bytes, false) => format!("{bytes} bytes of log"),
            (bytes, true) => format!("{bytes} bytes of log, which begin inside of a dump: read more of it"),
        };
        self.put(Style::Quiet, &format!("fingerprint {}, {log}\n", classification.fingerprint));
    }

    /// Breaks a text at blanks. A word longer than a line stays whole: it is most often a path to copy.
    fn wrapped(&mut self, first: &str, other: &str, text: &str) {
        let mut line = first.to_owned();
        let mut fresh = true;
        for word in text.split_whitespace() {
            if !fresh && line.chars().count() + 1 + word.chars().count() > self.width {
                self.plain(&line);
                self.plain("\n");
                other.clone_into(&mut line);
                fresh = true;
            }
            if !fresh {
                line.push(' ');
            }
            line.push_str(word);
            fresh = false;
        }
        self.plain(&line);
        self.plain("\n");
    }
}

fn place_in_words(culprit: &Culprit) -> String {
    let line = culprit.line.map_or(String::new(), |line| format!(":{line}"));
    match (&culprit.file, &culprit.function) {
        (Some(file), Some(function)) => format!("{file}{line} in {function}"),
        (Some(file), None) => format!("{file}{line}"),
        (None, function) => function.clone().unwrap_or_default(),
    }
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_blanks_and_long_words_stay_whole() {
        let mut page = Page { text: String::new(), width: 12, color: false };
        page.wrapped("- ", "  ", "one two three /a/very/long/path four");
        assert_eq!(page.text, "- one two\n  three\n  /a/very/long/path\n  four\n");
    }

    #[test]
    fn colour_is_only_put_where_it_is_wanted() {
        for (color, text) in [(false, "x"), (true, "\x1b[1mx\x1b[0m")] {
            let mut page = Page { text: String::new(), width: 80, color };
            page.put(Style::Title, "x");
            assert_eq!(page.text, text);
        }
    }
}
