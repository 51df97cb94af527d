//! Frames of the stacks that debuggers and stack-trace libraries print: gdb, LLVM, cpptrace, Boost and `std::stacktrace`,
//! backward-cpp, glibc's `backtrace_symbols`, Valgrind, Breakpad.

use super::mangled::demangled;
use super::symbols;
use crate::classify::stack::RawFrame;

/// Functions between what printed the stack and what went wrong: the handler of a signal, `std::terminate` and the like.
const BETWEEN: [&str; 19] = [
    "<signal handler called>",
    "__restore_rt",
    "killpg",
    "abort",
    "raise",
    "gsignal",
    "__pthread_kill",
    "pthread_kill",
    "__assert_fail",
    "__libc_message",
    "__fortify_fail",
    "__stack_chk_fail",
    "__chk_fail",
    "std::terminate",
    "__cxxabiv1::",
    "__cxa_throw",
    "__cxa_rethrow",
    "std::__throw_",
    "_Unwind_",
];
/// How deep such functions can be.
const HANDLERS: usize = 24;

/// One frame, in any of the forms; the number is that which stands before it.
pub fn frame(line: &str) -> Option<(Option<u32>, RawFrame)> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix('#') {
        let (number, rest) = numbered(rest)?;
        let rest = rest.trim_start().trim_start_matches("| ").trim_start();
        return backward(rest).or_else(|| debugger(rest)).map(|frame| (Some(number), frame));
    }
    if let Some((number, rest)) = numbered(line) {
        let symbols = || rest.strip_prefix(": ").and_then(backtrace_symbols);
        let rest = rest
            .strip_prefix("# ")
            .and_then(boost)
            .or_else(|| rest.strip_prefix(' ').and_then(breakpad))
            .or_else(symbols);
        return rest.map(|frame| (Some(number), frame));
    }
    let valgrind = || {
        let rest = line.strip_prefix("at 0x").or_else(|| line.strip_prefix("by 0x"))?;
        valgrind(rest.split_once(": ")?.1)
    };
    valgrind().or_else(|| backtrace_symbols(line)).map(|frame| (None, frame))
}

