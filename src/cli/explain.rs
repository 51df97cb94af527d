//! `coroner explain`: classifies one log, without a cluster.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::{Color, same_as, text};
use crate::classify::rules::{Rules, RulesError};
use crate::classify::{Classification, Engine, ExitFacts, Finding};
use crate::redact::Redactor;
use crate::report::{Evidence, EvidenceSource, EvidenceState};

/// Size of the read buffer, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;
/// How much of a file is looked at to tell a log from something else, in bytes.
const SAMPLE_BYTES: usize = 8 * 1024;

/// Says what killed the process that wrote a log
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  coroner explain crash.log
  coroner explain crash.log --exit-code 2 -o json
  kubectl logs -p checkout-7b6c5d4f8-m4n5p | coroner explain - --exit-code 2
  coroner explain race.log --same-as crash.log
  coroner explain /dev/null --exit-code 128 --reason StartError --message 'exec: \"/app\": permission denied'

Exit codes: 0 done, 1 the log could not be read, or --same-as was not answered with yes, 2 wrong usage.")]
pub struct Args {
    /// The log; `-` or nothing reads standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Whether the race that FILE reports (go test -race, ThreadSanitizer) is what ended the process of this log
    #[arg(long, value_name = "CRASH_LOG", requires = "file")]
    same_as: Option<PathBuf>,
    /// The exit code of the process, 128 + n for signal n; Windows codes such as 3221225477 are fine
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = exit_code)]
    exit_code: Option<i32>,
    /// The signal that ended it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=64))]
    signal: Option<i32>,
    /// The kubelet's word for it: OOMKilled, Error, Completed, StartError, ...
    #[arg(long, value_name = "R")]
    reason: Option<String>,
    /// The termination message, or the container runtime's error of a StartError
    #[arg(long, value_name = "M")]
    message: Option<String>,
    /// Rules of your own, as the operator would use them; may be given more than once
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    color: Color,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// One YAML document
    Yaml,
}

/// Why a log could not be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The file could not be opened or read.
    #[error("cannot read {0}: {1}")]
    Read(String, #[source] io::Error),
    /// A file of rules cannot be used.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// It is a directory.
    #[error("{0} is a directory: name the log file in it")]
    Directory(String),
    /// It is no text.
    #[error("{0} is no log: it looks like {1}")]
    Binary(String, &'static str),
    /// The answer could not be written.
    #[error("cannot write the answer: {0}")]
    Write(#[source] io::Error),
    /// The answer could not be put into this form.
    #[error("cannot print the answer: {0}")]
    Form(String),
}

/// The answer: the fields of a report that rest on the log.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    finding: &'a Finding,
    evidence: &'a Evidence,
    fingerprint: &'a str,
}

/// Exit codes of Windows are unsigned, those of everybody else are not: both fit 32 bits.
fn exit_code(text: &str) -> Result<i32, String> {
    let code: i64 = text.parse().map_err(|_| "not a number".to_owned())?;
    i32::try_from(code)
        .or_else(|_| u32::try_from(code).map(|code| code as i32))
        .map_err(|_| "outside of the range of exit codes, -2147483648 to 4294967295".to_owned())
}

/// Reads the log, classifies it and prints the answer; whether the answer is yes, where one was asked for.
///
/// # Errors
/// When the log cannot be read or is none, or when the answer cannot be written.
pub fn run(args: &Args) -> Result<bool, ExplainError> {
    if let Some(crash) = &args.same_as {
        return same_as::run(args, crash);
    }
    let engine = args.engine()?;
    let mut classifier = engine.classifier(args.facts());
    read(args.file(), |chunk| classifier.feed(chunk))?;
    let classification = classifier.finish();
    let evidence = evidence(&classification);
    let answer =
        Answer { finding: &classification.finding, evidence: &evidence, fingerprint: &classification.fingerprint };
    let told = args.facts() != ExitFacts::default();
    print(args, &answer, |color| text::render(&classification, &evidence, told, color))?;
    Ok(true)
}

impl Args {
    /// What is wrong with the arguments beyond what each of them shows by itself.
    pub fn conflict(&self) -> Option<&'static str> {
        let is_stdin = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
        (is_stdin(&self.file) && is_stdin(&self.same_as))
            .then_some("both logs cannot come from standard input: name a file for one of them")
    }

    /// The log to read; `None` for standard input.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The engine, with the user's rules.
    pub(super) fn engine(&self) -> Result<Engine, ExplainError> {
        Ok(Engine::with_rules(Redactor::default(), Rules::load(&self.rules)?))
    }

    /// The exit facts of the crash.
    pub(super) fn facts(&self) -> ExitFacts {
        ExitFacts {
            exit_code: self.exit_code,
            signal: self.signal.filter(|signal| *signal != 0),
            reason: self.reason.clone().filter(|reason| !reason.is_empty()),
            message: self.message.clone().filter(|message| !message.is_empty()),
            stated: None,
        }
    }
}

