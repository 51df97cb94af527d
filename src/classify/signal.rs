//! The signals that end a process: one table of their names, numbers and meanings for every grammar that meets one.

use super::finding::{Category, CrashReason};
use super::reason::*;

/// A signal. The numbers are those of Linux on x86-64, arm64 and most others (signal(7)).
#[derive(Debug)]
pub struct Signal {
    /// `SIGSEGV`
    pub name: &'static str,
    /// Its number; a process that it killed has exit code 128 + this.
    pub number: i32,
    /// What shells and handlers print instead of the name (strsignal(3)); of SIGABRT only with what bash puts behind it,
    /// since programs use the bare word for much else.
    words: &'static str,
    /// What it means for a container that it ended.
    pub reason: CrashReason,
}

const fn signal(name: &'static str, number: i32, words: &'static str, reason: CrashReason) -> Signal {
    Signal { name, number, words, reason }
}

/// Those that end a process and say why. SIGTRAP is an abort: on arm64 glibc's abort() ends in a breakpoint where the
/// process is PID 1.
static ALL: [Signal; 12] = [
    signal("SIGSEGV", 11, "Segmentation fault", SEGFAULT),
    signal("SIGBUS", 7, "Bus error", BUS_ERROR),
    signal("SIGFPE", 8, "Floating point exception", FLOATING_POINT_EXCEPTION),
    signal("SIGILL", 4, "Illegal instruction", ILLEGAL_INSTRUCTION),
    signal("SIGABRT", 6, "Aborted (", ABORT),
    signal("SIGTRAP", 5, "Trace/breakpoint trap", ABORT),
    signal("SIGSYS", 31, "Bad system call", ABORT),
    signal("SIGTERM", 15, "Terminated (", TERMINATED),
    signal("SIGINT", 2, "Interrupt (", TERMINATED),
    signal("SIGQUIT", 3, "Quit (", TERMINATED),
    signal("SIGHUP", 1, "Hangup (", TERMINATED),
    signal("SIGKILL", 9, "Killed (", KILLED),
];

impl Signal {
    /// Whether the machine raised it, and not somebody who wanted the process to stop.
    pub fn is_fault(&self) -> bool {
        category_of(&self.reason) == Some(Category::Native)
    }

    fn is_named_in(&self, text: &str) -> bool {
        text.contains(self.name) || text.contains(self.words)
    }
}

/// The signal with this number.
pub fn of_number(number: i32) -> Option<&'static Signal> {
    ALL.iter().find(|signal| signal.number == number)
}

/// The signal of this name, which begins with `SIG`.
pub fn of_name(name: &str) -> Option<&'static Signal> {
    ALL.iter().find(|signal| signal.name == name)
}

/// The signal that a text names, by its name or by its words.
pub fn named(text: &str) -> Option<&'static Signal> {
    ALL.iter().find(|signal| signal.is_named_in(text))
}

/// The same, also by its number: `signal 11`, `Signal (11) received`.
pub fn told(text: &str) -> Option<&'static Signal> {
    let number = numbered(text);
    ALL.iter().find(|signal| signal.is_named_in(text) || number == Some(signal.number))
}

fn numbered(text: &str) -> Option<i32> {
    let rest = text[text.find("ignal")? + "ignal".len()..].trim_start_matches([' ', '(', ':', '=', '#', '[']);
    rest[..rest.bytes().take_while(u8::is_ascii_digit).count()].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_known_by_name_words_and_number() {
        let cases = [
            ("Caught Segmentation fault, suspect faulting address 0x0", Some("SIGSEGV")),
            ("*** SIGBUS received at time=1764 on cpu 1 ***", Some("SIGBUS")),
            ("Signal (11) received", Some("SIGSEGV")),
            ("caught signal 6", Some("SIGABRT")),
            ("Aborted (core dumped)", Some("SIGABRT")),
            ("transaction Aborted by the user", None),
            ("signal strength 11", None),
            ("Signal 999999999999 received", None),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text).map(|signal| signal.name), expected, "{text}");
        }
        assert!(named("Signal (11) received").is_none());
    }

    #[test]
    fn names_and_numbers_are_unique() {
        for signal in &ALL {
            assert_eq!(of_number(signal.number).map(|found| found.name), Some(signal.name));
            assert_eq!(of_name(signal.name).map(|found| found.number), Some(signal.number));
        }
    }
}
