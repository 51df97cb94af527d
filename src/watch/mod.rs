//! The pods of the cluster, as a stream that nothing but its end can stop.

use std::fmt;
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use kube::api::ListParams;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use crate::calls::{CallError, call};

pub mod lenient;
pub mod slim;

pub use slim::SlimPod;

/// Pods in one answer to a list. A page of full pods is held as text twice while it decodes; 100 of 12 KB are 2.5 MB.
const PAGE_SIZE: u32 = 100;
/// How long one watch request lasts, in seconds. A connection that died unnoticed is noticed 5 s after that at the
/// latest; kube's own 290 s would leave the operator blind for as long as most crash logs exist.
const WATCH_SECONDS: u32 = 120;

/// What one watch covers: a fresh list of it says nothing of the pods of another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every namespace.
    All,
    /// One namespace.
    Namespace(Arc<str>),
}

impl Scope {
    /// The scopes for the namespaces that are configured: all where none is.
    pub fn of(namespaces: &[String]) -> Vec<Self> {
        if namespaces.is_empty() {
            return vec![Self::All];
        }
        namespaces.iter().map(|name| Self::Namespace(name.as_str().into())).collect()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all namespaces"),
            Self::Namespace(name) => write!(f, "namespace {name}"),
        }
    }
}

/// What the stream tells of pods. A list can begin again at any time: after an error, or when the API server no longer
/// knows the version that the watch had reached. Then every pod is told again, and who is not told is gone.
#[derive(Clone, Debug)]
pub enum PodEvent {
    /// A list begins.
    ListStarted,
    /// A pod of the list.
    Listed(SlimPod),
    /// The list is complete: pods of this scope that were not in it are gone.
    ListDone,
    /// A pod was added or changed.
    Applied(SlimPod),
    /// A pod was deleted; this is its last state.
    Deleted(SlimPod),
}

impl From<Event<SlimPod>> for PodEvent {
    fn from(event: Event<SlimPod>) -> Self {
        match event {
            Event::Init => Self::ListStarted,
            Event::InitApply(pod) => Self::Listed(pod),
            Event::InitDone => Self::ListDone,
            Event::Apply(pod) => Self::Applied(pod),
            Event::Delete(pod) => Self::Deleted(pod),
        }
    }
}

/// A list or watch failed. The stream goes on by itself, after a pause that grows to 30 s.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch the pods of {scope}; trying again")]
pub struct WatchError {
    /// Which watch.
    pub scope: Scope,
    /// What happened.
    #[source]
    pub source: watcher::Error,
}

impl WatchError {
    /// A bounded word for metrics.
    pub fn category(&self) -> &'static str {
        match self.source {
            watcher::Error::InitialListFailed(_) => "list",
            watcher::Error::WatchStartFailed(_) => "watch_start",
            watcher::Error::WatchError(_) => "watch_refused",
            watcher::Error::WatchFailed(_) => "watch",
            watcher::Error::NoResourceVersion => "no_resource_version",
        }
    }
}

/// One item of the stream.
pub type Watched = Result<(Scope, PodEvent), WatchError>;

/// The pods of the scopes, each watched by itself, until `stop` is cancelled.
///
/// Needs `list` and `watch` on pods in each scope.
pub fn pods(client: &Client, scopes: &[Scope], stop: &CancellationToken) -> BoxStream<'static, Watched> {
    let watches = scopes.iter().map(|scope| pods_of(client.clone(), scope.clone()));
    stream::select_all(watches).take_until(stop.clone().cancelled_owned()).boxed()
}

/// Asks for one pod of a scope: whether its pods could be watched.
///
/// # Errors
/// When they cannot be listed.
pub async fn probe(client: &Client, scope: &Scope) -> Result<(), CallError> {
    let api = pods_in(client.clone(), scope);
    let one = ListParams::default().limit(1);
    call(|| api.list(&one)).await.map(drop)
}

/// Whether the pod of that UID still exists.
///
/// # Errors
/// When it cannot be asked for.
pub async fn exists(client: &Client, namespace: &str, name: &str, uid: &str) -> Result<bool, CallError> {
    let api: Api<SlimPod> = Api::namespaced(client.clone(), namespace);
    let found = call(|| api.get_metadata_opt(name)).await?;
    Ok(found.is_some_and(|pod| pod.metadata.uid.as_deref() == Some(uid)))
}

fn pods_in(client: Client, scope: &Scope) -> Api<SlimPod> {
    match scope {
        Scope::All => Api::all(client),
        Scope::Namespace(name) => Api::namespaced(client, name),
    }
}

/// The pods of one scope. The back-off must stand right after the watcher: only there it sees each failure.
fn pods_of(client: Client, scope: Scope) -> BoxStream<'static, Watched> {
    let api = pods_in(client, &scope);
    let config = watcher::Config::default().page_size(PAGE_SIZE).timeout(WATCH_SECONDS);
    watcher(api, config)
        .default_backoff()
        .map(move |event| match event {
            Ok(event) => Ok((scope.clone(), PodEvent::from(event))),
            Err(source) => Err(WatchError { scope: scope.clone(), source }),
        })
        .boxed()
}
