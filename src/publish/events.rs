//! Warning Events, as `kubectl describe pod` shows them: core/v1, with names of our own making, counted in place.
//!
//! In `events.k8s.io/v1` the API server refuses to change a note, and then the first death's words would stand beside
//! the hundredth. Nothing is read: an Event that exists already, from before a restart, answers the create with a
//! conflict, and the patch that follows gives its count.
//!
//! Permissions: `events` (core) create, patch, in the namespaces that are watched.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ObjectMeta, Patch, PatchParams, PostParams};
use tokio::sync::Mutex;

use crate::calls::{CallError, call};
use crate::report::text::cut;
use crate::report::{Counted, Workload, hex_hash};
use crate::termination::ContainerKind;

/// Longest message: what `events.k8s.io/v1` takes as a note, so that every reader of Events can hold it.
const MESSAGE_BYTES: usize = 1024;
/// Longest name of an object: a DNS subdomain.
const NAME_BYTES: usize = 253;
/// Hexadecimal digits in the name of an Event.
const HASH_DIGITS: usize = 16;
/// Who reports.
const COMPONENT: &str = "coroner";
/// Events whose count is remembered; one that is forgotten costs two calls more.
const REMEMBERED: usize = 4096;
/// Objects that can be written to at the same time; Events of one object are written one after the other.
const STRIPES: usize = 32;

/// An Event to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct EventNote {
    /// What it is about.
    pub object: ObjectReference,
    /// The finding's reason.
    pub reason: String,
    /// What happened, in words.
    pub message: String,
    /// When it happened.
    pub at: Timestamp,
    /// How many times it happened since the last note about it; at least 1.
    pub times: i32,
    /// What tells it from other Events of the same object and reason: the report's name.
    pub about: String,
}

impl EventNote {
    /// The Event on the pod of a termination.
    pub fn on_pod(counted: &Counted, report: &str) -> Self {
        let termination = &counted.termination;
        let list = match termination.kind {
            ContainerKind::Regular => "containers",
            ContainerKind::Init | ContainerKind::Sidecar => "initContainers",
            ContainerKind::Ephemeral => "ephemeralContainers",
        };
        let object = ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            namespace: Some(termination.pod.namespace.clone()),
            name: Some(termination.pod.name.clone()),
            uid: Some(termination.pod.uid.clone()),
            field_path: Some(format!("spec.{list}{{{}}}", termination.container)),
            resource_version: None,
        };
        Self::on(object, counted, report, "")
    }

    /// The Event on the workload of a termination; none for pods that have no controller.
    pub fn on_workload(counted: &Counted, report: &str) -> Option<Self> {
        let Workload { api_version, kind, name, uid } = &counted.workload;
        if kind == "Pod" {
            return None;
        }
        let object = ObjectReference {
            api_version: Some(api_version.clone()),
            kind: Some(kind.clone()),
            namespace: Some(counted.termination.pod.namespace.clone()),
            name: Some(name.clone()),
            uid: uid.clone(),
            field_path: None,
            resource_version: None,
        };
        let whose = format!("pod {}, container {}: ", counted.termination.pod.name, counted.termination.container);
        Some(Self::on(object, counted, report, &whose))
    }

    fn on(object: ObjectReference, counted: &Counted, report: &str, whose: &str) -> Self {
        Self {
            object,
            reason: counted.classification.finding.reason.as_str().to_owned(),
            message: message(counted, report, whose),
            at: counted.ended_at(),
            times: 1,
            about: report.to_owned(),
        }
    }

    /// The same for the same object, container, reason and report; another one for anything else.
    fn name(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let ObjectReference { uid, field_path, name, kind, .. } = &self.object;
        let parts = [&text(kind), &text(uid), &text(field_path), &self.reason, &self.about];
        let hash = hex_hash(&parts.map(String::as_str), HASH_DIGITS);
        let name = text(name);
        format!("{}.{hash}", cut(&name, NAME_BYTES - HASH_DIGITS - 1).trim_end_matches(['.', '-']))
    }

    fn event(&self, reporter: &str) -> Event {
        let at = Some(Time(self.at));
        Event {
            metadata: ObjectMeta {
                name: Some(self.name()),
                namespace: self.object.namespace.clone(),
                ..ObjectMeta::default()
            },
            involved_object: self.object.clone(),
            reason: Some(self.reason.clone()),
            message: Some(self.message.clone()),
            type_: Some("Warning".into()),
            count: Some(self.times),
            first_timestamp: at.clone(),
            last_timestamp: at,
            source: Some(EventSource { component: Some(COMPONENT.into()), host: None }),
            reporting_component: Some(COMPONENT.into()),
            reporting_instance: Some(reporter.to_owned()),
            ..Event::default()
        }
    }

    fn patch(&self, count: Option<i32>) -> serde_json::Value {
        let mut patch = serde_json::json!({ "lastTimestamp": Time(self.at), "message": self.message });
        if let Some(count) = count {
            patch["count"] = count.into();
        }
        patch
    }
}

/// What happened and where to read on. The command stays whole: what is cut is the quoted message.
fn message(counted: &Counted, report: &str, whose: &str) -> String {
    let finding = &counted.classification.finding;
    let culprit = finding.culprit.as_ref().map(|culprit| culprit.short()).filter(|text| !text.is_empty());
    let place = culprit.map(|culprit| format!(" at {culprit}")).unwrap_or_default();
    let namespace = &counted.termination.pod.namespace;
    let tail = format!("{place} (report {report}; kubectl -n {namespace} describe crash {report})");
    let said = if finding.message.is_empty() { finding.reason.as_str() } else { &finding.message };
    let room = MESSAGE_BYTES.saturating_sub(whose.len() + tail.len());
    let whole = format!("{whose}{}{tail}", cut(said, room).trim_end());
    cut(&whole, MESSAGE_BYTES).to_owned()
}

