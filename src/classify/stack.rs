//! Frames as grammars read them, and what a finding and a fingerprint make of them.

use super::finding::{Culprit, Frame, STACK_FRAMES, base_name};

/// One frame of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawFrame {
    /// The function as the runtime names it; empty where it names only a place.
    pub function: String,
    /// The source file as it stands there; empty where there is none.
    pub file: String,
    /// The line in it; 0 where there is none.
    pub line: u32,
    /// Whether it is the user's own code.
    pub own: bool,
}

impl RawFrame {
    /// The place that it names.
    pub fn place(&self) -> Culprit {
        Culprit {
            function: (!self.function.is_empty()).then(|| self.function.clone()),
            file: (!self.file.is_empty()).then(|| self.file.clone()),
            line: (self.line > 0).then_some(self.line),
        }
    }
}

/// The frames as a finding shows them, the top one first.
pub fn shown(frames: &[RawFrame]) -> Vec<Frame> {
    let frame = |frame: &RawFrame| {
        let Culprit { function, file, line } = frame.place();
        Frame { function: function.unwrap_or_default(), file, line, in_app: frame.own }
    };
    frames.iter().take(STACK_FRAMES).map(frame).collect()
}

/// The top frame in the user's own code.
pub fn culprit(frames: &[RawFrame]) -> Option<Culprit> {
    frames.iter().find(|frame| frame.own).map(RawFrame::place)
}

/// Function and file of the user's own frames. `stable` takes from a name what is generated; without a name the frame is
/// left out. Where a stack overflowed, only the functions that recur.
pub fn signature(
    frames: &[RawFrame],
    recursion: bool,
    stable: impl Fn(&RawFrame) -> Option<String>,
) -> Vec<(String, String)> {
    let own = frames.iter().filter(|frame| frame.own);
    let all = own.filter_map(|frame| Some((stable(frame)?, base_name(&frame.file).to_owned()))).collect();
    if recursion { recurring(all) } else { all }
}

/// Of the frames of a stack that overflowed the functions that recur: where exactly the limit struck is chance.
pub fn recurring(all: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut sorted = all.clone();
    sorted.sort();
    let recurring: Vec<_> =
        sorted.chunk_by(|a, b| a == b).filter(|same| same.len() > 2).map(|same| same[0].clone()).collect();
    if recurring.is_empty() { all } else { recurring }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, own: bool) -> RawFrame {
        RawFrame { function: function.into(), file: "/app/a.x".into(), line: 3, own }
    }

    #[test]
    fn the_culprit_is_the_top_frame_of_the_users_own() {
        let frames = [frame("lib", false), frame("f", true), frame("main", true)];
        assert_eq!(culprit(&frames).unwrap().function.as_deref(), Some("f"));
        assert_eq!(culprit(&frames[..1]), None);
    }

    #[test]
    fn where_a_stack_overflowed_only_what_recurs_counts() {
        let frames: Vec<_> = ["helper", "a", "b", "a", "b", "a", "b", "main"].map(|f| frame(f, true)).to_vec();
        let names = |recursion| -> Vec<String> {
            let all = signature(&frames, recursion, |frame| Some(frame.function.clone()));
            all.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(true), ["a", "b"]);
        assert_eq!(names(false).len(), 8);
    }
}
