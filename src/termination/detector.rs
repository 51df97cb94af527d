//! Finds the terminations in what is seen of the pods, each one once.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::history::{Container, Histories, History, PodKey};
use super::outside::{Outside, stated_by_record};
use super::record::{Placed, Record, containers, records, restarted_along};
use super::startup::{Progress, Startups, progress};
use super::{ContainerKind, Controller, PodFacts, RestartPolicy, SeenIn, Stopping, Termination};
use crate::classify::Stated;
use crate::watch::slim::{APP_NAME_LABEL, ContainerStatus, REVISION_LABELS, SlimSpec};
use crate::watch::{Scope, SlimPod};

/// What counts as a termination.
#[derive(Clone, Copy, Debug)]
pub struct DetectorOptions {
    /// Whether ephemeral (debug) containers count: a shell left with a non-zero `$?` is no crash.
    pub ephemeral: bool,
    /// How long a container may fail to be created before that is told.
    pub startup_grace: SignedDuration,
    /// Terminations that ended longer ago than this are not told.
    pub time_to_live: SignedDuration,
}

impl Default for DetectorOptions {
    fn default() -> Self {
        Self {
            ephemeral: false,
            startup_grace: SignedDuration::from_mins(2),
            time_to_live: SignedDuration::from_hours(14 * 24),
        }
    }
}

/// Finds the terminations. It has neither client nor clock, and remembers under 100 bytes of a pod that never restarted.
#[derive(Debug, Default)]
pub struct Detector {
    options: DetectorOptions,
    histories: Histories,
    startups: Startups,
    /// The number of the latest list that began, of whichever scope.
    lists: u32,
    /// The lists under way.
    listing: HashMap<Scope, u32>,
}

impl Detector {
    /// A detector that has not seen any pod.
    pub fn new(options: DetectorOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Looks at a pod; `deleted` says that this is the last state of a pod that is no more. Gives the terminations that
    /// no earlier look had, the older one of a container first.
    pub fn observe(&mut self, pod: &SlimPod, deleted: bool, now: Timestamp) -> Vec<Termination> {
        let key = self.histories.key(pod.metadata.uid.as_deref().unwrap_or_default());
        let known = self.histories.take(key);
        let mut look = Look {
            pod,
            outside: Outside::of(pod, deleted),
            first_sight: known.is_none(),
            deleted,
            now,
            options: self.options,
            facts: Vec::new(),
            found: Vec::new(),
            told: false,
        };
        let mut history = known.unwrap_or_default();
        let ephemeral = self.options.ephemeral;
        let counts = |placed: &Placed<'_>| ephemeral || placed.kind != ContainerKind::Ephemeral;
        for placed in containers(pod).filter(counts) {
            let name = self.histories.hash(&placed.status.name);
            look.container(placed, name, &mut history, &self.histories);
            look.startup(placed, key, name, &mut self.startups);
        }
        look.pod_itself(&mut history);
        let found = look.found;
        if deleted {
            self.forget_key(key);
        } else {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            self.histories.put(key, namespace, self.lists, history);
        }
        found
    }

    /// A list of the scope begins.
    pub fn list_started(&mut self, scope: &Scope) {
        self.lists += 1;
        self.listing.insert(scope.clone(), self.lists);
    }

    /// The list of the scope is complete: pods of that scope that were not seen since it began are gone.
    pub fn list_done(&mut self, scope: &Scope) {
        let Some(since) = self.listing.remove(scope) else { return };
        let namespace = match scope {
            Scope::All => None,
            Scope::Namespace(name) => Some(&**name),
        };
        for key in self.histories.sweep(namespace, since) {
            self.startups.forget(key);
        }
    }

    /// Forgets a pod by its UID: seen again, it is seen for the first time.
    pub fn forget(&mut self, uid: &str) {
        self.forget_key(self.histories.key(uid));
    }

    fn forget_key(&mut self, key: PodKey) {
        self.histories.forget(key);
        self.startups.forget(key);
    }

    /// Whether the pod of that UID exists, as far as was seen.
    pub fn knows(&self, uid: &str) -> bool {
        self.histories.knows(self.histories.key(uid))
    }

    /// How many pods exist, as far as was seen.
    pub fn pods(&self) -> usize {
        self.histories.len()
    }

    /// The failures to start that have lasted for the startup grace by now, each told once.
    pub fn due(&mut self, now: Timestamp) -> Vec<Termination> {
        self.startups.due(now)
    }

    /// Whether a failure to start that was told is over, since this was asked last: the container has started, or its
    /// pod is gone.
    pub fn start_cleared(&mut self) -> bool {
        self.startups.cleared()
    }

    /// When [`Self::due`] has something to tell next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.startups.next_due()
    }
}

