//! What of one pod is claimed: the last few terminations by name, everything older by a line drawn in time.
//!
//! One mark alone would do if every operator saw every termination in order. But one that starts late sees the newest
//! first, and then the older one, seen and read by the other operator, would be taken for counted. So the last few are
//! kept apart, and a jump of the restart count is remembered until what it skipped is seen after all.

use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::termination::Termination;

/// Terminations of a pod that are known by name. Operators lag by seconds, a loop backs off by ten: four is a minute.
const WINDOW: usize = 4;
/// The same with those that are harmless, which must not push out the others.
const WINDOW_OF_ALL: usize = 8;
/// Jumps of the restart count of one pod that are remembered.
const GAPS: usize = 4;
/// Reports of one pod that are remembered for counting pods: one pod seldom has more than one bug.
const REPORTS: usize = 8;
/// Characters kept of a container ID: 64 bits of a hash that is random.
const ID_CHARS: usize = 16;

/// One instance that ended, as far as its identity goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// The start of its container ID; the kubelet's synthetic records have none.
    #[serde(default, rename = "containerID", skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// The kubelet's word for it, where there is no ID to know it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often the container had been restarted when it ran.
    pub restart_count: i32,
    /// When it ended, in seconds since 1970; when that was seen, where the kubelet gives no time.
    pub finished_at: i64,
    /// It was looked at and found to be no crash: nothing counts it, unless somebody knows better.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passed: bool,
}

impl Instance {
    /// The identity of what a termination ended; `ended` is when it ended or, where the kubelet gives no time, was seen.
    pub fn of(termination: &Termination, ended: Timestamp) -> Self {
        let container_id = termination.container_id.as_deref().map(short_id);
        let stated = || termination.stated.map(|stated| format!("{stated:?}"));
        let reason = || termination.reason.clone().or_else(stated);
        Self {
            reason: if container_id.is_none() { reason() } else { None },
            container_id,
            restart_count: termination.restart_count,
            finished_at: ended.as_second(),
            passed: false,
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (&self.container_id, &other.container_id) {
            (Some(mine), Some(theirs)) => mine == theirs,
            (None, None) => self.reason == other.reason && self.restart_count == other.restart_count,
            _ => false,
        }
    }

    /// Whether it must have been before another one that is claimed. A record without an ID has no time of its own, so
    /// there the restart count decides.
    fn is_not_after(&self, line: &Self) -> bool {
        if self.container_id.is_none() {
            return self.restart_count < line.restart_count;
        }
        self.order() <= line.order()
    }

    fn order(&self) -> (i64, i32) {
        (self.finished_at, self.restart_count)
    }
}

/// `containerd://4f2a…` by the first characters of its hash.
fn short_id(id: &str) -> String {
    let hash = id.rsplit_once("://").map_or(id, |(_, hash)| hash);
    // Tests and other runtimes have short names with their difference at the end.
    if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) {
        hash[..ID_CHARS].to_owned()
    } else {
        crate::report::hex_hash(&[hash], ID_CHARS)
    }
}

/// Restart counts that were skipped, and the report that counts them as unseen: none yet where only a harmless exit
/// showed the jump, until the next crash says which bug this pod has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Gap {
    from: i32,
    to: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<String>,
}

impl Gap {
    fn size(&self) -> i64 {
        i64::from(self.to) - i64::from(self.from) + 1
    }
}

/// What of one pod is claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Row {
    /// The last terminations claimed, the oldest first.
    claimed: Vec<Instance>,
    /// Everything at or before this one is claimed too.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Instance>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<Gap>,
    /// Hashes of the reports in which this pod is counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reports: Vec<String>,
    /// Since when the pod is missing from the lists of pods, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missing_since: Option<i64>,
}

/// What claiming one termination came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Terminations before it that nobody has seen.
    pub unseen: i64,
    /// The report that counted this one as unseen until now.
    pub seen_after_all: Option<String>,
    /// The pod was not counted in this report before.
    pub new_pod: bool,
}

impl Row {
    /// Claims one termination for a report; `None` if it is claimed already. `unseen` is what the operator itself saw
    /// the restart count jump by; it serves where the row knows nothing earlier.
    pub(super) fn take(&mut self, instance: &Instance, unseen: u32, report: &str) -> Option<Taken> {
        let known_better = self.withdraw_pass(instance);
        if !known_better && self.holds(instance) {
            return None;
        }
        let mut taken = Taken { new_pod: self.count_pod(report), ..Taken::default() };
        if !known_better {
            taken.seen_after_all = self.place(instance, unseen);
        }
        taken.unseen = self.attribute_gaps(report);
        Some(taken)
    }

