//! What the texts of Go's panics and fatal errors mean.

use crate::classify::finding::{CrashReason, Runtime};
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;
use crate::classify::signal;

/// What a panic or a fatal error is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The reason.
    pub reason: CrashReason,
    /// What the fingerprint is made of: the same whether the text or only the runtime's frames are known.
    pub word: String,
    /// The error's type as shown.
    pub exception: Option<String>,
}

impl Kind {
    fn known(reason: CrashReason, word: &str, exception: String) -> Self {
        Self { reason, word: word.to_owned(), exception: Some(exception) }
    }

    /// Whether the reason says no more than that something was not handled.
    pub fn is_vague(&self) -> bool {
        self.reason == UNHANDLED_ERROR
    }

    /// Whether it is something to act on outside of the code: a dependency, a setting, a resource.
    pub fn is_actionable(&self) -> bool {
        use crate::classify::finding::Category::*;
        matches!(category_of(&self.reason), Some(Dependency | Startup | Resource))
    }
}

/// Texts of panics: where the text is found, the reason, and the word that stands for it.
static PANICS: &[(&str, CrashReason, &str)] = &[
    ("invalid memory address or nil pointer dereference", NIL_DEREFERENCE, "nil pointer dereference"),
    ("assignment to entry in nil map", NIL_DEREFERENCE, "assignment to entry in nil map"),
    ("value method ", NIL_DEREFERENCE, "value method called using nil pointer"),
    ("index out of range", INDEX_OUT_OF_BOUNDS, "index out of range"),
    ("slice bounds out of range", INDEX_OUT_OF_BOUNDS, "slice bounds out of range"),
    ("makeslice: len out of range", INDEX_OUT_OF_BOUNDS, "makeslice: len out of range"),
    ("makeslice: cap out of range", INDEX_OUT_OF_BOUNDS, "makeslice: cap out of range"),
    ("growslice: len out of range", INDEX_OUT_OF_BOUNDS, "growslice: len out of range"),
    ("makechan: size out of range", INDEX_OUT_OF_BOUNDS, "makechan: size out of range"),
    ("cannot convert slice with length", INDEX_OUT_OF_BOUNDS, "slice too short for array"),
    ("unsafe.Slice: ", INDEX_OUT_OF_BOUNDS, "unsafe.Slice out of range"),
    ("unsafe.String: ", INDEX_OUT_OF_BOUNDS, "unsafe.String out of range"),
    ("integer divide by zero", ARITHMETIC_ERROR, "integer divide by zero"),
    ("integer overflow", ARITHMETIC_ERROR, "integer overflow"),
    ("floating point error", ARITHMETIC_ERROR, "floating point error"),
    ("negative shift amount", ARITHMETIC_ERROR, "negative shift amount"),
    ("division by zero", ARITHMETIC_ERROR, "division by zero"),
    ("interface conversion: ", TYPE_MISMATCH, "interface conversion"),
    ("hash of unhashable type", TYPE_MISMATCH, "hash of unhashable type"),
    ("comparing uncomparable type", TYPE_MISMATCH, "comparing uncomparable type"),
    ("reflect: call of reflect.Value", TYPE_MISMATCH, "reflect: call on wrong kind of value"),
    ("reflect.Set: value of type", TYPE_MISMATCH, "reflect.Set: not assignable"),
    ("reflect: Call using ", TYPE_MISMATCH, "reflect: Call using wrong type"),
    ("sync/atomic: store of inconsistently typed value", TYPE_MISMATCH, "atomic: inconsistently typed value"),
    ("send on closed channel", SYNC_MISUSE, "send on closed channel"),
    ("close of closed channel", SYNC_MISUSE, "close of closed channel"),
    ("close of nil channel", SYNC_MISUSE, "close of nil channel"),
    ("sync: negative WaitGroup counter", SYNC_MISUSE, "negative WaitGroup counter"),
    ("sync: WaitGroup ", SYNC_MISUSE, "WaitGroup misuse"),
    ("sync: RUnlock of unlocked", SYNC_MISUSE, "RUnlock of unlocked RWMutex"),
    ("sync: Unlock of unlocked", SYNC_MISUSE, "Unlock of unlocked RWMutex"),
    ("sync: unlock of unlocked", SYNC_MISUSE, "unlock of unlocked mutex"),
    ("bytes.Buffer: too large", HEAP_EXHAUSTED, "bytes.Buffer: too large"),
];

