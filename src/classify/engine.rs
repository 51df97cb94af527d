//! What all classifications share: grammars, their anchors, texts, advice, redaction.

use super::advice::AdviceBook;
use super::anchors::{Anchors, Owners, Stops};
use super::beam::Beam;
use super::dart::Dart;
use super::dotnet::Dotnet;
use super::go::Go;
use super::grammar::{Before, Context, Grammar, Line, Parser};
use super::haskell::Haskell;
use super::jvm::Jvm;
use super::lua::Lua;
use super::messages::Messages;
use super::native::Native;
use super::nodejs::Nodejs;
use super::normalise::Normaliser;
use super::ocaml::Ocaml;
use super::perl::Perl;
use super::php::Php;
use super::python::Python;
use super::ruby::Ruby;
use super::rules::Rules;
use super::rust::Rust;
use super::swift::Swift;
use super::{Classification, Classifier, ExitFacts};
use crate::redact::Redactor;

/// Rules, literals and redaction, made once and shared by every classification.
#[derive(Debug)]
pub struct Engine {
    pub(super) redactor: Redactor,
    pub(super) messages: Messages,
    pub(super) normaliser: Normaliser,
    pub(super) advice: AdviceBook,
    pub(super) rules: Rules,
    grammars: Vec<Box<dyn Grammar>>,
    anchors: Anchors,
    /// Those of lasting traces alone.
    lasting: Anchors,
    owners: Owners,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new(Redactor::default())
    }
}

impl Engine {
    /// An engine with the built-in grammars, texts, rules and advice.
    pub fn new(redactor: Redactor) -> Self {
        Self::with_rules(redactor, Rules::default())
    }

    /// The same with rules and advice of the users' own, which win over the built-in ones.
    pub fn with_rules(redactor: Redactor, rules: Rules) -> Self {
        // The more a grammar asks of a line with which a trace begins, the earlier it stands.
        let grammars: Vec<Box<dyn Grammar>> = vec![
            Box::new(Rust),
            Box::new(Go),
            Box::new(Jvm),
            Box::new(Python),
            Box::new(Dotnet),
            // Before Ruby, whose syntax errors have the same words.
            Box::new(Beam),
            Box::new(Ruby),
            Box::new(Dart),
            // Before PHP, whose fatal errors begin alike.
            Box::new(Ocaml),
            Box::new(Swift),
            // Before Node.js, whose `Uncaught` stands in PHP's heads too.
            Box::new(Php),
            Box::new(Nodejs),
            Box::new(Haskell),
            Box::new(Perl),
            Box::new(Lua),
            Box::new(Native),
        ];
        let literals: Vec<&str> = grammars.iter().flat_map(|grammar| grammar.anchors()).copied().collect();
        let lasting: Vec<&str> = grammars.iter().flat_map(|grammar| grammar.lasting()).copied().collect();
        Self {
            redactor,
            messages: Messages::default(),
            normaliser: Normaliser::default(),
            advice: AdviceBook::with(rules.advice().to_vec()),
            rules,
            anchors: Anchors::new(&literals),
            lasting: Anchors::new(&lasting),
            owners: Owners::new(grammars.iter().map(|grammar| grammar.anchors())),
            grammars,
        }
    }

    /// Starts the classification of one log.
    pub fn classifier(&self, facts: ExitFacts) -> Classifier<'_> {
        Classifier::new(self, facts)
    }

    /// Classifies a log that is in memory.
    pub fn classify(&self, log: &[u8], facts: ExitFacts) -> Classification {
        let mut classifier = self.classifier(facts);
        classifier.feed(log);
        classifier.finish()
    }

    /// Position of the first anchor.
    pub(super) fn find_anchor(&self, text: &[u8]) -> Option<usize> {
        self.anchors.find(text)
    }

    /// The places in a block of lines that have to be looked at; in the middle of a long log only those of lasting traces.
    pub(super) fn stops<'a>(&'a self, block: &'a [u8], middle: bool) -> Stops<'a> {
        if middle { self.lasting.stops(block) } else { self.anchors.stops(block) }
    }

    /// The parser of the first grammar that has an anchor in the line and for which a trace begins here.
    pub(super) fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        let owners = self.owners.of(line.text);
        let own = self.grammars.iter().zip(owners).filter(|(_, own)| *own);
        own.into_iter().find_map(|(grammar, _)| grammar.begin(line, context))
    }

    /// The same for the first line of a log, which may lie inside of a trace.
    pub(super) fn begin_or_resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        let context = Context { before: &Before::default(), messages: &self.messages };
        let begun = self.find_anchor(line.text).and_then(|_| self.begin(line, &context));
        begun.or_else(|| self.grammars.iter().find_map(|grammar| grammar.resume(line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lasting_traces_are_anchors_too_and_take_one_search() {
        let engine = Engine::default();
        for grammar in &engine.grammars {
            let held =
                |anchor: &&str| grammar.anchors().iter().any(|all| anchor.contains(all) || all.contains(*anchor));
            assert!(grammar.lasting().iter().all(held), "{grammar:?}");
        }
        assert_eq!(engine.lasting.searches(), 1);
        // Each search is one more pass over the first half megabyte and the end of a log; its middle takes the one above.
        assert!(engine.anchors.searches() <= 7, "{}", engine.anchors.searches());
    }
}
