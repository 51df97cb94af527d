//! Where terminations are counted whose own report is not the place: those without a usable log, which are counted in the
//! one open bug that they fit, and those for which there are too many reports. Pure.
//!
//! It is decided at the claim, on the reports as they are then and on what is claimed and not written yet; since the
//! claim is guarded by the ledger's version, no other claim of this container can have come between.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::protocol::{Base, Claim, Entry, Fold, Folded};
use crate::classify::CrashReason;
use crate::notify::delivery::is_due;
use crate::report::{Addition, CrashReport, Draft, Occurrence, Standing, is_open, report_name, stands_for_many};

/// Reports by name, `None` where there was none when it was looked for.
pub type Reports = BTreeMap<String, Option<CrashReport>>;

/// An open bug, as far as fitting goes.
struct Bug<'a> {
    cause: &'a CrashReason,
    occurrences: Vec<&'a Occurrence>,
    /// What its report will be made of, where it does not exist yet.
    draft: Option<&'a Draft>,
}

/// Says of each claim without a log in which report it is counted. `fresh` are the claims of the batch that are not
/// claimed yet.
pub fn infer(batch: &mut [Claim], fresh: &[bool], read: &Reports, pending: &[Entry]) {
    if batch.iter().all(|claim| claim.exit.is_none()) {
        return;
    }
    let opening: Vec<Claim> = batch
        .iter()
        .zip(fresh)
        .filter(|(claim, fresh)| **fresh && claim.exit.is_none())
        .map(|(claim, _)| claim.clone())
        .collect();
    let bugs = open_bugs(&opening, read, pending);
    for claim in batch {
        let Some(exit) = &claim.exit else { continue };
        let fits = |bug: &Bug<'_>| bug.occurrences.iter().any(|it| exit.fits(it, bug.cause));
        let mut fitting = bugs.iter().filter(|(_, bug)| fits(bug));
        if let (Some((name, bug)), None) = (fitting.next(), fitting.next()) {
            name.clone_into(&mut claim.report);
            claim.draft = bug.draft.cloned();
            claim.addition.infer();
        }
    }
}

/// Every open bug of the container: those that have a report, those claimed and not written yet, and those of this batch.
fn open_bugs<'a>(batch: &'a [Claim], read: &'a Reports, pending: &'a [Entry]) -> BTreeMap<String, Bug<'a>> {
    let mut bugs = BTreeMap::new();
    for (name, report) in read.iter().filter_map(|(name, report)| Some((name, report.as_ref()?))) {
        let status = report.status.as_ref();
        if let Some(finding) = status.and_then(|status| status.finding.as_ref()).filter(|_| is_open(report)) {
            let occurrences = status.map_or_else(Vec::new, |status| status.occurrences.iter().collect());
            bugs.insert(name.clone(), Bug { cause: &finding.reason, occurrences, draft: None });
        }
    }
    let gone = |name: &String| !read.contains_key(name) || read[name].is_none();
    let makes = |entry: &&Entry| entry.base == Base::Absent;
    for entry in pending.iter().filter(makes) {
        if let Some(draft) = entry.draft.as_deref() {
            add(&mut bugs, &entry.report, draft, &entry.add.occurrences, gone(&entry.report));
        }
    }
    for claim in batch {
        if let Some(draft) = &claim.draft {
            add(&mut bugs, &claim.report, draft, &claim.addition.occurrences, gone(&claim.report));
        }
    }
    let many = |name: &String, bug: &Bug<'_>| match (bug.draft, read.get(name)) {
        (Some(draft), _) => stands_for_many(&draft.spec),
        (None, Some(Some(report))) => stands_for_many(&report.spec),
        _ => false,
    };
    bugs.retain(|name, bug| !many(name, bug));
    bugs
}

fn add<'a>(
    bugs: &mut BTreeMap<String, Bug<'a>>,
    name: &str,
    draft: &'a Draft,
    occurrences: &'a [Occurrence],
    gone: bool,
) {
    let new = || Bug { cause: &draft.finding.reason, occurrences: Vec::new(), draft: gone.then_some(draft) };
    bugs.entry(name.to_owned()).or_insert_with(new).occurrences.extend(occurrences);
}

