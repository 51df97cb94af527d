//! Wiring only: client, tasks, signals, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use kube::api::ListParams;
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use crate::admin::{self, Readiness};
use crate::calls::call;
use crate::config::Config;
use crate::observe::Metrics;
use crate::pipeline::{self, Pipeline, Steps};
use crate::report::CrashReport;
use crate::watch::{self, Scope};

/// How long a stopping operator finishes what is in flight: less than the 30 s that Kubernetes waits before SIGKILL.
/// What is not finished by then is not lost: it is still in the pods' status or in the ledger.
const DRAIN: Duration = Duration::from_secs(20);

/// What `coroner operator` was told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The configuration.
    pub config: Config,
    /// The namespace of the ledger.
    pub namespace: String,
    /// The name of this instance.
    pub instance: String,
    /// Where the probes and metrics are served.
    pub admin_listen: SocketAddr,
}

/// Runs until SIGTERM or SIGINT; a second signal ends it at once.
///
/// # Errors
/// When no cluster is configured, the CRD is missing, access is refused, or the admin address cannot be bound.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let stop = stop_on_signals()?;
    let (metrics, ready) = (Metrics::new(), Readiness::default());
    let admin = tokio::spawn(admin::serve(settings.admin_listen, metrics.clone(), ready.clone(), stop.clone()));
    let client = connect().await?;
    tokio::select! {
        checked = check_crd(&client) => checked?,
        () = stop.cancelled() => return Ok(()),
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        namespaces = ?settings.config.namespaces,
        slack = settings.config.notify.slack_webhook_file.is_some(),
        "coroner starts"
    );
    let scopes = Scope::of(&settings.config.namespaces);
    let sinks = pipeline::sinks(&settings.config)?;
    let steps = Arc::new(Steps::new(client.clone(), &settings, sinks, metrics.clone(), stop.clone())?);
    steps.resume(&scopes).await;
    let events = watch::pods(&client, &scopes, &stop);
    let pipeline = Pipeline::new(&settings.config, steps.clone(), &scopes, ready, metrics);
    tokio::select! {
        () = pipeline.run(events, stop.clone()) => {}
        served = admin => served?.with_context(|| format!("cannot serve on {}", settings.admin_listen))?,
    }
    stop.cancel();
    if tokio::time::timeout(DRAIN, steps.drain()).await.is_err() {
        tracing::warn!(seconds = DRAIN.as_secs(), "not everything was finished; the next start goes on with it");
    }
    tracing::info!("coroner stopped");
    Ok(())
}

/// A client for the cluster that the process is in, or that the kubeconfig names.
async fn connect() -> anyhow::Result<Client> {
    let mut config = kube::Config::infer().await.context(
        "no cluster: neither is this a pod with a service account, nor is there a usable kubeconfig (KUBECONFIG or ~/.kube/config)",
    )?;
    // kube would retry 429 and 503 for minutes behind a call; every step here has deadlines and retries of its own.
    config.default_retry = false;
    Client::try_from(config).context("cannot make a client for the cluster")
}

/// Without the CRD every crash would be retried for ever; better to say so once, at the start. An API server that is
/// starting, throttles or is away for a moment is asked again: a container that ends for that waits out a back-off.
async fn check_crd(client: &Client) -> anyhow::Result<()> {
    let reports: Api<CrashReport> = Api::all(client.clone());
    let params = ListParams::default().limit(1);
    match call(|| reports.list(&params)).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => anyhow::bail!(
            "the cluster does not know crashreports.coroner.dev: install the chart with crds.install=true, \
             or: coroner crd | kubectl apply -f -"
        ),
        // A namespaced installation may not list all namespaces; its own calls will tell.
        Err(error) if error.category() == "forbidden" => Ok(()),
        Err(error) => Err(error).context("cannot list crashreports.coroner.dev"),
    }
}

fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        tracing::info!("stopping: finishing what is in flight");
        token.cancel();
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        tracing::warn!("second signal: ending at once");
        std::process::exit(1);
    });
    Ok(stop)
}
