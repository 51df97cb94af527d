//! What stands in a lease, and whether it still holds. Pure but for the monotonic clock.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::ObjectMeta;
use tokio::time::Instant;

use super::LEASE_DURATION;

/// How far two clocks may be apart before a lease that looks long expired is one that is alive. A holder so wrong is
/// deposed once, and then sees a renewal that lies in its future.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What of a lease decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Empty: nobody.
    pub holder: String,
    pub renewed: Option<Timestamp>,
    acquired: Option<Timestamp>,
    duration: Duration,
    transitions: i32,
}

impl Record {
    pub fn of(lease: &Lease) -> Self {
        let spec = lease.spec.clone().unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Self {
            holder: spec.holder_identity.unwrap_or_default(),
            renewed: spec.renew_time.map(|time| time.0),
            acquired: spec.acquire_time.map(|time| time.0),
            duration: seconds.map_or(LEASE_DURATION, Duration::from_secs),
            transitions: spec.lease_transitions.unwrap_or(0),
        }
    }

    /// The lease in the hands of `identity`: a renewal if it already was, else a transition.
    pub fn held(identity: &str, before: Option<&Self>, now: Timestamp) -> Self {
        let renewal = before.filter(|before| before.holder == identity);
        Self {
            holder: identity.to_owned(),
            renewed: Some(now),
            acquired: renewal.map_or(Some(now), |before| before.acquired),
            duration: LEASE_DURATION,
            transitions: before.map_or(0, |before| before.transitions + i32::from(renewal.is_none())),
        }
    }

    /// The lease in nobody's hands.
    pub fn released(&self, now: Timestamp) -> Self {
        Self { holder: String::new(), renewed: Some(now), duration: Duration::from_secs(1), ..self.clone() }
    }

    /// The lease with this in it; its metadata, by which the write is guarded, stays.
    pub fn write_into(&self, lease: Lease) -> Lease {
        let spec = LeaseSpec {
            holder_identity: Some(self.holder.clone()),
            renew_time: self.renewed.map(MicroTime),
            acquire_time: self.acquired.map(MicroTime),
            lease_duration_seconds: i32::try_from(self.duration.as_secs()).ok(),
            lease_transitions: Some(self.transitions),
            ..LeaseSpec::default()
        };
        Lease { spec: Some(spec), ..lease }
    }
}

/// A lease that nobody has created yet.
pub(super) fn lease(name: &str) -> Lease {
    Lease { metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }, spec: None }
}

/// A record, and since when it has not changed.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub record: Record,
    pub since: Instant,
}

impl Seen {
    /// Whether it may be taken by anybody: it was given up, has not been renewed for its duration while we looked, or its
    /// holder has been silent for so long that no difference of clocks explains it.
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.record.holder.is_empty() || self.since.elapsed() >= self.record.duration || self.is_abandoned(now)
    }

    fn is_abandoned(&self, now: Timestamp) -> bool {
        let Some(renewed) = self.record.renewed else { return false };
        let duration = SignedDuration::try_from(self.record.duration).unwrap_or(SignedDuration::MAX);
        now.duration_since(renewed) > CLOCK_SKEW.saturating_add(duration)
    }
}
