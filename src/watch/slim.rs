//! A pod as far as a termination needs it.
//!
//! A full pod of 12 KB decodes into 106 KB of heap, most of it `managedFields`; this one into about 4 KB, five times
//! as fast. Every field is optional and lenient: see [`lenient`].

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::lenient;

/// The label by which pods without a known controller are grouped.
pub const APP_NAME_LABEL: &str = "app.kubernetes.io/name";
/// The labels that name the revision of a workload that a pod belongs to, the more usual one first.
pub const REVISION_LABELS: [&str; 2] = ["pod-template-hash", "controller-revision-hash"];
/// Labels and annotations for Coroner itself, e.g. `coroner.dev/mute`.
pub const OWN_PREFIX: &str = "coroner.dev/";

/// A pod, without all that says nothing of how its containers end.
#[derive(kube::Resource, Clone, Debug, Default, Deserialize)]
#[resource(inherit = "Pod")]
pub struct SlimPod {
    /// Names, owner, deletion, and the few labels and annotations that are used.
    #[serde(default, deserialize_with = "slim_meta")]
    pub metadata: ObjectMeta,
    /// How the pod and its containers are restarted.
    #[serde(default, deserialize_with = "lenient::object")]
    pub spec: SlimSpec,
    /// What became of them.
    #[serde(default, deserialize_with = "lenient::object")]
    pub status: SlimStatus,
}

impl kube::api::Log for SlimPod {}

/// `spec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SlimSpec {
    /// `Always`, `OnFailure` or `Never`.
    #[serde(deserialize_with = "lenient::text")]
    pub restart_policy: Option<String>,
    /// The node it is bound to.
    #[serde(deserialize_with = "lenient::text")]
    pub node_name: Option<String>,
    /// How many seconds after `status.startTime` the kubelet ends the pod.
    #[serde(deserialize_with = "lenient::integer")]
    pub active_deadline_seconds: Option<i64>,
    /// The regular containers.
    #[serde(deserialize_with = "lenient::list")]
    pub containers: Vec<SlimContainer>,
    /// The init containers and sidecars.
    #[serde(deserialize_with = "lenient::list")]
    pub init_containers: Vec<SlimContainer>,
}

/// A container of the spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SlimContainer {
    /// Its name.
    #[serde(deserialize_with = "lenient::string")]
    pub name: String,
    /// Its own restart policy: `Always` makes an init container a sidecar.
    #[serde(deserialize_with = "lenient::text")]
    pub restart_policy: Option<String>,
    /// By which the kubelet kills it when it no longer answers.
    #[serde(deserialize_with = "lenient::optional")]
    pub liveness_probe: Option<Probe>,
    /// By which the kubelet kills it when it does not come up.
    #[serde(deserialize_with = "lenient::optional")]
    pub startup_probe: Option<Probe>,
}

/// A probe; only that there is one matters.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Probe {}

/// `status`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SlimStatus {
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    #[serde(deserialize_with = "lenient::text")]
    pub phase: Option<String>,
    /// One word why the pod is as it is: `Evicted`, `DeadlineExceeded`, `Terminated`…
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Option<String>,
    /// The same in a sentence.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// When the kubelet took it on.
    #[serde(deserialize_with = "lenient::time")]
    pub start_time: Option<Timestamp>,
    /// Only `DisruptionTarget` is kept.
    #[serde(deserialize_with = "disruptions")]
    pub conditions: Vec<SlimCondition>,
    /// The regular containers.
    #[serde(deserialize_with = "lenient::list")]
    pub container_statuses: Vec<ContainerStatus>,
    /// The init containers and sidecars.
    #[serde(deserialize_with = "lenient::list")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// The ephemeral containers.
    #[serde(deserialize_with = "lenient::list")]
    pub ephemeral_container_statuses: Vec<ContainerStatus>,
}

/// A condition of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SlimCondition {
    /// Which one.
    #[serde(rename = "type", deserialize_with = "lenient::string")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "lenient::string")]
    pub status: String,
    /// One word why.
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Option<String>,
    /// The same in a sentence.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// Since when.
    #[serde(deserialize_with = "lenient::time")]
    pub last_transition_time: Option<Timestamp>,
}

