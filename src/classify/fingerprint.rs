//! The fingerprint: the same for the same bug across pods, builds and nodes, another one for another bug.

use sha2::{Digest, Sha256};

use super::finding::Runtime;
use super::normalise::Normaliser;

/// Version of the algorithm: it changes whenever a fingerprint would.
const VERSION: u8 = 1;
/// Last names of functions that every trace of a program ends in, so that they do not tell bugs apart.
const ENTRY_POINTS: [&str; 7] = ["main", "Main", "<Main>$", "<main>", "{main}", "<module>", ""];

/// Whether a function, whatever package or class it stands in, is where a program begins.
fn is_entry_point(function: &str) -> bool {
    ENTRY_POINTS.contains(&function.rsplit(['.', ':']).next().unwrap_or(function))
}

/// What makes a bug itself.
#[derive(Clone, Copy, Debug)]
pub struct Bug<'a> {
    /// The runtime.
    pub runtime: Runtime,
    /// With a trace the kind of error, else the reason.
    pub kind: &'a str,
    /// The user's own frames, function and file, the top one first; empty without a trace.
    pub frames: &'a [(String, String)],
    /// The message.
    pub message: &'a str,
}

/// `1-` and 16 hexadecimal digits.
pub fn fingerprint(bug: &Bug<'_>, normaliser: &Normaliser) -> String {
    let frames = fold(bug.frames);
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    part(bug.runtime.as_str());
    part(&normaliser.normalise(bug.kind));
    for (function, file) in &frames {
        part(function);
        part(file);
    }
    if frames.iter().all(|(function, _)| is_entry_point(function)) {
        part(&normaliser.normalise(bug.message));
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{VERSION}-{hex}")
}

/// Folds cycles of up to four frames that repeat: how deep a recursion went is chance.
fn fold(frames: &[(String, String)]) -> Vec<&(String, String)> {
    let mut folded: Vec<&(String, String)> = Vec::with_capacity(frames.len());
    for frame in frames {
        folded.push(frame);
        for length in 1..=4.min(folded.len() / 2) {
            let (head, last) = folded.split_at(folded.len() - length);
            if head.ends_with(last) {
                folded.truncate(folded.len() - length);
                break;
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(frames: &[&str], message: &str) -> String {
        let frames: Vec<_> = frames.iter().map(|f| ((*f).to_owned(), "a.go".to_owned())).collect();
        let bug = Bug { runtime: Runtime::Go, kind: "boom 7", frames: &frames, message };
        fingerprint(&bug, &Normaliser::default())
    }

    #[test]
    fn a_fingerprint_has_a_version_and_sixteen_digits() {
        let mark = of(&["a.F"], "");
        assert!(mark.len() == 18 && mark.starts_with("1-") && mark[2..].bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn recursion_is_folded() {
        assert_eq!(of(&["a.F", "a.F", "a.F", "m.G"], ""), of(&["a.F", "m.G"], ""));
        assert_eq!(of(&["a.F", "a.H", "a.F", "a.H", "m.G"], ""), of(&["a.F", "a.H", "m.G"], ""));
        assert_ne!(of(&["a.F", "m.G"], ""), of(&["a.H", "m.G"], ""));
    }

    #[test]
    fn the_message_counts_only_where_frames_do_not_tell() {
        assert_eq!(of(&["a.F"], "x"), of(&["a.F"], "y"));
        assert_ne!(of(&["main.main"], "x"), of(&["main.main"], "y"));
        assert_eq!(of(&["main.main"], "took 5 s"), of(&["main.main"], "took 7 s"));
        assert_ne!(of(&[], "x"), of(&[], "y"));
        for entry in ["com.acme.Main.main", "app::main", "Shop.Program.Main", "<main>", ""] {
            assert_ne!(of(&[entry], "x"), of(&[entry], "y"), "{entry}");
        }
    }
}
