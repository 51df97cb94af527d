//! What collectors make of a log: the same lines with something before each, or inside of JSON.

use serde_json::json;

/// A collector's form.
pub struct Envelope {
    pub name: &'static str,
    line: fn(usize, &str) -> String,
}

/// `kubectl logs --timestamps`, `kubectl logs --prefix`, the file that the container runtime writes, `docker compose logs`,
/// docker's own JSON file, and Windows' line ends.
pub const ENVELOPES: [Envelope; 6] = [
    Envelope { name: "kubectl", line: |n, line| format!("{} {line}", stamp(n)) },
    Envelope { name: "pod", line: |_, line| format!("[pod/shop-6d5f8c9b7-x2x4k/api] {line}") },
    Envelope { name: "cri", line: |n, line| format!("{} stderr F {line}", stamp(n)) },
    Envelope { name: "compose", line: |_, line| format!("api-1  | {line}") },
    Envelope {
        name: "docker",
        line: |n, line| json!({"log": format!("{line}\n"), "stream": "stderr", "time": stamp(n)}).to_string(),
    },
    Envelope { name: "crlf", line: |_, line| format!("{line}\r") },
];

fn stamp(n: usize) -> String {
    format!("2026-11-25T02:{:02}:{:02}.{:02}7172192Z", n / 6000 % 60, n / 100 % 60, n % 100)
}

impl Envelope {
    /// The log as this collector hands it over.
    pub fn around(&self, log: &str) -> String {
        let ended = log.strip_suffix('\n');
        let lines = ended.unwrap_or(log).split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let mut out: Vec<String> = lines.enumerate().map(|(n, line)| (self.line)(n, line)).collect();
        if ended.is_some() {
            out.push(String::new());
        }
        out.join("\n")
    }
}
