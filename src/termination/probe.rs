//! Whether the kubelet killed an instance because of a probe. Its status does not say so: a program that ends in order
//! when it is told to is `Completed`, Go's default is exit code 2, and one that does not listen is 137. Only the pod's
//! Events tell, and they are lossy: updates stop at some 25 for a pod, and they expire after an hour. So they can only
//! ever add to what is known. Pure.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::{RestartPolicy, SeenIn, Termination};
use crate::classify::{Category, Finding, Stated};

/// Times in Events and in the status have whole seconds: the same moment may be one apart.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What an Event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// `Killing`: the container is stopped because this probe failed too often.
    Killing,
    /// `Unhealthy`: this probe failed once.
    Failed,
}

/// An Event about a liveness or startup probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeEvent {
    /// UID of the pod.
    pub pod_uid: String,
    /// Name of the container.
    pub container: String,
    /// Which probe.
    pub probe: Stated,
    /// What of it.
    pub said: Said,
    /// What the kubelet quotes of the probe's answer, e.g. `HTTP probe failed with statuscode: 500`; may be empty.
    pub answer: String,
    /// When it was said first.
    pub first: Timestamp,
    /// When it was said last: one Event is counted on as long as the pod lives.
    pub last: Timestamp,
}

impl ProbeEvent {
    /// Reads an Event's reason and message; `None` if it is about something else.
    pub fn read<'m>(reason: &str, message: &'m str) -> Option<(Stated, Said, &'m str)> {
        match reason {
            "Killing" if message.contains("failed liveness probe") => Some((Stated::LivenessProbe, Said::Killing, "")),
            "Killing" if message.contains("failed startup probe") => Some((Stated::StartupProbe, Said::Killing, "")),
            "Unhealthy" => {
                let of = |head: &str, probe| Some((probe, Said::Failed, message.strip_prefix(head)?.trim()));
                of("Liveness probe failed:", Stated::LivenessProbe)
                    .or_else(|| of("Startup probe failed:", Stated::StartupProbe))
            }
            _ => None,
        }
    }

    fn is_about(&self, termination: &Termination) -> bool {
        self.pod_uid == termination.pod.uid && self.container == termination.container
    }

    /// Whether it was said, the last time, while the instance lived.
    fn fell_into(&self, life: &Life) -> bool {
        self.last >= life.start && self.last <= life.end
    }

    /// Whether it may have been said while the instance lived, before it was said again.
    fn spans(&self, life: &Life) -> bool {
        self.first <= life.end && self.last >= life.start
    }
}

/// A probe kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeKill {
    /// Which probe.
    pub probe: Stated,
    /// The probe's last answer, as the kubelet quotes it; empty if that is not known.
    pub answer: String,
}

/// What the Events say of a termination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It was killed because of a probe.
    Killed(ProbeKill),
    /// A probe failed while it lived, but nothing is said of a kill: that may be on its way.
    Unclear,
    /// Nothing is known of a probe.
    Unknown,
}

/// Whether it can have been a probe that ended the instance, so that Events are worth a look.
///
/// A container that is killed by its probe is restarted in the same pass of the kubelet, so its record only ever shows in
/// `lastState`; what was first seen in `state` ended by itself. Where nothing is restarted, that rule does not hold.
pub fn is_possible(termination: &Termination) -> bool {
    let Termination { pod, container, stated, seen_in, restart_policy, reason, started_at, .. } = termination;
    let restarted = *seen_in == SeenIn::LastState;
    let left = *seen_in == SeenIn::State && *restart_policy != RestartPolicy::Always && pod.stopping.is_none();
    let ran = started_at.is_some() && reason.as_deref() != Some("OOMKilled");
    stated.is_none() && ran && (restarted || left) && pod.probed.contains(container)
}

