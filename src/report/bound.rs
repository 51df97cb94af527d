//! Keeps a report within its size: each field within what the schema takes, and the whole within 16 KiB.

use serde::Serialize;

use super::text::{cut, cut_front, cut_in_place};
use super::{CrashReport, CrashReportStatus, Draft, Evidence, Occurrence};
use crate::classify::{CONTRIBUTING, Culprit, Finding, Frame, MESSAGE_BYTES, RELATED, STACK_FRAMES, SYMBOL_BYTES};

/// Most bytes of a report as the API server keeps it: reports have taken API servers down.
pub const REPORT_BYTES: usize = 16 * 1024;
/// What the API server adds to it: uid, times, and the list of managed fields (measured: under 2 KiB for a full status).
const SERVER_BYTES: usize = 2 * 1024;
/// Longest sentence about a related or contributing finding, as in the schema.
const TITLE_BYTES: usize = 256;
/// Longest line of advice, as in the schema.
const ADVICE_BYTES: usize = 512;
/// Most steps of one kind of advice, as in the schema.
const ADVICE_STEPS: usize = 8;

/// Stands where the middle of an excerpt was taken out.
const CUT_MARK: &str = "\n[...]\n";

/// Cuts every field of a finding to what the schema takes: a report that the API server refuses would be a lost one.
pub(super) fn clamp(finding: &mut Finding) {
    cut_in_place(&mut finding.message, MESSAGE_BYTES);
    cut_each(&mut finding.exception, SYMBOL_BYTES);
    clamp_culprit(&mut finding.culprit);
    clamp_stack(&mut finding.stack);
    finding.related.truncate(RELATED);
    for related in &mut finding.related {
        cut_in_place(&mut related.title, TITLE_BYTES);
        clamp_culprit(&mut related.culprit);
        clamp_stack(&mut related.stack);
    }
    finding.contributing.truncate(CONTRIBUTING);
    for other in &mut finding.contributing {
        cut_in_place(&mut other.message, MESSAGE_BYTES);
        cut_in_place(&mut other.why_not, TITLE_BYTES);
        clamp_culprit(&mut other.culprit);
    }
    if let Some(advice) = &mut finding.advice {
        cut_in_place(&mut advice.summary, ADVICE_BYTES);
        for steps in [&mut advice.prove, &mut advice.fix] {
            steps.truncate(ADVICE_STEPS);
            cut_each(steps, ADVICE_BYTES);
        }
    }
}

fn cut_each<'a>(texts: impl IntoIterator<Item = &'a mut String>, bytes: usize) {
    texts.into_iter().for_each(|text| cut_in_place(text, bytes));
}

fn clamp_culprit(culprit: &mut Option<Culprit>) {
    if let Some(Culprit { function, file, line: _ }) = culprit {
        cut_each(function.iter_mut().chain(file), SYMBOL_BYTES);
    }
}

fn clamp_stack(stack: &mut Vec<Frame>) {
    stack.truncate(STACK_FRAMES);
    for Frame { function, file, .. } in stack {
        cut_each(file.iter_mut().chain([function]), SYMBOL_BYTES);
    }
}

/// What of a report can be shrunk.
struct Parts<'a> {
    finding: &'a mut Finding,
    evidence: &'a mut Evidence,
    occurrences: &'a mut Vec<Occurrence>,
}

/// One notch of shrinking: whether there was anything to take.
type Notch = fn(&mut Parts<'_>) -> bool;

/// What goes first when a report is too large: what an engineer misses least. The culprit, the message and the advice
/// stay to the end.
const NOTCHES: &[Notch] = &[
    |parts| parts.finding.contributing.pop().is_some(),
    |parts| parts.finding.related.iter_mut().any(|related| shorten(&mut related.stack, 6)),
    |parts| shorten(&mut parts.finding.stack, 10),
    |parts| cut_excerpt(parts.evidence, 2048),
    |parts| shorten(&mut parts.finding.related, 1),
    |parts| shorten(parts.occurrences, 2),
    |parts| parts.finding.related.iter_mut().any(|related| shorten(&mut related.stack, 1)),
    |parts| shorten(&mut parts.finding.stack, 5),
    |parts| cut_excerpt(parts.evidence, 512),
    |parts| parts.finding.advice.as_mut().is_some_and(|advice| advice.prove.pop().or(advice.fix.pop()).is_some()),
    |parts| parts.finding.related.pop().is_some() || parts.finding.stack.pop().is_some(),
    |parts| parts.finding.advice.take().is_some(),
];

/// Shrinks the status until the report fits; the same report always shrinks the same way.
pub(super) fn fit(report: &mut CrashReport) {
    let whole = size(report);
    let Some(status) = report.status.as_mut() else { return };
    if let CrashReportStatus { finding: Some(finding), evidence: Some(evidence), occurrences, .. } = status {
        shrink(&mut Parts { finding, evidence, occurrences }, whole);
    }
}

/// Shrinks what a new report is made of in the same way, since the ledger keeps it until the report is written.
pub(super) fn fit_draft(draft: &mut Draft) {
    let Draft { spec, finding, evidence, delete_with_workload: _ } = draft;
    let whole = json_size(&(spec, &*finding, &*evidence));
    shrink(&mut Parts { finding, evidence, occurrences: &mut Vec::new() }, whole);
}

fn shrink(parts: &mut Parts<'_>, whole: usize) {
    if whole <= REPORT_BYTES - SERVER_BYTES {
        return;
    }
    let rest = whole - parts.size();
    let mut notches = NOTCHES.iter();
    let mut notch = notches.next();
    while let (Some(take), true) = (notch, rest + parts.size() > REPORT_BYTES - SERVER_BYTES) {
        if !take(parts) {
            notch = notches.next();
        }
    }
}

impl Parts<'_> {
    fn size(&self) -> usize {
        json_size(self.finding) + json_size(self.evidence) + json_size(self.occurrences)
    }
}