fn numbered(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn made(function: String, file: &str, line: u32, module: &str) -> RawFrame {
    let own = symbols::is_own(&function, file) && !is_system(module);
    RawFrame { own, function, file: file.to_owned(), line }
}

/// Whether a module belongs to the system.
fn is_system(module: &str) -> bool {
    ["/lib/", "/lib64/", "/usr/lib", "linux-vdso", "libc.so", "libstdc++", "libpthread"]
        .iter()
        .any(|part| module.contains(part))
}

/// `Source "/app/lane.cpp", line 31, in weigh [0x55]`, `Object "/app/sorter", at 0x55, in _start`.
fn backward(text: &str) -> Option<RawFrame> {
    let source = text.strip_prefix("Source \"").map(|rest| (rest, ", line "));
    let (rest, before) = source.or_else(|| text.strip_prefix("Object \"").map(|rest| (rest, ", at ")))?;
    let (path, rest) = rest.split_once('"')?;
    let (place, function) = rest.strip_prefix(before)?.split_once(", in ").unwrap_or((rest, ""));
    let function = symbols::plain(function.split(" [0x").next().unwrap_or(function));
    Some(match source {
        Some(_) => made(function, path, place.trim().parse().ok()?, ""),
        None => made(function, "", 0, path),
    })
}

/// gdb's `0x55 in Lane::weigh (this=0x0) at /app/lane.cpp:31` and `main () at main.cpp:20`, LLVM's
/// `0x55 Lane::weigh() /app/lane.cpp:31:12`, cpptrace's `0x55 in Lane::weigh() at /app/lane.cpp:31:9`.
fn debugger(text: &str) -> Option<RawFrame> {
    let addressed = text.strip_prefix("0x").map(|rest| rest.split_once(' ').map_or("", |(_, rest)| rest));
    let rest = addressed.unwrap_or(text);
    let rest = rest.strip_prefix("in ").unwrap_or(rest).trim();
    if rest.starts_with("<signal handler called>") {
        return Some(RawFrame { function: rest.to_owned(), ..RawFrame::default() });
    }
    if let Some((symbol, file, line)) = placed(rest) {
        return Some(made(name(symbol), file, line, ""));
    }
    if let Some((symbol, module)) = rest.rsplit_once(" from ") {
        return Some(made(name(symbol), "", 0, module));
    }
    // Without debug information gdb has no more than the name and the arguments.
    addressed?;
    let (symbol, place) = rest.rsplit_once(' ').unwrap_or((rest, ""));
    Some(match symbols::location(place) {
        Some((file, line)) => made(name(symbol), file, line, ""),
        None if rest.starts_with('(') => RawFrame::default(),
        None if place.starts_with("(/") => made(name(symbol), "", 0, place),
        None => made(name(rest), "", 0, ""),
    })
}

/// `Lane::weigh() at /app/lane.cpp:31`; addr2line writes `??:0` and `lane.cpp:?` where it does not know.
fn placed(text: &str) -> Option<(&str, &str, u32)> {
    let (symbol, place) = text.rsplit_once(" at ")?;
    if place.starts_with("??:") {
        return Some((symbol, "", 0));
    }
    let (file, line) = place.strip_suffix(":?").map(|file| (file, 0)).or_else(|| symbols::location(place))?;
    Some((symbol, file, line))
}

/// The name of a function, mangled or not; gdb parts it from its arguments by a blank.
fn name(symbol: &str) -> String {
    let symbol = symbol.trim();
    let symbol = symbol.split(" (").next().filter(|name| !name.is_empty()).unwrap_or(symbol);
    demangled(symbol).unwrap_or_else(|| symbols::plain(symbol))
}

/// `Lane::weigh() const at /app/lane.cpp:31 [0x55]`, `0x00007f42 in /lib/libc.so.6`, `_start in /app/sorter`.
fn boost(text: &str) -> Option<RawFrame> {
    let text = text.split(" [0x").next().unwrap_or(text).trim();
    if let Some((symbol, file, line)) = placed(text) {
        return Some(made(symbols::plain(symbol), file, line, ""));
    }
    let (symbol, module) = text.rsplit_once(" in ")?;
    let symbol = if symbol.starts_with("0x") { "" } else { symbol };
    Some(made(name(symbol), "", 0, module))
}

/// `sorter!Lane::weigh() const [lane.cpp : 31 + 0x4]`.
fn breakpad(text: &str) -> Option<RawFrame> {
    let (module, rest) = text.trim_start().split_once('!')?;
    let (symbol, place) = rest.split_once(" [").unwrap_or((rest.split(" + 0x").next()?, ""));
    let place = place.split_once(" : ").and_then(|(file, rest)| Some((file, numbered(rest)?.0)));
    let (file, line) = place.unwrap_or_default();
    (!module.contains(' ')).then(|| made(symbols::plain(symbol), file, line, module))
}

/// `Lane::weigh() const (lane.cpp:31)`, `malloc (in /usr/lib/valgrind.so)`.
fn valgrind(text: &str) -> Option<RawFrame> {
    let (symbol, place) = text.trim().strip_suffix(')')?.rsplit_once(" (")?;
    let symbol = symbols::plain(symbol);
    Some(match place.strip_prefix("in ") {
        Some(module) => made(symbol, "", 0, module),
        None => {
            let (file, line) = symbols::location(place)?;
            made(symbol, file, line, "")
        }
    })
}

/// `/app/sorter(_ZNK4Lane5weighEv+0x14) [0x55d0cb55542e]`, demangled by some as `/app/sorter : Lane::weigh() const+0x14 [0x55]`.
fn backtrace_symbols(text: &str) -> Option<RawFrame> {
    let (rest, address) = text.strip_suffix(']')?.rsplit_once("[0x")?;
    if let Some((module, symbol)) = rest.split_once(" : ").filter(|(module, _)| module.starts_with(['/', '.'])) {
        let (symbol, _) = symbol.rsplit_once("+0x")?;
        return Some(made(name(symbol.trim_start_matches("()")), "", 0, module));
    }
    let (module, symbol) = rest.trim_end().strip_suffix(')')?.split_once('(')?;
    let (symbol, offset) = symbol.rsplit_once('+').unwrap_or((symbol, "0x0"));
    let known = offset.starts_with("0x") && !module.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit());
    known.then(|| made(name(symbol), "", 0, module))
}

