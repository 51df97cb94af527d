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
const CLAIM_AT_LATEST: Duration = Duration::from_secs(30);

/// How long a claim waits while so many workloads have one waiting.
pub fn claim_wait(waiting: usize) -> Duration {
    let crowd = u32::try_from(waiting).unwrap_or(u32::MAX);
    (Duration::from_secs(crowd.into()) / CLAIMS_PER_SECOND).clamp(CLAIM_AFTER, CLAIM_AT_LATEST)
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
        let seconds = |waiting| claim_wait(waiting).as_secs_f64();
        assert_eq!([seconds(0), seconds(1), seconds(16), seconds(200), seconds(100_000)], [1.0, 1.0, 1.0, 12.5, 30.0]);
    }
}
