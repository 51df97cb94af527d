//! The objects, and every change to them.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};

use super::path::Target;
use super::{Answer, ok, refusal};

/// Resources whose status is a subresource.
const WITH_STATUS: &[&str] = &["crashreports", "pods"];

/// Resource, namespace, name.
type Key = (String, String, String);
/// Namespace, pod, container, previous.
type LogKey = (String, String, String, bool);

/// One change, as a watch tells it.
#[derive(Clone)]
pub struct Change {
    pub version: u64,
    pub kind: &'static str,
    pub resource: String,
    pub object: Value,
}

/// Everything that is stored.
#[derive(Default)]
pub struct Store {
    objects: BTreeMap<Key, Value>,
    pub history: Vec<Change>,
    pub version: u64,
    /// Changes up to here are forgotten.
    pub compacted: u64,
    pub terminating: BTreeSet<String>,
    pub logs: BTreeMap<LogKey, (u16, String)>,
}

impl Store {
    pub fn serve(&mut self, method: &Method, target: &Target, body: &Value) -> Answer {
        let served = match (method.as_str(), &target.name) {
            ("GET", Some(name)) => self.get(target, name),
            ("GET", None) => Ok(self.list(target)),
            ("POST", None) => self.create(target, body.clone()),
            ("PUT", Some(name)) => self.replace(target, name, body),
            ("PATCH", Some(name)) => self.patch(target, name, body),
            ("DELETE", Some(name)) => self.delete_if(target, name, &body["preconditions"]),
            _ => {
                Err(refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource"))
            }
        };
        served.map_or_else(|refusal| refusal, ok)
    }

    pub fn all(&self, resource: &str) -> Vec<Value> {
        self.objects.iter().filter(|((kind, ..), _)| kind == resource).map(|(_, object)| object.clone()).collect()
    }

    /// Stores an object as it is.
    pub fn put(&mut self, resource: &str, mut object: Value) {
        let meta = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let key = (resource.to_owned(), meta("namespace"), meta("name"));
        let kind = if self.objects.contains_key(&key) { "MODIFIED" } else { "ADDED" };
        if meta("uid").is_empty() {
            object["metadata"]["uid"] = json!(format!("uid-{}", self.version + 1));
        }
        self.commit(kind, key, object);
    }

    pub fn compact(&mut self) {
        self.compacted = self.version;
        self.history.clear();
    }

    pub fn bookmark(&mut self, resource: &str) {
        self.record("BOOKMARK", resource, json!({ "metadata": {} }));
    }

    fn get(&self, target: &Target, name: &str) -> Result<Value, Answer> {
        self.objects.get(&key(target, name)).cloned().ok_or_else(|| not_found(&target.resource, name))
    }

    fn list(&self, target: &Target) -> Value {
        let matching: Vec<&Value> = self
            .objects
            .iter()
            .filter(|((resource, ..), object)| *resource == target.resource && selects(target, object))
            .map(|(_, object)| object)
            .collect();
        let number = |key: &str, default: usize| target.query(key).and_then(|it| it.parse().ok()).unwrap_or(default);
        let from = number("continue", 0).min(matching.len());
        let to = from.saturating_add(number("limit", usize::MAX)).min(matching.len());
        let mut meta = json!({ "resourceVersion": self.version.to_string() });
        if to < matching.len() {
            meta["continue"] = json!(to.to_string());
        }
        json!({ "apiVersion": target.api_version, "kind": "List", "metadata": meta, "items": matching[from..to] })
    }

    fn create(&mut self, target: &Target, mut object: Value) -> Result<Value, Answer> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if self.terminating.contains(&target.namespace) {
            return Err(terminating(&target.resource, &name, &target.namespace));
        }
        let key = key(target, &name);
        if self.objects.contains_key(&key) {
            return Err(refusal(409, "AlreadyExists", &format!("{} {name:?} already exists", target.resource)));
        }
        if WITH_STATUS.contains(&target.resource.as_str()) {
            remove(&mut object, "status");
        }
        let meta = &mut object["metadata"];
        meta["namespace"] = json!(target.namespace);
        meta["uid"] = json!(format!("uid-{}", self.version + 1));
        meta["generation"] = json!(1);
        meta["creationTimestamp"] = json!("2026-11-25T00:00:00Z");
        Ok(self.commit("ADDED", key, object))
    }

    fn replace(&mut self, target: &Target, name: &str, body: &Value) -> Result<Value, Answer> {
        let current = self.get(target, name)?;
        check_preconditions(target, name, &current, &body["metadata"])?;
        let next = merged(target, &current, body.clone());
        Ok(self.commit("MODIFIED", key(target, name), next))
    }

    fn patch(&mut self, target: &Target, name: &str, patch: &Value) -> Result<Value, Answer> {
        let current = self.get(target, name)?;
        let mut patched = current.clone();
        merge_patch(&mut patched, patch);
        check_preconditions(target, name, &current, &patched["metadata"])?;
        let next = merged(target, &current, patched);
        Ok(self.commit("MODIFIED", key(target, name), next))
    }

