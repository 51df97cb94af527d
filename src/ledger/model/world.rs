//! The API and the truth: what is stored, what happened, and the books of one who sees all.

use super::*;

/// One termination: the pod and its restart count.
pub(super) type Death = (usize, i32);

/// Everything as it is, and the books of one who sees all.
pub(super) struct World {
    pub(super) random: Random,
    pub(super) dangers: Dangers,
    pub(super) calm: bool,
    pub(super) step: u64,
    pub(super) versions: u64,
    pub(super) ledger: Option<(u64, Ledger)>,
    /// How many ledgers there were: each has another UID.
    pub(super) ledgers: u64,
    /// Pods that are gone, and forgotten.
    pub(super) gone: BTreeSet<usize>,
    pub(super) reports: BTreeMap<String, CrashReport>,
    pub(super) dead: BTreeSet<String>,
    /// Counted in reports when they were deleted, or claimed for them and gone with them.
    pub(super) buried: i64,
    pub(super) deletions: u64,
    pub(super) folded: u64,
    /// Terminations that were claimed after a later one of the same pod.
    pub(super) late: BTreeSet<Death>,
    pub(super) claimed: BTreeSet<Death>,
    pub(super) instances: BTreeMap<Death, Instance>,
    /// Terminations that are no crashes, unless an operator knows better.
    pub(super) harmless: BTreeSet<Death>,
    /// Of these, the ones that an operator has looked at, and that the ledger has noted.
    pub(super) looked: BTreeSet<Death>,
    pub(super) noted: BTreeSet<Death>,
    /// What each operator is about to claim.
    pub(super) batches: [Vec<Death>; 2],
    /// When the ledger last held an entry that would create the report.
    pub(super) unsettled: BTreeMap<String, u64>,
    pub(super) rounds: [Option<u64>; 2],
    pub(super) pods: Vec<Vec<i64>>,
}

pub(super) type Shared = Arc<Mutex<World>>;

/// One operator's view of the API: each call takes two steps, and either may be its last.
#[derive(Clone)]
pub(super) struct Calls {
    pub(super) world: Shared,
    pub(super) index: usize,
}

pub(super) async fn step() {
    let mut waited = false;
    poll_fn(move |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

impl Calls {
    pub(super) async fn call<T>(
        &self,
        does: impl FnOnce(&mut World) -> Result<T, Refused<&'static str>>,
    ) -> Result<T, Refused<&'static str>> {
        step().await;
        let (answer, lost) = {
            let mut world = lock(&self.world);
            if world.fault() {
                return Err(Refused::Failed("not done"));
            }
            (does(&mut world), world.fault())
        };
        step().await;
        if lost { Err(Refused::Failed("done, and the answer was lost")) } else { answer }
    }
}

pub(super) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap()
}

pub(super) fn failed<T>(answer: Result<T, Refused<&'static str>>) -> Result<T, &'static str> {
    answer.map_err(|refused| if let Refused::Failed(why) = refused { why } else { "refused" })
}

impl Objects for Calls {
    type Error = &'static str;

    async fn read_ledger(&self) -> Result<Option<Stored>, &'static str> {
        failed(self.call(|world| Ok(world.stored())).await)
    }

    async fn write_ledger(&self, over: Option<&Stored>, ledger: &Ledger) -> Result<Stored, Refused<&'static str>> {
        self.call(|world| world.put_ledger(self.index, over, ledger)).await
    }

    async fn list_reports(&self) -> Result<BTreeMap<String, CrashReport>, &'static str> {
        failed(self.call(|world| Ok(world.reports.clone())).await)
    }

    async fn room(&self) -> usize {
        lock(&self.world).room()
    }

    fn is_settled(&self, report: &CrashReport) -> bool {
        lock(&self.world).is_settled(report.metadata.name.as_ref().unwrap(), Some(self.index))
    }

    async fn delete_report(&self, name: &str, uid: &str) -> Result<(), &'static str> {
        failed(self.call(|world| world.fold_away(name, uid)).await)
    }

    async fn read_report(&self, name: &str) -> Result<Option<CrashReport>, &'static str> {
        failed(self.call(|world| Ok(world.reports.get(name).cloned())).await)
    }

    async fn create_report(&self, report: &CrashReport) -> Result<CrashReport, Refused<&'static str>> {
        self.call(|world| world.create(report)).await
    }

    async fn write_status(&self, report: &CrashReport) -> Result<CrashReport, Refused<&'static str>> {
        self.call(|world| world.put_status(report)).await
    }

    async fn set_labels(&self, _: &str, _: BTreeMap<String, String>) -> Result<(), &'static str> {
        Ok(())
    }
}