/// Decides by what is said of the container. `finding` is what the log says: where the Event may be about another
/// instance of a loop, a trace that ended the process is believed.
pub fn judge_probes(termination: &Termination, finding: &Finding, events: &[ProbeEvent]) -> Judged {
    let Some(life) = Life::of(termination) else { return Judged::Unknown };
    let own: Vec<&ProbeEvent> = events.iter().filter(|event| event.is_about(termination)).collect();
    let killings = || own.iter().filter(|event| event.said == Said::Killing);
    let sure = killings().find(|event| event.fell_into(&life));
    let quiet = matches!(finding.category, Category::Lifecycle | Category::Unknown);
    // In a loop the Events of later kills are dropped: then the earlier ones speak for a container that was just stopped.
    let fits = |event: &&&ProbeEvent| event.spans(&life) || quiet && event.last < life.start;
    let likely = killings().find(fits).filter(|_| quiet || !ended_by_itself(finding));
    match sure.or(likely) {
        Some(killing) => Judged::Killed(ProbeKill { probe: killing.probe, answer: answer(&own, killing.probe) }),
        None if own.iter().any(|event| event.said == Said::Failed && event.spans(&life)) => Judged::Unclear,
        None => Judged::Unknown,
    }
}

fn ended_by_itself(finding: &Finding) -> bool {
    !finding.stack.is_empty() || matches!(finding.category, Category::Code | Category::Native | Category::Resource)
}

/// The last answer of a probe that says anything.
fn answer(events: &[&ProbeEvent], probe: Stated) -> String {
    let failed = events.iter().filter(|event| event.said == Said::Failed && event.probe == probe);
    let said = failed.filter(|event| !event.answer.is_empty()).max_by_key(|event| event.last);
    said.map(|event| event.answer.clone()).unwrap_or_default()
}

/// When an instance lived, as wide as whole seconds make it.
struct Life {
    start: Timestamp,
    end: Timestamp,
}

