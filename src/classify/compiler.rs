//! Sources that are built where they should run, and do not compile: `java Orders.java`, `dotnet run`.

use super::excerpt::Block;
use super::finding::{Culprit, Runtime};
use super::grammar::{Candidate, Context, Flow, Line, Parser};
use super::messages::Messages;
use super::passage::Passage;
use super::prefix::Prefix;
use super::reason::UNHANDLED_ERROR;
use super::text;

/// The last line of `java`, which is nothing more.
pub const JAVA: &str = "error: compilation failed";
/// The last line of `dotnet run`.
pub const DOTNET: &str = "The build failed. Fix the build errors and run again.";

/// The error that the compiler found first, as far as the lines above show it.
#[derive(Debug)]
pub struct Failure {
    runtime: Runtime,
    culprit: Culprit,
    message: String,
    passage: Passage,
}

impl Failure {
    /// A failure of `java`, if it ends with this line.
    pub fn of_java(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        Self::new(Runtime::Jvm, JAVA, java_place, line, context)
    }

    /// A failure of `dotnet run`, if it ends with this line.
    pub fn of_dotnet(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        Self::new(Runtime::Dotnet, DOTNET, dotnet_place, line, context)
    }

    fn new(
        runtime: Runtime,
        failed: &str,
        place: fn(&str) -> Option<(Culprit, String)>,
        line: &Line<'_>,
        context: &Context<'_>,
    ) -> Option<Self> {
        let at = text::find(line.text, failed)?;
        if !text::blank(&line.text[at + failed.len()..]) {
            return None;
        }
        let prefix = Prefix::learn(&line.text[..at]);
        let said: Vec<String> =
            context.before.iter().map_while(|line| Some(text::string(prefix.strip(line)?))).collect();
        let (above, culprit, message) =
            said.iter().enumerate().rev().find_map(|(above, line)| place(line).map(|(c, m)| (above, c, m)))?;
        let mut block = Block::after(&context.before[above + 1..]);
        said[..=above].iter().rev().for_each(|line| block.push(line.as_bytes()));
        block.push(&line.text[at..]);
        let first_line = line.number.saturating_sub(above as u64 + 1);
        Some(Self { runtime, culprit, message, passage: Passage::new(block, first_line, line.number) })
    }
}

/// `Orders.java:9: error: ';' expected`
fn java_place(line: &str) -> Option<(Culprit, String)> {
    let (place, message) = line.split_once(": error: ")?;
    let (file, number) = place.rsplit_once(':')?;
    file.ends_with(".java").then(|| said(file, number, message))?
}

/// `/src/Program.cs(12,13): error CS0103: The name 'shelf' does not exist [/src/Stock.csproj]`
fn dotnet_place(line: &str) -> Option<(Culprit, String)> {
    let (place, error) = line.trim_start().split_once("): error ")?;
    let (file, position) = place.rsplit_once('(')?;
    let (_, message) = error.split_once(": ")?;
    let message =
        message.rsplit_once(" [").filter(|(_, project)| project.ends_with("proj]")).map_or(message, |(m, _)| m);
    said(file, position.split(',').next()?, message)
}

fn said(file: &str, line: &str, message: &str) -> Option<(Culprit, String)> {
    let line = line.parse().ok()?;
    Some((Culprit { function: None, file: Some(file.to_owned()), line: Some(line) }, message.trim().to_owned()))
}

impl Parser for Failure {
    fn line(&mut self, _line: &Line<'_>) -> Flow {
        Flow::Over
    }

    fn finish(self: Box<Self>, _messages: &Messages) -> Option<Candidate> {
        Some(Candidate {
            reason: UNHANDLED_ERROR,
            kind: self.message.clone(),
            message: self.message,
            exits: &[1],
            culprit: Some(self.culprit),
            ..Candidate::of(self.runtime, self.passage)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_compilers_error_is_read() {
        let cases = [
            (java_place("src/Orders.java:9: error: ';' expected"), "src/Orders.java", 9, "';' expected"),
            (
                dotnet_place("/src/A.cs(12,13): error CS0103: The name 'x' does not exist [/src/A.csproj]"),
                "/src/A.cs",
                12,
                "The name 'x' does not exist",
            ),
        ];
        for (place, file, line, said) in cases {
            let (culprit, message) = place.unwrap();
            assert_eq!((culprit.file.as_deref(), culprit.line, message.as_str()), (Some(file), Some(line), said));
        }
        for line in ["Orders.java: error: no", "a.c:9: error: ';' expected", "1 error"] {
            assert_eq!(java_place(line), None, "{line}");
        }
        for line in ["/src/A.cs(12,13): warning CS0168: unused [/src/A.csproj]", "CSC : error CS5001: no Main"] {
            assert_eq!(dotnet_place(line), None, "{line}");
        }
    }
}
