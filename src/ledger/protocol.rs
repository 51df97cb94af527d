//! The ledger as a value, and what may be done to it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LedgerKey;
use super::row::{Instance, Row, Taken};
use crate::report::{Addition, Counted, Draft, Exit, Standing};

/// Most bytes of a ledger as JSON. An object may have 1 MiB (and etcd takes 1.5 MiB); the rest is for one more entry.
pub const LEDGER_BYTES: usize = 768 * 1024;
/// More than any row has (eight instances, four gaps, eight hashes); only to skip measuring where all is well.
const ROW_BYTES: usize = 2048;
/// More than any entry has: a draft within a report's size, and five occurrences.
const ENTRY_BYTES: usize = 32 * 1024;
/// How long a pod must be missing, in two complete lists, before its row goes: a list can be stale, and a row that goes
/// too early makes its terminations new again.
pub const MISSING_SECONDS: i64 = 600;

/// One termination to be claimed.
#[derive(Clone, Debug)]
pub struct Claim {
    /// UID of the pod.
    pub pod_uid: String,
    /// What ended.
    pub instance: Instance,
    /// Terminations before it that this operator knows to have missed.
    pub unseen: u32,
    /// Name of the report that it belongs to.
    pub report: String,
    /// What it adds there.
    pub addition: Addition,
    /// What the report is made of, if it must be made; absent where there is one that it fits.
    pub draft: Option<Draft>,
    /// How it ended, where that is all that is known: it is counted in the open bug that this fits, if there is exactly
    /// one.
    pub exit: Option<Exit>,
}

impl Claim {
    /// The claim for a termination that was classified.
    pub fn of(counted: &Counted) -> Self {
        let unexplained = counted.is_unexplained().then(|| counted.clone().unexplained());
        let bug = unexplained.as_ref().unwrap_or(counted);
        Self {
            pod_uid: counted.termination.pod.uid.clone(),
            instance: Instance::of(&counted.termination, counted.ended_at()),
            unseen: counted.termination.unseen,
            report: bug.report_name(),
            addition: Addition::of(counted),
            draft: Some(bug.draft()),
            exit: counted.exit_alone(),
        }
    }
}

/// One termination that was looked at and is no crash: known, so that no later one has it as unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// UID of the pod.
    pub pod_uid: String,
    /// What ended.
    pub instance: Instance,
    /// Terminations before it that this operator knows to have missed.
    pub unseen: u32,
}

/// What a claim takes in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batch<'b> {
    /// The terminations to be counted.
    pub claims: &'b [Claim],
    /// Those that are no crashes; only what belongs to pods that have crashes is kept.
    pub passes: &'b [Pass],
    /// Reports that give way.
    pub folds: &'b [Fold],
}

/// A report that gives way to a surer bug, since there is no room for both: what it counted is counted elsewhere.
#[derive(Clone, Debug)]
pub struct Fold {
    /// The report.
    pub folded: Folded,
    /// Name of the report that takes over.
    pub into: String,
    /// What that one is made of, if it must be made.
    pub draft: Draft,
    /// What it takes over.
    pub add: Addition,
}

/// A report that is deleted before the entry that takes over its counts is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Folded {
    /// Its name.
    pub report: String,
    /// Its UID.
    pub uid: String,
}

/// What an entry knew of its report when it was claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Base {
    /// There was none: it is created.
    Absent,
    /// There was one with this UID. If that one is gone, a user deleted it after the crash, and it does not come back.
    Uid(String),
    /// Not asked: added where there is one, and never a reason to create one.
    Any,
}

/// Something claimed that its report has not confirmed yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its number: entries of one ledger are numbered from 1 without end.
    pub seq: i64,
    /// Name of the report.
    pub report: String,
    /// Which claim it came from, so that whose write went through without an answer knows its own again.
    pub by: String,
    /// What was known of the report.
    pub base: Base,
    /// What to add.
    pub add: Addition,
    /// What the report is made of; absent where the report has something as good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Box<Draft>>,
    /// Whose counts these were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<Folded>,
}

/// What was known of a report when terminations were claimed for it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its UID.
    pub uid: String,
    /// How good its finding is.
    pub standing: Option<Standing>,
}

