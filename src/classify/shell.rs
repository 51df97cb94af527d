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
const ENDS: [&str; 9] = [
    "not found",
    "Permission denied",
    "No such file or directory",
    "Exec format error",
    "unbound variable",
    "parameter not set",
    "parameter null or not set",
    "Is a directory",
    "Text file busy",
];

/// Reads a line as a shell's message.
pub fn complaint(text: &str) -> Option<Complaint<'_>> {
    let (program, mut rest) = text.split_once(": ")?;
    let shell = SHELLS.contains(&base_name(program));
    let script = program.ends_with(".sh") || program.ends_with(".bash");
    rest = rest.strip_prefix("exec: ").unwrap_or(rest);
    let numbered = rest.split_once(": ").and_then(|(number, after)| {
        let digits = number.strip_prefix("line ").unwrap_or(number);
        Some((digits.parse::<u32>().ok()?, after))
    });
    let line = numbered.map(|(line, _)| line);
    rest = numbered.map_or(rest, |(_, after)| after);
    let path = program.contains('/') && !program.contains(' ');
    let credible = (shell || script) && (line.is_some() || ends_like_a_shell(rest))
        || path && line.is_some() && (ends_like_a_shell(rest) || names_variable(rest) || is_syntax(rest));
    credible.then_some(Complaint { program, line, text: rest })
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
    text.to_ascii_lowercase().starts_with("syntax error")
}

impl Complaint<'_> {
    /// Its reason, given the exit code: a missing file that was to be run is a missing command.
    pub fn reason(&self, code: Option<i32>) -> Option<CrashReason> {
        let ends = |end: &str| self.text.ends_with(end);
        Some(if ends("Exec format error") {
            EXEC_FORMAT_ERROR
        } else if ends("unbound variable")
            || ends("parameter not set")
            || ends("parameter null or not set")
            || names_variable(self.text)
        {
            MISSING_CONFIGURATION
        } else if ends("not found") || (ends("No such file or directory") && code == Some(127)) {
            COMMAND_NOT_FOUND
        } else if ends("Permission denied") || ends("Is a directory") && code == Some(126) {
            PERMISSION_DENIED
        } else if ends("No such file or directory") {
            MISSING_FILE
        } else if is_syntax(self.text) {
            UNHANDLED_ERROR
        } else {
            return None;
        })
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