    /// Notes a termination that was looked at and is no crash, so that a later jump of the restart count does not have
    /// it as unseen. Gives what it came to; `None` if it is known already.
    pub(super) fn pass(&mut self, instance: &Instance, unseen: u32) -> Option<Taken> {
        if !self.has_use_for(instance) {
            return None;
        }
        let seen_after_all = self.place(&Instance { passed: true, ..instance.clone() }, unseen);
        Some(Taken { seen_after_all, ..Taken::default() })
    }

    /// Puts a new termination in its place; gives the report that counts it as unseen until now, if one does.
    fn place(&mut self, instance: &Instance, unseen: u32) -> Option<String> {
        let filled = self.fill_gap(instance);
        if filled.is_none() {
            self.open_gap(instance, unseen);
        }
        self.insert(instance.clone());
        filled.and_then(|gap| gap.report)
    }

    /// One operator took it for harmless, and another one, who had its log, did not.
    fn withdraw_pass(&mut self, instance: &Instance) -> bool {
        let known = self.claimed.iter_mut().chain(&mut self.closed);
        let Some(passed) = known.into_iter().find(|known| known.passed && known.is(instance)) else { return false };
        passed.passed = false;
        true
    }

    /// Has the gaps that no report counts yet counted by this one; gives how many terminations they are.
    fn attribute_gaps(&mut self, report: &str) -> i64 {
        let open = self.gaps.iter_mut().filter(|gap| gap.report.is_none());
        open.map(|gap| {
            gap.report = Some(report.to_owned());
            gap.size()
        })
        .sum()
    }

    /// When the newest claimed one ended, in seconds since 1970.
    pub(super) fn newest(&self) -> i64 {
        self.last().map_or(i64::MIN, |last| last.finished_at)
    }

    /// Forgets all but the newest one: a ledger that has grown too large gives up what only stragglers need.
    pub(super) fn shrink(&mut self) {
        while !self.claimed.is_empty() {
            self.close_oldest();
        }
        self.gaps.retain(|gap| gap.report.is_none());
    }

    /// Whether a termination is claimed, by name or as one that must have been before the line.
    pub(super) fn holds(&self, instance: &Instance) -> bool {
        let named = self.claimed.iter().chain(&self.closed).any(|claimed| claimed.is(instance));
        named || self.closed.as_ref().is_some_and(|line| instance.is_not_after(line))
    }

    /// Whether a harmless termination is new here and of consequence: before the first one that is counted, nothing is
    /// unseen.
    pub(super) fn has_use_for(&self, harmless: &Instance) -> bool {
        let newest = self.last().is_none_or(|last| last.order() < harmless.order());
        let before_all =
            self.closed.is_none() && self.first_count().is_some_and(|first| harmless.restart_count < first);
        !self.holds(harmless) && (newest || !before_all)
    }

    /// Whether a termination is claimed, and not as a harmless one.
    pub(super) fn counts(&self, instance: &Instance) -> bool {
        self.holds(instance) && !self.names_passed(instance)
    }

    /// Whether a termination is known by name as a harmless one.
    pub(super) fn names_passed(&self, instance: &Instance) -> bool {
        self.claimed.iter().chain(&self.closed).any(|known| known.passed && known.is(instance))
    }

    fn last(&self) -> Option<&Instance> {
        self.claimed.last().or(self.closed.as_ref())
    }

    fn count_pod(&mut self, report: &str) -> bool {
        // The last twelve characters of a report's name are a hash: enough to tell the bugs of one container apart.
        let hash = report.rsplit('-').next().unwrap_or(report).to_owned();
        if self.reports.contains(&hash) {
            return false;
        }
        if self.reports.len() >= REPORTS {
            self.reports.remove(0);
        }
        self.reports.push(hash);
        true
    }

    /// Takes the termination out of the gap that it was missing in, if it comes late; gives that gap.
    fn fill_gap(&mut self, instance: &Instance) -> Option<Gap> {
        let count = instance.restart_count;
        if self.last().is_none_or(|last| last.order() < instance.order()) {
            return None;
        }
        let place = self.gaps.iter().position(|gap| gap.from <= count && count <= gap.to)?;
        let gap = self.gaps.remove(place);
        let parts = [Gap { to: count - 1, ..gap.clone() }, Gap { from: count + 1, ..gap.clone() }];
        self.gaps.extend(parts.into_iter().filter(|part| part.from <= part.to));
        Some(gap)
    }

