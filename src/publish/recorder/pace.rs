//! When writes are made that only move counts. The clock is passed in.

use std::time::Duration;

use tokio::time::Instant;

/// The first and the longest pause between two writes of a report that only move its counts.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long a claim waits for more of its workload: what is not claimed yet is only in memory and in the pod's status,
/// which shows the last two ends of a container.
const CLAIM_AFTER: Duration = Duration::from_secs(1);
/// Claims in a second, of all workloads, beyond which they wait longer: a storm that kills 200 workloads at once then
/// costs each of them one claim, not ten.
const CLAIMS_PER_SECOND: u32 = 16;
/// Longest wait of a claim, however many workloads have one waiting: a kubelet that restarts a container at its fastest
/// has lost sight of the first two ends by then.
const CLAIM_AT_LATEST: Duration = Duration::from_secs(20);

/// How long a claim that may open a bug waits for others in a storm: those that died of the same thing are let go by the
/// limiter at the moment in which the first one's log was had.
const OPEN_AFTER: Duration = Duration::from_millis(100);

/// How long a claim waits while so many workloads have one waiting; `before` are the claims of the same loop that had to
/// wait for that reason already.
pub fn claim_wait(waiting: usize, before: u32) -> Duration {
    let crowd = u32::try_from(waiting).unwrap_or(u32::MAX);
    let wait = Duration::from_secs(crowd.into()) / CLAIMS_PER_SECOND;
    let longer = if is_storm(waiting) { 1 << before.min(5) } else { 1 };
    (wait * longer).clamp(CLAIM_AFTER, CLAIM_AT_LATEST)
}

/// How long a claim that may open a bug waits: not at all but in a storm.
pub fn open_wait(waiting: usize) -> Duration {
    if is_storm(waiting) { OPEN_AFTER } else { Duration::ZERO }
}

/// Whether more workloads have something waiting than can be claimed in a second.
pub fn is_storm(waiting: usize) -> bool {
    waiting > CLAIMS_PER_SECOND as usize
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
        let seconds = |waiting, before| claim_wait(waiting, before).as_secs_f64();
        let calm = [seconds(0, 0), seconds(1, 9), seconds(16, 9)];
        assert_eq!(calm, [1.0, 1.0, 1.0]);
        assert_eq!([seconds(200, 0), seconds(200, 1), seconds(200, 9), seconds(100_000, 0)], [12.5, 20.0, 20.0, 20.0]);
        assert_eq!((open_wait(16), open_wait(17)), (Duration::ZERO, OPEN_AFTER));
    }
}