/// The status of one container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// Its name.
    #[serde(deserialize_with = "lenient::string")]
    pub name: String,
    /// How often it was restarted.
    #[serde(deserialize_with = "lenient::count")]
    pub restart_count: i32,
    /// The image.
    #[serde(deserialize_with = "lenient::string")]
    pub image: String,
    /// Its digest.
    #[serde(rename = "imageID", deserialize_with = "lenient::string")]
    pub image_id: String,
    /// The latest instance.
    #[serde(rename = "containerID", deserialize_with = "lenient::text")]
    pub container_id: Option<String>,
    /// What the latest instance does.
    #[serde(deserialize_with = "lenient::object")]
    pub state: ContainerState,
    /// How the one before it ended, or the latest one itself until it is restarted.
    #[serde(deserialize_with = "lenient::object")]
    pub last_state: ContainerState,
}

/// At most one of the three.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ContainerState {
    /// It runs.
    #[serde(deserialize_with = "lenient::optional")]
    pub running: Option<Running>,
    /// It ended.
    #[serde(deserialize_with = "lenient::optional")]
    pub terminated: Option<Terminated>,
    /// It is not started yet, or not again.
    #[serde(deserialize_with = "lenient::optional")]
    pub waiting: Option<Waiting>,
}

/// A container that runs.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Running {}

/// A container that waits.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Waiting {
    /// One word why.
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Option<String>,
    /// The same in a sentence.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
}

/// How an instance ended.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terminated {
    /// The exit code.
    #[serde(deserialize_with = "lenient::count")]
    pub exit_code: i32,
    /// The signal; containerd never sets it.
    #[serde(deserialize_with = "lenient::integer")]
    pub signal: Option<i64>,
    /// One word why.
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Option<String>,
    /// The termination message.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// When it started; `None` where the kubelet gives the epoch.
    #[serde(deserialize_with = "lenient::time")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(deserialize_with = "lenient::time")]
    pub finished_at: Option<Timestamp>,
    /// The instance.
    #[serde(rename = "containerID", deserialize_with = "lenient::text")]
    pub container_id: Option<String>,
}

/// Conditions but `DisruptionTarget` change with every probe and say nothing of an end.
fn disruptions<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SlimCondition>, D::Error> {
    let mut conditions: Vec<SlimCondition> = lenient::list(from)?;
    conditions.retain(|condition| condition.kind == "DisruptionTarget");
    Ok(conditions)
}

/// `metadata` as the JSON has it, before it becomes an `ObjectMeta`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SlimMeta {
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    namespace: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    uid: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    resource_version: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    generate_name: Option<String>,
    #[serde(deserialize_with = "lenient::time")]
    deletion_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::integer")]
    deletion_grace_period_seconds: Option<i64>,
    #[serde(deserialize_with = "lenient::list")]
    owner_references: Vec<SlimOwner>,
    #[serde(deserialize_with = "labels")]
    labels: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "annotations")]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SlimOwner {
    #[serde(deserialize_with = "lenient::string")]
    api_version: String,
    #[serde(deserialize_with = "lenient::string")]
    kind: String,
    #[serde(deserialize_with = "lenient::string")]
    name: String,
    #[serde(deserialize_with = "lenient::string")]
    uid: String,
    #[serde(deserialize_with = "lenient::flag")]
    controller: bool,
}

impl From<SlimOwner> for OwnerReference {
    fn from(owner: SlimOwner) -> Self {
        let SlimOwner { api_version, kind, name, uid, controller } = owner;
        Self { api_version, kind, name, uid, controller: Some(controller), block_owner_deletion: None }
    }
}

fn labels<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    lenient::entries(from, |key| key == APP_NAME_LABEL || REVISION_LABELS.contains(&key) || key.starts_with(OWN_PREFIX))
}

fn annotations<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    lenient::entries(from, |key| key.starts_with(OWN_PREFIX))
}

fn slim_meta<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectMeta, D::Error> {
    let meta: SlimMeta = lenient::object(from)?;
    let controllers = meta.owner_references.into_iter().filter(|owner| owner.controller);
    Ok(ObjectMeta {
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        resource_version: meta.resource_version,
        generate_name: meta.generate_name,
        deletion_timestamp: meta.deletion_timestamp.map(Time),
        deletion_grace_period_seconds: meta.deletion_grace_period_seconds,
        owner_references: Some(controllers.map(OwnerReference::from).collect()),
        labels: meta.labels,
        annotations: meta.annotations,
        ..ObjectMeta::default()
    })
}