    /// Remembers what the restart count skipped between this termination and its neighbours.
    fn open_gap(&mut self, instance: &Instance, unseen: u32) {
        let count = instance.restart_count;
        let hint = count.saturating_sub(i32::try_from(unseen).unwrap_or(i32::MAX)).max(0);
        let newest = self.last().is_none_or(|last| last.order() < instance.order());
        match (self.last(), self.first_count()) {
            // The usual case. After a fall (a node that was rebooted) the count says nothing.
            (Some(last), _) if newest && last.restart_count < count => {
                self.remember(last.restart_count + 1, count - 1);
            }
            // Nothing earlier is known: never more than the operator itself saw.
            _ if newest => self.remember(hint, count - 1),
            // It comes late and is older than all that is known: what lies between was seen by nobody so far.
            (_, Some(first)) if self.closed.is_none() && count < first => {
                self.remember(hint, count - 1);
                self.remember(count + 1, first - 1);
            }
            _ => {}
        }
    }

    fn remember(&mut self, from: i32, to: i32) {
        if from > to {
            return;
        }
        self.gaps.push(Gap { from, to, report: None });
        if self.gaps.len() > GAPS {
            // One that is counted already: it only serves to take one back.
            let place = self.gaps.iter().position(|gap| gap.report.is_some()).unwrap_or(0);
            self.gaps.remove(place);
        }
    }

    /// The lowest restart count that is accounted for.
    fn first_count(&self) -> Option<i32> {
        let claimed = self.claimed.iter().map(|claimed| claimed.restart_count);
        claimed.chain(self.gaps.iter().map(|gap| gap.from)).min()
    }

    fn insert(&mut self, instance: Instance) {
        let place = self.claimed.partition_point(|claimed| claimed.order() <= instance.order());
        self.claimed.insert(place, instance);
        let counted = self.claimed.iter().filter(|known| !known.passed).count();
        if counted > WINDOW || self.claimed.len() > WINDOW_OF_ALL {
            self.close_oldest();
        }
    }

