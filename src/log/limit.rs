//! How many logs may be read at once. The API server exempts log reads from its own fairness, so nothing else protects
//! the kubelets.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::queue::{Queue, Wanted};

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

/// No turn came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many logs are wanted at once")]
pub struct Exhausted;

/// Bounds the reads of logs. Clones share the bounds.
#[derive(Clone, Debug)]
pub struct Limiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    wait: Duration,
    queue: Mutex<Queue<oneshot::Sender<Turn>>>,
    rate: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    clock: TokioClock,
    /// A task waits for the rate to allow the next turn.
    pacing: AtomicBool,
}

/// A turn to read one log, given back when it is dropped.
#[derive(Debug)]
pub struct Turn {
    limiter: Limiter,
    wanted: Wanted,
}

/// A place in the queue, left when it is dropped.
struct Place {
    limiter: Limiter,
    ticket: u64,
}

impl Limiter {
    /// A limiter with all its bounds free. Must be called within a tokio runtime, whose clock it takes.
    pub fn new(options: LimitOptions) -> Self {
        let clock = TokioClock(Instant::now());
        let quota = Quota::per_second(options.per_second).allow_burst(options.burst);
        Self(Arc::new(Shared {
            wait: options.wait,
            queue: Mutex::new(Queue::new(options)),
            rate: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            pacing: AtomicBool::new(false),
        }))
    }

    /// Waits for a turn, which includes its first request.
    ///
    /// # Errors
    /// If none comes within the configured wait, or none will: more logs are wanted than can be read, and those of such
    /// deaths have been read.
    pub async fn turn(&self, wanted: Wanted) -> Result<Turn, Exhausted> {
        let (tell, told) = oneshot::channel();
        let ticket = self.queue().enter(wanted, tell);
        let _place = Place { limiter: self.clone(), ticket };
        self.serve();
        timeout(self.0.wait, told).await.map_err(|_| Exhausted)?.map_err(|_| Exhausted)
    }

    /// Gives turns to as many as the bounds allow.
    fn serve(&self) {
        // Who is refused hears of it by the end of the channel.
        drop(self.queue().refuse(Instant::now()));
        loop {
            // A turn that nobody takes any more is given back, which needs the queue: so not while that is locked.
            let next = {
                let mut queue = self.queue();
                if !queue.has_next() {
                    return;
                }
                if let Err(not_yet) = self.0.rate.check() {
                    drop(queue);
                    return self.serve_in(not_yet.wait_time_from(self.0.clock.now()));
                }
                queue.next()
            };
            if let Some((wanted, tell)) = next {
                drop(tell.send(Turn { limiter: self.clone(), wanted }));
            }
        }
    }

    /// Goes on when the rate allows it: one task for all who wait.
    fn serve_in(&self, wait: Duration) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.0.pacing.swap(true, Ordering::Relaxed) {
            return;
        }
        let shared = Arc::downgrade(&self.0);
        runtime.spawn(async move {
            sleep(wait).await;
            if let Some(shared) = shared.upgrade() {
                shared.pacing.store(false, Ordering::Relaxed);
                Self(shared).serve();
            }
        });
    }

    fn queue(&self) -> MutexGuard<'_, Queue<oneshot::Sender<Turn>>> {
        // What the lock guards is whole after each call, whatever panicked.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Notes that the log was had: when too many are wanted, others of its kind can do without theirs.
    pub fn had_log(&self) {
        self.limiter.queue().had(self.wanted.kind, Instant::now());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.limiter.queue().done(&self.wanted);
        self.limiter.serve();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.limiter.queue().leave(self.ticket);
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
