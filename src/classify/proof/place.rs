//! A place in the user's code as two logs name it, which need not be of one build.

use serde::Serialize;

use crate::classify::finding::{SYMBOL_BYTES, base_name};
use crate::classify::go::frames::{self, RawFrame};
use crate::classify::text;

/// A function and the line in it at which memory was touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The function; Go's with the whole import path where the log has it.
    pub function: String,
    /// The source file as the log has it; empty where it has none.
    pub file: String,
    /// The line, from 1; 0 where the log has none.
    pub line: u32,
}

/// How one place relates to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Another function.
    None,
    /// The same function, at another line.
    Function,
    /// The same function at the same line.
    Line,
}

impl Place {
    /// The place of a frame, cut to what is kept of a symbol.
    pub fn of(frame: &RawFrame) -> Self {
        Self {
            function: text::cut(&frame.function, SYMBOL_BYTES),
            file: text::cut(&frame.file, SYMBOL_BYTES),
            line: frame.line,
        }
    }

    /// Compares two places of which `moved` is known: by how many lines the other build has this file's code further
    /// down.
    pub fn likeness(&self, other: &Place, moved: i64) -> Likeness {
        let line = self.line > 0 && i64::from(self.line) + moved == i64::from(other.line);
        let file = self.same_file(other);
        let renamed = line && file && !self.file.is_empty() && self.is_renamed(other);
        match (renamed || (file && self.same_function(other)), line) {
            (true, true) => Likeness::Line,
            (true, false) => Likeness::Function,
            (false, _) => Likeness::None,
        }
    }

    /// Whether both name the same function, as far as the names go. Closures of one function have numbers, and are
    /// different functions.
    pub fn same_function(&self, other: &Place) -> bool {
        let (one, two) = (bare(&self.function), bare(&other.function));
        if is_whole(&one) && is_whole(&two) { one == two } else { frames::short(&one) == frames::short(&two) }
    }

    /// Directories depend on where it was built, and -trimpath leaves none.
    fn same_file(&self, other: &Place) -> bool {
        self.file.is_empty() || other.file.is_empty() || base_name(&self.file) == base_name(&other.file)
    }

    /// Whether the names may be of one closure: those of inlined functions are called after the function that they ended up
    /// in, and their numbers depend on what stands above. Only at one line is that worth asking.
    fn is_renamed(&self, other: &Place) -> bool {
        let (one, two) = (bare(&self.function), bare(&other.function));
        let (package, name) = split(&one);
        let (other_package, other_name) = split(&two);
        let same_package = if is_whole(&one) && is_whole(&two) {
            package == other_package
        } else {
            frames::short(package) == frames::short(other_package)
        };
        let inner = |outer: &str, inner: &str| outer.strip_suffix(inner).is_some_and(|rest| rest.ends_with('.'));
        let same =
            || frames::stable(&one) == frames::stable(&two) || inner(name, other_name) || inner(other_name, name);
        same_package && same()
    }

    /// For people: `cache.go:28 in inventory.(*Cache).Add`.
    pub fn in_words(&self) -> String {
        let function = frames::short(&self.function);
        match (self.file.is_empty(), self.line) {
            (true, _) => function,
            (false, 0) => format!("{} in {function}", self.file),
            (false, line) => format!("{}:{line} in {function}", self.file),
        }
    }
}

/// Package and name: `example.com/carts/store` and `(*Store).Put`.
fn split(function: &str) -> (&str, &str) {
    let start = function.rfind('/').map_or(0, |at| at + 1);
    function[start..].find('.').map_or(("", function), |dot| (&function[..start + dot], &function[start + dot + 1..]))
}

/// Go writes the import path before the function; without a slash it is a short one, but for `main`.
fn is_whole(function: &str) -> bool {
    function.contains('/') || function.starts_with("main.")
}

/// A function without what two logs write in two ways: type arguments, parameters, suffixes of wrappers.
fn bare(function: &str) -> String {
    let mut bare = String::with_capacity(function.len());
    let mut depth = 0u32;
    for c in parameterless(function).chars() {
        match c {
            '[' | '<' => depth += 1,
            ']' | '>' => depth = depth.saturating_sub(1),
            c if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    bare.trim_end_matches("-fm").replace("%2e", ".")
}

/// `shop::Cache::add(int) const` without what follows the name. Go's receivers, `(anonymous namespace)` and
/// `operator()` have parentheses of their own.
fn parameterless(function: &str) -> &str {
    if !function.contains("::") {
        return function;
    }
    let call = function.match_indices('(').find(|(at, _)| {
        !function[*at..].starts_with("(anonymous namespace)") && !function[..*at].ends_with("operator")
    });
    call.map_or(function, |(at, _)| &function[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(function: &str, file: &str, line: u32) -> Place {
        Place { function: function.into(), file: file.into(), line }
    }

    #[test]
    fn places_of_two_builds_are_compared() {
        let put = "example.com/carts/store.(*Store).Put";
        let cases = [
            ((put, "/dev/carts/store.go", 9), (put, "carts/store.go", 9), 0, Likeness::Line),
            ((put, "/dev/carts/store.go", 9), (put, "carts/store.go", 12), 0, Likeness::Function),
            ((put, "/dev/carts/store.go", 9), (put, "carts/store.go", 12), 3, Likeness::Line),
            ((put, "store.go", 9), ("store.(*Store).Put", "store.go", 9), 0, Likeness::Line),
            ((put, "store.go", 9), ("example.com/users/store.(*Store).Put", "store.go", 10), 0, Likeness::None),
            ((put, "store.go", 9), ("store.(*Other).Put", "store.go", 12), 0, Likeness::None),
            (("main.(*Set[go.shape.int]).Add", "a.go", 3), ("main.(*Set[...]).Add", "a.go", 3), 0, Likeness::Line),
            (("main.main.func1", "a.go", 3), ("main.main.func2", "a.go", 9), 0, Likeness::None),
            (("main.run.func1", "a.go", 3), ("main.main.run.func1", "a.go", 3), 0, Likeness::Line),
            (("main.main.func1", "a.go", 3), ("main.main.func2", "a.go", 3), 0, Likeness::Line),
            (("main.init.func1", "a.go", 3), ("main.get", "a.go", 3), 0, Likeness::None),
            ((put, "store.go", 9), ("example.com/users/store.(*Store).Put", "store.go", 9), 0, Likeness::None),
            (("a::C<int>::add(int)", "c.cc", 3), ("a::C<long>::add(long) const", "c.cc", 3), 0, Likeness::Line),
            (("a::C::operator()(int)", "c.cc", 3), ("a::C::add(int)", "c.cc", 9), 0, Likeness::None),
        ];
        for ((f, file, line), (g, other_file, other_line), moved, expected) in cases {
            let likeness = place(f, file, line).likeness(&place(g, other_file, other_line), moved);
            assert_eq!(likeness, expected, "{f}:{line} and {g}:{other_line}");
        }
    }
}
