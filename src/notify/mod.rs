//! Notifications: which findings somebody is told about, what is said, and that it arrives.
//!
//! [`policy`] decides, [`delivery`] keeps the state of a delivery in the report, [`message`] says in neutral words what
//! happened, [`slack`] gives it Slack's form and posts it, [`notifier`] is the task that claims, sends and settles.
//! A new sink implements [`Sink`] and nothing else.

pub mod backoff;
pub mod delivery;
pub mod message;
pub mod notifier;
pub mod policy;
pub mod slack;

use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::jiff::Timestamp;

pub use message::Message;
pub use notifier::{DeliveryStore, Notifier, ReportKey, StoreError};
pub use policy::{Decision, Policy};
pub use slack::{SlackOptions, SlackWebhook};

/// Something that notifications go to.
pub trait Sink: Send + Sync {
    /// Its name in `status.notifications` and in metrics: a fixed word.
    fn name(&self) -> &'static str;

    /// When the credential that the sink uses was last changed, where it can be: what it refused before that is worth
    /// another try.
    fn credential_changed(&self) -> Option<Timestamp> {
        None
    }

    /// Sends one message once. The caller retries what [`SendError::is_retryable`] allows.
    ///
    /// # Errors
    /// When it did not arrive, or nobody knows whether it did.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Delivered, SendError>>;
}

/// A message has arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The thread that later messages about this bug continue, where the sink has threads.
    pub thread: Option<String>,
}

/// Why a message did not arrive. No variant ever holds a credential or a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The sink lacks something that a user has to provide, such as the Secret's file.
    #[error("{0}")]
    Unconfigured(String),
    /// No connection, or it broke.
    #[error("cannot reach {sink}: {reason}")]
    Network {
        /// The sink's name.
        sink: &'static str,
        /// What went wrong, without the URL.
        reason: String,
    },
    /// No answer in time.
    #[error("{sink} did not answer within {} s", .limit.as_secs())]
    Timeout {
        /// The sink's name.
        sink: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// Too many messages.
    #[error("{sink} asks for fewer messages (429)")]
    RateLimited {
        /// The sink's name.
        sink: &'static str,
        /// How long it asks to wait, where it says so.
        after: Option<Duration>,
    },
    /// It answered, but cannot deliver now.
    #[error("{sink} cannot deliver now: {answer}")]
    Unavailable {
        /// The sink's name.
        sink: &'static str,
        /// What it answered.
        answer: String,
        /// How long it asks to wait, where it says so.
        after: Option<Duration>,
    },
    /// It will never take this message.
    #[error("{sink} refused the message: {answer}")]
    Refused {
        /// The sink's name.
        sink: &'static str,
        /// What it answered.
        answer: String,
    },
}

impl SendError {
    /// Whether the same message may arrive later.
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// How long the sink asks to wait before the next message.
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { after, .. } | Self::Unavailable { after, .. } => *after,
            Self::Unconfigured(_) | Self::Network { .. } | Self::Timeout { .. } | Self::Refused { .. } => None,
        }
    }

    /// The kind of error, one of a few words: the only part of it that becomes a metric label.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Unconfigured(_) => "unconfigured",
            Self::Network { .. } => "network",
            Self::Timeout { .. } => "timeout",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "unavailable",
            Self::Refused { .. } => "refused",
        }
    }
}
