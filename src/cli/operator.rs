//! `coroner operator`: the controller, in a cluster or against a kubeconfig.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::config::Config;
use crate::operator::{self, Settings};
use crate::telemetry::{self, LogFormat};

/// Watch pods and report what kills them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coroner operator                                    in a cluster, with the defaults
  coroner operator --config /etc/coroner/config.yaml  as the chart runs it
  KUBECONFIG=~/.kube/config coroner operator --namespace coroner --log-format text")]
pub struct OperatorArgs {
    /// The configuration, a YAML file; without it everything has its default
    #[arg(long, value_name = "FILE", env = "CORONER_CONFIG")]
    config: Option<PathBuf>,

    /// The namespace that Coroner keeps its ledger in
    #[arg(long, value_name = "NS", env = "POD_NAMESPACE", default_value = "coroner")]
    namespace: String,

    /// The name of this instance in the lease and in Events, unique among those that run [default: coroner-RANDOM]
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    instance: Option<String>,

    /// The lease that says which of several instances works; those with different leases all do, and count nothing twice
    #[arg(long, value_name = "NAME", default_value = "coroner")]
    lease: String,

    /// Where /healthz, /readyz and /metrics are served
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    admin_listen: SocketAddr,

    /// How logs are written
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "json")]
    log_format: LogFormat,

    /// What is logged: error, warn, info, debug, or a filter such as coroner::log=debug,info
    #[arg(long, value_name = "FILTER", env = "CORONER_LOG", default_value = "info")]
    log_level: String,
}

impl OperatorArgs {
    /// Runs until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When the configuration is wrong, no cluster is configured, or a part that cannot be restarted fails.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { config, namespace, instance, lease, admin_listen, log_format, log_level } = self;
        telemetry::install(&log_level, log_format)?;
        let config = match &config {
            Some(path) => Config::load(path)?,
            None => Config::default(),
        };
        let instance = instance.filter(|name| !name.is_empty()).unwrap_or_else(unique_name);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            // The work is waiting; more threads would only cost memory.
            .worker_threads(2)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        runtime.block_on(operator::run(Settings { config, namespace, instance, lease, admin_listen }))
    }
}

/// A name that no other instance has.
fn unique_name() -> String {
    let random = RandomState::new().hash_one(std::process::id());
    format!("coroner-{:08x}", random >> 32)
}
