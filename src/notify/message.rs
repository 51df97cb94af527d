//! What a notification says, in no sink's own form. Pure.

use crate::classify::{Culprit, Finding};
use crate::report::{CrashReport, CrashReportStatus, Evidence, EvidenceState, Occurrence};

/// One crash, told to somebody who does not know the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The cluster's name, where the user has given it one.
    pub cluster: Option<String>,
    /// Namespace of workload and report.
    pub namespace: String,
    /// Name of the report.
    pub report: String,
    /// What died: `Deployment/checkout`.
    pub workload: String,
    /// Its container.
    pub container: String,
    /// The pod that died last.
    pub pod: Option<String>,
    /// The cause, one word of the taxonomy.
    pub reason: String,
    /// The cause in words.
    pub cause: String,
    /// The decisive message of the log, one line.
    pub quote: String,
    /// Where: `cache.go:28`, and the function.
    pub culprit: Option<String>,
    /// How it ended: `exit code 2`, `signal 11`.
    pub exit: Option<String>,
    /// What it ran: image and revision.
    pub running: Option<String>,
    /// The decisive lines of the log.
    pub lines: String,
    /// What to know about the evidence, unless it is certain.
    pub caveat: Option<&'static str>,
    /// Steps that prove the cause.
    pub prove: Vec<String>,
    /// Steps that fix it.
    pub fix: Vec<String>,
    /// Terminations counted.
    pub count: i64,
    /// Pods struck.
    pub pods: i64,
    /// The command that shows the whole report.
    pub command: String,
}

impl Message {
    /// What there is to say about a report; `None` while it has no finding.
    pub fn from_report(report: &CrashReport, cluster: Option<&str>) -> Option<Self> {
        let status = report.status.as_ref()?;
        let finding = status.finding.as_ref()?;
        let namespace = report.metadata.namespace.clone().unwrap_or_default();
        let name = report.metadata.name.clone().unwrap_or_default();
        let last = status.occurrences.first();
        let advice = finding.advice.clone().unwrap_or_default();
        Some(Self {
            cluster: cluster.map(str::to_owned),
            command: format!("kubectl -n {namespace} describe crashreport {name}"),
            namespace,
            report: name,
            workload: format!("{}/{}", report.spec.workload.kind, report.spec.workload.name),
            container: report.spec.container.clone(),
            pod: last.map(|last| last.pod.clone()),
            reason: finding.reason.to_string(),
            cause: cause(finding, &advice.summary),
            quote: finding.message.clone(),
            culprit: finding.culprit.as_ref().map(place),
            exit: last.and_then(exit),
            running: last.and_then(running),
            lines: lines(status),
            caveat: status.evidence.as_ref().and_then(caveat),
            prove: advice.prove,
            fix: advice.fix,
            count: status.count,
            pods: status.pods,
        })
    }
}

fn cause(finding: &Finding, summary: &str) -> String {
    match summary {
        "" => format!("{} ({})", words(finding.reason.as_str()), finding.category),
        _ => summary.to_owned(),
    }
}

/// `ConcurrentMapAccess` as words: `Concurrent map access`.
fn words(reason: &str) -> String {
    let mut words = String::with_capacity(reason.len() + 4);
    let mut before_is_lower = false;
    for c in reason.chars() {
        let starts = c.is_ascii_uppercase() && before_is_lower;
        before_is_lower = c.is_ascii_lowercase();
        if starts {
            words.push(' ');
            words.push(c.to_ascii_lowercase());
        } else {
            words.push(c);
        }
    }
    words
}

fn place(culprit: &Culprit) -> String {
    match (&culprit.file, &culprit.function) {
        (Some(_), Some(function)) => format!("{} in {function}", culprit.short()),
        _ => culprit.short(),
    }
}

fn exit(last: &Occurrence) -> Option<String> {
    let how = match (last.signal, last.exit_code) {
        (Some(signal), _) if signal > 0 => format!("signal {signal}"),
        (_, Some(code)) => format!("exit code {code}"),
        _ => return last.reason.clone(),
    };
    Some(match last.reason.as_deref() {
        // `Error` is what the kubelet says of every exit that is not 0.
        None | Some("" | "Error") => how,
        Some(reason) => format!("{how}, {reason}"),
    })
}

