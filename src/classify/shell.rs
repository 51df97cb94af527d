//! What shells say when a script of theirs cannot go on: `/app/run.sh: line 5: envsubst-ng: command not found`.

use super::finding::{CrashReason, Culprit, base_name};
use super::reason::*;

/// A message of a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint<'a> {
    /// The shell or the script.
    program: &'a str,
    /// The line in the script, where it is named.
    line: Option<u32>,
    /// What it says.
    text: &'a str,
}

const SHELLS: [&str; 9] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox", "-sh"];

/// Where in a message words stand.
#[derive(Clone, Copy, Debug)]
enum At {
    Start,
    End,
    Within,
}
use At::{End, Start, Within};

/// What shells alone say, and what it means; the first that holds.
const KNOWN: &[(At, &str, CrashReason)] = &[
    (Start, "command not found: ", COMMAND_NOT_FOUND),
    (Start, "permission denied: ", PERMISSION_DENIED),
    (Start, "exec format error: ", EXEC_FORMAT_ERROR),
    (Start, "can't open input file: ", MISSING_FILE),
    (End, "Exec format error", EXEC_FORMAT_ERROR),
    (End, "cannot execute binary file", EXEC_FORMAT_ERROR),
    (End, "unbound variable", MISSING_CONFIGURATION),
    (End, "parameter not set", MISSING_CONFIGURATION),
    (End, "parameter null or not set", MISSING_CONFIGURATION),
    (End, "readonly variable", UNHANDLED_ERROR),
    (End, "is read only", UNHANDLED_ERROR),
    (Start, "read-only variable: ", UNHANDLED_ERROR),
    (Within, "division by 0", ARITHMETIC_ERROR),
    (Within, "division by zero", ARITHMETIC_ERROR),
    (End, "divide by zero", ARITHMETIC_ERROR),
    (End, "zero divisor", ARITHMETIC_ERROR),
    (Start, "maximum nested function level reached", STACK_OVERFLOW),
    (Within, "maximum function nesting level exceeded", STACK_OVERFLOW),
    (End, "not found", COMMAND_NOT_FOUND),
    (End, "Permission denied", PERMISSION_DENIED),
    (End, "Operation not permitted", PERMISSION_DENIED),
    (End, "Read-only file system", PERMISSION_DENIED),
    (Within, "can't cd to ", MISSING_FILE),
    (End, "No such file or directory", MISSING_FILE),
    (End, "No such file", MISSING_FILE),
    (Start, "no such file or directory: ", MISSING_FILE),
    (End, "Directory nonexistent", MISSING_FILE),
    (End, "No space left on device", DISK_FULL),
    (End, "Too many open files", TOO_MANY_OPEN_FILES),
    (End, "Cannot fork", THREAD_LIMIT),
    (End, "Resource temporarily unavailable", THREAD_LIMIT),
    (Start, "illegal option -- ", INVALID_CONFIGURATION),
    (Start, "illegal option -", UNHANDLED_ERROR),
    (Start, "option requires an argument -- ", INVALID_CONFIGURATION),
    (Within, "bad substitution", UNHANDLED_ERROR),
    (Within, "Bad substitution", UNHANDLED_ERROR),
    (Start, "set: ", UNHANDLED_ERROR),
    (Start, "parse error", UNHANDLED_ERROR),
    (Within, "syntax error", UNHANDLED_ERROR),
    (Start, "Syntax error", UNHANDLED_ERROR),
    (Start, "unexpected EOF", UNHANDLED_ERROR),
    (Start, "unterminated ", UNHANDLED_ERROR),
    (Within, "(error token is ", UNHANDLED_ERROR),
    (End, "bad variable name", UNHANDLED_ERROR),
    (End, "not a valid identifier", UNHANDLED_ERROR),
    (End, "ambiguous redirect", UNHANDLED_ERROR),
    (End, "bad array subscript", UNHANDLED_ERROR),
    (End, "integer expression expected", UNHANDLED_ERROR),
    (End, "operator expected", UNHANDLED_ERROR),
    (End, "unexpected operator", UNHANDLED_ERROR),
    (Start, "no matches found: ", UNHANDLED_ERROR),
];