impl Life {
    fn of(termination: &Termination) -> Option<Self> {
        let (start, end) = termination.started_at.zip(termination.finished_at)?;
        Some(Self { start, end: end.saturating_add(SECOND).unwrap_or(end) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::classify::{Confidence, reason};
    use crate::report::samples::{at, crash, with};
    use crate::termination::Stopping;

    /// An instance that lived from second 15 to 20 and was first seen as the one before the running one.
    fn ended() -> Termination {
        let counted = with(crash("web", 0, 20, 1), |termination| {
            termination.seen_in = SeenIn::LastState;
            std::sync::Arc::make_mut(&mut termination.pod).probed = vec!["api".into()];
        });
        (*counted.termination).clone()
    }

    fn event(reason: &str, message: &str, first: i64, last: i64) -> ProbeEvent {
        let (probe, said, answer) = ProbeEvent::read(reason, message).unwrap();
        let (pod_uid, container) = ("uid-web".to_owned(), "api".to_owned());
        ProbeEvent { pod_uid, container, probe, said, answer: answer.to_owned(), first: at(first), last: at(last) }
    }

    fn killing(first: i64, last: i64) -> ProbeEvent {
        event("Killing", "Container api failed liveness probe, will be restarted", first, last)
    }

    fn quiet() -> Finding {
        let mut finding = crash("web", 0, 20, 1).classification.finding;
        finding.stack.clear();
        (finding.category, finding.reason, finding.confidence) =
            (Category::Lifecycle, reason::KILLED, Confidence::High);
        finding
    }

    fn traced() -> Finding {
        crash("web", 0, 20, 1).classification.finding
    }

    fn is_kill(finding: &Finding, events: &[ProbeEvent]) -> bool {
        matches!(judge_probes(&ended(), finding, events), Judged::Killed(_))
    }

    #[test]
    fn events_about_probes_are_read_as_the_kubelet_words_them() {
        let read = ProbeEvent::read;
        assert_eq!(
            read("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500"),
            Some((Stated::LivenessProbe, Said::Failed, "HTTP probe failed with statuscode: 500"))
        );
        assert_eq!(read("Unhealthy", "Startup probe failed: "), Some((Stated::StartupProbe, Said::Failed, "")));
        assert_eq!(read("Unhealthy", "Readiness probe failed: x"), None);
        assert_eq!(
            read("Killing", "Container app failed startup probe, will be restarted"),
            Some((Stated::StartupProbe, Said::Killing, ""))
        );
        assert_eq!(read("Killing", "Stopping container app"), None);
        assert_eq!(read("BackOff", "Back-off restarting failed container app"), None);
    }

    #[test]
    fn a_kill_within_the_life_of_the_instance_is_its_end_whatever_the_log_says() {
        for last in [15, 18, 20, 21] {
            assert!(is_kill(&quiet(), &[killing(last, last)]), "{last}");
            assert!(is_kill(&traced(), &[killing(last, last)]), "{last}");
        }
        assert!(!is_kill(&quiet(), &[killing(22, 22)]), "the next instance was killed");
    }

    #[test]
    fn an_event_that_was_counted_on_is_believed_where_the_log_shows_no_other_end() {
        // The Event of this kill was counted on for the next one before it was read.
        assert!(is_kill(&quiet(), &[killing(18, 30)]));
        assert!(is_kill(&quiet(), &[killing(5, 30)]));
        assert!(!is_kill(&traced(), &[killing(5, 30)]));
        // The kubelet has stopped telling.
        assert!(is_kill(&quiet(), &[killing(2, 9)]));
        assert!(!is_kill(&traced(), &[killing(2, 9)]));
    }

    #[test]
    fn events_of_other_pods_and_containers_say_nothing() {
        let other_pod = ProbeEvent { pod_uid: "uid-other".into(), ..killing(20, 20) };
        let sidecar = ProbeEvent { container: "proxy".into(), ..killing(20, 20) };
        assert_eq!(judge_probes(&ended(), &quiet(), &[other_pod, sidecar]), Judged::Unknown);
    }

    #[test]
    fn a_failed_probe_without_a_kill_is_worth_another_look() {
        let failed = |last| event("Unhealthy", "Liveness probe failed: timeout", 16, last);
        assert_eq!(judge_probes(&ended(), &quiet(), &[failed(19)]), Judged::Unclear);
        assert_eq!(judge_probes(&ended(), &quiet(), &[]), Judged::Unknown);
    }

    #[test]
    fn the_probes_last_answer_that_says_anything_is_quoted() {
        let events = [
            event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503", 16, 17),
            event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", 16, 19),
            event("Unhealthy", "Liveness probe failed: ", 16, 20),
            event("Unhealthy", "Startup probe failed: not this one", 16, 20),
            killing(20, 20),
        ];
        let Judged::Killed(kill) = judge_probes(&ended(), &quiet(), &events) else { panic!() };
        assert_eq!(kill.probe, Stated::LivenessProbe);
        assert_eq!(kill.answer, "HTTP probe failed with statuscode: 500");
    }

    #[test]
    fn events_are_only_worth_a_look_where_a_probe_may_have_ended_it() {
        assert!(is_possible(&ended()));
        let changed: [(&str, fn(&mut Termination)); 6] = [
            ("it ended by itself", |t| t.seen_in = SeenIn::State),
            ("no probe", |t| std::sync::Arc::make_mut(&mut t.pod).probed.clear()),
            ("out of memory", |t| t.reason = Some("OOMKilled".into())),
            ("evicted", |t| t.stated = Some(Stated::Evicted)),
            ("never started", |t| t.started_at = None),
            ("stopped with its pod", |t| {
                t.seen_in = SeenIn::State;
                t.restart_policy = RestartPolicy::Never;
                std::sync::Arc::make_mut(&mut t.pod).stopping = Some(Stopping::Deleted);
            }),
        ];
        for (what, change) in changed {
            let mut termination = ended();
            change(&mut termination);
            assert!(!is_possible(&termination), "{what}");
        }
        let mut task = ended();
        (task.seen_in, task.restart_policy) = (SeenIn::State, RestartPolicy::Never);
        assert!(is_possible(&task), "nothing restarts it, so its record stays where it is");
    }
}
