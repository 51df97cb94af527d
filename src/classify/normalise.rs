//! Replaces the variable parts of a message, so that two crashes of one bug say the same.

use regex::Regex;

/// The patterns and what stands for them, in the order in which they must run or they eat each other.
const PATTERNS: [(&str, &str); 17] = [
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<email>"),
    (r#"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>]+"#, "<url>"),
    (r"\b(?:[a-z0-9-]+\.)+(?:local|internal|com|net|org|io|dev|cloud|svc)\b(?::\d+)?", "<host>"),
    (r"\[[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*\](?::\d+)?|\b(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}\b", "<ip>"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<ip>"),
    (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "<uuid>"),
    (r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b", "<hash>"),
    (r"\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?", "<time>"),
    (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
    (r"\b(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+\b", "<duration>"),
    // What Kubernetes generates: the hash of a pod template and five letters, or five letters alone.
    (r"-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "<pod>"),
    (r"\b0x[0-9a-fA-F]+\b", "<hex>"),
    (r"\b(?:[a-z]+[0-9]|[0-9]+[a-f])[0-9a-f]{5,}\b|\b[0-9a-f]*[0-9][0-9a-f]*[a-f][0-9a-f]{4,}\b", "<hex>"),
    (r"[-+]?\d+\.\d+(?:e[-+]?\d+)?", "<n>"),
    (r"\d+", "<n>"),
    (r#"=(?:"[^"]*"|'[^']*')"#, "=<value>"),
    (r"=(?:true|false)\b", "=<bool>"),
];

/// The patterns, compiled once.
#[derive(Debug)]
pub struct Normaliser {
    patterns: Vec<(Regex, &'static str)>,
}

impl Default for Normaliser {
    fn default() -> Self {
        let compile = |(pattern, name): &(&str, &'static str)| Some((Regex::new(pattern).ok()?, *name));
        Self { patterns: PATTERNS.iter().filter_map(compile).collect() }
    }
}

impl Normaliser {
    /// The text with its variable parts replaced, white space made one blank.
    pub fn normalise(&self, text: &str) -> String {
        let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (pattern, name) in &self.patterns {
            if let std::borrow::Cow::Owned(replaced) = pattern.replace_all(&text, *name) {
                text = replaced;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(Normaliser::default().patterns.len(), PATTERNS.len());
    }

    #[test]
    fn variable_parts_are_replaced_and_words_are_not() {
        let cases = [
            ("index out of range [5] with length 3", "index out of range [<n>] with length <n>"),
            ("dial tcp 10.0.3.7:5432: connect: connection refused", "dial tcp <ip>: connect: connection refused"),
            ("dial tcp [::1]:5432: connect", "dial tcp <ip>: connect"),
            ("user bob@example.com at https://a.b/c?d=1 failed", "user <email> at <url> failed"),
            ("order 3f9a1c7e42d0b6aa of 123e4567-e89b-12d3-a456-426614174000", "order <hex> of <uuid>"),
            (
                "2026-11-24T04:15:10.123Z took 1.5s flag=true name=\"x y\"",
                "<time> took <duration> flag=<bool> name=<value>",
            ),
            ("(parcel.Fault) 0x867812a00e0", "(parcel.Fault) <hex>"),
            ("pod checkout-7b6c5d4f8-m4n5p lost", "pod checkout<pod> lost"),
            ("assignment to entry in nil map", "assignment to entry in nil map"),
            ("invalid memory address or nil pointer dereference", "invalid memory address or nil pointer dereference"),
        ];
        let normaliser = Normaliser::default();
        for (text, expected) in cases {
            assert_eq!(normaliser.normalise(text), expected);
        }
    }
}
