//! Wiring only: client, tasks, signals, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use kube::api::ListParams;
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use crate::admin::{self, Readiness};
use crate::classify::Engine;
use crate::classify::rules::Rules;
use crate::config::Config;
use crate::observe::Metrics;
use crate::pipeline::{self, Pipeline, Steps};
use crate::redact::Redactor;
use crate::report::CrashReport;
use crate::watch::{self, Scope};

/// How long a stopping operator finishes what is in flight: less than the 30 s that Kubernetes waits before SIGKILL.
/// What is not finished by then is not lost: it is still in the pods' status or in the ledger.
const DRAIN: Duration = Duration::from_secs(20);
/// How long the first request may take.
const FIRST_CALL: Duration = Duration::from_secs(30);

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
/// When a rule or a redaction pattern is wrong, no cluster is configured, the CRD is missing, access is refused, or the
/// admin address cannot be bound.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let engine = Arc::new(engine(&settings.config)?);
    let stop = stop_on_signals()?;
    let (metrics, ready) = (Metrics::new(), Readiness::default());
    let admin = tokio::spawn(admin::serve(settings.admin_listen, metrics.clone(), ready.clone(), stop.clone()));
    let client = connect().await?;
    check_crd(&client).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        namespaces = ?settings.config.namespaces,
        slack = settings.config.notify.slack_webhook_file.is_some(),
        "coroner starts"
    );
    let scopes = scopes(&settings.config.namespaces);
    let sinks = pipeline::sinks(&settings.config)?;
    let steps = Arc::new(Steps::new(client.clone(), engine, &settings, sinks, metrics.clone(), stop.clone()));
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

/// The classifier with the users' rules and redaction patterns. They are read before anything else: with a wrong one the
/// pod never becomes ready, and the one before it goes on.
///
/// # Errors
/// The first pattern or file of rules that is wrong.
pub fn engine(config: &Config) -> anyhow::Result<Engine> {
    let redactor = Redactor::new(&config.redact_patterns)?;
    let rules = match &config.rules_directory {
        Some(directory) => Rules::load_directory(directory)?,
        None => Rules::default(),
    };
    Ok(Engine::with_rules(redactor, rules))
}

fn scopes(namespaces: &[String]) -> Vec<Scope> {
    if namespaces.is_empty() {
        return vec![Scope::All];
    }
    namespaces.iter().map(|name| Scope::Namespace(name.as_str().into())).collect()
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

/// Without the CRD every crash would be retried for ever; better to say so once, at the start.
async fn check_crd(client: &Client) -> anyhow::Result<()> {
    let reports: Api<CrashReport> = Api::all(client.clone());
    let listed = tokio::time::timeout(FIRST_CALL, reports.list(&ListParams::default().limit(1))).await;
    match listed {
        Err(_) => anyhow::bail!("the API server did not answer within {} s", FIRST_CALL.as_secs()),
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => anyhow::bail!(
            "the cluster does not know crashreports.coroner.dev: install the chart with crds.install=true, \
             or: coroner crd | kubectl apply -f -"
        ),
        // A namespaced installation may not list all namespaces; its own calls will tell.
        Ok(Err(kube::Error::Api(status))) if status.is_forbidden() => Ok(()),
        Ok(Err(error)) => Err(error).context("cannot list crashreports.coroner.dev"),
        Ok(Ok(_)) => Ok(()),
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