/// The new bugs of a batch, and who gives way where there is no room for them.
pub struct Crowd {
    /// Name and draft of each, the surest first.
    new: Vec<(String, Draft)>,
    room: usize,
    /// Reports that can give way, the least certain last.
    givers: Vec<CrashReport>,
}

impl Crowd {
    /// The bugs that a batch opens: `opening` says of each claim whether it would make a report that there is not.
    pub fn new(batch: &[Claim], opening: &[bool], room: usize) -> Self {
        let mut new: Vec<(String, Draft)> = Vec::new();
        for (claim, _) in batch.iter().zip(opening).filter(|(_, opening)| **opening) {
            let Some(draft) = &claim.draft else { continue };
            match new.iter_mut().find(|(name, _)| *name == claim.report) {
                Some((_, best)) if best.standing() < draft.standing() => *best = draft.clone(),
                Some(_) => {}
                None => new.push((claim.report.clone(), draft.clone())),
            }
        }
        new.sort_by_key(|(_, draft)| (draft.may_fold(), Reverse(draft.standing())));
        Self { new, room, givers: Vec::new() }
    }

    /// Whether there are more than there is room for.
    pub fn is_over(&self) -> bool {
        self.new.len() > self.room
    }

    /// Lets reports give way: of these, those of a single death that nobody has taken on.
    pub fn may_displace(&mut self, reports: Vec<CrashReport>) {
        self.givers = reports.into_iter().filter(gives_way).collect();
        let seen = |report: &CrashReport| report.status.as_ref().and_then(|it| it.last_seen.as_ref().map(|at| at.0));
        self.givers.sort_by_key(|report| Reverse((standing(report), seen(report))));
    }

    /// Decides: the least certain of the new and the old are counted among the others. Says which of the old give way.
    pub fn settle(mut self, batch: &mut [Claim]) -> Vec<Fold> {
        let mut folds = Vec::new();
        for (name, draft) in self.new.iter().skip(self.room) {
            let less = |giver: &CrashReport| !draft.may_fold() || standing(giver) < Some(draft.standing());
            match self.givers.pop_if(|giver| less(giver)).as_ref().and_then(fold) {
                Some(fold) => folds.push(fold),
                None if draft.may_fold() => {
                    batch.iter_mut().filter(|claim| claim.report == *name).for_each(|it| count_among_others(it, draft));
                }
                None => {}
            }
        }
        folds
    }
}

/// Whether a report is of one death alone, of no certain bug, and nobody has taken it on or is being told of it.
fn gives_way(report: &CrashReport) -> bool {
    let Some(status) = &report.status else { return false };
    let single = status.count + status.inferred == 1 && status.unseen == 0;
    let told = !status.notifications.iter().any(is_due);
    single && told && report.spec.triage.is_none() && draft_of(report).is_some_and(|draft| draft.may_fold())
}

fn standing(report: &CrashReport) -> Option<Standing> {
    Some(draft_of(report)?.standing())
}

/// What a report was made of.
fn draft_of(report: &CrashReport) -> Option<Draft> {
    let status = report.status.as_ref()?;
    let (finding, evidence) = (status.finding.clone()?, status.evidence.clone()?);
    let delete_with_workload = report.metadata.owner_references.as_ref().is_some_and(|owners| !owners.is_empty());
    Some(Draft { spec: report.spec.clone(), finding, evidence, delete_with_workload })
}

fn fold(report: &CrashReport) -> Option<Fold> {
    let draft = draft_of(report)?.for_others();
    let folded = Folded { report: report.metadata.name.clone()?, uid: report.metadata.uid.clone()? };
    let add = Addition::of_status(report.status.as_ref()?);
    Some(Fold { folded, into: others_name(&draft), draft, add })
}

fn count_among_others(claim: &mut Claim, draft: &Draft) {
    let others = draft.for_others();
    claim.report = others_name(&others);
    claim.draft = Some(others);
    claim.addition.notify.clear();
}

/// `checkout-api-` and a hash and `-other`.
fn others_name(draft: &Draft) -> String {
    report_name(&draft.spec.workload, &draft.spec.container, &draft.spec.fingerprint)
}
