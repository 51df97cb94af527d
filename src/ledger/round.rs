//! One round of counting: claim in the ledger, apply to the reports, clear what they confirm. It may be cut off at any
//! await, and another operator may do the same at the same time.
//!
//! Why nothing is lost or doubled, kill by kill:
//! - before the claim is written nothing has happened: the termination is still in the pod's status, or was never seen;
//! - after it, the entry waits in `pending`, complete, for whoever comes next;
//! - after the report is created, it has no status, and the entry is still above its mark (it has none);
//! - after its status is written, the mark says so, and the entry is skipped by everyone until it is cleared.
//!
//! An entry is only cleared by one who has seen the mark, or that the report it was meant for is gone. A copy of the
//! ledger that holds entry n holds all earlier ones that are not cleared, so a mark never passes over one.
//!
//! One thing cannot be known: whether an entry was applied to a report that is no longer there. Where the report existed
//! when the entry was claimed, a user has deleted it after the crash, and the entry goes with it. Where it did not, the
//! report is made (again): one deleted in the moment between its creation and the clearing of the entry may come back.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;

use super::objects::{Objects, Refused, Stored};
use super::placing::{self, Reports};
use super::protocol::{Base, Batch, Claim, Claimed, Entry, Fold, Known, Ledger};
use super::{LedgerKey, Pass};
use crate::report::{CrashReport, Draft, LedgerMark, Standing, merge};

/// Conflicts in a row before a round gives up: each means that somebody else's write went through, so that many without
/// one of our own point to a fault, not to a busy cluster.
const CONFLICTS: usize = 32;

/// Why a round could not claim.
#[derive(Debug, thiserror::Error)]
pub enum RoundError<E: std::fmt::Display> {
    /// A call failed for good.
    #[error("{0}")]
    Call(E),
    /// Every write met a newer version.
    #[error("its objects changed under each of {CONFLICTS} writes")]
    Contended,
}

/// What became of the entries of one report.
#[derive(Debug)]
pub enum Outcome<E: std::fmt::Display> {
    /// They are counted.
    Written {
        /// The report as it is now.
        report: Box<CrashReport>,
        /// Whether this opened the bug.
        opened: bool,
    },
    /// There is nothing to count them in: the report was deleted by a user, or its namespace is gone.
    GivenUp,
    /// They wait in the ledger: the report could not be written now.
    Owed(RoundError<E>),
}

/// What a claim came to.
#[derive(Debug, Default)]
pub struct Placed {
    /// For each termination of the batch the report that it is counted in, if this operator is the one to count it.
    pub reports: Vec<Option<String>>,
    /// Whether anything but counts moves: a report is to be made, or gets a better finding.
    pub tells: bool,
    /// Whether there is anything to be applied.
    wrote: bool,
    /// What of the reports was read on the way, where that still holds when the entries are applied at once.
    read: Reports,
}

/// What a batch came to.
#[derive(Debug)]
pub struct Recorded<E: std::fmt::Display> {
    /// For each termination of the batch the report that it is counted in, if this operator is the one to count it.
    pub reports: Vec<Option<String>>,
    /// By name of the report, for every report that had something pending.
    pub outcomes: BTreeMap<String, Outcome<E>>,
}

/// What is known of the ledger object.
#[derive(Debug)]
enum Cache {
    Unknown,
    /// There was none when all were listed.
    Absent,
    Stored(Box<Stored>),
}

/// Counts for one key, with what it remembers between rounds.
#[derive(Debug)]
pub struct Clerk<O> {
    objects: O,
    key: LedgerKey,
    /// Tells this process' claims from all others', those of its own earlier lives included.
    name: String,
    claims: u64,
    cache: Cache,
    /// By report the last entry that it has, or that was given up; of the ledger with this UID.
    confirmed: BTreeMap<String, i64>,
    uid: String,
}

impl<O: Objects> Clerk<O> {
    /// A clerk for one key. `name` must never have been used by another clerk. `exists` is false where the ledger is
    /// known not to exist, which saves a read.
    pub fn new(objects: O, key: LedgerKey, name: String, exists: bool) -> Self {
        let cache = if exists { Cache::Unknown } else { Cache::Absent };
        Self { objects, key, name, claims: 0, cache, confirmed: BTreeMap::new(), uid: String::new() }
    }

