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

/// Position of the link that names the reason, in a chain whose outermost link comes first: of equals the innermost.
pub fn most_actionable(weights: impl Iterator<Item = Weight>) -> Option<usize> {
    weights.enumerate().max_by_key(|(at, weight)| (*weight, *at)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::reason::*;

    #[test]
    fn the_most_actionable_link_counts_and_of_equals_the_innermost() {
        let cases: [(&[CrashReason], usize); 5] = [
            (&[UNHANDLED_ERROR, CONNECTION_REFUSED, UNHANDLED_ERROR], 1),
            (&[UNHANDLED_ERROR, UNHANDLED_ERROR], 1),
            (&[NIL_DEREFERENCE, UNHANDLED_ERROR], 0),
            (&[MISSING_KEY, NIL_DEREFERENCE], 1),
            (&[MISSING_FILE, MISSING_KEY], 0),
        ];
        for (links, at) in cases {
            assert_eq!(most_actionable(links.iter().map(weight)), Some(at), "{links:?}");
        }
    }
}