/// What says that a shell wrote it although it has no reason of its own.
const SPOKEN: [&str; 2] = ["Is a directory", "Text file busy"];

/// Reads a line as a shell's message.
pub fn complaint(text: &str) -> Option<Complaint<'_>> {
    let (head, rest) = of_mksh(text).unwrap_or(text).split_once(": ")?;
    let (program, beside) = numbered_name(head);
    let shell = SHELLS.contains(&base_name(program));
    let script = program.ends_with(".sh") || program.ends_with(".bash");
    let rest = ["exec: ", "-c: "].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest);
    // busybox names the builtin before the line: `entry.sh: cd: line 3: can't cd to /srv`.
    let builtin = rest
        .split_once(": ")
        .filter(|(word, after)| word.bytes().all(|b| b.is_ascii_lowercase()) && after.starts_with("line "));
    let rest = builtin.map_or(rest, |(_, after)| after);
    let behind = rest.split_once(": ").and_then(|(number, after)| {
        let digits = number.strip_prefix("line ").unwrap_or(number);
        Some((digits.parse::<u32>().ok()?, after))
    });
    let line = behind.map(|(line, _)| line).or(beside);
    let rest = behind.map_or(rest, |(_, after)| after);
    let path = program.contains('/') && !program.contains(' ');
    let known = known(rest).is_some() || SPOKEN.iter().any(|end| rest.ends_with(end));
    // zsh names the function that is nested too deeply, not the script.
    let function = rest.starts_with("maximum nested function level reached");
    let credible =
        (shell || script) && (line.is_some() || known) || path && line.is_some() && (known || names_variable(rest));
    (credible || function).then(|| Complaint { program, line: broken_at(rest).or(line), text: rest })
}

/// mksh says first whether it is an error or a warning: `E: /entry.sh[7]: serve: not found`.
fn of_mksh(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("E: ").or_else(|| text.strip_prefix("W: "))?;
    rest.split_once("]: ").filter(|(head, _)| head.contains('[')).map(|_| rest)
}

/// ksh names the line of a command and, where it does not parse, that of the word: `syntax error at line 9: …`.
fn broken_at(text: &str) -> Option<u32> {
    text.strip_prefix("syntax error at line ")?.split(':').next()?.parse().ok()
}

/// A script with its line beside its name: `zsh:1`, `/entry.zsh:5`, and ksh's `/entry.sh[5]`.
fn numbered_name(head: &str) -> (&str, Option<u32>) {
    let colon = head.rsplit_once(':');
    let bracket = || head.strip_suffix(']').and_then(|inner| inner.rsplit_once('['));
    let found = colon.or_else(bracket).and_then(|(name, number)| Some((name, number.parse().ok()?)));
    found.map_or((head, None), |(name, line)| (name, Some(line)))
}

/// What a text means that shells alone say. ksh puts what the system said in brackets: `x: cannot open [No such file]`.
fn known(text: &str) -> Option<CrashReason> {
    let bare = text.strip_suffix(']').filter(|text| text.contains(" [")).unwrap_or(text);
    let holds = |at: At, words: &str| match at {
        Start => bare.starts_with(words),
        End => bare.ends_with(words),
        Within => bare.contains(words),
    };
    KNOWN.iter().find(|(at, words, _)| holds(*at, words)).map(|(_, _, reason)| reason.clone())
}