/// One look at one pod.
struct Look<'p> {
    pod: &'p SlimPod,
    outside: Outside,
    first_sight: bool,
    deleted: bool,
    now: Timestamp,
    options: DetectorOptions,
    facts: Vec<Arc<PodFacts>>,
    found: Vec<Termination>,
    /// What the status states of the whole pod was told with one of its containers.
    told: bool,
}

impl Look<'_> {
    /// Finds what is new in one container.
    fn container(&mut self, placed: Placed<'_>, name: u64, history: &mut History, hasher: &Histories) {
        if never_ended(placed.status) && !history.has(name) {
            return;
        }
        let container = history.container(name);
        let mut baseline = self.baseline(placed.status, container);
        let mut visible = placed.status.restart_count;
        for record in records(placed.status) {
            let next = record.index.saturating_add(1);
            visible = visible.max(next);
            if !container.remember(hasher.hash(&record.identity())) {
                continue;
            }
            let unseen = baseline.map_or(0, |baseline| record.index.saturating_sub(baseline).max(0));
            baseline = baseline.map(|baseline| baseline.max(next));
            self.record(placed, &record, unseen.unsigned_abs());
        }
        container.restart_count = placed.status.restart_count;
        container.accounted = match baseline {
            // A step of the restart count without a record stays open: the next termination has it as unseen.
            Some(baseline) if !restarted_along(placed.status) => baseline,
            _ => visible,
        };
    }

    /// From which restart count on ends are unseen: unknown at first sight, and when a node's reboot reset the count.
    fn baseline(&self, status: &ContainerStatus, container: &Container) -> Option<i32> {
        let fell = status.restart_count < container.restart_count;
        (!self.first_sight && !fell).then_some(container.accounted)
    }

    fn record(&mut self, placed: Placed<'_>, record: &Record<'_>, unseen: u32) {
        let by_pod = self.outside.stated_for(placed, record, self.first_sight);
        self.told |= by_pod.is_some();
        if self.too_old(record.terminated.finished_at) {
            return;
        }
        let stopping = self.outside.stopping_for(placed, record, self.first_sight);
        let mut termination = self.termination(placed, stopping);
        let terminated = record.terminated;
        termination.container_id = record.id().map(str::to_owned);
        termination.restart_count = record.index;
        termination.seen_in = record.seen_in;
        termination.successor_running = record.succeeded;
        termination.exit_code = Some(terminated.exit_code);
        termination.signal = terminated.signal.and_then(|signal| i32::try_from(signal).ok()).filter(|it| *it != 0);
        termination.reason = terminated.reason.clone();
        termination.message = terminated.message.clone().filter(|message| !message.is_empty());
        termination.status_message = by_pod.and(self.outside.message.clone());
        termination.stated = by_pod.or_else(|| stated_by_record(record));
        termination.started_at = terminated.started_at;
        termination.finished_at = terminated.finished_at;
        termination.unseen = unseen;
        self.found.push(termination);
    }

    /// Follows a container that cannot be created.
    fn startup(&mut self, placed: Placed<'_>, key: PodKey, name: u64, startups: &mut Startups) {
        let progress = progress(&placed.status.state);
        let hopeless = self.outside.is_stopping() || self.outside.ended;
        match progress {
            Progress::Failing(stated) if !hopeless => {
                let termination = self.failing(placed, stated);
                startups.fails(key, name, termination, self.now, self.options.startup_grace);
            }
            Progress::Underway if !hopeless => {}
            _ if startups.any(key) => startups.created(key, name),
            _ => {}
        }
    }

    fn failing(&mut self, placed: Placed<'_>, stated: Stated) -> Termination {
        let waiting = placed.status.state.waiting.clone().unwrap_or_default();
        Termination {
            reason: waiting.reason,
            status_message: waiting.message,
            stated: Some(stated),
            ..self.termination(placed, None)
        }
    }

    /// Tells the end of a pod that its status states and that none of its containers has a record of.
    fn pod_itself(&mut self, history: &mut History) {
        history.told |= self.told;
        let Some((stated, since)) = self.outside.stated().filter(|_| !history.told) else { return };
        let statuses = &self.pod.status.container_statuses;
        let runs = statuses.iter().any(|status| status.state.running.is_some());
        // A lost node never says that its containers ended; a live one will.
        if !(self.deleted || self.outside.ended && (!runs || stated == Stated::NodeLost)) {
            return;
        }
        history.told = true;
        let at = since.or(self.pod.status.start_time);
        if !self.too_old(at) {
            let termination = self.pod_termination(stated, at);
            self.found.push(termination);
        }
    }

    /// It is attributed to the first regular container: a report is about a container.
    fn pod_termination(&mut self, stated: Stated, at: Option<Timestamp>) -> Termination {
        let statuses = &self.pod.status.container_statuses;
        let name = match (self.pod.spec.containers.first(), statuses.first()) {
            (Some(container), _) => container.name.clone(),
            (None, Some(status)) => status.name.clone(),
            (None, None) => String::new(),
        };
        let known = statuses.iter().find(|status| status.name == name).cloned();
        let status = known.unwrap_or_else(|| ContainerStatus { name, ..ContainerStatus::default() });
        let policy = RestartPolicy::from_word(self.pod.spec.restart_policy.as_deref());
        let placed = Placed { kind: ContainerKind::Regular, policy, status: &status };
        Termination {
            reason: self.outside.reason.clone(),
            status_message: self.outside.message.clone(),
            stated: Some(stated),
            finished_at: at,
            ..self.termination(placed, None)
        }
    }

    /// A termination without an instance, to be filled in.
    fn termination(&mut self, placed: Placed<'_>, stopping: Option<Stopping>) -> Termination {
        let status = placed.status;
        Termination {
            pod: self.facts(stopping),
            container: status.name.clone(),
            kind: placed.kind,
            restart_policy: placed.policy,
            container_id: None,
            restart_count: status.restart_count,
            seen_in: SeenIn::PodStatus,
            successor_running: false,
            exit_code: None,
            signal: None,
            reason: None,
            message: None,
            status_message: None,
            stated: None,
            started_at: None,
            finished_at: None,
            image: status.image.clone(),
            image_id: status.image_id.clone(),
            unseen: 0,
        }
    }

    /// The facts of the pod, shared by the terminations of one look that agree on `stopping`.
    fn facts(&mut self, stopping: Option<Stopping>) -> Arc<PodFacts> {
        if let Some(facts) = self.facts.iter().find(|facts| facts.stopping == stopping) {
            return Arc::clone(facts);
        }
        let facts = Arc::new(facts_of(self.pod, stopping));
        self.facts.push(Arc::clone(&facts));
        facts
    }

    fn too_old(&self, at: Option<Timestamp>) -> bool {
        at.is_some_and(|at| self.now.duration_since(at) > self.options.time_to_live)
    }
}

