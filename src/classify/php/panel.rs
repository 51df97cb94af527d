//! The panel that Laravel's console (Collision) shows: the class, the text, the place with its source, and the calls,
//! those of libraries only counted.

use super::frames::{self, Call};
use super::kinds;
use crate::classify::excerpt::Block;
use crate::classify::finding::Runtime;
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::text;

/// With what the line of the place begins.
pub const PLACE: &str = "  at ";
/// Most lines of the text above it.
const TEXT_LINES: usize = 6;
/// Most calls kept.
const CALLS: usize = 256;

/// The parser of such a panel, from the line of the place on.
#[derive(Debug)]
pub struct Panel {
    link: Link,
    place: (String, u32),
    calls: Vec<Call>,
    /// Where the call stands whose name the next line has.
    calling: Option<(String, u32)>,
    prefix: Prefix,
    passage: Passage,
}

impl Panel {
    /// A panel whose place this line names.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, PLACE)?;
        let place = file_line(std::str::from_utf8(line.text[at + PLACE.len()..].trim_ascii()).ok()?)?;
        let prefix = Prefix::learn(&line.text[..at]);
        let (up, class, said) = above(&prefix, context)?;
        let mut block = Block::after(context.before.get(up + 1..).unwrap_or_default());
        let (quoted, _) = context.before.split_at(up + 1);
        quoted.iter().rev().for_each(|line| block.push(prefix.strip(line).unwrap_or(line)));
        let link = Link::new(&class, &said, &line.text[at..]);
        let first_line = line.number.saturating_sub(up as u64 + 1);
        block.push(&line.text[at..]);
        let calls = Vec::new();
        let passage = Passage::new(block, first_line, line.number);
        Some(Self { link, place, calls, calling: None, prefix, passage })
    }

    fn take(&mut self, said: &str) -> bool {
        if let Some(place) = self.calling.take() {
            let name = said.split('(').next().unwrap_or_default().trim().replace("->", "::");
            self.push(Call { place: Some(place), function: name });
            return true;
        }
        if said.starts_with('+') && said.contains(" vendor frame") {
            self.push(Call { place: None, function: String::new() });
            return true;
        }
        let digits = said.bytes().take_while(u8::is_ascii_digit).count();
        self.calling = file_line(said[digits..].trim()).filter(|_| digits > 0);
        // The source around the place, with its numbers.
        self.calling.is_some() || said.contains('▕')
    }

    fn push(&mut self, call: Call) {
        if self.calls.len() < CALLS {
            self.calls.push(call);
        }
    }
}

/// `app/Scale.php:17`, and `artisan:13`.
fn file_line(place: &str) -> Option<(String, u32)> {
    let (file, line) = place.rsplit_once(':')?;
    let plain = !file.is_empty() && !file.contains([' ', '(']) && (file.ends_with(".php") || file == "artisan");
    plain.then(|| Some((file.to_owned(), line.parse().ok()?)))?
}

/// What stands above the place: how far up the class is, the class, the text.
fn above(prefix: &Prefix, context: &Context<'_>) -> Option<(usize, String, String)> {
    let lines: Vec<String> = context.before.iter().map_while(|line| prefix.strip(line).map(text::string)).collect();
    let blank = |at: &usize| lines[*at].trim().is_empty();
    let count = lines.len();
    let end = (0..count).find(|at| !blank(at))?;
    let start = (end..count.min(end + TEXT_LINES)).find(|at| blank(at))?;
    let class_at = (start..count).find(|at| !blank(at))?;
    let class = lines[class_at].trim();
    let named = class.starts_with(|c: char| c.is_ascii_uppercase())
        && class.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'\\' | b'_'));
    let said: Vec<&str> = lines[end..start].iter().rev().map(|line| line.trim()).collect();
    (named && end > 0).then(|| (class_at, class.to_owned(), said.join("\n")))
}

impl Parser for Panel {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.prefix.strip(line.text).map(text::string) else { return Flow::Over };
        if bare.trim().is_empty() {
            return Flow::Taken;
        }
        if !bare.starts_with("  ") || !self.take(bare.trim()) {
            return Flow::Over;
        }
        self.passage.push(bare.trim_end().as_bytes(), line.number);
        Flow::Taken
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        self.link.frames = frames::stack(Some(self.place), &self.calls);
        let reason = kinds::of(&self.link.exception, &self.link.message, messages);
        let story = Story {
            runtime: Runtime::Php,
            standing: Standing::Fatal,
            exits: &[1, 255],
            passage: Passage::default(),
            headless: false,
        };
        let told = story.tell(vec![(self.link, reason)], false, Names { stable: frames::stable, files: true })?;
        Some(Candidate { passage: self.passage, ..told })
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn a_panel_names_the_call_of_the_programs_own() {
        let log = "\
   App\\NoScale 

  no scale for rye

  at vendor/scales/src/Rack.php:17
     16▕     {
  ➜  17▕         throw new NoScale($name);

      +9 vendor frames 

  10  app/Mill.php:31
      Scales\\Rack::take(\"rye\")

  11  app/Console/Grind.php:12
      App\\Mill->weigh()

      +12 vendor frames 

  24  artisan:35
      Illuminate\\Foundation\\Console\\Kernel::handle(Object(A\\B))

";
        let facts = ExitFacts { exit_code: Some(1), ..ExitFacts::default() };
        let prefixed: String = log.lines().map(|line| format!("web.1 | {line}\n")).collect();
        for log in [log, &prefixed] {
            let finding = Engine::default().classify(log.as_bytes(), facts.clone()).finding;
            assert_eq!(finding.exception.as_deref(), Some("App\\NoScale"));
            assert_eq!(finding.message, "no scale for rye");
            let culprit = finding.culprit.unwrap();
            assert_eq!((culprit.file.as_deref(), culprit.line), (Some("app/Mill.php"), Some(31)));
            assert_eq!(culprit.function.as_deref(), Some("App\\Mill::weigh"));
        }
    }
}
