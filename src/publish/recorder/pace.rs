//! When writes are made that only move counts. The clock is passed in.

use std::time::Duration;

use tokio::time::Instant;

/// The first and the longest pause between two writes of a report that only move its counts.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long a claim waits for more of its workload: what is not claimed yet is only in memory and in the pod's status,
/// which shows the last two ends of a container.
const CLAIM_AFTER: Duration = Duration::from_secs(1);
/// Workloads with something waiting that are claimed each in its own second. Beyond, the wait grows with the square of
/// their number: a storm that kills 200 workloads at once then costs each of them one claim, not ten, while a few dozen
/// are still claimed so soon that an operator that is killed every few seconds keeps up.
const CROWD: usize = 40;
/// Longest wait of a claim, however many workloads have one waiting: a kubelet that restarts a container at its fastest
/// has lost sight of the first two ends by then.
const CLAIM_AT_LATEST: Duration = Duration::from_secs(15);
/// How long a claim that may open a bug waits for others in a storm: those that died of the same thing are let go by the
/// limiter at the moment in which the first one's log was had.
const OPEN_AFTER: Duration = Duration::from_millis(100);

/// How long a claim waits while so many workloads have one waiting.
pub fn claim_wait(waiting: usize) -> Duration {
    let times = u32::try_from(waiting.saturating_mul(waiting) / CROWD).unwrap_or(u32::MAX);
    (CLAIM_AFTER.saturating_mul(times) / CROWD as u32).clamp(CLAIM_AFTER, CLAIM_AT_LATEST)
}

/// How long a claim that may open a bug waits: not at all but in a storm.
pub fn open_wait(waiting: usize) -> Duration {
    if is_storm(waiting) { OPEN_AFTER } else { Duration::ZERO }
}

/// Whether so many workloads have something waiting that each waits longer.
fn is_storm(waiting: usize) -> bool {
    waiting > CROWD
}

/// The writes of counts of one workload's container. It starts anew with each task, which ends when a loop does.
#[derive(Debug)]
pub struct Pace {
    pause: Duration,
    last: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: PAUSE.0, last: None }
    }
}

impl Pace {
    /// From when on the next write may be made.
    pub fn ready(&self, now: Instant) -> Instant {
        self.last.map_or(now, |last| last + self.pause)
    }

    /// One was made; `counts` says that it moved only counts, after which the next one waits longer.
    pub fn written(&mut self, now: Instant, counts: bool) {
        if counts {
            self.pause = (self.pause * 2).min(PAUSE.1);
        }
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_from_one_second_to_a_minute() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        assert_eq!(pace.ready(now), now);
        pace.written(now, false);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let ready = pace.ready(now);
            pauses.push((ready - now).as_secs());
            now = ready;
            pace.written(now, true);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn a_claim_waits_longer_only_in_a_storm() {
        let seconds = |waiting| claim_wait(waiting).as_secs();
        assert_eq!([0, 1, 40, 80, 100, 200, usize::MAX].map(seconds), [1, 1, 1, 4, 6, 15, 15]);
        assert_eq!((open_wait(40), open_wait(41)), (Duration::ZERO, OPEN_AFTER));
    }
}
