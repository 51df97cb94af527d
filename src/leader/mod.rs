//! Who is in charge: the one who holds a Lease. It only saves work. Two operators at once count nothing twice, since the
//! ledger decides; none at all for some seconds loses nothing, since the next one lists all pods.
//!
//! The protocol is client-go's, with shorter times. Every write is guarded by the version that was read, so that of two
//! candidates one wins. A lease has expired when it has not *changed* for its duration by the clock of the one who looks,
//! so that clocks need not agree. A leader that cannot renew steps down before anybody may take over.
//!
//! Permissions: in Coroner's namespace `leases` get, create, update.

use std::future::Future;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::calls::CallError;

mod record;

use record::{Record, Seen};

/// How long a lease holds without a renewal.
pub const LEASE_DURATION: Duration = Duration::from_secs(9);
/// A leader that has not renewed for this long is none any more: earlier than the lease ends, so that it has stopped
/// before another one begins.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(6);
/// How often a leader renews, and a standby looks.
pub const RETRY: Duration = Duration::from_secs(2);
/// How soon a renewal that failed is tried again.
const RETRY_FAILED: Duration = Duration::from_millis(500);
/// Longest wait for one answer, so that a call that hangs leaves time for another one before the deadline.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Which lease, and who wants it.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// Its namespace: Coroner's own.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The name of this instance, which no other one that runs at the same time has. A process that starts again under its
    /// own name goes on at once, without waiting for what its earlier life held.
    pub identity: String,
}

/// What was there when the lease was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// The last renewal by whoever held it before; `None`: there was no lease, so this is the first installation.
    pub last_renewal: Option<Timestamp>,
}

/// A candidate for the lease, and its holder.
#[derive(Debug)]
pub struct Elector {
    leases: Api<Lease>,
    options: LeaseOptions,
    seen: Option<Seen>,
}

impl Elector {
    /// A candidate that has not looked yet.
    pub fn new(client: Client, options: LeaseOptions) -> Self {
        Self { leases: Api::namespaced(client, &options.namespace), options, seen: None }
    }

    /// Waits until the lease is this instance's. `standby` is called each time somebody else is seen to hold it.
    pub async fn acquire(&mut self, standby: impl Fn()) -> Takeover {
        loop {
            match self.attempt().await {
                Ok(Some(takeover)) => {
                    tracing::info!(lease = self.options.name, identity = self.options.identity, "in charge");
                    return takeover;
                }
                Ok(None) => standby(),
                Err(error) => tracing::warn!(
                    lease = self.options.name,
                    namespace = self.options.namespace,
                    %error,
                    "cannot read or take the lease; trying again"
                ),
            }
            sleep(RETRY).await;
        }
    }

    /// Renews the lease until it is lost: to somebody else, or because no renewal went through for [`RENEW_DEADLINE`].
    pub async fn hold(&mut self) {
        let mut renewed = Instant::now();
        while let Ok(renewal) = timeout_at(renewed + RENEW_DEADLINE, self.renew()).await {
            match renewal {
                Some(at) => renewed = at,
                None => return tracing::warn!(lease = self.options.name, "somebody else has taken the lease"),
            }
        }
        tracing::warn!(lease = self.options.name, "the lease could not be renewed in time: not in charge any more");
    }

    /// The next renewal that goes through, and when it was begun; `None` if somebody else has the lease.
    async fn renew(&mut self) -> Option<Instant> {
        let mut pause = RETRY;
        loop {
            sleep(pause).await;
            pause = RETRY_FAILED;
            let begun = Instant::now();
            match self.attempt().await {
                Ok(Some(_)) => return Some(begun),
                Ok(None) if self.is_anothers() => return None,
                // It changed under the write; the next look tells.
                Ok(None) => {}
                Err(error) => tracing::warn!(lease = self.options.name, %error, "the lease is not renewed"),
            }
        }
    }

    /// Gives the lease up, if it still is this instance's, so that a successor need not wait until it has expired.
    pub async fn release(&mut self) {
        let Ok(Some(lease)) = self.read().await else { return };
        let record = Record::of(&lease);
        if record.holder != self.options.identity {
            return;
        }
        let released = record.released(Timestamp::now());
        match self.write(Some(lease), &released).await {
            Ok(_) => tracing::info!(lease = self.options.name, "lease released"),
            Err(error) => {
                tracing::warn!(lease = self.options.name, %error, "lease not released; it runs out by itself");
            }
        }
    }

    /// Takes or renews the lease, if it is free, expired or ours; `None` if it is somebody else's, or changed meanwhile.
    async fn attempt(&mut self) -> Result<Option<Takeover>, CallError> {
        let (lease, now) = (self.read().await?, Timestamp::now());
        let before = lease.as_ref().map(Record::of);
        self.look(before.clone());
        let mine = |record: &Record| record.holder == self.options.identity;
        if before.as_ref().is_some_and(|it| !mine(it)) && !self.is_free(now) {
            return Ok(None);
        }
        let next = Record::held(&self.options.identity, before.as_ref(), now);
        match self.write(lease, &next).await {
            Ok(written) => {
                self.look(Some(Record::of(&written)));
                Ok(Some(Takeover { last_renewal: before.map(|record| record.renewed.unwrap_or(now)) }))
            }
            Err(error) if error.is_conflict() || error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn look(&mut self, record: Option<Record>) {
        self.seen = match (self.seen.take(), record) {
            (Some(seen), Some(record)) if seen.record == record => Some(seen),
            (_, record) => record.map(|record| Seen { record, since: Instant::now() }),
        };
    }

    fn is_free(&self, now: Timestamp) -> bool {
        self.seen.as_ref().is_none_or(|seen| seen.is_free(now))
    }

    fn is_anothers(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.record.holder != self.options.identity)
    }

    async fn read(&self) -> Result<Option<Lease>, CallError> {
        once(self.leases.get_opt(&self.options.name)).await
    }

    /// Writes over the lease that was read, or creates it.
    async fn write(&self, over: Option<Lease>, record: &Record) -> Result<Lease, CallError> {
        let params = PostParams { field_manager: Some("coroner".into()), ..PostParams::default() };
        let name = &self.options.name;
        match over {
            Some(lease) => once(self.leases.replace(name, &params, &record.write_into(lease))).await,
            None => once(self.leases.create(&params, &record.write_into(record::lease(name)))).await,
        }
    }
}

/// One call, without retries: the next look is the retry.
async fn once<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, CallError> {
    timeout(ANSWER_WITHIN, call).await.map_err(|_| CallError::TimedOut(ANSWER_WITHIN))?.map_err(CallError::from)
}