    /// Lets the oldest one that is known by name become the line; the line only ever moves on.
    fn close_oldest(&mut self) {
        let oldest = self.claimed.remove(0);
        if self.closed.as_ref().is_none_or(|line| line.order() < oldest.order()) {
            self.closed = Some(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn instance(restart: i32, ended: i64) -> Instance {
        Instance {
            container_id: Some(format!("id-{restart}-{ended}")),
            restart_count: restart,
            finished_at: ended,
            ..Default::default()
        }
    }

    fn synthetic(reason: &str, restart: i32, seen: i64) -> Instance {
        Instance { reason: Some(reason.into()), restart_count: restart, finished_at: seen, ..Default::default() }
    }

    /// What each of a row of claims came to: the unseen ones, `None` where it was claimed already.
    fn unseen(row: &mut Row, instances: &[Instance]) -> Vec<Option<i64>> {
        instances.iter().map(|instance| row.take(instance, 0, "r-1").map(|taken| taken.unseen)).collect()
    }

    #[test]
    fn the_same_instance_is_claimed_once() {
        let mut row = Row::default();
        let repeated = [instance(0, 10), instance(0, 10), instance(1, 20), instance(0, 10), instance(1, 20)];
        assert_eq!(unseen(&mut row, &repeated), [Some(0), None, Some(0), None, None]);
    }

    #[test]
    fn what_is_older_than_the_window_counts_as_claimed() {
        let mut row = Row::default();
        let ended = |restart| instance(restart, i64::from(restart) * 10);
        for restart in 10..20 {
            assert!(row.take(&ended(restart), 0, "r-1").is_some());
        }
        for restart in 0..20 {
            assert!(row.take(&ended(restart), 0, "r-1").is_none(), "{restart} was claimed again");
        }
        assert_eq!(row.claimed.len(), WINDOW);
    }

    #[test]
    fn a_jump_of_the_restart_count_is_unseen_but_not_at_first_sight_and_not_when_it_fell() {
        let mut row = Row::default();
        let seen = [instance(7, 10), instance(10, 20), instance(0, 30), instance(1, 40), instance(4, 50)];
        assert_eq!(unseen(&mut row, &seen), [Some(0), Some(2), Some(0), Some(0), Some(2)]);
    }

    #[test]
    fn a_jump_that_the_operator_itself_saw_counts_at_first_sight() {
        let mut row = Row::default();
        assert_eq!(row.take(&instance(5, 10), 2, "r-1").unwrap().unseen, 2);
        // The row knows better afterwards.
        assert_eq!(row.take(&instance(6, 20), 3, "r-1").unwrap().unseen, 0);
    }

    #[test]
    fn one_that_comes_late_is_taken_from_those_unseen() {
        let mut row = Row::default();
        row.take(&instance(0, 10), 0, "r-1");
        assert_eq!(row.take(&instance(4, 50), 0, "r-2").unwrap().unseen, 3);
        let late = row.take(&instance(2, 30), 0, "r-3").unwrap();
        assert_eq!((late.unseen, late.seen_after_all.as_deref()), (0, Some("r-2")));
        let again = row.take(&instance(1, 20), 0, "r-1").unwrap();
        assert_eq!(again.seen_after_all.as_deref(), Some("r-2"));
        assert!(row.take(&instance(2, 30), 0, "r-3").is_none());
    }

    #[test]
    fn one_that_comes_late_and_before_all_others_shows_what_nobody_saw() {
        let mut row = Row::default();
        row.take(&instance(5, 50), 0, "r-1");
        let late = row.take(&instance(2, 20), 0, "r-1").unwrap();
        assert_eq!((late.unseen, late.seen_after_all), (2, None));
        assert_eq!(row.take(&instance(3, 30), 0, "r-1").unwrap().seen_after_all.as_deref(), Some("r-1"));
    }

    #[test]
    fn records_without_an_id_are_known_by_reason_and_restart_count_whenever_they_are_seen() {
        let mut row = Row::default();
        let lost = |restart, seen| synthetic("ContainerStatusUnknown", restart, seen);
        let seen = [lost(3, 100), lost(3, 999), synthetic("Evicted", 3, 101), instance(4, 200), lost(3, 5000)];
        assert_eq!(unseen(&mut row, &seen), [Some(0), None, Some(0), Some(0), None]);
        row.shrink();
        assert!(row.take(&lost(3, 9999), 0, "r-1").is_none());
        assert!(row.take(&instance(4, 200), 0, "r-1").is_none());
        assert!(row.take(&instance(5, 300), 0, "r-1").is_some());
    }

    #[test]
    fn the_newest_one_is_known_by_name_when_all_others_are_given_up() {
        let mut row = Row::default();
        row.take(&synthetic("Evicted", 3, 100), 0, "r-1");
        row.shrink();
        assert!(row.take(&synthetic("Evicted", 3, 999), 0, "r-1").is_none());
        assert!(row.take(&synthetic("NodeLost", 3, 999), 0, "r-1").is_some());
    }

    #[test]
    fn what_was_looked_at_and_is_no_crash_is_not_unseen() {
        let mut row = Row::default();
        row.take(&instance(0, 10), 0, "r-1");
        assert_eq!(row.pass(&instance(1, 20), 0), Some(Taken::default()));
        assert_eq!(row.pass(&instance(1, 20), 0), None);
        assert_eq!(row.take(&instance(2, 30), 0, "r-1").unwrap().unseen, 0);
        // What the harmless one itself skipped is counted with the next crash.
        row.pass(&instance(5, 60), 0);
        assert_eq!(row.take(&instance(6, 70), 0, "r-2").unwrap().unseen, 2);
        assert_eq!(row.take(&instance(3, 40), 0, "r-1").unwrap().seen_after_all.as_deref(), Some("r-2"));
    }

    #[test]
    fn a_harmless_one_that_comes_late_is_taken_from_those_unseen() {
        let mut row = Row::default();
        row.take(&instance(0, 10), 0, "r-1");
        assert_eq!(row.take(&instance(2, 30), 0, "r-2").unwrap().unseen, 1);
        assert_eq!(row.pass(&instance(1, 20), 0).unwrap().seen_after_all.as_deref(), Some("r-2"));
    }

    #[test]
    fn who_knows_better_counts_what_another_took_for_harmless() {
        let mut row = Row::default();
        row.take(&instance(0, 10), 0, "r-1");
        row.pass(&instance(1, 20), 0);
        let taken = row.take(&instance(1, 20), 0, "r-2").unwrap();
        assert_eq!((taken.unseen, taken.seen_after_all, taken.new_pod), (0, None, true));
        assert!(row.take(&instance(1, 20), 0, "r-2").is_none() && row.pass(&instance(1, 20), 0).is_none());
    }

    #[test]
    fn a_pod_counts_once_in_each_report() {
        let mut row = Row::default();
        let new =
            |row: &mut Row, restart, report| row.take(&instance(restart, restart.into()), 0, report).unwrap().new_pod;
        assert!(new(&mut row, 0, "a-b-1") && new(&mut row, 1, "a-b-2"));
        assert!(!new(&mut row, 2, "a-b-1") && !new(&mut row, 3, "a-b-2"));
    }

    #[test]
    fn a_container_id_is_kept_short() {
        let long = format!("containerd://{}", "4f".repeat(32));
        assert_eq!(short_id(&long), "4f4f4f4f4f4f4f4f");
        assert_eq!(short_id("containerd://a").len(), ID_CHARS);
        assert_ne!(short_id("containerd://a"), short_id("containerd://b"));
    }
}
