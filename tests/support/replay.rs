//! Recordings of a kubelet: what is read of them, how they are replayed, and the lines of their golden files.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use coroner::termination::{Detector, Termination, Verdict};
use coroner::watch::SlimPod;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What tells one termination from all others: the pod's UID, the container, the instance.
pub type Instance = (String, String, String);

/// One line of `pods.watch.jsonl`.
#[derive(Clone, Deserialize)]
pub struct Event {
    pub recv: Timestamp,
    r#type: String,
    pub object: SlimPod,
}

impl Event {
    pub fn uid(&self) -> &str {
        self.object.metadata.uid.as_deref().unwrap()
    }

    pub fn deleted(&self) -> bool {
        self.r#type == "DELETED"
    }
}

/// A folder of recordings below `tests/`.
pub struct Recordings(pub &'static str);

impl Recordings {
    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(self.0)
    }

    /// The names of all, at least so many.
    pub fn names(&self, least: usize) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert!(names.len() >= least, "recordings are missing: {names:?}");
        names
    }

    /// The lines of a file, each decoded.
    pub fn lines<T: DeserializeOwned>(&self, name: &str, file: &str) -> Vec<T> {
        let text = fs::read_to_string(self.folder().join(name).join(file)).unwrap();
        let decoded = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}/{file}: {error}"));
        text.lines().map(decoded).collect()
    }

    /// Every container ID that a terminated record of a watch names, read without the code under test.
    pub fn instances(&self, name: &str) -> BTreeSet<Instance> {
        let events: Vec<Value> = self.lines(name, "pods.watch.jsonl");
        let statuses = events.iter().flat_map(|event| {
            let lists = ["initContainerStatuses", "containerStatuses"].map(|list| &event["object"]["status"][list]);
            let uid = &event["object"]["metadata"]["uid"];
            lists.into_iter().filter_map(Value::as_array).flatten().map(move |status| (uid, status))
        });
        let records = statuses.flat_map(|(uid, status)| {
            let ids = ["state", "lastState"].map(|state| &status[state]["terminated"]["containerID"]);
            ids.into_iter().filter_map(Value::as_str).map(move |id| (uid, &status["name"], id.to_owned()))
        });
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        records.map(|(uid, container, id)| (text(uid), text(container), id)).collect()
    }

    /// Compares what was found with what was checked by hand; `UPDATE_GOLDEN=1` writes it anew.
    pub fn assert_golden(&self, name: &str, text: &str) {
        let path = self.folder().join(name).join("terminations.golden");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, text).unwrap();
        }
        let golden = fs::read_to_string(&path).expect("run once with UPDATE_GOLDEN=1 and check the new file by hand");
        assert_eq!(text, golden, "{name}: terminations differ from {}", path.display());
    }
}

/// Replays a recording, and at its end lets the startup grace pass.
pub fn replay(detector: &mut Detector, events: &[Event]) -> Vec<Termination> {
    let mut found = Vec::new();
    for event in events {
        found.extend(detector.due(event.recv));
        found.extend(detector.observe(&event.object, event.deleted(), event.recv));
    }
    let end = events.last().unwrap().recv;
    found.extend(detector.due(end + SignedDuration::from_mins(3)));
    found
}

/// The instances among terminations, each of which must have been found once only.
pub fn distinct(name: &str, found: &[Termination]) -> BTreeSet<Instance> {
    let identified = |it: &Termination| Some((it.pod.uid.clone(), it.container.clone(), it.container_id.clone()?));
    let all: Vec<Instance> = found.iter().filter_map(identified).collect();
    let distinct: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(all.len(), distinct.len(), "{name}: a termination was found twice");
    distinct
}

/// What a golden line says of a termination itself.
pub fn golden_start(t: &Termination) -> String {
    let id = t.container_id.as_deref().unwrap_or("-");
    let short_id: String = id.rsplit('/').next().unwrap().chars().take(6).collect();
    format!(
        "{pod}/{container} {kind:?} rc={rc} id={short_id} {seen:?} {reason}/{exit} stated={stated} \
         stopping={stopping} unseen={unseen}",
        pod = t.pod.name,
        container = t.container,
        kind = t.kind,
        rc = t.restart_count,
        seen = t.seen_in,
        reason = t.reason.as_deref().unwrap_or("-"),
        exit = t.exit_code.map_or_else(|| "-".into(), |code| code.to_string()),
        stated = debug_or_dash(&t.stated),
        stopping = debug_or_dash(&t.pod.stopping),
        unseen = t.unseen,
    )
}

pub fn debug_or_dash(value: &Option<impl Debug>) -> String {
    value.as_ref().map_or_else(|| "-".into(), |value| format!("{value:?}"))
}

pub fn verdict_word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Report { notify: true } => "report".into(),
        Verdict::Report { notify: false } => "report-quietly".into(),
        Verdict::Ignore(why) => format!("ignore:{}", why.as_str()),
    }
}
