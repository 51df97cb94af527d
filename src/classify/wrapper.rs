//! What programs that started another one say when it has ended: servers of their workers, package managers of their
//! scripts, process managers of their children. It tells that something died, never why.

use super::text;

/// Texts of such lines.
const ECHOES: [&str; 45] = [
    // npm, yarn, pnpm, Bun, nodemon, PM2.
    "npm ERR!",
    "npm error",
    "npm verb",
    "error Command failed with exit code",
    "error Command failed with signal",
    "info Visit https://yarnpkg.com",
    "ELIFECYCLE",
    "ERR_PNPM_RECURSIVE",
    "error: script \"",
    "error: \"bun\" exited with code",
    "[nodemon] app crashed",
    "PM2 log: ",
    "PM2 error: ",
    "PM2        | ",
    "(Use `node --trace-",
    "Waiting for the debugger to disconnect",
    // gunicorn, uvicorn.
    "Worker exiting (pid",
    "Shutting down: Master",
    "Reason: Worker failed to boot",
    "Reason: App failed to load",
    ") exited with code",
    "Application startup failed. Exiting",
    "Control socket listening at",
    "Waiting for child process",
    "Stopping parent process",
    "Stopping reloader process",
    // honcho, foreman, supervisord, s6, circus.
    "stopped (rc=",
    "sending SIGTERM to ",
    "exited with code ",
    "INFO exited: ",
    "INFO gave up: ",
    "WARN exited: ",
    "not expected)",
    "terminated by SIG",
    // make, cargo, shells.
    "make: *** [",
    "make[1]: *** [",
    "error: process didn't exit successfully",
    "error: Recipe `",
    "task: Failed to run task",
    "rsync error: ",
    // Entry points that trap errors, and writers whose reader has ended.
    "failed with exit code ",
    "failed with exit status ",
    ": Broken pipe",
    " Broken pipe (os error ",
    // The loader, which goes on without it.
    "from LD_PRELOAD cannot be preloaded",
];

/// Whether a line says only that another program has ended.
pub fn is_echo(line: &[u8]) -> bool {
    ECHOES.iter().any(|words| text::has(line, words))
}

/// The text inside of a box that a program draws around its messages; empty for the box's own lines.
pub fn unboxed(line: &str) -> &str {
    let trimmed = line.trim();
    match trimmed.strip_prefix(['│', '┃']).and_then(|inner| inner.strip_suffix(['│', '┃'])) {
        Some(inner) => inner.trim(),
        None if trimmed.starts_with(['╭', '╰', '┌', '└']) => "",
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_and_boxes_are_known() {
        for line in ["npm error code 1", " ELIFECYCLE  Command failed with exit code 1.", "worker.1 stopped (rc=1)"] {
            assert!(is_echo(line.as_bytes()), "{line}");
        }
        assert!(!is_echo(b"lanes: no lane is open, giving up"));
        let cases = [("│ No such option: --x │", "No such option: --x"), ("╰────╯", ""), ("a | b", "a | b")];
        for (line, inner) in cases {
            assert_eq!(unboxed(line), inner);
        }
    }
}