/// Whether the container is in its first instance and that one still runs: so it is with nearly all of them.
fn never_ended(status: &ContainerStatus) -> bool {
    status.restart_count == 0 && status.state.terminated.is_none() && status.last_state.terminated.is_none()
}

fn facts_of(pod: &SlimPod, stopping: Option<Stopping>) -> PodFacts {
    let meta = &pod.metadata;
    let label = |key: &str| meta.labels.as_ref().and_then(|labels| labels.get(key)).cloned();
    let controller = meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
    PodFacts {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        node: pod.spec.node_name.clone(),
        generate_name: meta.generate_name.clone(),
        app_name: label(APP_NAME_LABEL),
        revision: REVISION_LABELS.into_iter().find_map(label),
        controller: controller.map(controller_of),
        restart_policy: RestartPolicy::from_word(pod.spec.restart_policy.as_deref()),
        probed: probed(&pod.spec),
        stopping,
    }
}

fn probed(spec: &SlimSpec) -> Vec<String> {
    let all = spec.init_containers.iter().chain(&spec.containers);
    let probed = all.filter(|it| it.liveness_probe.is_some() || it.startup_probe.is_some());
    probed.map(|container| container.name.clone()).collect()
}

fn controller_of(owner: &OwnerReference) -> Controller {
    let OwnerReference { api_version, kind, name, uid, .. } = owner.clone();
    Controller { api_version, kind, name, uid }
}