/// What a claim came to: for each termination whether it was new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// One for each termination of the batch, in its order.
    pub fresh: Vec<bool>,
    /// Whether a harmless one was new.
    pub passed: bool,
}

impl Claimed {
    /// Whether anything was new.
    pub fn any(&self) -> bool {
        self.passed || self.fresh.contains(&true)
    }
}

/// What has been counted for one container of one workload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Whose ledger it is.
    pub key: LedgerKey,
    /// The number of the last entry.
    pub seq: i64,
    /// By pod UID what of it is claimed.
    #[serde(default)]
    rows: BTreeMap<String, Row>,
    /// Claimed, and not yet confirmed by the report.
    #[serde(default)]
    pub pending: Vec<Entry>,
    /// Rows were given up for want of room: what ended at or before this second, in a pod without a row, is claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given_up: Option<i64>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(key: LedgerKey) -> Self {
        Self { key, ..Self::default() }
    }

    /// Claims a batch: moves the rows on and appends one entry for each report. `known` says which of the reports
    /// exist; `by` names this claim.
    pub fn claim(&mut self, batch: Batch<'_>, known: &BTreeMap<String, Known>, by: &str) -> Claimed {
        let Batch { claims, passes, folds } = batch;
        let mut claimed = Claimed { fresh: vec![false; claims.len()], passed: false };
        let mut sums = Sums::default();
        for item in in_order(batch) {
            match item {
                Item::Claim(index) => {
                    if let Some(taken) = self.take(&claims[index]) {
                        claimed.fresh[index] = true;
                        sums.add(&claims[index], taken);
                    }
                }
                Item::Pass(index) => {
                    let pass = &passes[index];
                    let counted = claims.iter().any(|claim| claim.pod_uid == pass.pod_uid);
                    if let Some(taken) = self.pass(pass, counted) {
                        claimed.passed = true;
                        sums.take_back(taken);
                    }
                }
            }
        }
        for (report, sum) in sums.0 {
            self.append(report, sum, known, by);
        }
        for fold in folds {
            let sum = Sum { add: fold.add.clone(), draft: Some(fold.draft.clone()), counts: true };
            self.append(fold.into.clone(), sum, known, by);
            if let Some(entry) = self.pending.last_mut() {
                entry.folds = Some(fold.folded.clone());
            }
        }
        self.make_room();
        claimed
    }

    /// Which claims of a batch would be new.
    pub fn fresh(&self, claims: &[Claim]) -> Vec<bool> {
        // A copy: within a batch, too, the first of two wins.
        let mut rows = Self { rows: self.rows_of(claims), given_up: self.given_up, ..Self::default() };
        let mut fresh = vec![false; claims.len()];
        for item in in_order(Batch { claims, ..Batch::default() }) {
            if let Item::Claim(index) = item {
                fresh[index] = rows.take(&claims[index]).is_some();
            }
        }
        fresh
    }

    /// Whether a pass is of consequence here and not known yet.
    pub fn wants(&self, pass: &Pass) -> bool {
        self.rows.get(&pass.pod_uid).is_some_and(|row| row.has_use_for(&pass.instance))
    }

    /// Whether a pass is known.
    pub fn has(&self, pass: &Pass) -> bool {
        self.rows.get(&pass.pod_uid).is_some_and(|row| row.holds(&pass.instance))
    }

    fn rows_of(&self, claims: &[Claim]) -> BTreeMap<String, Row> {
        let row = |claim: &Claim| Some((claim.pod_uid.clone(), self.rows.get(&claim.pod_uid)?.clone()));
        claims.iter().filter_map(row).collect()
    }

    /// Drops the entries of a report up to the one that it confirms.
    pub fn confirm(&mut self, report: &str, seq: i64) {
        self.pending.retain(|entry| entry.report != report || entry.seq > seq);
    }

    /// Whether a claim is in here that is not confirmed yet.
    pub fn has_claim(&self, by: &str) -> bool {
        self.pending.iter().any(|entry| entry.by == by)
    }

    /// Reports that give way: claimed, and not deleted yet as far as is known.
    pub fn giving_way(&self) -> impl Iterator<Item = &Folded> {
        self.pending.iter().filter_map(|entry| entry.folds.as_ref())
    }

    /// Pod UIDs that have a row.
    pub fn pods(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// Takes note of a complete list of pods: a row goes when its pod was missing from two of them that lie at least
    /// [`MISSING_SECONDS`] apart. Says whether anything changed.
    pub fn prune(&mut self, live: &BTreeSet<String>, listed: Timestamp) -> bool {
        let (before, now) = (self.rows.clone(), listed.as_second());
        self.rows.retain(|pod, row| {
            if live.contains(pod) {
                row.missing_since = None;
                return true;
            }
            now - *row.missing_since.get_or_insert(now) < MISSING_SECONDS
        });
        self.rows != before
    }

    /// Whether the object can be deleted: nothing in it is needed any more.
    pub fn is_spent(&self) -> bool {
        self.rows.is_empty() && self.pending.is_empty() && self.given_up.is_none()
    }

    /// What is claimed, by pod UID.
    pub(super) fn into_rows(self) -> impl Iterator<Item = (String, Row)> {
        self.rows.into_iter()
    }

    /// The row of a pod.
    #[cfg(test)]
    pub(super) fn row(&self, pod: &str) -> Option<&Row> {
        self.rows.get(pod)
    }

    fn take(&mut self, claim: &Claim) -> Option<Taken> {
        let unknown = !self.rows.contains_key(&claim.pod_uid);
        if unknown && self.given_up.is_some_and(|line| claim.instance.finished_at <= line) {
            return None;
        }
        self.rows.entry(claim.pod_uid.clone()).or_default().take(&claim.instance, claim.unseen, &claim.report)
    }

    /// A pod that has no crash needs no row: nothing will be compared with it.
    fn pass(&mut self, pass: &Pass, counted: bool) -> Option<Taken> {
        if counted && !self.rows.contains_key(&pass.pod_uid) && self.given_up.is_none() {
            self.rows.insert(pass.pod_uid.clone(), Row::default());
        }
        self.rows.get_mut(&pass.pod_uid)?.pass(&pass.instance, pass.unseen)
    }

    fn append(&mut self, report: String, sum: Sum, known: &BTreeMap<String, Known>, by: &str) {
        let known = known.get(&report);
        let better = |draft: &Draft| known.is_none_or(|known| known.standing < Some(draft.standing()));
        let base = match known {
            _ if !sum.counts => Base::Any,
            Some(known) => Base::Uid(known.uid.clone()),
            None => Base::Absent,
        };
        self.seq += 1;
        let draft = sum.draft.filter(better).map(Box::new);
        self.pending.push(Entry { seq: self.seq, report, by: by.to_owned(), base, add: sum.add, draft, folds: None });
    }

    /// Keeps the object within what the API server takes: first what only stragglers need, then the oldest rows.
    fn make_room(&mut self) {
        let at_most = self.rows.len() * ROW_BYTES + self.pending.len() * ENTRY_BYTES;
        if at_most <= LEDGER_BYTES || self.size() <= LEDGER_BYTES {
            return;
        }
        self.rows.values_mut().for_each(Row::shrink);
        while self.size() > LEDGER_BYTES && !self.rows.is_empty() {
            self.give_up_oldest();
        }
    }

    fn give_up_oldest(&mut self) {
        let mut by_age: Vec<(i64, String)> = self.rows.iter().map(|(pod, row)| (row.newest(), pod.clone())).collect();
        by_age.sort();
        // A tenth at once, so that the next claims need not measure and sort it all again.
        for (newest, pod) in by_age.iter().take(by_age.len().div_ceil(10)) {
            self.rows.remove(pod);
            self.given_up = self.given_up.max(Some(*newest));
        }
    }

    /// Bytes of the ledger as it is stored.
    fn size(&self) -> usize {
        serde_json::to_vec(self).map_or(0, |json| json.len())
    }
}

