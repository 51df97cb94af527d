//! Containers that cannot even be created: told once each, and only when it lasts.

use std::collections::{BTreeSet, HashMap};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::Termination;
use super::history::PodKey;
use super::record::containers;
use crate::classify::Stated;
use crate::watch::SlimPod;
use crate::watch::slim::ContainerState;

/// What a waiting reason says of the start of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It cannot be created.
    Failing(Stated),
    /// It is on its way: says nothing of an earlier failure.
    Underway,
    /// It got further than that.
    Created,
}

/// Reads the progress from a container's state.
pub(super) fn progress(state: &ContainerState) -> Progress {
    let Some(waiting) = &state.waiting else { return Progress::Created };
    match waiting.reason.as_deref().unwrap_or_default() {
        "CreateContainerConfigError" => Progress::Failing(Stated::MissingConfiguration),
        "ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "InvalidImageName"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed" => Progress::Failing(Stated::ImageUnavailable),
        "" | "ContainerCreating" | "PodInitializing" => Progress::Underway,
        _ => Progress::Created,
    }
}

/// Whether a container of a pod cannot be created, as its status stands.
pub fn fails_to_start(pod: &SlimPod, container: &str) -> bool {
    let own = containers(pod).find(|placed| placed.status.name == container);
    let progress = own.map(|placed| progress(&placed.status.state));
    // One that is on its way again has not got there yet.
    !matches!(progress, Some(Progress::Created))
}

/// The containers that fail to start.
#[derive(Debug, Default)]
pub(super) struct Startups {
    pods: HashMap<PodKey, Vec<Failing>>,
    due: BTreeSet<(Timestamp, PodKey, u64)>,
    /// Something that was told no longer holds.
    cleared: bool,
}

#[derive(Debug)]
struct Failing {
    container: u64,
    stated: Stated,
    since: Timestamp,
    /// When it is to be told; `None` once it was.
    due: Option<Timestamp>,
    /// What is to be told; `None` once it was.
    termination: Option<Box<Termination>>,
}

impl Startups {
    /// Whether any container of the pod failed to start at the last look.
    pub fn any(&self, pod: PodKey) -> bool {
        self.pods.contains_key(&pod)
    }

    /// The container failed to start at this look too. `termination` is what to tell if it lasts.
    pub fn fails(
        &mut self,
        pod: PodKey,
        container: u64,
        termination: Termination,
        now: Timestamp,
        grace: SignedDuration,
    ) {
        let Some(stated) = termination.stated else { return };
        let failing = self.pods.entry(pod).or_default();
        match failing.iter_mut().find(|failing| failing.container == container && failing.stated == stated) {
            Some(known) if known.due.is_some() => {
                known.termination = Some(Box::new(Termination { finished_at: Some(known.since), ..termination }));
            }
            Some(_) => {}
            None => {
                self.created(pod, container);
                let due = now.saturating_add(grace).unwrap_or(Timestamp::MAX);
                self.due.insert((due, pod, container));
                let termination = Some(Box::new(Termination { finished_at: Some(now), ..termination }));
                let failing = Failing { container, stated, since: now, due: Some(due), termination };
                self.pods.entry(pod).or_default().push(failing);
            }
        }
    }

    /// The container got further, or no longer has to.
    pub fn created(&mut self, pod: PodKey, container: u64) {
        self.remove(pod, |failing| failing.container == container);
    }

    /// Forgets a pod.
    pub fn forget(&mut self, pod: PodKey) {
        self.remove(pod, |_| true);
    }

    fn remove(&mut self, pod: PodKey, gone: impl Fn(&Failing) -> bool) {
        let Some(failing) = self.pods.get_mut(&pod) else { return };
        for failing in failing.extract_if(.., |failing| gone(failing)) {
            match failing.due {
                Some(due) => drop(self.due.remove(&(due, pod, failing.container))),
                None => self.cleared = true,
            }
        }
        if failing.is_empty() {
            self.pods.remove(&pod);
        }
    }

    /// Whether anything that was told no longer holds, since this was asked last.
    pub fn cleared(&mut self) -> bool {
        std::mem::take(&mut self.cleared)
    }

    /// What has lasted long enough by now.
    pub fn due(&mut self, now: Timestamp) -> Vec<Termination> {
        let mut told = Vec::new();
        while let Some(entry @ (due, pod, container)) = self.due.first().copied() {
            if due > now {
                break;
            }
            self.due.remove(&entry);
            let failing = self.pods.get_mut(&pod).into_iter().flatten().find(|failing| failing.container == container);
            if let Some(failing) = failing {
                failing.due = None;
                told.extend(failing.termination.take().map(|termination| *termination));
            }
        }
        told
    }

    /// When the next one is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, ..)| *due)
    }
}
