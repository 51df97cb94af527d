//! How long to wait before the next try.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The first wait: Slack's own limit is about one message a second.
pub const FIRST: Duration = Duration::from_secs(1);
/// The longest wait that is chosen here: an outage of an hour should not delay its end by another hour.
pub const LONGEST: Duration = Duration::from_secs(300);
/// The longest wait that a sink may ask for. Beyond it, a misconfigured proxy would silence notifications for good.
pub const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// The wait after `failures` failures in a row (from 1): doubling from [`FIRST`] to [`LONGEST`], of which `jitter`
/// (from 0 to 1) decides the upper half, so that replicas and sinks do not come back together. What the sink asks for is
/// honoured, up to [`LONGEST_ASKED`], and never shortened by the jitter.
pub fn wait(failures: u32, asked: Option<Duration>, jitter: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let chosen = full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
    asked.map_or(chosen, |asked| chosen.max(asked.min(LONGEST_ASKED)))
}

/// A number from 0 to 1 that differs at every call. It spreads load and keeps no secret, so the standard library's
/// randomly keyed hasher is enough.
pub fn jitter() -> f64 {
    let bits = RandomState::new().hash_one(0_u8);
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let seconds = |failures| wait(failures, None, 1.0).as_secs_f64();
        assert_eq!([1, 2, 3, 4].map(seconds), [1.0, 2.0, 4.0, 8.0]);
        assert_eq!(wait(9, None, 1.0), Duration::from_secs(256));
        assert_eq!(wait(10, None, 1.0), LONGEST);
        assert_eq!(wait(u32::MAX, None, 1.0), LONGEST);
    }

    #[test]
    fn jitter_takes_at_most_half() {
        assert_eq!(wait(2, None, 0.0), Duration::from_secs(1));
        assert_eq!(wait(2, None, -3.0), Duration::from_secs(1));
        assert!((0..100).map(|_| jitter()).all(|jitter| (0.0..=1.0).contains(&jitter)));
        assert!((0..100).any(|_| jitter() != jitter()));
    }

    #[test]
    fn what_the_sink_asks_for_is_honoured_within_reason() {
        assert_eq!(wait(1, Some(Duration::from_secs(30)), 0.3), Duration::from_secs(30));
        assert_eq!(wait(1, Some(Duration::ZERO), 1.0), Duration::from_secs(1));
        assert_eq!(wait(1, Some(Duration::from_secs(1 << 40)), 1.0), LONGEST_ASKED);
    }
}
