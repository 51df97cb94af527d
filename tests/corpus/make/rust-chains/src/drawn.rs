//! Errors and a panic as miette draws them.
use miette::{Diagnostic, IntoDiagnostic, NamedSource, Result, SourceSpan, WrapErr};
use thiserror::Error;

#[derive(Error, Debug, Diagnostic)]
#[error("invalid rule file")]
#[diagnostic(code(rules::bad), help("did you mean `lane`?"))]
struct Invalid {
    #[source_code]
    text: NamedSource<String>,
    #[label("here")]
    at: SourceSpan,
    #[source]
    cause: std::io::Error,
}

fn first(lanes: &[u32], at: usize) -> u32 {
    lanes[at] // «first»
}

fn main() -> Result<()> {
    println!("2026-11-24T08:00:01Z  INFO chains: starting");
    match std::env::args().nth(1).as_deref() {
        Some("file") => {
            let read = std::fs::read("/etc/chains/rules.kdl").into_diagnostic();
            read.wrap_err("cannot load rules").wrap_err("cannot start")?;
        }
        Some("panic") => {
            miette::set_panic_hook();
            println!("{}", first(&[1, 2], std::env::args().count() + 1));
        }
        _ => {
            let text = NamedSource::new("/etc/chains/rules.kdl", "rule {\n  lane 4\n}\n".to_owned());
            let cause = std::io::Error::from_raw_os_error(13);
            Err(Invalid { text, at: (9, 4).into(), cause })?;
        }
    }
    Ok(())
}