/// Hands the bytes of a log to `sink`, in chunks; without a path, or with `-`, those of standard input.
pub(super) fn read(path: Option<&Path>, sink: impl FnMut(&[u8])) -> Result<(), ExplainError> {
    match path.filter(|path| *path != Path::new("-")) {
        None => consume(io::stdin().lock(), "standard input", sink),
        Some(path) => {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| ExplainError::Read(name.clone(), error))?;
            if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
                return Err(ExplainError::Directory(name));
            }
            consume(file, &name, sink)
        }
    }
}

fn consume(mut from: impl Read, name: &str, mut sink: impl FnMut(&[u8])) -> Result<(), ExplainError> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut first = true;
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ExplainError::Read(name.to_owned(), error)),
        };
        if std::mem::take(&mut first)
            && let Some(kind) = binary(&buffer[..length.min(SAMPLE_BYTES)])
        {
            return Err(ExplainError::Binary(name.to_owned(), kind));
        }
        sink(&buffer[..length]);
    }
}

/// What a sample is, if it is no text. A log may hold a few control characters, but not one in twenty.
fn binary(sample: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 6] = [
        (b"\x1f\x8b", "a gzip file; try `zcat FILE | coroner explain -`"),
        (b"\x28\xb5\x2f\xfd", "a zstd file; try `zstdcat FILE | coroner explain -`"),
        (b"\x7fELF", "an executable"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\xff\xfe", "UTF-16; try `iconv -f UTF-16 -t UTF-8 FILE | coroner explain -`"),
        (b"\xfe\xff", "UTF-16; try `iconv -f UTF-16 -t UTF-8 FILE | coroner explain -`"),
    ];
    let known = MAGIC.iter().find(|(magic, _)| sample.starts_with(magic));
    let control = sample.iter().filter(|b| matches!(b, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f)).count();
    known.map(|(_, kind)| *kind).or_else(|| (control * 20 > sample.len()).then_some("binary data"))
}

/// What the answer rests on. Nobody can tell here whether a file is the log of exactly the instance that died, so its
/// state is never better than `Unverified`; its source is the one log there is.
fn evidence(classification: &Classification) -> Evidence {
    let empty = classification.log_bytes == 0;
    let source = match (empty, classification.from_message) {
        (false, _) => EvidenceSource::CurrentLog,
        (true, true) => EvidenceSource::TerminationMessage,
        (true, false) => EvidenceSource::Status,
    };
    Evidence {
        state: if empty { EvidenceState::Empty } else { EvidenceState::Unverified },
        source,
        excerpt: classification.excerpt.clone(),
        log_bytes: i64::try_from(classification.log_bytes).unwrap_or(i64::MAX),
        truncated: classification.truncated,
    }
}

/// Prints an answer in the form that was asked for.
pub(super) fn print(
    args: &Args,
    answer: &impl Serialize,
    text: impl FnOnce(bool) -> String,
) -> Result<(), ExplainError> {
    let printed = match args.output {
        Output::Text => text(args.color.on_stdout()),
        Output::Json => serde_json::to_string_pretty(answer).map_err(|e| ExplainError::Form(e.to_string()))? + "\n",
        Output::Yaml => crate::yaml::to_string(answer).map_err(|e| ExplainError::Form(e.to_string()))?,
    };
    let mut out = io::stdout().lock();
    match out.write_all(printed.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(ExplainError::Write),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_of_all_platforms_are_read() {
        assert_eq!(exit_code("137"), Ok(137));
        assert_eq!(exit_code("-1"), Ok(-1));
        assert_eq!(exit_code("3221225477"), Ok(-1_073_741_819));
        assert!(exit_code("4294967296").is_err() && exit_code("x").is_err());
    }

    #[test]
    fn a_log_is_told_from_other_files() {
        assert_eq!(binary(b"2026/11/24 04:15:10 \x1b[31mred\x1b[0m\n"), None);
        assert_eq!(binary("grüße \u{1F600}\n".as_bytes()), None);
        assert_eq!(binary(b"caf\xe9 is latin-1\n"), None);
        assert_eq!(binary(b"\x7fELF\x02\x01"), Some("an executable"));
        assert_eq!(binary(&(0..=255).collect::<Vec<u8>>()), Some("binary data"));
        assert_eq!(binary(b""), None);
    }
}
