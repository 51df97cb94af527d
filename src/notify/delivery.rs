//! The state of a delivery inside a report: due, being sent, sent, refused. Pure; the caller writes the report with its
//! resourceVersion, so that of two operators one claims and the other sees it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::redact::cut;
use crate::report::{DeliveryState, Notification};

/// Longest error kept in a report, in bytes.
const ERROR_BYTES: usize = 256;

/// How one try to send ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Sent {
        /// The count that the message told.
        count: i64,
        /// The thread that later messages continue.
        thread: Option<String>,
    },
    /// It did not arrive, and will be tried again.
    Later {
        /// Why; never holds a credential.
        error: String,
    },
    /// The sink refused it for good.
    Failed {
        /// Why; never holds a credential.
        error: String,
    },
}

/// Makes a message due. One that is due or being sent already stays as it is.
pub fn mark_due(notifications: &mut Vec<Notification>, sink: &str) {
    let entry = entry(notifications, sink);
    if entry.state != DeliveryState::Sending {
        entry.state = DeliveryState::Pending;
    }
}

/// Claims a due message for sending; `false` where none is due. A message left in `Sending` was claimed by an operator
/// that was killed before it could say how the send ended: it is sent again, which is the one duplicate that a kill costs.
pub fn claim(notifications: &mut [Notification], sink: &str, now: &Time) -> bool {
    let Some(entry) = notifications.iter_mut().find(|entry| entry.sink == sink) else { return false };
    if !is_due(entry) {
        return false;
    }
    entry.state = DeliveryState::Sending;
    entry.last_attempt = Some(now.clone());
    true
}

/// Whether a message has to be sent: what an operator looks for when it starts.
pub fn is_due(entry: &Notification) -> bool {
    matches!(entry.state, DeliveryState::Pending | DeliveryState::Sending)
}

/// Writes down how a send ended.
pub fn settle(notifications: &mut Vec<Notification>, sink: &str, outcome: &Outcome) {
    let entry = entry(notifications, sink);
    match outcome {
        Outcome::Sent { count, thread } => {
            entry.state = DeliveryState::Sent;
            entry.last_count = *count;
            entry.error = None;
            if thread.is_some() {
                entry.thread.clone_from(thread);
            }
        }
        Outcome::Later { error } => {
            entry.state = DeliveryState::Pending;
            entry.error = Some(cut(error, ERROR_BYTES).to_owned());
        }
        Outcome::Failed { error } => {
            entry.state = DeliveryState::Failed;
            entry.error = Some(cut(error, ERROR_BYTES).to_owned());
        }
    }
}

fn entry<'n>(notifications: &'n mut Vec<Notification>, sink: &str) -> &'n mut Notification {
    let at = notifications.iter().position(|entry| entry.sink == sink).unwrap_or_else(|| {
        notifications.push(Notification {
            sink: sink.to_owned(),
            state: DeliveryState::Pending,
            last_attempt: None,
            last_count: 0,
            thread: None,
            error: None,
        });
        notifications.len() - 1
    });
    &mut notifications[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        Time("2026-11-24T07:50:01Z".parse().unwrap())
    }

    fn state(notifications: &[Notification]) -> DeliveryState {
        notifications[0].state
    }

    #[test]
    fn a_due_message_is_claimed_once_it_is_sent_and_never_again() {
        let mut notifications = Vec::new();
        assert!(!claim(&mut notifications, "slack", &now()));
        mark_due(&mut notifications, "slack");
        assert_eq!(state(&notifications), DeliveryState::Pending);
        assert!(claim(&mut notifications, "slack", &now()));
        assert_eq!((state(&notifications), &notifications[0].last_attempt), (DeliveryState::Sending, &Some(now())));
        settle(&mut notifications, "slack", &Outcome::Sent { count: 3, thread: None });
        assert_eq!((state(&notifications), notifications[0].last_count), (DeliveryState::Sent, 3));
        assert!(!claim(&mut notifications, "slack", &now()));
    }

    #[test]
    fn a_claim_of_an_operator_that_was_killed_is_taken_over() {
        let mut notifications = Vec::new();
        mark_due(&mut notifications, "slack");
        assert!(claim(&mut notifications, "slack", &now()));
        assert!(claim(&mut notifications, "slack", &now()));
    }

    #[test]
    fn a_message_that_is_being_sent_stays_claimed_when_it_becomes_due_again() {
        let mut notifications = Vec::new();
        mark_due(&mut notifications, "slack");
        claim(&mut notifications, "slack", &now());
        mark_due(&mut notifications, "slack");
        assert_eq!(state(&notifications), DeliveryState::Sending);
    }

    #[test]
    fn a_failure_keeps_its_reason_cut_to_what_the_schema_allows() {
        let mut notifications = Vec::new();
        mark_due(&mut notifications, "slack");
        settle(&mut notifications, "slack", &Outcome::Later { error: "ü".repeat(200) });
        assert_eq!(
            (state(&notifications), notifications[0].error.as_ref().unwrap().len()),
            (DeliveryState::Pending, 256)
        );
        settle(&mut notifications, "slack", &Outcome::Failed { error: "no_service".to_owned() });
        assert_eq!(
            (state(&notifications), notifications[0].error.as_deref()),
            (DeliveryState::Failed, Some("no_service"))
        );
        assert!(!claim(&mut notifications, "slack", &now()));
        mark_due(&mut notifications, "slack");
        assert!(claim(&mut notifications, "slack", &now()));
    }

    #[test]
    fn sinks_do_not_touch_each_other() {
        let mut notifications = Vec::new();
        mark_due(&mut notifications, "slack");
        mark_due(&mut notifications, "webhook");
        settle(&mut notifications, "webhook", &Outcome::Sent { count: 1, thread: Some("1.2".to_owned()) });
        assert!(is_due(&notifications[0]) && !is_due(&notifications[1]));
        assert_eq!(notifications[1].thread.as_deref(), Some("1.2"));
    }
}