/// Texts of `fatal error: …`: how the text begins, the reason, and the word that stands for it.
static FATALS: &[(&str, CrashReason, &str)] = &[
    ("concurrent map ", CONCURRENT_MAP_ACCESS, ""),
    ("all goroutines are asleep - deadlock!", DEADLOCK, "all goroutines are asleep"),
    ("no goroutines (main called runtime.Goexit) - deadlock!", DEADLOCK, "no goroutines"),
    ("self deadlock", DEADLOCK, "self deadlock"),
    ("stack overflow", STACK_OVERFLOW, "stack overflow"),
    ("morestack on g0", STACK_OVERFLOW, "morestack on g0"),
    ("runtime: out of memory", HEAP_EXHAUSTED, "out of memory"),
    ("out of memory", HEAP_EXHAUSTED, "out of memory"),
    ("runtime: cannot allocate", HEAP_EXHAUSTED, "out of memory"),
    ("cannot allocate memory", HEAP_EXHAUSTED, "out of memory"),
    ("runtime: cannot map pages", HEAP_EXHAUSTED, "out of memory"),
    ("runtime: cannot reserve arena virtual address space", HEAP_EXHAUSTED, "out of memory"),
    ("failed to reserve ", HEAP_EXHAUSTED, "out of memory"),
    ("cannot allocate Go pointer arena", HEAP_EXHAUSTED, "out of memory"),
    ("arena already initialized", UNHANDLED_ERROR, "arena already initialized"),
    ("sync: ", SYNC_MISUSE, ""),
    ("newosproc", THREAD_LIMIT, "newosproc"),
    ("runtime.newosproc", THREAD_LIMIT, "newosproc"),
    ("runtime: failed to create new OS thread", THREAD_LIMIT, "newosproc"),
    ("thread exhaustion", THREAD_LIMIT, "thread exhaustion"),
    ("found bad pointer in Go heap", HEAP_CORRUPTION, "found bad pointer in Go heap"),
    ("runtime: marked free object", HEAP_CORRUPTION, "marked free object"),
    ("s.allocCount", HEAP_CORRUPTION, "heap accounting"),
    ("sweep increased allocation count", HEAP_CORRUPTION, "heap accounting"),
    ("unexpected signal during runtime execution", SEGFAULT, "unexpected signal"),
    ("fault", SEGFAULT, "fault"),
    ("invalid memory address", NIL_DEREFERENCE, "nil pointer dereference"),
    ("index out of range", INDEX_OUT_OF_BOUNDS, "index out of range"),
    ("checkptr: ", UNHANDLED_ERROR, ""),
];

/// Functions of the runtime that say what happened where the text is cut off.
static FRAMES: &[(&str, CrashReason, &str)] = &[
    ("runtime.panicIndex", INDEX_OUT_OF_BOUNDS, "index out of range"),
    ("runtime.goPanicIndex", INDEX_OUT_OF_BOUNDS, "index out of range"),
    ("runtime.panicSlice", INDEX_OUT_OF_BOUNDS, "slice bounds out of range"),
    ("runtime.goPanicSlice", INDEX_OUT_OF_BOUNDS, "slice bounds out of range"),
    ("runtime.panicBounds", INDEX_OUT_OF_BOUNDS, "index out of range"),
    ("runtime.panicdivide", ARITHMETIC_ERROR, "integer divide by zero"),
    ("runtime.panicshift", ARITHMETIC_ERROR, "negative shift amount"),
    ("runtime.panicmem", NIL_DEREFERENCE, "nil pointer dereference"),
    ("runtime.panicdottype", TYPE_MISMATCH, "interface conversion"),
    ("runtime.typeAssert", TYPE_MISMATCH, "interface conversion"),
    ("runtime.closechan", SYNC_MISUSE, "close of closed channel"),
    ("runtime.chansend", SYNC_MISUSE, "send on closed channel"),
    ("runtime.newstack", STACK_OVERFLOW, "stack overflow"),
    ("internal/sync.fatal", SYNC_MISUSE, "unlock of unlocked mutex"),
    ("sync.fatal", SYNC_MISUSE, "unlock of unlocked mutex"),
    ("internal/runtime/maps.fatal", CONCURRENT_MAP_ACCESS, "concurrent map access"),
];