/// What a batch adds to each report.
#[derive(Default)]
struct Sums(BTreeMap<String, Sum>);

/// What a batch adds to one report; it is only a correction where it counts nothing.
#[derive(Default)]
struct Sum {
    add: Addition,
    draft: Option<Draft>,
    counts: bool,
}

/// A termination of a batch, by its place in there.
enum Item {
    Claim(usize),
    Pass(usize),
}

/// A batch in the order in which its terminations happened.
fn in_order(batch: Batch<'_>) -> impl Iterator<Item = Item> {
    let key = |instance: &Instance| (instance.finished_at, instance.restart_count);
    let claims = batch.claims.iter().enumerate().map(|(index, it)| (key(&it.instance), Item::Claim(index)));
    let passes = batch.passes.iter().enumerate().map(|(index, it)| (key(&it.instance), Item::Pass(index)));
    let mut items: Vec<_> = claims.chain(passes).collect();
    items.sort_by_key(|(key, _)| *key);
    items.into_iter().map(|(_, item)| item)
}

impl Sums {
    fn add(&mut self, claim: &Claim, taken: Taken) {
        let (unseen, new_pod) = (taken.unseen, taken.new_pod);
        self.take_back(taken);
        let sum = self.0.entry(claim.report.clone()).or_default();
        sum.counts = true;
        sum.add.merge(claim.addition.clone());
        sum.add.unseen += unseen;
        sum.add.pods += i64::from(new_pod);
        let standing = sum.draft.as_ref().map(Draft::standing);
        if let Some(draft) = claim.draft.as_ref().filter(|draft| standing < Some(draft.standing())) {
            sum.draft = Some(draft.clone());
        }
    }