/// `DB_HOST: must be set`: the message of `${DB_HOST:?must be set}`.
fn names_variable(text: &str) -> bool {
    let name = text.split(": ").next().unwrap_or_default();
    name.len() > 1
        && name.len() < text.len()
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

impl Complaint<'_> {
    /// Its reason, given the exit code: a missing file that was to be run is a missing command.
    pub fn reason(&self, code: Option<i32>) -> Option<CrashReason> {
        // A program of another architecture that a shell took for a script of its own.
        if self.text.contains("ELF") && self.text.ends_with("not found") {
            return Some(EXEC_FORMAT_ERROR);
        }
        let reason = known(self.text).or_else(|| names_variable(self.text).then_some(MISSING_CONFIGURATION));
        match reason {
            Some(reason) if reason == MISSING_FILE && self.was_to_run(code) => Some(COMMAND_NOT_FOUND),
            None if self.text.ends_with("Is a directory") && code == Some(126) => Some(PERMISSION_DENIED),
            None if self.text.contains("fork") => Some(THREAD_LIMIT),
            reason => reason,
        }
    }

    fn was_to_run(&self, code: Option<i32>) -> bool {
        // zsh ends with the same code where it cannot read a file: `/etc/app.env:.:7: no such file or directory: …`.
        code == Some(127) && !self.program.ends_with(":.") || self.text.contains("bad interpreter")
    }

    /// The place in the script; none for a command line given to a shell.
    pub fn culprit(&self) -> Option<Culprit> {
        // zsh puts the file that it cannot read where the script's name should be.
        let script = !SHELLS.contains(&base_name(self.program)) && !self.program.ends_with(":.");
        let file = Some(self.program.to_owned()).filter(|_| script && self.line.is_some());
        file.map(|file| Culprit { function: None, file: Some(file), line: self.line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_of_shells_have_their_reason_and_place() {
        let cases = [
            (
                "/app/bin/run-api.sh: line 5: envsubst-ng: command not found",
                127,
                Some("CommandNotFound"),
                "run-api.sh:5",
            ),
            ("sh: 1: /app/bin/noexec.sh: Permission denied", 126, Some("PermissionDenied"), ""),
            (
                "bash: line 1: /app/bin/server-arm64: cannot execute binary file: Exec format error",
                126,
                Some("ExecFormatError"),
                "",
            ),
            (
                "/app/bin/entrypoint.sh: 5: DB_HOST: must be set to the database host",
                2,
                Some("MissingConfiguration"),
                "entrypoint.sh:5",
            ),
            ("/entrypoint: line 3: TOKEN: unbound variable", 1, Some("MissingConfiguration"), "entrypoint:3"),
            ("sh: gunicorn: not found", 127, Some("CommandNotFound"), ""),
            ("/run.sh: exec: line 4: serve: not found", 127, Some("CommandNotFound"), "run.sh:4"),
            ("bash: /app/run: No such file or directory", 127, Some("CommandNotFound"), ""),
            ("/run.sh: line 9: /etc/app.env: No such file or directory", 1, Some("MissingFile"), "run.sh:9"),
            ("/run.sh: 12: Syntax error: end of file unexpected", 2, Some("UnhandledError"), "run.sh:12"),
            ("zsh:1: command not found: serve", 127, Some("CommandNotFound"), ""),
            ("/entry.zsh:5: permission denied: ./serve", 126, Some("PermissionDenied"), "entry.zsh:5"),
            ("/run.sh[5]: serve: not found", 127, Some("CommandNotFound"), "run.sh:5"),
            (
                "bash: /app/run.sh: /bin/bash5: bad interpreter: No such file or directory",
                126,
                Some("CommandNotFound"),
                "",
            ),
            (
                "/run.sh: line 4: /app/serve: cannot execute: required file not found",
                127,
                Some("CommandNotFound"),
                "run.sh:4",
            ),
            ("sh: 0: cannot open /run.sh: No such file", 2, Some("MissingFile"), ""),
            (
                "entry.sh: cd: line 3: can't cd to /srv/none: No such file or directory",
                2,
                Some("MissingFile"),
                "entry.sh:3",
            ),
            ("/run.sh: 3: cd: can't cd to /srv", 2, Some("MissingFile"), "run.sh:3"),
            ("/run.sh: 3: cannot create /etc/x: Directory nonexistent", 2, Some("MissingFile"), "run.sh:3"),
            ("/run.sh: line 3: /etc/x: Read-only file system", 1, Some("PermissionDenied"), "run.sh:3"),
            (
                "/run.sh: line 3: ulimit: open files: cannot modify limit: Operation not permitted",
                1,
                Some("PermissionDenied"),
                "run.sh:3",
            ),
            ("/run.sh: line 3: /dev/null: Too many open files", 1, Some("TooManyOpenFiles"), "run.sh:3"),
            ("/run.sh: line 3: echo: write error: No space left on device", 1, Some("DiskFull"), "run.sh:3"),
            ("/run.sh: fork: retry: Resource temporarily unavailable", 254, Some("ThreadLimit"), ""),
            ("bash: -c: line 2: unexpected EOF while looking for matching `\"'", 2, Some("UnhandledError"), ""),
            ("E: /run.sh[7]: serve: inaccessible or not found", 127, Some("CommandNotFound"), "run.sh:7"),
            ("W: run.sh[8]: 5 / n: zero divisor", 1, Some("ArithmeticError"), "run.sh:8"),
            ("E: run.sh[7]: TOKEN: must hold the token", 1, Some("MissingConfiguration"), "run.sh:7"),
            ("run.sh: line 8: 5 / n: divide by zero", 1, Some("ArithmeticError"), "run.sh:8"),
            ("run.sh: 8: arithmetic expression: division by zero: \"5 / n\"", 2, Some("ArithmeticError"), "run.sh:8"),
            ("run.sh: line 8: 5 / n: division by 0 (error token is \"n\")", 1, Some("ArithmeticError"), "run.sh:8"),
            ("run.sh: line 6: syntax error at line 9: `done' unexpected", 3, Some("UnhandledError"), "run.sh:9"),
            ("run.sh[7]: .: /etc/x.env: cannot open [No such file or directory]", 1, Some("MissingFile"), "run.sh:7"),
            (
                "run.sh: line 7: 08: value too great for base (error token is \"08\")",
                1,
                Some("UnhandledError"),
                "run.sh:7",
            ),
            ("run.sh: line 7: ${x!}: bad substitution", 1, Some("UnhandledError"), "run.sh:7"),
            ("run.sh: 7: Bad substitution", 2, Some("UnhandledError"), "run.sh:7"),
            ("run.sh: line 8: PORT: readonly variable", 1, Some("UnhandledError"), "run.sh:8"),
            ("run.sh: 8: PORT: is read only", 2, Some("UnhandledError"), "run.sh:8"),
            ("run.sh: 3: set: Illegal option -", 2, Some("UnhandledError"), "run.sh:3"),
            ("run.sh: illegal option -- x", 2, Some("InvalidConfiguration"), ""),
            ("run.sh:10: parse error near `log'", 1, Some("UnhandledError"), "run.sh:10"),
            ("run.sh:7: no such file or directory: /opt/serve", 127, Some("CommandNotFound"), "run.sh:7"),
            ("run.sh:7: no such file or directory: /etc/x", 1, Some("MissingFile"), "run.sh:7"),
            ("walk: maximum nested function level reached; increase FUNCNEST?", 1, Some("StackOverflow"), ""),
            ("E: 404 Not Found [IP: 10.0.0.1]: apt", 100, None, ""),
            ("./serve: 1: \u{7f}ELF\u{2}: not found", 127, Some("ExecFormatError"), "serve:1"),
            ("GET /api: 404: not found", 1, None, ""),
            ("error: item: not found", 1, None, ""),
        ];
        for (line, code, reason, place) in cases {
            let found = complaint(line);
            let named = found.as_ref().and_then(|c| c.reason(Some(code))).map(|r| r.to_string());
            assert_eq!(named.as_deref(), reason, "{line}");
            assert_eq!(found.and_then(|c| c.culprit()).map_or(String::new(), |c| c.short()), place, "{line}");
        }
    }
}