/// What the value of a panic means. `message` may have several lines.
pub fn of_panic(message: &str, messages: &Messages) -> Kind {
    // The values that the runtime itself panics with begin with one of these, if they begin with anything.
    let text = message.strip_prefix("runtime error: ").unwrap_or(message);
    let own = text.len() < message.len();
    if let Some((_, reason, word)) = PANICS.iter().find(|(needle, ..)| text.starts_with(needle)) {
        return Kind::known(
            reason.clone(),
            word,
            if own { format!("runtime error: {word}") } else { (*word).to_owned() },
        );
    }
    if let Some(meaning) = messages.meaning(message, Voice::Panic) {
        return Kind {
            reason: meaning.reason,
            word: message.to_owned(),
            exception: type_of(message).or(Some("panic".into())),
        };
    }
    wrapped(message).unwrap_or_else(|| unhandled(message))
}

/// A runtime error that an error or a recovery wrapped: `recovered: runtime error: index out of range [3]…`. Without the
/// runtime's own words before it, only a text that nothing else is likely to say counts.
fn wrapped(message: &str) -> Option<Kind> {
    let own = message.split_once("runtime error: ").map(|(_, text)| text);
    let named = PANICS.iter().find(|(needle, ..)| own.is_some_and(|text| text.starts_with(needle)));
    let (_, reason, word) =
        named.or_else(|| PANICS.iter().find(|(needle, ..)| needle.len() > 20 && message.contains(needle)))?;
    Some(Kind::known(reason.clone(), word, format!("runtime error: {word}")))
}

fn unhandled(message: &str) -> Kind {
    match type_of(message) {
        // The value of such a panic is an address, which says nothing.
        Some(name) if address_follows(message) => Kind::known(UNHANDLED_ERROR, &name, name.clone()),
        name => Kind { reason: UNHANDLED_ERROR, word: message.to_owned(), exception: name.or(Some("panic".into())) },
    }
}

/// The type that the runtime prints where it cannot print the value: `(main.T) 0x…`, `main.Code(5)`, `main.S("x")`,
/// `&errors.errorString{…}`.
fn type_of(message: &str) -> Option<String> {
    let (name, rest) = match message.strip_prefix('(') {
        Some(inside) => inside.split_once(')')?,
        None => message.split_once(['(', '{'])?,
    };
    let bare = name.trim_start_matches(['*', '&']);
    let typed = bare.contains('.')
        && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/[]-*".contains(&b))
        && (message.starts_with('(') || rest.ends_with(')') || rest.ends_with('}'));
    typed.then(|| name.trim_start_matches('&').to_owned())
}

fn address_follows(message: &str) -> bool {
    message
        .split_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with("0x") || rest.starts_with("(0x") || rest.starts_with('{'))
}

/// What `fatal error: TEXT` means. `None` where Go has no such error, unless a goroutine dump follows.
pub fn of_fatal(text: &str) -> Option<Kind> {
    let (_, reason, word) = FATALS.iter().find(|(start, ..)| text.starts_with(start))?;
    // The `fault` of a mapped file that shrank is a word of its own.
    if *word == "fault" && text != "fault" {
        return None;
    }
    let word = if word.is_empty() { text } else { word };
    Some(Kind::known(reason.clone(), word, format!("fatal error: {text}")))
}

