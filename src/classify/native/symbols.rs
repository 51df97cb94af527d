//! Names of C and C++ functions, and which of them are the user's own.

use crate::classify::stack::RawFrame;

/// The name without arguments, return type and what the compiler adds: `mixer::sum` of `int mixer::sum(int*) const [clone .cold]`.
pub fn plain(symbol: &str) -> String {
    let mut name = symbol.trim();
    if let Some(clone) = name.find(" [clone ") {
        name = &name[..clone];
    }
    // `void f(T) [with T = int]`, as in the name that an assertion prints.
    if let Some(with) = name.find(" [with ") {
        name = &name[..with];
    }
    name = name.trim_end_matches(" const").trim_end_matches(" &&").trim_end_matches(" &").trim_end_matches(" noexcept");
    let name = without_arguments(name);
    let name = without_return_type(name);
    let name = name.split('@').next().unwrap_or(name);
    ["cold", "isra", "part", "constprop", "lto_priv"]
        .iter()
        .fold(name, |name, suffix| cut_suffix(name, suffix))
        .to_owned()
}

fn cut_suffix<'a>(name: &'a str, suffix: &str) -> &'a str {
    match name.rfind(suffix) {
        Some(at) if at > 0 && name.as_bytes()[at - 1] == b'.' => &name[..at - 1],
        _ => name,
    }
}

/// Cuts the last pair of brackets, with what is inside of it.
fn without_arguments(name: &str) -> &str {
    if !name.ends_with(')') || name.ends_with("operator()") {
        return name;
    }
    let mut depth = 0u32;
    for (at, byte) in name.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if at == 0 { name } else { &name[..at] };
        }
    }
    name
}

/// Cuts the return type: what stands before the last blank outside of brackets, unless it is an operator's.
fn without_return_type(name: &str) -> &str {
    let mut depth = 0i32;
    for (at, byte) in name.bytes().enumerate().rev() {
        match byte {
            b'>' | b')' | b'}' | b']' => depth += 1,
            b'<' | b'(' | b'{' | b'[' => depth -= 1,
            b' ' if depth == 0 && !name[..at].ends_with("operator") => {
                return name[at + 1..].trim_start_matches(['*', '&']);
            }
            _ => {}
        }
    }
    name
}

/// The name for a fingerprint: without template arguments, and lambdas without their number.
pub fn stable(frame: &RawFrame) -> Option<String> {
    let mut out = String::with_capacity(frame.function.len());
    let mut depth = 0u32;
    for part in frame.function.chars() {
        match part {
            '<' | '{' => depth += 1,
            '>' | '}' => depth = depth.saturating_sub(1),
            part if depth == 0 => out.push(part),
            _ => {}
        }
    }
    Some(out)
}

/// Parts of paths of the compiler's, the C library's and the sanitizers' own sources.
const INSTALLED: [&str; 14] = [
    "/libsanitizer/",
    "compiler-rt/",
    "/usr/include/",
    "/usr/lib/",
    "/usr/local/include/c++",
    "../sysdeps/",
    "/sysdeps/",
    "../csu/",
    "csu/../",
    "/glibc",
    "../nptl/",
    "./nptl/",
    "./stdlib/",
    "/libstdc++-v3/",
];

/// Starts of names of the C and C++ libraries, of the sanitizers and of logging.
const LIBRARIES: [&str; 39] = [
    "std::",
    "__gnu_cxx::",
    "__cxxabiv1::",
    "__cxa_",
    "__interceptor_",
    "__asan",
    "__sanitizer",
    "__tsan",
    "__msan",
    "__ubsan",
    "__lsan",
    "operator new",
    "operator delete",
    "__libc_",
    "__GI_",
    "__assert",
    "_start",
    "start_thread",
    "clone",
    "__clone",
    "abort",
    "raise",
    "gsignal",
    "pthread_",
    "google::",
    "absl::",
    "folly::symbolizer",
    "logging::",
    "__restore_rt",
    "__pthread",
    "_dl_",
    "malloc",
    "free",
    "__memcpy",
    "memcpy",
    "(unknown)",
    "??",
    "cpptrace::",
    "base::debug::",
];

/// Whether a frame is the user's own code.
pub fn is_own(function: &str, file: &str) -> bool {
    let library =
        LIBRARIES.iter().any(|start| function.starts_with(start)) || function.starts_with('<') || function.is_empty();
    !library && !INSTALLED.iter().any(|part| file.contains(part))
}

/// Whether a name is that of a source file of C, C++ or a language that shares their sanitizers.
pub fn is_source(file: &str) -> bool {
    const ENDS: [&str; 12] = [".c", ".cc", ".cpp", ".cxx", ".c++", ".C", ".h", ".hh", ".hpp", ".hxx", ".inc", ".m"];
    ENDS.iter().any(|end| file.ends_with(end))
}

/// `/app/parser.c:34:5`, `/app/parser.c:34`: file and line.
pub fn location(text: &str) -> Option<(&str, u32)> {
    let (rest, last) = text.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    let (file, line) = match rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<u32>().ok()?))) {
        Some((file, line)) => (file, line),
        None => (rest, last),
    };
    (!file.is_empty()).then_some((file, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_plain() {
        let cases = [
            ("mixer::sum(int const*, int)", "mixer::sum"),
            ("void mixer::Channel::check(int, int) const", "mixer::Channel::check"),
            ("main", "main"),
            ("(anonymous namespace)::run(int)", "(anonymous namespace)::run"),
            (
                "void std::__invoke_impl<void, void (*)(int), int>(std::__invoke_other, void (*&&)(int), int&&)",
                "std::__invoke_impl<void, void (*)(int), int>",
            ),
            ("operator new[](unsigned long)", "operator new[]"),
            ("foo::operator()(int) const", "foo::operator()"),
            ("int mixer::deep(int) [clone .cold]", "mixer::deep"),
            ("parse_line.isra.0", "parse_line"),
            ("T mixer::get(T) [with T = int]", "mixer::get"),
        ];
        for (symbol, expected) in cases {
            assert_eq!(plain(symbol), expected, "{symbol}");
        }
    }

    #[test]
    fn the_users_own_code_is_told_from_libraries() {
        let cases = [
            ("mixer::sum", "/app/mixer.cc", true),
            ("main", "", true),
            ("std::vector<int>::at", "/usr/include/c++/12/bits/stl_vector.h", false),
            ("__interceptor_free", "../../../../src/libsanitizer/asan/asan_malloc_linux.cpp", false),
            ("__libc_start_call_main", "../sysdeps/nptl/libc_start_call_main.h", false),
            ("google::LogMessage::Fail", "", false),
            ("<null>", "", false),
        ];
        for (function, file, own) in cases {
            assert_eq!(is_own(function, file), own, "{function}");
        }
    }
}
