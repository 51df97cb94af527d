//! Frames of OCaml: `Called from Ledger.Plan.find in file "ledger.ml" (inlined), line 5, characters 15-33`.

use crate::classify::finding::{Frame, base_name};
use crate::classify::text;

/// Longest line that is read as a frame.
const BYTES: usize = 2048;

/// How frames begin.
pub const MARKS: [&str; 4] = ["Raised at ", "Raised by primitive operation at ", "Re-raised at ", "Called from "];

/// Modules of the standard library and of libraries that most programs have.
const MODULES: &str = " Stdlib Thread Mutex Condition Event Unix UnixLabels Str Bigarray Dynlink Topeval Toploop Topdirs \
    Toploop_ext Opttoploop Lwt Lwt_main Lwt_unix Lwt_io Lwt_list Lwt_seq Lwt_pool Lwt_process Lwt_result Base Base_kernel Core \
    Core_kernel Core_unix Async Async_kernel Async_unix Async_command Cohttp Cohttp_lwt Cohttp_lwt_unix Cohttp_async \
    Conduit Conduit_lwt Conduit_lwt_unix Dream Opium Caqti Caqti_lwt Caqti_eio Yojson Eio Eio_main Eio_unix Eio_linux Eio_posix \
    Fiber Miou Logs Fmt Cmdliner Alcotest Alcotest_engine OUnit OUnit2 Sexplib Sexplib0 Re Uri Ptime Mtime Tls \
    Tls_lwt X509 Ssl Angstrom Faraday Httpaf H2 Piaf Irmin Postgresql Mariadb Redis_lwt Zarith Z Q Ppx_deriving_runtime \
    Std_exit Command Import0 Or_error Result Error Exn Ppx_inline_test_lib Ppx_expect_runtime ";

/// Files of the standard library: old versions name no functions.
const FILES: &str = " stdlib.ml pervasives.ml hashtbl.ml list.ml array.ml string.ml bytes.ml map.ml set.ml printf.ml \
    scanf.ml format.ml camlinternalFormat.ml camlinternalLazy.ml camlinternalOO.ml lazy.ml option.ml fun.ml seq.ml \
    thread.ml unix.ml buffer.ml queue.ml stack.ml stream.ml arg.ml sys.ml filename.ml printexc.ml random.ml char.ml \
    int64.ml lexing.ml parsing.ml domain.ml effect.ml in_channel.ml out_channel.ml topeval.ml toploop.ml lwt.ml \
    lwt_main.ml lwt_unix.ml str.ml result.ml digest.ml ";

/// A line that is a frame.
pub fn frame(line: &[u8]) -> Option<Frame> {
    let line = std::str::from_utf8(&line[..line.len().min(BYTES)]).ok()?;
    // Async writes its frames as strings of an s-expression.
    let line = line.trim().trim_start_matches(['(', '"']).replace("\\\"", "\"");
    let rest = MARKS.iter().find_map(|mark| line.strip_prefix(mark))?;
    let (function, place) = match rest.strip_prefix("file \"") {
        Some(place) => ("", place),
        None => rest.split_once(" in file \"")?,
    };
    let (file, rest) = place.split_once('"')?;
    let digits = rest.split_once(", line").map(|(_, rest)| rest.trim_start_matches(['s', ' ']))?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let in_app = is_own(function, file);
    let (function, file) = (function.to_owned(), Some(file.to_owned()));
    Some(Frame { function, file, line: digits[..end].parse().ok(), in_app })
}

/// Whether a line stands for a frame of which nothing is known.
pub fn is_unknown(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    MARKS.iter().any(|mark| line.starts_with(mark.as_bytes())) && text::has(line, "unknown location")
}

fn is_own(function: &str, file: &str) -> bool {
    let root = function.split('.').next().unwrap_or_default();
    let root = root.split("__").next().unwrap_or(root);
    let library = if function.is_empty() { holds(FILES, base_name(file)) } else { holds(MODULES, root) };
    let installed =
        ["/.opam/", "/_opam/", "/lib/ocaml/", "/_build/.dune/", "vendor/"].iter().any(|part| file.contains(part));
    !library && !installed && !root.starts_with("Camlinternal")
}

fn holds(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// The name without what compilers add. A module's own code runs when the program starts.
pub fn stable(function: &str) -> String {
    let name = function.strip_prefix("Dune__exe__").unwrap_or(function);
    let module = !name.contains('.') && name.starts_with(|c: char| c.is_ascii_uppercase());
    if module { "<module>".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_in_every_form() {
        let cases = [
            (
                "Raised at Stdlib__Hashtbl.find in file \"hashtbl.ml\", line 539, characters 13-28",
                "Stdlib__Hashtbl.find hashtbl.ml:539",
            ),
            (
                "Called from Ledger.Plan.find in file \"ledger.ml\" (inlined), line 5, characters 15-33",
                "Ledger.Plan.find ledger.ml:5 own",
            ),
            (
                "Raised by primitive operation at Ledger.Plan.at in file \"ledger.ml\", line 7, characters 29-34",
                "Ledger.Plan.at ledger.ml:7 own",
            ),
            (
                "Re-raised at CamlinternalLazy.force_lazy_block in file \"camlinternalLazy.ml\", line 36, characters 4-11",
                "CamlinternalLazy.force_lazy_block camlinternalLazy.ml:36",
            ),
            ("Raised at file \"hashtbl.ml\", line 194, characters 19-28", " hashtbl.ml:194"),
            ("Called from file \"src/ledger.ml\", line 5, characters 15-33", " src/ledger.ml:5 own"),
            (
                "Called from Dune__exe__Main.run.(fun) in file \"bin/main.ml\", lines 5-7, characters 15-33",
                "Dune__exe__Main.run.(fun) bin/main.ml:5 own",
            ),
            (
                "   (\"Raised at Ledger.post in file \\\"ledger.ml\\\", line 3, characters 1-2\"",
                "Ledger.post ledger.ml:3 own",
            ),
        ];
        for (line, expected) in cases {
            let frame = frame(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            let own = if frame.in_app { " own" } else { "" };
            let shown = format!("{} {}:{}{own}", frame.function, frame.file.unwrap(), frame.line.unwrap_or(0));
            assert_eq!(shown, expected);
        }
        for line in ["Called from unknown location", "Raised at once in file x", "He raised at 5"] {
            assert_eq!(frame(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn the_code_of_a_module_is_its_entry() {
        assert_eq!((stable("Ledger"), stable("Dune__exe__Main")), ("<module>".into(), "<module>".into()));
        assert_eq!(stable("Dune__exe__Main.run"), "Main.run");
    }
}
