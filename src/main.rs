//! The binary: parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    coroner::cli::Cli::parse().run()
}