fn running(last: &Occurrence) -> Option<String> {
    let image = (!last.image.is_empty()).then(|| last.image.clone());
    match (image, &last.revision) {
        (Some(image), Some(revision)) => Some(format!("{image}, revision {revision}")),
        (image, revision) => image.or_else(|| revision.as_ref().map(|revision| format!("revision {revision}"))),
    }
}

/// The excerpt, from a little above the line that holds the decisive message: a sink that has less room cuts the end.
fn lines(status: &CrashReportStatus) -> String {
    /// Lines kept above the decisive one.
    const ABOVE: usize = 3;
    let excerpt = status.evidence.as_ref().map_or("", |evidence| evidence.excerpt.trim_end());
    let quote = status.finding.as_ref().map_or("", |finding| finding.message.lines().next().unwrap_or(""));
    let decisive = excerpt.lines().position(|line| !quote.is_empty() && line.contains(quote)).unwrap_or(0);
    let kept: Vec<&str> = excerpt.lines().skip(decisive.saturating_sub(ABOVE)).collect();
    kept.join("\n")
}

fn caveat(evidence: &Evidence) -> Option<&'static str> {
    match evidence.state {
        EvidenceState::Verified => None,
        EvidenceState::Unverified => Some("the log could not be proven to be that of the instance that died"),
        EvidenceState::Gone => Some("the log is gone: judged by the exit alone"),
        EvidenceState::Forbidden => Some("the log may not be read: judged by the exit alone"),
        EvidenceState::RateLimited => Some("too many logs were wanted at once: judged by the exit alone"),
        EvidenceState::Empty => Some("the container wrote nothing"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A report as the operator writes it.
    pub(crate) fn report() -> CrashReport {
        crate::yaml::from_str(include_str!("../../tests/notify/report.yaml")).unwrap()
    }

    /// A message about [`report`].
    pub(crate) fn message() -> Message {
        Message::from_report(&report(), Some("prod-eu")).unwrap()
    }

    #[test]
    fn a_message_says_what_died_where_why_and_how_to_go_on() {
        let message = message();
        assert_eq!(message.workload, "Deployment/checkout");
        assert_eq!(message.culprit.as_deref(), Some("cache.go:28 in main.(*Cache).Add"));
        assert_eq!(message.exit.as_deref(), Some("exit code 2"));
        assert_eq!(message.running.as_deref(), Some("shop/checkout:1.4.2, revision 7d4b9c6f5"));
        assert_eq!(message.command, "kubectl -n shop describe crashreport checkout-api-3f9a1c7e42d0");
        assert_eq!(message.cause, "Two goroutines used one map at the same time, and at least one of them wrote.");
        assert_eq!((message.prove.len(), message.fix.len()), (2, 2));
        assert_eq!(message.caveat, None);
    }

    #[test]
    fn the_lines_start_a_little_above_the_decisive_one() {
        let lines: Vec<String> = message().lines.lines().map(str::to_owned).collect();
        assert_eq!(lines[3], "fatal error: concurrent map writes");
        assert_eq!(lines[0], "request 3");
    }

    #[test]
    fn without_advice_the_reason_is_put_in_words() {
        let mut report = report();
        report.status.as_mut().unwrap().finding.as_mut().unwrap().advice = None;
        assert_eq!(Message::from_report(&report, None).unwrap().cause, "Concurrent map access (Code)");
        assert_eq!(words("OOMKilled"), "OOMKilled");
    }

    #[test]
    fn the_exit_names_the_signal_and_what_the_kubelet_says() {
        let exit = |signal, exit_code, reason: Option<&str>| {
            exit(&Occurrence { signal, exit_code, reason: reason.map(str::to_owned), ..Occurrence::default() })
        };
        assert_eq!(exit(Some(11), Some(139), None).as_deref(), Some("signal 11"));
        assert_eq!(exit(Some(0), Some(137), Some("OOMKilled")).as_deref(), Some("exit code 137, OOMKilled"));
        assert_eq!(exit(None, None, Some("Evicted")).as_deref(), Some("Evicted"));
        assert_eq!(exit(None, None, None), None);
    }

    #[test]
    fn without_a_finding_there_is_nothing_to_say() {
        let mut report = report();
        report.status.as_mut().unwrap().finding = None;
        assert_eq!(Message::from_report(&report, None), None);
    }
}