/// Bytes of a report without what the API server adds.
fn size(report: &CrashReport) -> usize {
    let meta = &report.metadata;
    let owners = json_size(&(&meta.labels, &meta.annotations, &meta.owner_references, &meta.name));
    owners + json_size(&report.spec) + json_size(&report.status)
}

/// Bytes of a value as JSON.
fn json_size<T: Serialize + ?Sized>(value: &T) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

fn shorten<T>(list: &mut Vec<T>, length: usize) -> bool {
    let longer = list.len() > length;
    list.truncate(length);
    longer
}

/// Cuts an excerpt in its middle: depending on the runtime, the decisive line is the first or the last of a trace.
fn cut_excerpt(evidence: &mut Evidence, bytes: usize) -> bool {
    if evidence.excerpt.len() <= bytes {
        return false;
    }
    let half = (bytes - CUT_MARK.len()) / 2;
    evidence.excerpt = [cut(&evidence.excerpt, half), CUT_MARK, cut_front(&evidence.excerpt, half)].concat();
    evidence.truncated = true;
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::classify::{Advice, Category, Confidence, Contributing, Related, Runtime, reason};
    use crate::report::{CrashReportSpec, EvidenceSource, EvidenceState, Workload};

    /// A report with every text and list longer than the schema takes.
    fn huge() -> CrashReport {
        let long = "é\u{1b}\"x".repeat(500);
        let frame = Frame { function: long.clone(), file: Some(long.clone()), line: Some(u32::MAX), in_app: true };
        let culprit = Some(Culprit { function: Some(long.clone()), file: Some(long.clone()), line: Some(1) });
        let related = Related { title: long.clone(), culprit: culprit.clone(), stack: vec![frame.clone(); 50] };
        let other = Contributing {
            category: Category::Code,
            reason: reason::DEADLOCK,
            message: long.clone(),
            why_not: long.clone(),
            culprit: culprit.clone(),
        };
        let finding = Finding {
            category: Category::Code,
            reason: reason::CONCURRENT_MAP_ACCESS,
            runtime: Runtime::Go,
            exception: Some(long.clone()),
            message: long.clone(),
            confidence: Confidence::High,
            culprit,
            stack: vec![frame; 50],
            related: vec![related; 9],
            contributing: vec![other; 9],
            advice: Some(Advice { summary: long.clone(), prove: vec![long.clone(); 20], fix: vec![long.clone(); 20] }),
        };
        let evidence = Evidence {
            state: EvidenceState::Verified,
            source: EvidenceSource::PreviousLog,
            excerpt: long.repeat(2),
            log_bytes: 1,
            truncated: false,
        };
        let occurrence = Occurrence { pod: "p".repeat(253), image: "i".repeat(512), ..Occurrence::default() };
        let mut report = CrashReport::new(
            "r",
            CrashReportSpec {
                workload: Workload { name: "w".repeat(253), ..Workload::default() },
                container: "c".repeat(63),
                fingerprint: "1-0".into(),
                triage: None,
            },
        );
        report.status = Some(CrashReportStatus {
            finding: Some(finding),
            evidence: Some(evidence),
            occurrences: vec![occurrence; 5],
            ..CrashReportStatus::default()
        });
        report
    }

    #[test]
    fn a_report_of_any_size_fits_and_keeps_what_matters_most() {
        let mut report = huge();
        clamp(report.status.as_mut().unwrap().finding.as_mut().unwrap());
        fit(&mut report);
        assert!(size(&report) <= REPORT_BYTES - SERVER_BYTES, "{} bytes", size(&report));
        let status = report.status.unwrap();
        let finding = status.finding.unwrap();
        assert!(!finding.message.is_empty() && finding.culprit.is_some() && finding.advice.is_some());
        assert!(status.evidence.unwrap().truncated && !status.occurrences.is_empty());
    }

    #[test]
    fn shrinking_is_deterministic_and_leaves_a_small_report_alone() {
        let mut first = huge();
        clamp(first.status.as_mut().unwrap().finding.as_mut().unwrap());
        let mut second = first.clone();
        fit(&mut first);
        fit(&mut second);
        assert_eq!(first.status, second.status);
        let shrunk = first.clone();
        fit(&mut first);
        assert_eq!(first.status, shrunk.status);
    }

    #[test]
    fn an_excerpt_is_cut_in_its_middle() {
        let mut evidence = huge().status.unwrap().evidence.unwrap();
        evidence.excerpt = format!("first\n{}\nlast", "x".repeat(4000));
        assert!(cut_excerpt(&mut evidence, 512));
        let excerpt = &evidence.excerpt;
        assert!(excerpt.starts_with("first") && excerpt.ends_with("last") && excerpt.len() <= 512);
        assert!(!cut_excerpt(&mut evidence, 512));
    }
}
