//! What the `dotnet` host and Mono say when a program does not start at all.

use crate::classify::finding::{CrashReason, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// Texts of which one is in a line with which a refusal begins.
pub const ANCHORS: [&str; 13] = [
    "You must install or update .NET",
    "It was not possible to find any compatible framework version",
    "The application to execute does not exist",
    "A fatal error was encountered. ",
    "Cannot open assembly '",
    "Could not execute because the specified command or file was not found",
    "The command could not be loaded, possibly because",
    "GC heap initialization failed with error ",
    "libhostfxr.so, error: ",
    "libhostpolicy.so, error: ",
    "libcoreclr.so, error: ",
    "An assembly specified in the application dependencies manifest",
    "No usable version of libssl was found",
];

/// Most lines of one refusal.
const LINES: usize = 16;

/// The parser of a refusal.
#[derive(Debug)]
pub struct Refusal {
    prefix: Prefix,
    lines: Vec<String>,
    passage: Passage,
}

impl Refusal {
    /// A refusal, if it begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = ANCHORS.iter().find_map(|anchor| text::find(line.text, anchor))?;
        // `Failed to load /usr/…/libhostfxr.so, error: libstdc++.so.6: cannot open shared object file`
        let at = text::find(&line.text[..at], "Failed to load ").unwrap_or(at);
        Some(Self {
            prefix: Prefix::learn(&line.text[..at]),
            lines: vec![text::string(line.text[at..].trim_ascii_end())],
            passage: Passage::begin(line, at, context),
        })
    }

    fn reason(&self) -> CrashReason {
        let whole = self.lines.join("\n");
        let has = |words: &str| whole.contains(words);
        if has("does not exist") || has("Cannot open assembly") || has("specified command or file was not found") {
            MISSING_FILE
        } else if has("GC heap initialization failed") {
            HEAP_EXHAUSTED
        } else if has("libhostpolicy") || has("libhostfxr") || has("library") || has("shared object") || has("libssl") {
            MISSING_LIBRARY
        } else {
            // The framework is there in another version or not at all.
            MISSING_MODULE
        }
    }
}

impl Parser for Refusal {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.prefix.strip(line.text) else { return Flow::Foreign };
        if self.lines.len() >= LINES {
            return Flow::Over;
        }
        self.passage.block.push(bare);
        self.lines.push(text::string(bare.trim_ascii_end()));
        if !text::blank(bare) {
            self.passage.last_line = line.number;
        }
        Flow::Taken
    }

    fn finish(self: Box<Self>, _messages: &Messages) -> Option<Candidate> {
        // `Framework: 'Microsoft.NETCore.App', version '8.0.0' (x64)` says which one.
        const DETAILS: [&str; 4] = ["Framework: ", "The framework '", "The application '", "package: '"];
        let details = self.lines[1..].iter().map(|line| line.trim());
        let which = details.clone().find(|line| DETAILS.iter().any(|detail| line.starts_with(detail)));
        let message = match which {
            Some(which) => format!("{} {which}", self.lines[0]),
            None => self.lines[0].clone(),
        };
        Some(Candidate {
            reason: self.reason(),
            kind: self.lines[0].clone(),
            message,
            // 150, 131, 129 and 137 are the host's own failures; a shell shows them as they are.
            exits: &[150, 131, 129, 137, 145, 140, 134, 139, 1, 2],
            ..Candidate::of(Runtime::Dotnet, self.passage)
        })
    }
}