    /// One was seen after all.
    fn take_back(&mut self, taken: Taken) {
        if let Some(report) = taken.seen_after_all {
            self.0.entry(report).or_default().add.unseen -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::report::EvidenceState;
    use crate::report::samples::{at, crash};

    fn claims(counted: &[Counted]) -> Vec<Claim> {
        counted.iter().map(Claim::of).collect()
    }

    fn claim(ledger: &mut Ledger, claims: &[Claim], known: &BTreeMap<String, Known>, by: &str) -> Claimed {
        ledger.claim(Batch { claims, ..Batch::default() }, known, by)
    }

    fn pass(counted: &Counted) -> Pass {
        let Claim { pod_uid, instance, unseen, .. } = Claim::of(counted);
        Pass { pod_uid, instance, unseen }
    }

    fn known(counted: &Counted, better: bool) -> BTreeMap<String, Known> {
        let mut draft = counted.clone();
        if better {
            draft.evidence = EvidenceState::Gone;
        }
        let known = Known { uid: "u".into(), standing: Some(draft.draft().standing()) };
        [(counted.report_name(), known)].into()
    }

    #[test]
    fn a_batch_comes_to_one_entry_for_each_report() {
        let mut ledger = Ledger::default();
        let batch = [crash("a", 1, 20, 1), crash("a", 0, 10, 1), crash("b", 0, 15, 1), crash("b", 1, 30, 2)];
        let claimed = claim(&mut ledger, &claims(&batch), &BTreeMap::new(), "me");
        assert_eq!(claimed.fresh, [true; 4]);
        let counts: Vec<_> = ledger.pending.iter().map(|e| (e.add.count, e.add.pods)).collect();
        assert_eq!(counts.iter().map(|(count, _)| count).sum::<i64>(), 4);
        assert!(counts.contains(&(3, 2)) && counts.contains(&(1, 1)));
        assert!(ledger.pending.iter().all(|entry| entry.base == Base::Absent && entry.draft.is_some()));
    }

    #[test]
    fn an_entry_for_a_known_report_carries_a_finding_only_if_it_is_better() {
        let counted = crash("a", 0, 10, 1);
        for (better, carries) in [(false, false), (true, true)] {
            let mut ledger = Ledger::default();
            claim(&mut ledger, &claims(std::slice::from_ref(&counted)), &known(&counted, better), "me");
            assert_eq!(ledger.pending[0].base, Base::Uid("u".into()));
            assert_eq!(ledger.pending[0].draft.is_some(), carries);
        }
    }

    #[test]
    fn a_confirmation_clears_the_entries_of_its_report_up_to_its_number() {
        let mut ledger = Ledger::default();
        for (restart, bug) in [(0, 1), (1, 2), (2, 1)] {
            claim(&mut ledger, &claims(&[crash("a", restart, restart.into(), bug)]), &BTreeMap::new(), "me");
        }
        ledger.confirm(&crash("a", 0, 0, 1).report_name(), 2);
        assert_eq!(ledger.pending.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_row_goes_when_its_pod_is_missing_from_two_lists_ten_minutes_apart() {
        let mut ledger = Ledger::default();
        claim(&mut ledger, &claims(&[crash("a", 0, 10, 1), crash("b", 0, 10, 1)]), &BTreeMap::new(), "me");
        let live = BTreeSet::from(["uid-a".to_owned()]);
        assert!(ledger.prune(&live, at(0)));
        assert!(!ledger.prune(&live, at(MISSING_SECONDS - 1)));
        assert!(ledger.prune(&live, at(MISSING_SECONDS)));
        assert_eq!(ledger.pods().collect::<Vec<_>>(), ["uid-a"]);
        // One that is seen again in between has not gone.
        let nobody = BTreeSet::new();
        ledger.prune(&nobody, at(1000));
        ledger.prune(&live, at(1300));
        ledger.prune(&nobody, at(1700));
        assert_eq!(ledger.pods().count(), 1);
    }

    #[test]
    fn a_ledger_of_any_number_of_pods_fits_and_claims_nothing_twice() {
        let mut ledger = Ledger::default();
        for batch in 0..40 {
            let crashes: Vec<_> = (0..250)
                .map(|pod| crash(&format!("a-pod-with-a-long-name-{batch}-{pod}"), 0, i64::from(batch), 1))
                .collect();
            assert!(claim(&mut ledger, &claims(&crashes), &BTreeMap::new(), "me").any());
            ledger.pending.clear();
        }
        assert!(ledger.size() <= LEDGER_BYTES && ledger.pods().count() > 2000);
        let first = crash("a-pod-with-a-long-name-0-0", 0, 0, 1);
        assert!(!claim(&mut ledger, &claims(&[first]), &BTreeMap::new(), "me").any());
        let new = crash("a-pod-with-a-long-name-0-0", 1, 100, 1);
        assert!(claim(&mut ledger, &claims(&[new]), &BTreeMap::new(), "me").any());
    }

    #[test]
    fn a_harmless_exit_is_kept_only_of_a_pod_that_crashes_and_is_then_not_unseen() {
        let mut ledger = Ledger::default();
        let harmless = pass(&crash("a", 1, 20, 9));
        let batch = Batch { passes: std::slice::from_ref(&harmless), ..Batch::default() };
        assert!(!ledger.claim(batch, &BTreeMap::new(), "me").any() && ledger.pods().count() == 0);
        claim(&mut ledger, &claims(&[crash("a", 0, 10, 1)]), &BTreeMap::new(), "me");
        assert!(ledger.wants(&harmless));
        let next = claims(&[crash("a", 2, 30, 1)]);
        let claimed = ledger.claim(Batch { claims: &next, ..batch }, &BTreeMap::new(), "me");
        assert!(claimed.passed && claimed.fresh == [true] && ledger.has(&harmless));
        assert_eq!(ledger.pending.last().unwrap().add.unseen, 0);
    }

    #[test]
    fn a_harmless_exit_that_comes_late_is_taken_back_from_the_report_that_had_it_as_unseen() {
        let mut ledger = Ledger::default();
        claim(&mut ledger, &claims(&[crash("a", 0, 10, 1), crash("a", 2, 30, 1)]), &BTreeMap::new(), "me");
        let harmless = pass(&crash("a", 1, 20, 9));
        ledger.claim(Batch { passes: &[harmless], ..Batch::default() }, &BTreeMap::new(), "me");
        assert_eq!(ledger.pending.iter().map(|entry| entry.add.unseen).collect::<Vec<_>>(), [1, -1]);
        assert_eq!(ledger.pending[1].base, Base::Any);
    }

    #[test]
    fn of_two_of_the_same_in_a_batch_one_is_new() {
        let ledger = Ledger::default();
        let twice = [crash("a", 0, 10, 1), crash("a", 0, 10, 2), crash("a", 1, 20, 2)];
        assert_eq!(ledger.fresh(&claims(&twice)), [true, false, true]);
    }

    #[test]
    fn a_ledger_is_stored_as_it_is() {
        let mut ledger = Ledger::new(LedgerKey::of(&crash("a", 0, 10, 1)));
        claim(&mut ledger, &claims(&[crash("a", 3, 10, 1), crash("a", 6, 20, 1)]), &BTreeMap::new(), "me");
        let text = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
    }
}
