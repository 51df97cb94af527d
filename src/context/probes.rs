//! What the Events of a namespace say of probes. The list of a namespace's Events is dear, thousands of objects on a bad
//! day, so at most one is made in five seconds, and all terminations that wait share it.
//!
//! Permissions: `events` (core) list, in the namespaces that are watched. Without it probe kills are reported as what
//! the log and the exit say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, Time};
use kube::api::ListParams;
use kube::{Api, Client};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};

use crate::calls::CallError;
use crate::termination::probe::ProbeEvent;

/// How far apart two lists of one namespace are, at least.
pub const LIST_EVERY: Duration = Duration::from_secs(5);
/// How long a namespace is left alone after a list was refused.
const REFUSED_FOR: Duration = Duration::from_secs(300);
/// How long one list may take with all its pages.
const LIST_WITHIN: Duration = Duration::from_secs(10);
/// Events in one page; most are small.
const PAGE: u32 = 200;
/// Most pages of one list: 10,000 Events that are left after the selection below are no help any more.
const PAGES: usize = 20;
/// Lists at the same time, in the whole cluster.
const LISTS: usize = 2;
/// Namespaces whose last list is remembered before those that are over are forgotten.
const NAMESPACES: usize = 64;
/// What a pod has most Events of, and none of which is about a probe.
const NOT_WANTED: &str = "involvedObject.kind=Pod,reason!=Scheduled,reason!=Pulled,reason!=Pulling,reason!=Created,\
                          reason!=Started,reason!=BackOff,reason!=FailedScheduling";

/// An Event as far as it may be about a probe.
#[derive(kube::Resource, Clone, Debug, Default, Deserialize)]
#[resource(inherit = "Event")]
#[serde(rename_all = "camelCase", default)]
struct SlimEvent {
    metadata: ObjectMeta,
    involved_object: ObjectReference,
    reason: Option<String>,
    message: Option<String>,
    first_timestamp: Option<Time>,
    last_timestamp: Option<Time>,
    event_time: Option<MicroTime>,
}

impl SlimEvent {
    fn about_a_probe(&self) -> Option<ProbeEvent> {
        let message = self.message.as_deref().unwrap_or_default();
        let (probe, said, answer) = ProbeEvent::read(self.reason.as_deref()?, message)?;
        let at = self.event_time.as_ref().map(|time| time.0);
        let last = self.last_timestamp.as_ref().map(|time| time.0).or(at)?;
        // `spec.containers{api}`
        let (_, container) = self.involved_object.field_path.as_deref()?.strip_suffix('}')?.split_once('{')?;
        Some(ProbeEvent {
            pod_uid: self.involved_object.uid.clone()?,
            container: container.to_owned(),
            probe,
            said,
            answer: answer.to_owned(),
            first: self.first_timestamp.as_ref().map(|time| time.0).or(at).unwrap_or(last),
            last,
        })
    }
}

/// The last list of a namespace.
#[derive(Default)]
struct Listed {
    at: Option<Instant>,
    refused: Option<Instant>,
    events: Arc<Vec<ProbeEvent>>,
}

/// Lists Events, seldom.
pub struct ProbeEvents {
    client: Client,
    namespaces: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Listed>>>>,
    lists: Semaphore,
}

impl ProbeEvents {
    /// Events behind this client.
    pub fn new(client: Client) -> Self {
        Self { client, namespaces: Mutex::default(), lists: Semaphore::new(LISTS) }
    }

    /// What is said of probes in a namespace, by a list that began no earlier than `since`; waits until one may be made.
    /// `None` if it cannot be had.
    pub async fn since(&self, namespace: &str, since: Instant) -> Option<Arc<Vec<ProbeEvent>>> {
        let listed = self.listed(namespace);
        // Who waits here finds, more often than not, that the one before has listed for both.
        let mut listed = listed.lock().await;
        if listed.refused.is_some_and(|at| at.elapsed() < REFUSED_FOR) {
            return None;
        }
        if listed.at.is_none_or(|at| at < since) {
            let next = listed.at.map_or(since, |at| since.max(at + LIST_EVERY));
            sleep_until(next).await;
            listed.at = Some(Instant::now());
            self.list_into(namespace, &mut listed).await?;
        }
        Some(listed.events.clone())
    }

    fn listed(&self, namespace: &str) -> Arc<tokio::sync::Mutex<Listed>> {
        let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        if namespaces.len() > NAMESPACES {
            namespaces
                .retain(|_, listed| Arc::strong_count(listed) > 1 || listed.try_lock().is_ok_and(|it| it.counts()));
        }
        namespaces.entry(namespace.to_owned()).or_default().clone()
    }

    async fn list_into(&self, namespace: &str, listed: &mut Listed) -> Option<()> {
        let _one_of_few = self.lists.acquire().await.ok()?;
        match timeout(LIST_WITHIN, self.list(namespace)).await {
            Ok(Ok(events)) => {
                listed.events = Arc::new(events);
                Some(())
            }
            Ok(Err(error)) => {
                if error.category() == "forbidden" {
                    listed.refused = Some(Instant::now());
                }
                tracing::warn!(namespace, %error, "cannot list events, so a probe kill is not told from another end");
                None
            }
            Err(_) => {
                tracing::warn!(namespace, "the list of events took too long: probe kills may not be told");
                None
            }
        }
    }

    async fn list(&self, namespace: &str) -> Result<Vec<ProbeEvent>, CallError> {
        let api: Api<SlimEvent> = Api::namespaced(self.client.clone(), namespace);
        let mut page = ListParams::default().fields(NOT_WANTED).limit(PAGE);
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let events = api.list(&page).await?;
            found.extend(events.items.iter().filter_map(SlimEvent::about_a_probe));
            match events.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => break,
            }
        }
        Ok(found)
    }
}

impl Listed {
    /// Whether it still keeps the next list waiting.
    fn counts(&self) -> bool {
        let refused = self.refused.is_some_and(|at| at.elapsed() < REFUSED_FOR);
        refused || self.at.is_some_and(|at| at.elapsed() < LIST_EVERY)
    }
}
