//! `coroner rules check`: tells whether files of rules are sound before they reach a cluster.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::classify::rules::RuleFile;
use crate::classify::rules::file::FILE_BYTES;

/// Looks after files of rules
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks files of rules: says what each holds, or every mistake with its line and column
    #[command(after_help = "\
Examples:
  coroner rules check rules.yaml
  kubectl get configmap coroner-rules -o jsonpath='{.data.rules\\.yaml}' | coroner rules check -
  coroner explain crash.log --exit-code 3 --rules rules.yaml   # what they say of a log

Exit codes: 0 all files are sound, 1 one of them is not, 2 wrong usage.")]
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Files of rules; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Why the files are not accepted.
#[derive(Debug, thiserror::Error)]
pub enum RulesCheckError {
    /// Some of them have mistakes, which were printed.
    #[error("{bad} of {all} files of rules cannot be used")]
    Unsound {
        /// How many have mistakes.
        bad: usize,
        /// How many were checked.
        all: usize,
    },
    /// The answer could not be written.
    #[error("cannot write the answer: {0}")]
    Write(#[source] io::Error),
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or has mistakes, or when the answer cannot be written.
pub fn run(args: &Args) -> Result<(), RulesCheckError> {
    let Command::Check(CheckArgs { files }) = &args.command;
    let mut bad = 0;
    for file in files {
        match check(file) {
            Ok(report) => io::stdout().write_all(report.as_bytes()).map_err(RulesCheckError::Write)?,
            Err(report) => {
                bad += 1;
                eprint!("{report}");
            }
        }
    }
    if bad > 0 { Err(RulesCheckError::Unsound { bad, all: files.len() }) } else { Ok(()) }
}

/// What a file holds, or its mistakes; one line each.
fn check(file: &Path) -> Result<String, String> {
    let name = file.display();
    let text = read(file).map_err(|error| format!("{name}: cannot be read: {error}\n"))?;
    match RuleFile::parse(&text) {
        Ok(RuleFile { rules, advice }) => {
            let slow: Vec<&str> = rules.iter().filter(|r| !r.is_filtered()).map(|rule| rule.name.as_str()).collect();
            let sizes = format!("{name}: {} rules, {} texts of advice", rules.len(), advice.len());
            Ok(match slow.as_slice() {
                [] => format!("{sizes}\n"),
                slow => format!("{sizes}; tried on every line, for want of a fixed text: {}\n", slow.join(", ")),
            })
        }
        Err(faults) => Err(faults.iter().map(|fault| format!("{name}:{fault}\n")).collect()),
    }
}

fn read(file: &Path) -> io::Result<String> {
    if file != Path::new("-") {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    // One byte more than a file may have, so that one that is too large is told from one that is not.
    io::stdin().lock().take(FILE_BYTES as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.yaml");
        std::fs::write(&file, text).unwrap();
        let name = |said: String| said.replace(&file.display().to_string(), "rules.yaml");
        check(&file).map(name).map_err(name)
    }

    #[test]
    fn a_sound_file_is_summed_up() {
        let text = "- {name: a, match: {line: boom}, category: Code, reason: Boom}\n";
        assert_eq!(checked(text).unwrap(), "rules.yaml: 1 rules, 0 texts of advice\n");
        let slow = text.replace("boom", "'\\d+'");
        assert!(checked(&slow).unwrap().ends_with("for want of a fixed text: a\n"));
    }

    #[test]
    fn a_mistake_is_told_with_file_line_and_column() {
        let said = checked("- name: a\n  match: {line: '('}\n  category: Code\n  reason: Boom\n").unwrap_err();
        assert_eq!(said, "rules.yaml:2:17: bad expression at character 1: unclosed group\n");
        assert!(
            check(Path::new("/nowhere/rules.yaml")).unwrap_err().starts_with("/nowhere/rules.yaml: cannot be read")
        );
    }
}
