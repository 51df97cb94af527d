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

const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "busybox", "-sh"];

/// Ends of messages that shells alone have.
const ENDS: [&str; 18] = [
    "not found",
    "No such file",
    "Directory nonexistent",
    "Read-only file system",
    "No space left on device",
    "Resource temporarily unavailable",
    "cannot execute binary file",
    "Cannot fork",
    "Too many open files",
    "Permission denied",
    "Operation not permitted",
    "No such file or directory",
    "Exec format error",
    "unbound variable",
    "parameter not set",
    "parameter null or not set",
    "Is a directory",
    "Text file busy",
];

/// Beginnings of messages of zsh.
const ZSH: [(&str, CrashReason); 3] = [
    ("command not found: ", COMMAND_NOT_FOUND),
    ("permission denied: ", PERMISSION_DENIED),
    ("exec format error: ", EXEC_FORMAT_ERROR),
];

/// Reads a line as a shell's message.
pub fn complaint(text: &str) -> Option<Complaint<'_>> {
    let (head, rest) = text.split_once(": ")?;
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
    let known = ends_like_a_shell(rest) || begins_like_zsh(rest);
    let credible = (shell || script) && (line.is_some() || known)
        || path && line.is_some() && (known || names_variable(rest) || is_syntax(rest));
    credible.then_some(Complaint { program, line, text: rest })
}

/// A script with its line beside its name: `zsh:1`, `/entry.zsh:5`, and ksh's `/entry.sh[5]`.
fn numbered_name(head: &str) -> (&str, Option<u32>) {
    let colon = head.rsplit_once(':');
    let bracket = || head.strip_suffix(']').and_then(|inner| inner.rsplit_once('['));
    let found = colon.or_else(bracket).and_then(|(name, number)| Some((name, number.parse().ok()?)));
    found.map_or((head, None), |(name, line)| (name, Some(line)))
}

/// zsh says what is wrong before it says with what.
fn begins_like_zsh(text: &str) -> bool {
    ZSH.iter().any(|(words, _)| text.starts_with(words))
}

fn ends_like_a_shell(text: &str) -> bool {
    ENDS.iter().any(|end| text.ends_with(end))
}

/// `DB_HOST: must be set`: the message of `${DB_HOST:?must be set}`.
fn names_variable(text: &str) -> bool {
    let name = text.split(": ").next().unwrap_or_default();
    name.len() > 1
        && name.len() < text.len()
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

fn is_syntax(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.starts_with("syntax error") || lower.starts_with("unexpected eof") || lower.starts_with("unterminated ")
}

impl Complaint<'_> {
    /// Its reason, given the exit code: a missing file that was to be run is a missing command.
    pub fn reason(&self, code: Option<i32>) -> Option<CrashReason> {
        let ends = |end: &str| self.text.ends_with(end);
        let zsh = ZSH.iter().find(|(words, _)| self.text.starts_with(words)).map(|(_, reason)| reason.clone());
        if zsh.is_some() {
            return zsh;
        }
        // A program of another architecture that a shell took for a script of its own.
        let binary = self.text.contains("ELF") && ends("not found");
        let absent = ends("No such file or directory") || ends("No such file");
        Some(if ends("Exec format error") || ends("cannot execute binary file") || binary {
            EXEC_FORMAT_ERROR
        } else if ends("unbound variable")
            || ends("parameter not set")
            || ends("parameter null or not set")
            || names_variable(self.text)
        {
            MISSING_CONFIGURATION
        } else if ends("not found") || absent && (code == Some(127) || self.text.contains("bad interpreter")) {
            COMMAND_NOT_FOUND
        } else if ends("Permission denied")
            || ends("Operation not permitted")
            || ends("Read-only file system")
            || ends("Is a directory") && code == Some(126)
        {
            PERMISSION_DENIED
        } else if absent || ends("Directory nonexistent") || self.text.contains("can't cd to ") {
            MISSING_FILE
        } else {
            return self.other_reason();
        })
    }

    fn other_reason(&self) -> Option<CrashReason> {
        if self.text.ends_with("No space left on device") {
            Some(DISK_FULL)
        } else if self.text.ends_with("Too many open files") {
            Some(TOO_MANY_OPEN_FILES)
        } else if self.text.contains("fork") {
            Some(THREAD_LIMIT)
        } else {
            is_syntax(self.text).then_some(UNHANDLED_ERROR)
        }
    }

    /// The place in the script; none for a command line given to a shell.
    pub fn culprit(&self) -> Option<Culprit> {
        let script = !SHELLS.contains(&base_name(self.program));
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