    fn delete_if(&mut self, target: &Target, name: &str, preconditions: &Value) -> Result<Value, Answer> {
        let current = self.get(target, name)?;
        let differs = |field: &str| preconditions[field].as_str().is_some_and(|it| current["metadata"][field] != it);
        if differs("uid") || differs("resourceVersion") {
            let message =
                format!("Operation cannot be fulfilled on {} {name:?}: the precondition failed", target.resource);
            return Err(refusal(409, "Conflict", &message));
        }
        self.delete(&target.resource, &target.namespace, name)
    }

    pub fn delete(&mut self, resource: &str, namespace: &str, name: &str) -> Result<Value, Answer> {
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        let object = self.objects.remove(&key).ok_or_else(|| not_found(resource, name))?;
        self.record("DELETED", resource, object);
        Ok(json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" }))
    }

    fn commit(&mut self, kind: &'static str, key: Key, object: Value) -> Value {
        let object = self.record(kind, &key.0.clone(), object);
        self.objects.insert(key, object.clone());
        object
    }

    fn record(&mut self, kind: &'static str, resource: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let change = Change { version: self.version, kind, resource: resource.to_owned(), object: object.clone() };
        self.history.push(change);
        object
    }
}

/// Whether an object is in the list, or in the watch, that a request asks for.
pub fn selects(target: &Target, object: &Value) -> bool {
    let meta = &object["metadata"];
    let in_namespace = target.namespace.is_empty() || meta["namespace"] == target.namespace.as_str();
    let label = |term: &str| match term.split_once('=') {
        Some((key, value)) => meta["labels"][key] == value.trim_start_matches('='),
        None => !meta["labels"][term].is_null(),
    };
    let field = |term: &str| match term.split_once('=') {
        Some(("metadata.name", value)) => meta["name"] == value,
        Some(("metadata.namespace", value)) => meta["namespace"] == value,
        Some(("involvedObject.kind", value)) => object["involvedObject"]["kind"] == value,
        Some(("reason!", value)) => object["reason"] != value,
        _ => panic!("the fake API server knows no field selector {term:?}"),
    };
    let all = |selector: Option<String>, holds: &dyn Fn(&str) -> bool| {
        selector.is_none_or(|selector| selector.split(',').all(holds))
    };
    in_namespace && all(target.query("labelSelector"), &label) && all(target.query("fieldSelector"), &field)
}

fn key(target: &Target, name: &str) -> Key {
    (target.resource.clone(), target.namespace.clone(), name.to_owned())
}

fn not_found(resource: &str, name: &str) -> Answer {
    let mut answer = refusal(404, "NotFound", &format!("{resource} {name:?} not found"));
    answer.body["details"] = json!({ "name": name, "kind": resource });
    answer
}

fn terminating(resource: &str, name: &str, namespace: &str) -> Answer {
    let why = format!("namespace {namespace} is being terminated");
    let message = format!("{resource} {name:?} is forbidden: unable to create new content in {why}");
    let mut answer = refusal(403, "Forbidden", &message);
    answer.body["details"] = json!({
        "name": name, "kind": resource,
        "causes": [{ "reason": "NamespaceTerminating", "message": why, "field": "metadata.namespace" }],
    });
    answer
}

/// Refuses a write over another version than the one that was read. A custom resource must name the version.
fn check_preconditions(target: &Target, name: &str, current: &Value, meta: &Value) -> Result<(), Answer> {
    let version = meta["resourceVersion"].as_str().unwrap_or_default();
    if version.is_empty() && target.api_version.contains('.') {
        let message = format!(
            "{} {name:?} is invalid: metadata.resourceVersion: must be specified for an update",
            target.resource
        );
        return Err(refusal(422, "Invalid", &message));
    }
    let stale = !version.is_empty() && current["metadata"]["resourceVersion"] != version;
    let other = meta["uid"].as_str().is_some_and(|uid| !uid.is_empty() && current["metadata"]["uid"] != uid);
    if stale || other {
        let message =
            format!("Operation cannot be fulfilled on {} {name:?}: the object has been modified", target.resource);
        return Err(refusal(409, "Conflict", &message));
    }
    Ok(())
}

/// What is stored of a write: only the status, or all but the status, where that is a subresource.
fn merged(target: &Target, current: &Value, mut next: Value) -> Value {
    if target.subresource.as_deref() == Some("status") {
        let mut merged = current.clone();
        merged["status"] = next["status"].take();
        return merged;
    }
    for field in ["uid", "creationTimestamp", "namespace", "name", "generation"] {
        next["metadata"][field] = current["metadata"][field].clone();
    }
    if WITH_STATUS.contains(&target.resource.as_str()) {
        remove(&mut next, "status");
        if let Some(status) = current.get("status") {
            next["status"] = status.clone();
        }
    }
    if next["spec"] != current["spec"] {
        next["metadata"]["generation"] = json!(current["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
    }
    next
}

fn remove(object: &mut Value, field: &str) {
    if let Some(object) = object.as_object_mut() {
        object.remove(field);
    }
}

/// A JSON merge patch (RFC 7396).
fn merge_patch(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            remove(target, key);
        } else {
            merge_patch(&mut target[key.as_str()], value);
        }
    }
}
