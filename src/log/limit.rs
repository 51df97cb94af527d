//! How many logs may be read at once. The API server exempts log reads from its own fairness, so nothing else protects
//! the kubelets.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

/// The bounds.
#[derive(Clone, Copy, Debug)]
pub struct LimitOptions {
    /// Logs being read at once.
    pub in_flight: NonZeroUsize,
    /// Logs being read at once from one node.
    pub per_node: NonZeroUsize,
    /// Read requests a second, on average.
    pub per_second: NonZeroU32,
    /// Read requests that may be sent at once after a quiet time.
    pub burst: NonZeroU32,
    /// How long a read may wait for its turn; then the termination gets none.
    pub wait: Duration,
}

impl Default for LimitOptions {
    /// A kubelet serves a tail of 2,000 lines in about 10 ms, and a read takes about 50 ms in all. 16 at once are some
    /// hundreds a second, so the rate is the bound; after 10 s the restart of a crash loop has replaced the log anyway.
    fn default() -> Self {
        Self {
            in_flight: NonZeroUsize::MIN.saturating_add(15),
            per_node: NonZeroUsize::MIN.saturating_add(3),
            per_second: NonZeroU32::MIN.saturating_add(49),
            burst: NonZeroU32::MIN.saturating_add(99),
            wait: Duration::from_secs(10),
        }
    }
}

/// Who wants to read. Fairness between namespaces and the order of a storm will need more of it than the node.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// The node of the pod.
    pub node: Option<&'w str>,
    /// The namespace of the pod.
    pub namespace: &'w str,
}

/// No turn came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many logs are wanted at once")]
pub struct Exhausted;

/// Bounds the reads of logs. Clones share the bounds.
#[derive(Clone, Debug)]
pub struct Limiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: LimitOptions,
    in_flight: Arc<Semaphore>,
    nodes: Mutex<HashMap<String, Arc<Semaphore>>>,
    rate: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    clock: TokioClock,
}

/// A turn to read one log, given back when it is dropped.
#[derive(Debug)]
pub struct Turn {
    limiter: Limiter,
    _in_flight: OwnedSemaphorePermit,
    _node: Option<OwnedSemaphorePermit>,
}

impl Limiter {
    /// A limiter with all its bounds free. Must be called within a tokio runtime, whose clock it takes.
    pub fn new(options: LimitOptions) -> Self {
        let clock = TokioClock(Instant::now());
        let quota = Quota::per_second(options.per_second).allow_burst(options.burst);
        Self(Arc::new(Shared {
            options,
            in_flight: Arc::new(Semaphore::new(options.in_flight.get())),
            nodes: Mutex::default(),
            rate: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
        }))
    }

    /// Waits for a turn, which includes its first request.
    ///
    /// # Errors
    /// If none comes within the configured wait.
    pub async fn turn(&self, wanted: Wanted<'_>) -> Result<Turn, Exhausted> {
        timeout(self.0.options.wait, self.queue(wanted)).await.unwrap_or(Err(Exhausted))
    }

    /// First the node, then the whole, then the rate: who waits for a busy node takes no place from others, and only
    /// those with a place wait for the rate, so that its end wakes few.
    async fn queue(&self, wanted: Wanted<'_>) -> Result<Turn, Exhausted> {
        let node = match wanted.node.map(|node| self.node(node)) {
            Some(node) => Some(node.acquire_owned().await.map_err(|_| Exhausted)?),
            None => None,
        };
        let in_flight = Arc::clone(&self.0.in_flight).acquire_owned().await.map_err(|_| Exhausted)?;
        let turn = Turn { limiter: self.clone(), _in_flight: in_flight, _node: node };
        turn.pace().await;
        Ok(turn)
    }

    fn node(&self, name: &str) -> Arc<Semaphore> {
        let mut nodes = self.0.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = nodes.get(name) {
            return Arc::clone(node);
        }
        // Nodes come and go: those that nobody reads from or waits for are dropped.
        nodes.retain(|_, node| Arc::strong_count(node) > 1);
        let node = Arc::new(Semaphore::new(self.0.options.per_node.get()));
        nodes.insert(name.to_owned(), Arc::clone(&node));
        node
    }
}

impl Turn {
    /// Waits until one more request may be sent.
    pub async fn pace(&self) {
        let Shared { rate, clock, .. } = &*self.limiter.0;
        while let Err(not_yet) = rate.check() {
            sleep(not_yet.wait_time_from(clock.now())).await;
        }
    }
}

/// tokio's clock, which tests can pause.
#[derive(Clone, Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
