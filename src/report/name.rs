//! Names and label values: deterministic, so that a repeated write meets the same object, and within Kubernetes' limits.

use sha2::{Digest, Sha256};

use super::Workload;

/// Longest report name: as of a DNS label, so that the name fits wherever it is quoted, label values included.
const NAME_LENGTH: usize = 63;
/// Hexadecimal digits of the hash in a name: 48 bits, a chance collision among 2,000 reports is one in 10^8.
const HASH_DIGITS: usize = 12;
/// Longest label value that Kubernetes takes.
const LABEL_LENGTH: usize = 63;
/// What a container's name keeps when workload and container do not fit together; the workload has the rest.
const CONTAINER_SHARE: usize = 20;

/// Name of the report about one bug: workload, container, and a hash over workload kind, workload, container and
/// fingerprint; at the end `-other` where it is about bugs that have no report of their own. At most 63 characters.
pub fn report_name(workload: &Workload, container: &str, fingerprint: &str) -> String {
    let mut hash = hex_hash(&[&workload.kind, &workload.name, container, fingerprint], HASH_DIGITS);
    if fingerprint == super::OTHERS {
        hash.push_str("-other");
    }
    let room = NAME_LENGTH - hash.len() - 2;
    let (workload, container) = (dns_label(&workload.name), dns_label(container));
    let share = CONTAINER_SHARE.max(room.saturating_sub(workload.len()));
    let container = cut_label(&container, share);
    let workload = cut_label(&workload, room - container.len());
    [workload, container, &hash].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("-")
}

/// A text as a label value: itself where it is one, else what remains of it and a hash of the whole.
pub fn label_value(text: &str) -> String {
    if text.len() <= LABEL_LENGTH && is_label_value(text) {
        return text.to_owned();
    }
    let readable: String = text.chars().map(|c| if is_label_char(c) { c } else { '-' }).collect();
    let start = readable.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let prefix = &start[..start.len().min(LABEL_LENGTH - HASH_DIGITS - 1)];
    let hash = hex_hash(&[text], HASH_DIGITS);
    if prefix.is_empty() { hash } else { format!("{prefix}-{hash}") }
}

/// The first hexadecimal digits of a hash over several texts, each kept apart from the next.
pub(crate) fn hex_hash(parts: &[&str], digits: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.truncate(digits);
    hex
}

fn is_label_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn is_label_value(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.chars().all(is_label_char) && edge(text.chars().next()) && edge(text.chars().last())
}

/// Lower case letters, digits and dashes, as in a DNS label, of any length.
fn dns_label(text: &str) -> String {
    let mapped = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    mapped.collect::<String>().trim_matches('-').to_owned()
}

fn cut_label(label: &str, length: usize) -> &str {
    label[..label.len().min(length)].trim_end_matches('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn workload(name: &str) -> Workload {
        Workload { api_version: "apps/v1".into(), kind: "Deployment".into(), name: name.into(), uid: None }
    }

    fn is_dns_label(name: &str) -> bool {
        let inner = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && !name.is_empty() && name.len() <= 63 && !name.starts_with('-') && !name.ends_with('-')
    }

    #[test]
    fn a_name_shows_workload_and_container_and_is_stable() {
        let name = report_name(&workload("checkout"), "api", "1-3f9a1c7e42d0b6aa");
        assert_eq!(name, "checkout-api-95a0c67762a9");
    }

    #[test]
    fn a_name_differs_by_kind_workload_container_and_fingerprint() {
        let base = report_name(&workload("a"), "b", "1-0");
        let stateful = Workload { kind: "StatefulSet".into(), ..workload("a") };
        assert_ne!(base, report_name(&stateful, "b", "1-0"));
        assert_ne!(base, report_name(&workload("a-b"), "", "1-0"));
        assert_ne!(base, report_name(&workload("a"), "b", "1-1"));
    }

    #[test]
    fn a_long_workload_leaves_room_for_the_container() {
        let name = report_name(&workload(&"w".repeat(200)), "sidecar", "1-0");
        assert_eq!(name.len(), 63);
        assert!(name.contains("-sidecar-"), "{name}");
    }

    #[test]
    fn the_report_for_what_has_none_of_its_own_says_so() {
        let name = report_name(&workload(&"w".repeat(200)), "api", crate::report::OTHERS);
        assert!(name.ends_with("-other") && name.len() == 63, "{name}");
    }

    #[test]
    fn a_label_value_keeps_what_fits_and_marks_what_was_changed() {
        assert_eq!(label_value("checkout"), "checkout");
        assert_eq!(label_value(""), "");
        assert!(label_value("a b").starts_with("a-b-"));
        assert_ne!(label_value(&"x".repeat(64)), label_value(&"x".repeat(65)));
    }

    proptest! {
        #[test]
        fn every_name_is_a_dns_label(name in ".{0,300}", container in "[a-z0-9.-]{0,80}", print in ".{0,30}") {
            let name = report_name(&workload(&name), &container, &print);
            prop_assert!(is_dns_label(&name), "{name}");
        }

        #[test]
        fn every_label_value_is_one(text in ".{0,100}") {
            let value = label_value(&text);
            prop_assert!(value.len() <= 63 && is_label_value(&value), "{value}");
        }
    }
}
