//! An error as error-stack draws it.
use error_stack::{Context, Report, ResultExt};
use std::fmt;

#[derive(Debug)]
struct Failed(&'static str);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Context for Failed {}

fn load(path: &str) -> Result<String, Report<Failed>> {
    let read = std::fs::read_to_string(path).map_err(Report::from); // «read»
    read.attach_printable(path.to_owned()).change_context(Failed("could not load rules")) // «load»
}

fn main() -> Result<(), Report<Failed>> {
    println!("2026-11-24T08:00:01Z  INFO chains: starting");
    load("/etc/chains/rules.yaml").change_context(Failed("cannot start"))?;
    Ok(())
}