/// Writes Events.
pub struct EventWriter {
    client: Client,
    reporter: String,
    /// Counts by name of the Event; which lock guards it is decided by the name.
    counts: Vec<Mutex<HashMap<String, i32>>>,
}

impl EventWriter {
    /// A writer that signs with `reporter`, usually the pod's name.
    pub fn new(client: Client, reporter: &str) -> Self {
        let counts = (0..STRIPES).map(|_| Mutex::default()).collect();
        Self { client, reporter: reporter.to_owned(), counts }
    }

    /// Writes an Event, or counts in the one that there is. It is only ever a copy of what the report says: a failure is
    /// for the log, and nothing is tried again later.
    ///
    /// # Errors
    /// When a call failed for good. Not when the pod's namespace is going away.
    pub async fn publish(&self, note: &EventNote) -> Result<(), CallError> {
        let name = note.name();
        let api: Api<Event> =
            Api::namespaced(self.client.clone(), note.object.namespace.as_deref().unwrap_or("default"));
        let mut counts = self.counts[stripe(&name)].lock().await;
        let known = counts.get(&name).copied();
        let written = match known {
            Some(count) => self.count(&api, &name, note, count).await,
            None => self.create(&api, &name, note).await,
        };
        match written {
            Ok(count) => {
                if counts.len() >= REMEMBERED / STRIPES {
                    counts.clear();
                }
                counts.insert(name, count);
                Ok(())
            }
            Err(error) if error.is_namespace_gone() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Creates the Event; one that exists already is counted in.
    async fn create(&self, api: &Api<Event>, name: &str, note: &EventNote) -> Result<i32, CallError> {
        let (params, event) = (PostParams::default(), note.event(&self.reporter));
        match call(|| api.create(&params, &event)).await {
            Ok(_) => Ok(note.times),
            Err(error) if error.is_conflict() => {
                let found = patch(api, name, &note.patch(None)).await?;
                let count = found.count.unwrap_or(0).saturating_add(note.times);
                patch(api, name, &note.patch(Some(count))).await?;
                Ok(count)
            }
            Err(error) => Err(error),
        }
    }

    /// Counts in an Event that was written before; one that has expired is created anew.
    async fn count(&self, api: &Api<Event>, name: &str, note: &EventNote, count: i32) -> Result<i32, CallError> {
        let count = count.saturating_add(note.times);
        match patch(api, name, &note.patch(Some(count))).await {
            Ok(_) => Ok(count),
            Err(error) if error.is_not_found() => self.create(api, name, note).await,
            Err(error) => Err(error),
        }
    }
}

async fn patch(api: &Api<Event>, name: &str, patch: &serde_json::Value) -> Result<Event, CallError> {
    let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
    call(|| api.patch(name, &params, &patch)).await
}

fn stripe(name: &str) -> usize {
    name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % STRIPES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{crash, with};

    #[test]
    fn a_note_says_what_where_and_how_to_read_on() {
        let note = EventNote::on_pod(&crash("checkout-1", 0, 10, 1), "checkout-api-1");
        assert_eq!(
            note.message,
            "fatal error: concurrent map writes at cache.go:28 \
             (report checkout-api-1; kubectl -n shop describe crash checkout-api-1)"
        );
        assert_eq!(note.object.field_path.as_deref(), Some("spec.containers{api}"));
        let sidecar = with(crash("checkout-1", 0, 10, 1), |t| t.kind = ContainerKind::Sidecar);
        let note = EventNote::on_pod(&sidecar, "r");
        assert_eq!(note.object.field_path.as_deref(), Some("spec.initContainers{api}"));
    }

    #[test]
    fn a_note_on_the_workload_says_which_pod() {
        let note = EventNote::on_workload(&crash("checkout-1", 0, 10, 1), "checkout-api-1");
        let message = note.as_ref().map(|note| note.message.as_str()).unwrap_or_default();
        assert!(message.starts_with("pod checkout-1, container api: fatal error: concurrent map writes"), "{message}");
        assert_eq!(note.and_then(|note| note.object.kind).as_deref(), Some("Deployment"));
        let mut bare = crash("checkout-1", 0, 10, 1);
        bare.workload.kind = "Pod".into();
        assert_eq!(EventNote::on_workload(&bare, "r"), None);
    }

    #[test]
    fn a_long_message_is_cut_on_a_character_border_and_the_command_stays() {
        for extra in 0..4 {
            let mut counted = crash("checkout-1", 0, 10, 1);
            counted.classification.finding.message = format!("{}{}", "x".repeat(extra), "日本".repeat(300));
            let note = EventNote::on_pod(&counted, "checkout-api-1");
            assert!(note.message.len() <= MESSAGE_BYTES);
            assert!(note.message.ends_with("describe crash checkout-api-1)"));
        }
    }

    #[test]
    fn an_event_has_one_name_for_each_container_reason_and_report() {
        let name = |counted: &Counted, report: &str| EventNote::on_pod(counted, report).name();
        let base = crash("checkout-1", 0, 10, 1);
        assert_eq!(name(&base, "r"), name(&crash("checkout-1", 5, 99, 1), "r"));
        assert_ne!(name(&base, "r"), name(&base, "s"));
        assert_ne!(name(&base, "r"), name(&with(base.clone(), |t| t.container = "other".into()), "r"));
        assert!(name(&crash(&"p".repeat(253), 0, 10, 1), "r").len() <= NAME_BYTES);
    }
}
