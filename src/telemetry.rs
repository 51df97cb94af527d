//! Logs of the operator: structured, JSON in the cluster, on stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Below `error`, kube's client logs whole bodies of answers that it cannot decode, and those hold other people's secrets.
const QUIET: &str = "kube_client=error,tower_http=error";

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Installs the subscriber of the process.
///
/// # Errors
/// When `level` is no filter directive (`info`, `coroner=debug,warn`…), or a subscriber is installed already.
pub fn install(level: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{level},{QUIET}")).map_err(|error| {
        anyhow::anyhow!("CORONER_LOG={level:?} is no log filter ({error}); write for example info or coroner=debug")
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()?;
        }
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            registry.with(fmt::layer().with_ansi(ansi).with_writer(std::io::stderr)).try_init()?;
        }
    }
    Ok(())
}
