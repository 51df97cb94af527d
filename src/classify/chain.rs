//! Which link of a chain of causes names the reason.

use super::finding::{Category, CrashReason};
use super::reason::{UNHANDLED_ERROR, category_of};

/// How much a reason says, by the taxonomy: a dependency, a setting or a resource is to be acted on, so it wins over a bug
/// in the code, and a precise bug wins over "not handled".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It only holds others: a group of exceptions, a pool's quotation.
    Wrapper,
    /// Something was not handled.
    Vague,
    /// A precise bug in the code.
    Precise,
    /// Something outside of the code to act on.
    Actionable,
}

/// The weight of a reason.
pub fn weight(reason: &CrashReason) -> Weight {
    match category_of(reason) {
        Some(Category::Dependency | Category::Startup | Category::Resource) => Weight::Actionable,
        _ if *reason == UNHANDLED_ERROR => Weight::Vague,
        _ => Weight::Precise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::reason::*;

    #[test]
    fn what_to_act_on_outweighs_a_bug_and_a_precise_bug_a_vague_one() {
        let weights = [UNHANDLED_ERROR, NIL_DEREFERENCE, SEGFAULT, MISSING_MODULE].map(|reason| weight(&reason));
        assert_eq!(weights, [Weight::Vague, Weight::Precise, Weight::Precise, Weight::Actionable]);
    }
}
