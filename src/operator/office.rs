//! One instance's life: standing by, in charge, handing over.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio_util::sync::CancellationToken;

use crate::admin::Readiness;
use crate::janitor::Janitor;
use crate::leader::{Elector, Takeover};
use crate::observe::Metrics;
use crate::pipeline::{Pipeline, Steps};
use crate::watch::{self, Scope};

/// How long a stopping operator finishes what is in flight: less than the 30 s that Kubernetes waits before SIGKILL.
/// What is not finished by then is not lost: it is still in the pods' status or in the ledger.
const DRAIN: Duration = Duration::from_secs(20);
/// When a standby that cannot read pods tries again.
const READABLE_AGAIN: Duration = Duration::from_secs(10);

/// What an instance works with, whether it is in charge or not. It outlives a term of office: what was taken in is
/// finished even when the lease is lost, since the ledger, not the lease, keeps the count.
pub(super) struct Office {
    pub client: Client,
    pub scopes: Vec<Scope>,
    pub elector: Elector,
    pub pipeline: Pipeline,
    pub janitor: Janitor,
    pub steps: Arc<Steps>,
    pub ready: Readiness,
    pub metrics: Metrics,
    pub stop: CancellationToken,
}

impl Office {
    /// Stands by and leads in turn until `stop`.
    pub async fn serve(mut self) {
        let stop = self.stop.clone();
        while let Some(Some(takeover)) = stop.run_until_cancelled(self.stand_by()).await {
            self.lead(takeover).await;
        }
        self.drain().await;
    }

    /// Waits for the lease; ready as soon as this instance could work if it came.
    async fn stand_by(&mut self) -> Option<Takeover> {
        let (readable, ready) = (CancellationToken::new(), self.ready.clone());
        let look = async {
            until_readable(&self.client, &self.scopes).await;
            readable.cancel();
            std::future::pending().await
        };
        let standing_by = || {
            if readable.is_cancelled() {
                ready.standby();
            }
        };
        tokio::select! {
            takeover = self.elector.acquire(standing_by) => Some(takeover),
            () = look => None,
        }
    }

    /// In charge until the lease is lost or `stop`. Renewals go on until what was in flight is finished.
    async fn lead(&mut self, takeover: Takeover) {
        let Self { client, scopes, elector, pipeline, janitor, steps, ready, metrics, stop } = self;
        ready.taking_over();
        metrics.leading(true);
        let term = stop.child_token();
        let hold = async {
            elector.hold().await;
            term.cancel();
            std::future::pending::<()>().await;
        };
        let work = async {
            steps.taken_over(takeover, Timestamp::now());
            if term.run_until_cancelled(steps.resume(scopes)).await.is_some() {
                let events = watch::pods(client, scopes, &term);
                pipeline.run(events, &term).await;
            }
            if stop.is_cancelled() {
                drain(pipeline, steps).await;
            }
        };
        let clean = term.run_until_cancelled(janitor.run());
        tokio::select! {
            () = hold => {}
            () = async { tokio::join!(work, clean); } => {}
        }
        metrics.leading(false);
        if stop.is_cancelled() {
            elector.release().await;
        }
    }

    /// Finishes what a term that was cut short left in flight.
    async fn drain(&self) {
        drain(&self.pipeline, &self.steps).await;
    }
}

async fn drain(pipeline: &Pipeline, steps: &Steps) {
    let finished = async {
        pipeline.finish().await;
        steps.drain().await;
    };
    if tokio::time::timeout(DRAIN, finished).await.is_err() {
        tracing::warn!(seconds = DRAIN.as_secs(), "not everything was finished; the next one goes on with it");
    }
}

/// Waits until the pods of every scope can be listed.
async fn until_readable(client: &Client, scopes: &[Scope]) {
    for scope in scopes {
        while let Err(error) = watch::probe(client, scope).await {
            tracing::warn!(%scope, %error, "cannot list pods, so not fit to take over; trying again");
            tokio::time::sleep(READABLE_AGAIN).await;
        }
    }
}
