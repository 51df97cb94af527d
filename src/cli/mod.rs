//! The commands. Exit codes: 0 done, 1 it ran and failed (or the answer is no), 2 wrong usage.

pub mod crd;
pub mod explain;
pub mod operator;
pub mod rules;
mod same_as;
mod text;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::observe::Chain;

/// Says what killed a container: the line, the frame and the proof.
#[derive(Debug, Parser)]
#[command(name = "coroner", version, about, long_about = None, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Operator(operator::OperatorArgs),
    Explain(explain::Args),
    Rules(rules::Args),
    /// Prints the CustomResourceDefinition: coroner crd | kubectl apply -f -
    Crd,
}

/// When to colour what people read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether standard output is to be coloured.
    pub fn on_stdout(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        }
    }
}

impl Cli {
    /// Runs the command. Its error, if it has one, goes to standard error.
    pub fn run(self) -> ExitCode {
        if let Command::Explain(args) = &self.command
            && let Some(conflict) = args.conflict()
        {
            Self::command().error(ErrorKind::ArgumentConflict, conflict).exit();
        }
        let done = match self.command {
            Command::Operator(args) => args.run().map(|()| true),
            Command::Explain(args) => explain::run(&args).map_err(anyhow::Error::from),
            Command::Rules(args) => rules::run(&args).map(|()| true).map_err(anyhow::Error::from),
            Command::Crd => crd::run(&mut std::io::stdout().lock()).map(|()| true).map_err(anyhow::Error::from),
        };
        match done {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("coroner: {}", Chain(error.as_ref()));
                ExitCode::FAILURE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