    /// Claims a batch and applies whatever is pending.
    ///
    /// # Errors
    /// When nothing could be claimed; the batch can be handed in again.
    pub async fn record(
        &mut self,
        batch: Batch<'_>,
        now: Timestamp,
    ) -> Result<Recorded<O::Error>, RoundError<O::Error>> {
        let placed = self.claim(batch).await?;
        let reports = placed.reports.clone();
        Ok(Recorded { reports, outcomes: self.apply(placed, now).await? })
    }

    /// Applies what is pending after a claim.
    ///
    /// # Errors
    /// When the ledger could not be read.
    pub async fn apply(
        &mut self,
        placed: Placed,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Outcome<O::Error>>, RoundError<O::Error>> {
        // Without a write of ours the copy of the ledger may be an old one, whose entries others have long cleared.
        if placed.wrote { self.apply_pending(placed.read, now).await } else { Ok(BTreeMap::new()) }
    }

    /// Applies whatever is pending: after a start, a take-over, or a failure.
    ///
    /// # Errors
    /// When the ledger could not be read.
    pub async fn settle(
        &mut self,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Outcome<O::Error>>, RoundError<O::Error>> {
        self.cache = Cache::Unknown;
        self.apply_pending(BTreeMap::new(), now).await
    }

    /// Drops from the ledger what its reports confirmed. A conflict leaves it to the next claim.
    ///
    /// # Errors
    /// When the write failed for another reason.
    pub async fn clear(&mut self) -> Result<(), RoundError<O::Error>> {
        let Cache::Stored(stored) = &self.cache else { return Ok(()) };
        let next = self.without_confirmed(stored.ledger.clone());
        if next == stored.ledger {
            return Ok(());
        }
        self.write(next).await.map(|_| ()).map_err(RoundError::Call)
    }

    /// Whether the ledger holds something that no report has confirmed.
    pub fn owes(&self) -> bool {
        let Cache::Stored(stored) = &self.cache else { return false };
        !self.without_confirmed(stored.ledger.clone()).pending.is_empty()
    }

    /// Reads the ledger if it is not known.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn look(&mut self) -> Result<(), RoundError<O::Error>> {
        self.ledger().await.map(|_| ())
    }

    /// Whether the ledger, or that there is none, is known.
    pub fn has_looked(&self) -> bool {
        !matches!(self.cache, Cache::Unknown)
    }

    /// Of harmless terminations those that the ledger should know and does not, as far as its copy tells.
    pub fn wanted(&self, passes: &[Pass]) -> Vec<Pass> {
        let Cache::Stored(stored) = &self.cache else { return Vec::new() };
        passes.iter().filter(|pass| stored.ledger.wants(pass)).cloned().collect()
    }

    /// Whether the ledger knows a harmless termination.
    pub fn has(&self, pass: &Pass) -> bool {
        matches!(&self.cache, Cache::Stored(stored) if stored.ledger.has(pass))
    }

    /// Whether there is a confirmed entry that is large: it has all that a new report is made of.
    pub fn is_worth_clearing(&self) -> bool {
        let Cache::Stored(stored) = &self.cache else { return false };
        stored.ledger.pending.iter().any(|entry| entry.draft.is_some())
    }

    fn without_confirmed(&self, mut ledger: Ledger) -> Ledger {
        self.confirmed.iter().for_each(|(report, seq)| ledger.confirm(report, *seq));
        ledger
    }

    /// Claims a batch in one write, again after each conflict; nothing is applied yet.
    ///
    /// # Errors
    /// When nothing could be claimed; the batch can be handed in again.
    pub async fn claim(&mut self, batch: Batch<'_>) -> Result<Placed, RoundError<O::Error>> {
        self.claims += 1;
        let by = format!("{}/{}", self.name, self.claims);
        let mut attempt = None;
        for _ in 0..CONFLICTS {
            let mut next = self.ledger().await?;
            // A write whose answer was lost meets its own claim.
            if let Some(attempt) = attempt.take_if(|_| next.has_claim(&by)) {
                return Ok(Placed { read: Reports::new(), ..attempt });
            }
            let mut read = self.read_reports(batch.claims).await?;
            // One that gives way counts for nothing any more: its bug opens a new one.
            next.giving_way().for_each(|folded| {
                read.insert(folded.report.clone(), None);
            });
            let (claims, folds) = self.place(batch.claims, &next, &mut read).await;
            let known = read.iter().filter_map(|(name, report)| Some((name.clone(), known(report.as_ref()?))));
            let claimed = next.claim(Batch { claims: &claims, folds: &folds, ..batch }, &known.collect(), &by);
            let placed = placed(&claims, &claimed, &next, &by, read);
            if !claimed.any() || self.write(next).await.map_err(RoundError::Call)? {
                return Ok(placed);
            }
            attempt = Some(placed);
        }
        Err(RoundError::Contended)
    }

    /// Says where each claim is counted, by what there is now, and which reports give way to make room.
    async fn place(&self, claims: &[Claim], ledger: &Ledger, read: &mut Reports) -> (Vec<Claim>, Vec<Fold>) {
        let mut claims = claims.to_vec();
        let fresh = ledger.fresh(&claims);
        placing::infer(&mut claims, &fresh, read, &ledger.pending);
        let exists = |claim: &Claim, read: &Reports| {
            let pending = ledger.pending.iter().any(|entry| entry.report == claim.report);
            pending || matches!(read.get(&claim.report), Some(Some(_)))
        };
        let opening: Vec<bool> = claims.iter().zip(&fresh).map(|(it, fresh)| *fresh && !exists(it, read)).collect();
        if !opening.contains(&true) {
            return (claims, Vec::new());
        }
        // The first sure bugs of a container, of which there is no ledger and thus no report that could give way, are opened
        // in any case: the census, which may have to list all reports for it, is not asked.
        let may_fold = |(claim, opens): (&Claim, &bool)| *opens && claim.draft.as_ref().is_some_and(Draft::may_fold);
        if matches!(self.cache, Cache::Absent) && !claims.iter().zip(&opening).any(may_fold) {
            return (claims, Vec::new());
        }
        // What is claimed and not made yet takes its place too.
        let made = |entry: &&Entry| entry.base == Base::Absent && !matches!(read.get(&entry.report), Some(Some(_)));
        let owed: BTreeSet<_> = ledger.pending.iter().filter(made).map(|entry| &entry.report).collect();
        let room = self.objects.room().await.saturating_sub(owed.len());
        let mut crowd = placing::Crowd::new(&claims, &opening, room);
        if crowd.is_over() {
            crowd.may_displace(self.givers(&claims, ledger, read).await);
        }
        let folds = crowd.settle(&mut claims);
        for fold in &folds {
            read.insert(fold.folded.report.clone(), None);
        }
        (claims, folds)
    }

    /// The reports of the container that can give way to a surer bug.
    async fn givers(&self, claims: &[Claim], ledger: &Ledger, read: &mut Reports) -> Vec<CrashReport> {
        match self.objects.list_reports().await {
            // Those that already give way must stay out of sight.
            Ok(listed) => {
                for (name, report) in listed {
                    read.entry(name).or_insert(Some(report));
                }
            }
            Err(error) => tracing::debug!(%error, "no report gives way: they cannot be listed"),
        }
        let idle = |name: &String| {
            let pending = ledger.pending.iter().any(|entry| &entry.report == name);
            !pending && !claims.iter().any(|claim| &claim.report == name)
        };
        let of = |(name, report): (&String, &Option<CrashReport>)| report.clone().filter(|_| idle(name));
        read.iter().filter_map(of).filter(|report| self.objects.is_settled(report)).collect()
    }

    /// The ledger without what is confirmed; read if it is not known.
    async fn ledger(&mut self) -> Result<Ledger, RoundError<O::Error>> {
        if matches!(self.cache, Cache::Unknown) {
            match self.objects.read_ledger().await.map_err(RoundError::Call)? {
                Some(stored) => self.keep(stored),
                None => self.cache = Cache::Absent,
            }
        }
        Ok(match &self.cache {
            Cache::Stored(stored) => self.without_confirmed(stored.ledger.clone()),
            _ => Ledger::new(self.key.clone()),
        })
    }

    fn keep(&mut self, stored: Stored) {
        // A ledger that somebody deleted starts anew at 1, and what was confirmed of the old one says nothing of it.
        if self.uid != stored.uid {
            self.confirmed.clear();
            self.uid.clone_from(&stored.uid);
        }
        self.cache = Cache::Stored(Box::new(stored));
    }

    /// Writes the ledger; false on a conflict, after which it is read anew.
    async fn write(&mut self, next: Ledger) -> Result<bool, O::Error> {
        // Unknown until the answer is there: a call that is cut off may or may not have been made.
        let cache = std::mem::replace(&mut self.cache, Cache::Unknown);
        let over = if let Cache::Stored(stored) = &cache { Some(stored.as_ref()) } else { None };
        match self.objects.write_ledger(over, &next).await {
            Ok(stored) => {
                self.keep(stored);
                self.confirmed.clear();
                Ok(true)
            }
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Conflict | Refused::Absent | Refused::NamespaceGone) => Ok(false),
        }
    }