/// The frames from what went wrong on, without those of what printed them.
pub fn thrown(frames: &[RawFrame]) -> &[RawFrame] {
    let between = |frame: &RawFrame| BETWEEN.iter().any(|start| frame.function.starts_with(start));
    let known = frames.iter().take(HANDLERS).rposition(between);
    // A handler of signals stands above a frame of the C library that has no name.
    let nameless = || {
        let own = frames.iter().take_while(|frame| frame.own).count();
        frames.get(own).filter(|frame| own > 0 && own < HANDLERS && frame.function.is_empty()).map(|_| own)
    };
    let rest = known.or_else(nameless).map_or(frames, |at| &frames[at + 1..]);
    if rest.iter().any(|frame| frame.own) { rest } else { frames }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_printers_are_read() {
        let cases = [
            (
                "#0  0x000055d0cb55542e in Lane::weigh (this=0x0) at /app/src/lane.cpp:31",
                ("Lane::weigh", "/app/src/lane.cpp", 31, true),
            ),
            ("#1  main () at main.cpp:20", ("main", "main.cpp", 20, true)),
            ("#2  0x00007f42 in ?? () from /lib/x86_64-linux-gnu/libc.so.6", ("??", "", 0, false)),
            ("#3  <signal handler called>", ("<signal handler called>", "", 0, false)),
            (
                " #3 0x000055d0cb5558dd lanec::lower(llvm::Value*) /app/src/lower.cpp:31:12",
                ("lanec::lower", "/app/src/lower.cpp", 31, true),
            ),
            (" #2 0x00007f427b45a050 (/lib/x86_64-linux-gnu/libc.so.6+0x3c050)", ("", "", 0, false)),
            (
                "#0 0x00005587bf28a1cf in Lane::close() at /app/src/lane.cpp:44:9",
                ("Lane::close", "/app/src/lane.cpp", 44, true),
            ),
            (" 0# Lane::weigh() const at /app/src/lane.cpp:31", ("Lane::weigh", "/app/src/lane.cpp", 31, true)),
            ("   1# main at /app/src/main.cpp:20 [0x55d0cb5558dd]", ("main", "/app/src/main.cpp", 20, true)),
            (" 4# 0x00007F42 in /lib/x86_64-linux-gnu/libc.so.6", ("", "", 0, false)),
            ("#4    Object \"/app/bin/sorter\", at 0x55d0cb5551e0, in _start", ("_start", "", 0, false)),
            (
                "#0    Source \"/app/src/lane.cpp\", line 31, in weigh [0x55d0cb55542e]",
                ("weigh", "/app/src/lane.cpp", 31, true),
            ),
            ("/app/bin/sorter(_ZNK4Lane5weighEv+0x14)[0x55d0cb55542e]", ("Lane::weigh", "", 0, true)),
            ("./sorter(+0x1234) [0x55d0cb55542e]", ("", "", 0, false)),
            ("/lib/libc.so.6(abort+0xd3) [0x7f42]", ("abort", "", 0, false)),
            ("8: /app/bin/sorter(print_fatal_info+0xb7) [0x55d0cb55542e]", ("print_fatal_info", "", 0, true)),
            ("  /app/bin/sorter : Lane::weigh(int)+0x732 [0x5643c096c6b2]", ("Lane::weigh", "", 0, true)),
            ("#3  0x00007f381686164b in gsignal() at ??:0", ("gsignal", "", 0, false)),
            ("#2  0x00000000000366d0 in __restore_rt() at sigaction.c:?", ("__restore_rt", "sigaction.c", 0, false)),
            ("   at 0x109159: Lane::weigh() const (lane.cpp:31)", ("Lane::weigh", "lane.cpp", 31, true)),
            ("   by 0x10: malloc (in /usr/libexec/valgrind/vgpreload.so)", ("malloc", "", 0, false)),
            (" 0  sorter!Lane::weigh() const [lane.cpp : 31 + 0x4]", ("Lane::weigh", "lane.cpp", 31, true)),
        ];
        for (line, expected) in cases {
            let (_, frame) = frame(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((frame.function.as_str(), frame.file.as_str(), frame.line, frame.own), expected, "{line}");
        }
    }

    #[test]
    fn traces_of_other_languages_are_not_read() {
        let lines = [
            "#0 /app/index.php(12): shop()",
            "#0      main (file:///app/bin/shop.dart:3:5)",
            "#1 {main}",
            "12 items (4 new)",
            "0  /app/shop (3)",
            "shop(v1) [0]",
            "at 0x10 o'clock",
        ];
        for line in lines {
            assert_eq!(frame(line), None, "{line}");
        }
    }

    #[test]
    fn what_printed_the_stack_is_left_out() {
        let frames = |names: &[&str]| -> Vec<RawFrame> {
            names.iter().map(|name| made((*name).to_owned(), "", 0, "/app/sorter")).collect()
        };
        let top =
            |names: &[&str]| thrown(&frames(names)).first().map(|frame| frame.function.clone()).unwrap_or_default();
        assert_eq!(top(&["handler", "__restore_rt", "Lane::weigh", "main"]), "Lane::weigh");
        assert_eq!(top(&["handler", "", "Lane::weigh", "main"]), "Lane::weigh");
        assert_eq!(top(&["on_terminate", "std::terminate", "__cxa_throw", "Lane::close", "main"]), "Lane::close");
        assert_eq!(top(&["Lane::weigh", "main"]), "Lane::weigh");
        assert_eq!(top(&["handler", "abort"]), "handler");
    }
}
