//! What runtimes and their libraries say of an error whose text alone a program printed, and of programs and options that
//! they refuse.

use super::finding::Runtime;
use super::messages::{Rule, last_words, said};
use super::reason::*;

/// These stand behind the texts that every program may write: the words tell less than those.
pub static ALONE: &[Rule] = &[
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot read properties of undefined (reading '"]),
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot read properties of null (reading '"]),
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot set properties of undefined (setting '"]),
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot read property '", "' of undefined"]),
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot read property '", "' of null"]),
    said(Runtime::Nodejs, STACK_OVERFLOW, &["maximum call stack size exceeded"]),
    said(Runtime::Python, NIL_DEREFERENCE, &["'nonetype' object has no attribute '"]),
    said(Runtime::Python, NIL_DEREFERENCE, &["'nonetype' object is not subscriptable"]),
    said(Runtime::Python, NIL_DEREFERENCE, &["'nonetype' object is not iterable"]),
    said(Runtime::Python, INDEX_OUT_OF_BOUNDS, &["list index out of range"]),
    said(Runtime::Python, TYPE_MISMATCH, &["unsupported operand type(s) for "]),
    said(Runtime::Python, STACK_OVERFLOW, &["maximum recursion depth exceeded"]),
    said(Runtime::Ruby, NIL_DEREFERENCE, &["undefined method ", "' for nil"]),
    said(Runtime::Ruby, MISSING_MODULE, &["cannot load such file -- "]),
    said(Runtime::Php, NIL_DEREFERENCE, &["call to a member function ", "() on null"]),
    said(Runtime::Php, HEAP_EXHAUSTED, &["allowed memory size of ", " bytes exhausted"]),
    said(Runtime::Jvm, NIL_DEREFERENCE, &["cannot invoke \"", "\" because \"", "\" is null"]),
    said(Runtime::Dotnet, NIL_DEREFERENCE, &["object reference not set to an instance of an object"]),
    said(Runtime::Go, NIL_DEREFERENCE, &["invalid memory address or nil pointer dereference"]),
    // Foundation's errors go by numbers, and their text by the reader's language.
    said(Runtime::Swift, MISSING_FILE, &["error domain=nscocoaerrordomain code=260"]),
    said(Runtime::Swift, MISSING_FILE, &["error domain=nscocoaerrordomain code=4 "]),
    said(Runtime::Swift, PERMISSION_DENIED, &["error domain=nscocoaerrordomain code=257"]),
    said(Runtime::Swift, PERMISSION_DENIED, &["error domain=nscocoaerrordomain code=513"]),
    said(Runtime::Swift, DISK_FULL, &["error domain=nscocoaerrordomain code=640"]),
    // Programs made for another version of the virtual machine.
    said(Runtime::Dart, EXEC_FORMAT_ERROR, &["invalid kernel binary format version"]),
    said(Runtime::Dart, EXEC_FORMAT_ERROR, &["wrong full snapshot version, expected '"]),
    said(Runtime::Ocaml, EXEC_FORMAT_ERROR, &["the file '", "is not a bytecode executable file"]),
    said(Runtime::Ocaml, MISSING_LIBRARY, &["fatal error: unknown c primitive "]),
    said(Runtime::Ocaml, EXEC_FORMAT_ERROR, &["the file '", "has not the right magic number: expected caml"]),
    said(Runtime::Ocaml, MISSING_FILE, &["cannot find file ", ".ml."]),
    said(Runtime::Haskell, MISSING_FILE, &["<no location info>: error: can't find file: "]),
    last_words(MISSING_FILE, &["cannot find file '"]),
    // Options: Swift's ArgumentParser, OCaml's Cmdliner.
    last_words(MISSING_CONFIGURATION, &["error: missing expected argument '"]),
    last_words(MISSING_CONFIGURATION, &["error: missing value for '--"]),
    last_words(INVALID_CONFIGURATION, &["error: the value '", "' is invalid for '"]),
    last_words(MISSING_CONFIGURATION, &[": required argument ", " is missing"]),
    last_words(MISSING_CONFIGURATION, &[": required option ", " is missing"]),
    last_words(INVALID_CONFIGURATION, &[": option '", "': invalid value '"]),
];

#[cfg(test)]
mod tests {
    use super::super::messages::{Messages, Voice};
    use crate::classify::finding::Runtime;

    #[test]
    fn texts_that_stand_alone_name_the_reason_and_who_says_them() {
        let cases = [
            ("Error: Error Domain=NSCocoaErrorDomain Code=260 \"(null)\"", "MissingFile", Some(Runtime::Swift)),
            (
                "Can't load Kernel binary: Invalid kernel binary format version (found 101, expected 122).",
                "ExecFormatError",
                Some(Runtime::Dart),
            ),
            ("Fatal error: unknown C primitive `caml_fork'", "MissingLibrary", Some(Runtime::Ocaml)),
            ("Cannot find file ./tap.ml.", "MissingFile", Some(Runtime::Ocaml)),
            ("<no location info>: error: can't find file: Tap.hs", "MissingFile", Some(Runtime::Haskell)),
            ("Error: Missing expected argument '--catalogue <catalogue>'", "MissingConfiguration", None),
            ("Error: The value 'eighty' is invalid for '--port <port>'", "InvalidConfiguration", None),
            ("kiln: required argument CONFIG is missing", "MissingConfiguration", None),
            ("kiln: option '--port': invalid value 'eighty', expected an integer", "InvalidConfiguration", None),
        ];
        let messages = Messages::default();
        for (text, reason, runtime) in cases {
            let meaning = messages.meaning(text, Voice::LastWords).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((meaning.reason.as_str(), meaning.runtime), (reason, runtime), "{text}");
            assert_eq!(messages.meaning(text, Voice::Panic), None, "{text}");
        }
    }
}