    /// The reports that a batch is for, and all of the container where some have to be fitted in. Without a ledger there
    /// is none yet: the create will tell if that is wrong.
    async fn read_reports(&self, batch: &[Claim]) -> Result<Reports, RoundError<O::Error>> {
        let mut read = Reports::new();
        let names = batch.iter().map(|claim| &claim.report);
        if batch.iter().any(|claim| claim.exit.is_some()) {
            let listed = self.objects.list_reports().await.map_err(RoundError::Call)?;
            read.extend(names.map(|name| (name.clone(), None)));
            read.extend(listed.into_iter().map(|(name, report)| (name, Some(report))));
            return Ok(read);
        }
        for name in names {
            if !read.contains_key(name) {
                let report = match self.cache {
                    Cache::Absent => None,
                    _ => self.objects.read_report(name).await.map_err(RoundError::Call)?,
                };
                read.insert(name.clone(), report);
            }
        }
        Ok(read)
    }

    async fn apply_pending(
        &mut self,
        mut read: Reports,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Outcome<O::Error>>, RoundError<O::Error>> {
        let pending = self.ledger().await?.pending;
        let uid = self.uid.clone();
        let mut by_report: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for entry in pending {
            by_report.entry(entry.report.clone()).or_default().push(entry);
        }
        let mut outcomes = self.delete_folded(&by_report).await;
        by_report.retain(|name, _| !outcomes.contains_key(name));
        for (name, entries) in by_report {
            let last = entries.last().map_or(0, |entry| entry.seq);
            let outcome = match self.bring_in(&name, &uid, &entries, read.remove(&name), now).await {
                Ok(outcome) => {
                    self.confirmed.insert(name.clone(), last);
                    outcome
                }
                Err(error) => Outcome::Owed(error),
            };
            outcomes.insert(name, outcome);
        }
        Ok(outcomes)
    }

    /// Deletes the reports that give way, before what they counted is added elsewhere and before their bugs open new ones.
    /// Gives what must wait because that failed.
    async fn delete_folded(&self, entries: &BTreeMap<String, Vec<Entry>>) -> BTreeMap<String, Outcome<O::Error>> {
        let mut owed = BTreeMap::new();
        for entry in entries.values().flatten() {
            let Some(folded) = &entry.folds else { continue };
            if let Err(error) = self.objects.delete_report(&folded.report, &folded.uid).await {
                owed.insert(folded.report.clone(), Outcome::Owed(RoundError::Contended));
                owed.insert(entry.report.clone(), Outcome::Owed(RoundError::Call(error)));
            }
        }
        owed
    }

    /// Brings the entries of one report into it, again after each conflict. `read` is what was found when it was looked
    /// for before the claim: still true of an absent one as far as entries go, since whoever made one since would have
    /// claimed for it, and our claim would have met a conflict.
    async fn bring_in(
        &self,
        name: &str,
        ledger: &str,
        entries: &[Entry],
        mut read: Option<Option<CrashReport>>,
        now: Timestamp,
    ) -> Result<Outcome<O::Error>, RoundError<O::Error>> {
        for _ in 0..CONFLICTS {
            let found = match read.take() {
                Some(found) => found,
                None => self.objects.read_report(name).await.map_err(RoundError::Call)?,
            };
            let Some(report) = found else {
                match self.create(name, entries).await? {
                    Created::Made(report) => read = Some(Some(*report)),
                    Created::Exists => {}
                    Created::Impossible => return Ok(Outcome::GivenUp),
                }
                continue;
            };
            match self.update(report, ledger, entries, now).await? {
                Some(outcome) => return Ok(outcome),
                None => continue,
            }
        }
        Err(RoundError::Contended)
    }

    async fn create(&self, name: &str, entries: &[Entry]) -> Result<Created, RoundError<O::Error>> {
        let makers = entries.iter().filter(|entry| entry.base == Base::Absent);
        let Some(draft) = makers.rev().find_map(|entry| entry.draft.as_deref()) else {
            return Ok(Created::Impossible);
        };
        match self.objects.create_report(&merge::new_report(&self.key.namespace, name, draft)).await {
            Ok(report) => Ok(Created::Made(Box::new(report))),
            Err(Refused::Conflict | Refused::Absent) => Ok(Created::Exists),
            Err(Refused::NamespaceGone) => Ok(Created::Impossible),
            Err(Refused::Failed(error)) => Err(RoundError::Call(error)),
        }
    }

    /// Adds to a report what is above its mark; `None` where it changed meanwhile.
    async fn update(
        &self,
        mut report: CrashReport,
        ledger: &str,
        entries: &[Entry],
        now: Timestamp,
    ) -> Result<Option<Outcome<O::Error>>, RoundError<O::Error>> {
        if self.is_replaced(&report, ledger).await? {
            return Ok(Some(Outcome::GivenUp));
        }
        let mark = mark(&report, ledger);
        let due: Vec<&Entry> = entries.iter().filter(|e| e.seq > mark && is_meant_for(e, &report)).collect();
        let opened = standing(&report).is_none();
        let Some(last) = due.last() else {
            let counted = entries.iter().any(|entry| entry.seq <= mark);
            let outcome = Outcome::Written { report: Box::new(report), opened: false };
            return Ok(Some(if counted { outcome } else { Outcome::GivenUp }));
        };
        for entry in &due {
            merge::fold(&mut report, &entry.add, entry.draft.as_deref(), now);
        }
        if let Some(status) = &mut report.status {
            status.ledger = Some(LedgerMark { uid: ledger.to_owned(), seq: last.seq });
        }
        match self.objects.write_status(&report).await {
            Ok(written) => Ok(Some(Outcome::Written { report: Box::new(self.relabelled(written).await), opened })),
            Err(Refused::Failed(error)) => Err(RoundError::Call(error)),
            Err(_) => Ok(None),
        }
    }

    /// Whether the ledger of these entries is no more, told by a report that has counted for another one since. It was then
    /// deleted as one in which nothing was left, so that all of them are counted. Asked after the report was read: a newer
    /// one that counts meanwhile makes that version an old one.
    async fn is_replaced(&self, report: &CrashReport, ledger: &str) -> Result<bool, RoundError<O::Error>> {
        let mark = report.status.as_ref().and_then(|status| status.ledger.as_ref());
        if mark.is_none_or(|mark| mark.uid == ledger) {
            return Ok(false);
        }
        let current = self.objects.read_ledger().await.map_err(RoundError::Call)?;
        Ok(current.is_none_or(|current| current.uid != ledger))
    }

    /// Brings labels after a better finding, which a write of the status leaves alone. They only serve selectors, so a
    /// failure waits for the next write.
    async fn relabelled(&self, report: CrashReport) -> CrashReport {
        let labels = merge::stale_labels(&report);
        let name = report.metadata.name.clone().unwrap_or_default();
        if !labels.is_empty()
            && let Err(error) = self.objects.set_labels(&name, labels).await
        {
            tracing::warn!(report = name, %error, "the labels of a report are behind its finding");
        }
        report
    }
}

/// What was claimed under this name, and where.
fn placed(claims: &[Claim], claimed: &Claimed, ledger: &Ledger, by: &str, read: Reports) -> Placed {
    let report = |(claim, fresh): (&Claim, &bool)| fresh.then(|| claim.report.clone());
    let own = || ledger.pending.iter().filter(|entry| entry.by == by);
    Placed {
        reports: claims.iter().zip(&claimed.fresh).map(report).collect(),
        wrote: own().next().is_some(),
        tells: own().any(|entry| entry.draft.is_some() || entry.base == Base::Absent),
        read,
    }
}

enum Created {
    Made(Box<CrashReport>),
    Exists,
    Impossible,
}

fn known(report: &CrashReport) -> Known {
    Known { uid: report.metadata.uid.clone().unwrap_or_default(), standing: standing(report) }
}

fn standing(report: &CrashReport) -> Option<Standing> {
    let status = report.status.as_ref()?;
    Some(Standing::of(status.finding.as_ref()?, status.evidence.as_ref()?))
}

/// Up to which entry of this ledger a report has counted.
fn mark(report: &CrashReport, ledger: &str) -> i64 {
    let mark = report.status.as_ref().and_then(|status| status.ledger.as_ref());
    mark.filter(|mark| mark.uid == ledger).map_or(0, |mark| mark.seq)
}

/// Whether an entry may be added to this report, and not to an earlier one of the same name.
fn is_meant_for(entry: &Entry, report: &CrashReport) -> bool {
    match &entry.base {
        Base::Absent | Base::Any => true,
        Base::Uid(uid) => report.metadata.uid.as_ref() == Some(uid),
    }
}