/// A fatal error that is not in the list.
pub fn of_unknown_fatal(text: &str) -> Kind {
    Kind::known(UNHANDLED_ERROR, text, format!("fatal error: {text}"))
}

/// What the frames tell where the head is cut off: the topmost function of the runtime that has a meaning.
pub fn of_frames<'a>(functions: impl Iterator<Item = &'a str> + Clone) -> Option<Kind> {
    let fatal = functions.clone().any(|f| matches!(f, "runtime.throw" | "runtime.fatal" | "runtime.fatalthrow"));
    let panicked = functions.clone().any(|f| matches!(f, "panic" | "runtime.gopanic"));
    let map = functions.clone().any(|f| f.starts_with("runtime.map") || f.starts_with("internal/runtime/maps."));
    if fatal && map {
        return Some(Kind::known(
            CONCURRENT_MAP_ACCESS,
            "concurrent map access",
            "fatal error: concurrent map access".into(),
        ));
    }
    let blocking = |f: &str| f.starts_with("runtime.chansend") || f.starts_with("runtime.closechan");
    functions
        .filter(|f| panicked || !blocking(f))
        .find_map(|f| FRAMES.iter().find(|(start, ..)| f.starts_with(start)))
        .map(|(_, reason, word)| Kind::known(reason.clone(), word, (*word).to_owned()))
}

/// What a machine fault in a Go program means: the signal wins over the vague word for it.
pub fn of_signal(name: &str) -> Option<Kind> {
    let signal = signal::of_name(name)?;
    Some(Kind::known(signal.reason.clone(), name, name.to_owned()))
}

/// The runtime of these grammars.
pub const RUNTIME: Runtime = Runtime::Go;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_have_their_reason_and_type() {
        let cases = [
            (
                "runtime error: index out of range [5] with length 3",
                "IndexOutOfBounds",
                "runtime error: index out of range",
            ),
            (
                "runtime error: invalid memory address or nil pointer dereference",
                "NilDereference",
                "runtime error: nil pointer dereference",
            ),
            ("assignment to entry in nil map", "NilDereference", "assignment to entry in nil map"),
            ("interface conversion: interface {} is string, not int", "TypeMismatch", "interface conversion"),
            ("close of closed channel", "SyncMisuse", "close of closed channel"),
            ("sync: negative WaitGroup counter", "SyncMisuse", "negative WaitGroup counter"),
            ("(parcel.Fault) 0x867812a00e0", "UnhandledError", "parcel.Fault"),
            ("(*main.T) 0xc000012345", "UnhandledError", "*main.T"),
            ("main.Code(5)", "UnhandledError", "main.Code"),
            ("main.S(\"boom\")", "UnhandledError", "main.S"),
            ("boom (again)", "UnhandledError", "panic"),
            ("load: dial tcp 10.0.0.1:5432: connect: connection refused", "ConnectionRefused", "panic"),
            (
                "wrapped: runtime error: slice bounds out of range [:5] with capacity 3",
                "IndexOutOfBounds",
                "runtime error: slice bounds out of range",
            ),
        ];
        let messages = Messages::default();
        for (text, reason, exception) in cases {
            let kind = of_panic(text, &messages);
            assert_eq!((kind.reason.as_str(), kind.exception.as_deref()), (reason, Some(exception)), "{text}");
        }
    }

    #[test]
    fn fatal_errors_have_their_reason() {
        let cases = [
            ("concurrent map iteration and map write", Some("ConcurrentMapAccess")),
            ("sync: Unlock of unlocked RWMutex", Some("SyncMisuse")),
            ("fault", Some("Segfault")),
            ("faulty.h: No such file", None),
            ("runtime: cannot allocate memory", Some("HeapExhausted")),
        ];
        for (text, reason) in cases {
            assert_eq!(of_fatal(text).map(|kind| kind.reason.to_string()).as_deref(), reason, "{text}");
        }
    }
}