pub(super) fn amount(entry: &Entry) -> i64 {
    entry.add.count + entry.add.inferred + entry.add.unseen
}

pub(super) fn held(report: &CrashReport) -> i64 {
    report.status.as_ref().map_or(0, |status| status.count + status.inferred + status.unseen)
}

pub(super) fn uid(report: &CrashReport) -> String {
    report.metadata.uid.clone().unwrap()
}

impl World {
    pub(super) fn fault(&mut self) -> bool {
        self.dangers.faults && !self.calm && self.random.percent(4)
    }

    pub(super) fn version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    pub(super) fn put_ledger(
        &mut self,
        by: usize,
        over: Option<&Stored>,
        ledger: &Ledger,
    ) -> Result<Stored, Refused<&'static str>> {
        let current = self.ledger.as_ref().map(|(version, _)| version.to_string());
        if over.map(|stored| stored.version.clone()) != current {
            return Err(Refused::Conflict);
        }
        let before = self.ledger.as_ref().map_or(0, |(_, ledger)| ledger.seq);
        for entry in ledger.pending.iter().filter(|entry| entry.seq > before) {
            if matches!(&entry.base, Base::Uid(uid) if self.dead.contains(uid)) {
                self.buried += amount(entry);
            }
            // A user deleted it between the look at it and this write: then it is the other report that has its counts.
            if entry.folds.as_ref().is_some_and(|folded| self.dead.contains(&folded.uid)) {
                self.buried -= amount(entry);
            }
        }
        self.note_claims(by, ledger);
        if self.deletions == 0 && !self.dangers.crowding {
            self.check_inferred(ledger, before);
        }
        self.note_unsettled();
        self.note_passes(ledger);
        self.ledgers += u64::from(self.ledger.is_none());
        self.store(ledger.clone());
        self.note_unsettled();
        Ok(self.stored().unwrap())
    }

    pub(super) fn store(&mut self, ledger: Ledger) {
        let version = self.version();
        self.ledger = Some((version, ledger));
    }

    pub(super) fn stored(&self) -> Option<Stored> {
        let (version, ledger) = self.ledger.as_ref()?;
        Some(Stored { uid: self.ledger_uid(), version: version.to_string(), ledger: ledger.clone() })
    }

    pub(super) fn ledger_uid(&self) -> String {
        format!("ledger-{}", self.ledgers)
    }

    /// Up to which entry of the ledger that there is a report has counted.
    pub(super) fn mark(&self, report: &CrashReport) -> i64 {
        let mark = report.status.as_ref().and_then(|status| status.ledger.as_ref());
        mark.filter(|mark| mark.uid == self.ledger_uid()).map_or(0, |mark| mark.seq)
    }

    /// A pod is deleted, and two complete lists ten minutes apart miss it; what is left of it in nobody's hands is then
    /// forgotten, and a ledger in which nothing is left is deleted.
    pub(super) fn forget(&mut self, pod: usize) {
        self.gone.insert(pod);
        let live = (0..self.pods.len()).filter(|pod| !self.gone.contains(pod)).map(pod_uid).collect();
        let Some((_, mut ledger)) = self.ledger.clone() else { return };
        ledger.prune(&live, at(2_000_000));
        ledger.prune(&live, at(2_000_000 + MISSING_SECONDS));
        if ledger.is_spent() {
            self.ledger = None;
        } else {
            self.store(ledger);
        }
    }

    /// Writes down which terminations this write claims, and which of them late.
    pub(super) fn note_claims(&mut self, by: usize, ledger: &Ledger) {
        // A batch may hold the same one twice: from a list and from a watch.
        let batch: BTreeSet<_> = self.batches[by].iter().copied().collect();
        for (pod, restart) in batch {
            let instance = self.instance(pod, restart);
            let uid = pod_uid(pod);
            let holds = |ledger: &Ledger| ledger.row(&uid).is_some_and(|row| row.counts(&instance));
            if !holds(ledger) || self.ledger.as_ref().is_some_and(|(_, before)| holds(before)) {
                continue;
            }
            assert!(self.claimed.insert((pod, restart)), "{restart} of pod {pod} was claimed twice");
            if self.claimed_of(pod).last() > Some(&restart) {
                self.late.insert((pod, restart));
            }
        }
    }

    /// Writes down which harmless ones the ledger knows.
    pub(super) fn note_passes(&mut self, ledger: &Ledger) {
        let unnoted: Vec<Death> = self.harmless.difference(&self.noted).copied().collect();
        for (pod, restart) in unnoted {
            let instance = self.instance(pod, restart);
            if ledger.row(&pod_uid(pod)).is_some_and(|row| row.names_passed(&instance)) {
                self.noted.insert((pod, restart));
            }
        }
    }

    /// A death without a log is counted in the one open bug that it fits, and only there; all end alike in this world.
    pub(super) fn check_inferred(&self, ledger: &Ledger, before: i64) {
        let specs = self.reports.values().filter(|report| report.status.is_some()).map(|report| &report.spec);
        let claimed = ledger.pending.iter().filter_map(|entry| Some(&entry.draft.as_ref()?.spec));
        let print = |spec: &CrashReportSpec| (!stands_for_many(spec)).then(|| spec.fingerprint.clone());
        let open: BTreeSet<String> = specs.chain(claimed).filter_map(print).collect();
        for entry in ledger.pending.iter().filter(|entry| entry.seq > before) {
            let unexplained = crash_spec(UNEXPLAINED) == entry.report && entry.add.count > 0;
            assert!(entry.add.inferred == 0 || open.len() == 1, "inferred with {} open bugs", open.len());
            assert!(!unexplained || open.len() != 1, "unexplained with one open bug");
        }
    }

    /// Whether the ledger takes it for claimed because later ones are.
    pub(super) fn is_past(&self, (pod, restart): Death) -> bool {
        let row = self.ledger.as_ref().and_then(|(_, ledger)| ledger.row(&pod_uid(pod)));
        row.is_some_and(|row| row.holds(&self.instance(pod, restart)))
    }

    pub(super) fn room(&self) -> usize {
        if self.dangers.crowding { ROOM.saturating_sub(self.reports.len()) } else { usize::MAX }
    }

    pub(super) fn instance(&self, pod: usize, restart: i32) -> Instance {
        self.instances[&(pod, restart)].clone()
    }

    /// Whether an entry is still to be applied. One that is confirmed stays where its clearing met a newer version.
    pub(super) fn is_due(&self, entry: &Entry) -> bool {
        match self.reports.get(&entry.report) {
            Some(report) => self.mark(report) < entry.seq && is_for(entry, report),
            None => entry.base == Base::Absent,
        }
    }

    pub(super) fn noted_of(&self, pod: usize) -> impl Iterator<Item = i32> {
        self.noted.range((pod, 0)..=(pod, i32::MAX)).map(|(_, restart)| *restart)
    }

    pub(super) fn claimed_of(&self, pod: usize) -> Vec<i32> {
        self.claimed.range((pod, 0)..=(pod, i32::MAX)).map(|(_, restart)| *restart).collect()
    }

    pub(super) fn note_unsettled(&mut self) {
        let Some((_, ledger)) = &self.ledger else { return };
        for entry in ledger.pending.iter().filter(|entry| entry.base == Base::Absent) {
            self.unsettled.insert(entry.report.clone(), self.step);
        }
    }

    pub(super) fn create(&mut self, report: &CrashReport) -> Result<CrashReport, Refused<&'static str>> {
        let name = report.metadata.name.clone().unwrap();
        if self.reports.contains_key(&name) {
            return Err(Refused::Conflict);
        }
        let version = self.version();
        let mut made = report.clone();
        made.status = None;
        made.metadata.uid = Some(format!("report-{version}"));
        made.metadata.resource_version = Some(version.to_string());
        made.metadata.generation = Some(1);
        self.reports.insert(name, made.clone());
        Ok(made)
    }

    pub(super) fn put_status(&mut self, report: &CrashReport) -> Result<CrashReport, Refused<&'static str>> {
        let version = self.version();
        let name = report.metadata.name.as_ref().unwrap();
        let Some(current) = self.reports.get_mut(name) else { return Err(Refused::Absent) };
        if current.metadata.resource_version != report.metadata.resource_version {
            return Err(Refused::Conflict);
        }
        current.status = report.status.clone();
        current.metadata.resource_version = Some(version.to_string());
        Ok(current.clone())
    }

    /// Whether no operator can still be about to create a report, but perhaps the one who asks.
    pub(super) fn is_settled(&self, name: &str, but: Option<usize>) -> bool {
        let began_before = |round: &u64| self.unsettled.get(name).is_some_and(|step| round <= step);
        let pending = self.ledger.iter().flat_map(|(_, ledger)| &ledger.pending);
        let creating = pending.filter(|entry| entry.base == Base::Absent).any(|entry| entry.report == name);
        let others = self.rounds.iter().enumerate().filter(|(index, _)| Some(*index) != but);
        !creating && !others.filter_map(|(_, round)| round.as_ref()).any(began_before)
    }

    /// A report gives way: its counts are in an entry of the ledger.
    pub(super) fn fold_away(&mut self, name: &str, old: &str) -> Result<(), Refused<&'static str>> {
        if self.reports.get(name).is_some_and(|report| uid(report) == old) {
            self.reports.remove(name);
            self.folded += 1;
        }
        Ok(())
    }

    /// A user deletes a report, once no operator can still be about to create it.
    pub(super) fn delete_one(&mut self) {
        let names: Vec<String> = self.reports.keys().filter(|name| self.is_settled(name, None)).cloned().collect();
        if names.is_empty() {
            return;
        }
        let name = &names[self.random.below(names.len() as u64) as usize];
        let report = self.reports.remove(name).unwrap();
        let mark = self.mark(&report);
        let pending = self.ledger.iter().flat_map(|(_, ledger)| &ledger.pending);
        let lost = pending.filter(|e| &e.report == name && e.seq > mark && e.base == Base::Uid(uid(&report)));
        let taken_over =
            self.ledger.iter().flat_map(|(_, ledger)| ledger.giving_way()).any(|it| it.uid == uid(&report));
        let held = if taken_over { 0 } else { held(&report) };
        self.buried += held + lost.map(amount).sum::<i64>();
        self.dead.insert(uid(&report));
        self.deletions += 1;
    }

    pub(super) fn edit_one(&mut self) {
        let version = self.version();
        if let Some(report) = self.reports.values_mut().next() {
            report.spec.triage = Some(Triage { state: TriageState::Acknowledged, until: None, note: None });
            report.metadata.resource_version = Some(version.to_string());
            report.metadata.generation = Some(2);
        }
    }

    pub(super) fn death(&self, pod: usize, restart: i32, bug: u64) -> Counted {
        crash(&pod_name(pod), restart, self.pods[pod][restart as usize], bug)
    }

    /// What a fresh list of pods shows: the last two records of each.
    pub(super) fn listed(&self) -> Vec<Death> {
        let recent = |pod: usize| {
            let deaths = self.pods[pod].len() as i32;
            ((deaths - 2).max(0)..deaths).map(move |restart| (pod, restart))
        };
        (0..self.pods.len()).filter(|pod| !self.gone.contains(pod)).flat_map(recent).collect()
    }
}

pub(super) fn pod_name(pod: usize) -> String {
    format!("pod{pod}")
}

pub(super) fn is_for(entry: &Entry, report: &CrashReport) -> bool {
    !matches!(&entry.base, Base::Uid(other) if *other != uid(report))
}

pub(super) fn pod_uid(pod: usize) -> String {
    format!("uid-{}", pod_name(pod))
}

/// Name of the report with that fingerprint.
pub(super) fn crash_spec(fingerprint: &str) -> String {
    let sample = crash("pod0", 0, 0, 0);
    crate::report::report_name(&sample.workload, &sample.termination.container, fingerprint)
}
