//! Wiring only: client, tasks, signals, terms of office, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use kube::api::ListParams;
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use crate::admin::{self, Readiness};
use crate::calls::call;
use crate::classify::Engine;
use crate::classify::rules::Rules;
use crate::config::Config;
use crate::janitor::chores::QUIET;
use crate::janitor::{Janitor, Parts, Policy, signed};
use crate::leader::{Elector, LeaseOptions};
use crate::observe::Metrics;
use crate::pipeline::{self, Pipeline, Steps};
use crate::redact::Redactor;
use crate::report::CrashReport;
use crate::watch::Scope;

mod office;

use office::Office;

/// How long a connection may be silent while an answer is awaited.
const SILENCE: Duration = Duration::from_secs(150);

/// What `coroner operator` was told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The configuration.
    pub config: Config,
    /// The namespace of the ledger.
    pub namespace: String,
    /// The name of this instance, which no other one has that runs at the same time.
    pub instance: String,
    /// The name of the lease that says which instance works.
    pub lease: String,
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
    let served = CancellationToken::new();
    let admin = tokio::spawn(admin::serve(settings.admin_listen, metrics.clone(), ready.clone(), served.clone()));
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
    let steps = Arc::new(Steps::new(client.clone(), engine, &settings, sinks.clone(), metrics.clone(), stop.clone()));
    let janitor = Janitor::new(Parts {
        client: client.clone(),
        home: settings.namespace.clone(),
        scopes: scopes.clone(),
        policy: Policy { retention: signed(settings.config.retention), quiet: QUIET },
        sinks,
        on_due: steps.on_due(),
        metrics: metrics.clone(),
    });
    let hurry = janitor.clone();
    let pipeline = Pipeline::new(&settings.config, steps.clone(), &scopes, ready.clone(), metrics.clone())
        .on_started(move || hurry.hurry());
    let lease = LeaseOptions {
        namespace: settings.namespace.clone(),
        name: settings.lease.clone(),
        identity: settings.instance.clone(),
    };
    let elector = Elector::new(client.clone(), lease);
    let office = Office { client, scopes, elector, pipeline, janitor, steps, ready, metrics, stop, drained: false };
    tokio::select! {
        () = office.serve() => {}
        served = admin => served?.with_context(|| format!("cannot serve on {}", settings.admin_listen))?,
    }
    // Probes and metrics are answered until the last thing is written.
    served.cancel();
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

/// A client for the cluster that the process is in, or that the kubeconfig names.
async fn connect() -> anyhow::Result<Client> {
    let mut config = kube::Config::infer().await.context(
        "no cluster: neither is this a pod with a service account, nor is there a usable kubeconfig (KUBECONFIG or ~/.kube/config)",
    )?;
    // kube would retry 429 and 503 for minutes behind a call; every step here has deadlines and retries of its own.
    config.default_retry = false;
    // Without it a list or watch that never answers would wait for ever. A watch has a bookmark each minute at the latest.
    config.read_timeout = Some(SILENCE);
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
