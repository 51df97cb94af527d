//! What the exit itself says: the kernel's and the kubelet's word, the signal, the exit code.

use super::finding::{Confidence, CrashReason, Runtime};
use super::messages::{Messages, Voice};
use super::reason::*;
use super::{ExitFacts, Stated, signal};

/// What an exit says without its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The reason.
    pub reason: CrashReason,
    /// A sentence for it.
    pub message: String,
    /// What is proven of the runtime.
    pub runtime: Option<Runtime>,
    /// How sure it is.
    pub confidence: Confidence,
}

fn fact(reason: CrashReason, message: impl Into<String>) -> Fact {
    Fact { reason, message: message.into(), runtime: None, confidence: Confidence::High }
}

/// Codes of Windows processes, which are NT status values.
const WINDOWS: [(u32, CrashReason, &str); 9] = [
    (0xc000_0005, SEGFAULT, "access violation"),
    (0xc000_00fd, STACK_OVERFLOW, "stack overflow"),
    (0xc000_0409, STACK_SMASHING, "stack buffer overrun"),
    (0xc000_0374, HEAP_CORRUPTION, "heap corruption"),
    (0xc000_0094, FLOATING_POINT_EXCEPTION, "integer division by zero"),
    (0xc000_001d, ILLEGAL_INSTRUCTION, "illegal instruction"),
    (0xc000_0006, BUS_ERROR, "in-page error"),
    (0xc000_013a, TERMINATED, "stopped by Ctrl-C or a shutdown"),
    (0xc000_0135, MISSING_LIBRARY, "a DLL was not found"),
];

/// A fact stated by the kernel or the kubelet: it wins over the log.
pub fn stated(facts: &ExitFacts, messages: &Messages) -> Option<Fact> {
    let message = facts.message.as_deref().unwrap_or_default().trim();
    if let Some(stated) = facts.stated {
        return Some(of_stated(stated, message));
    }
    let or = |default: &str| if message.is_empty() { default.to_owned() } else { first_line(message).to_owned() };
    let reason = match facts.reason.as_deref()? {
        "OOMKilled" => return Some(oom_killed(facts)),
        "StartError" | "ContainerCannotRun" | "RunContainerError" | "CreateContainerError" => {
            return Some(of_start_error(message, messages));
        }
        "Evicted" => fact(EVICTED, or("the pod was evicted")),
        "Preempted" | "Preempting" => fact(PREEMPTED, or("the pod made room for one of a higher priority")),
        "NodeLost" => fact(NODE_LOST, or("its node is gone")),
        "DeadlineExceeded" => fact(DEADLINE_EXCEEDED, or("activeDeadlineSeconds passed")),
        "ContainerStatusUnknown" => fact(CONTAINER_LOST, or("the kubelet lost the status of this container")),
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
            fact(IMAGE_UNAVAILABLE, or("the image could not be pulled"))
        }
        // The image's user against the pod's securityContext.
        "CreateContainerConfigError" if message.contains("runAsNonRoot") => {
            fact(INVALID_CONFIGURATION, first_line(message))
        }
        "CreateContainerConfigError" => fact(MISSING_CONFIGURATION, or("a ConfigMap, Secret or key is missing")),
        _ => return None,
    };
    Some(reason)
}

fn of_stated(stated: Stated, message: &str) -> Fact {
    let (reason, default) = match stated {
        Stated::LivenessProbe => (LIVENESS_PROBE_FAILED, "the kubelet restarted it: its liveness probe failed"),
        Stated::StartupProbe => (STARTUP_PROBE_FAILED, "the kubelet restarted it: its startup probe failed"),
        Stated::Evicted => (EVICTED, "the pod was evicted"),
        Stated::Preempted => (PREEMPTED, "the pod made room for one of a higher priority"),
        Stated::NodeLost => (NODE_LOST, "its node is gone"),
        Stated::DeadlineExceeded => (DEADLINE_EXCEEDED, "activeDeadlineSeconds passed"),
        Stated::ImageUnavailable => (IMAGE_UNAVAILABLE, "the image could not be pulled"),
        Stated::MissingConfiguration => (MISSING_CONFIGURATION, "a ConfigMap, Secret or key is missing"),
        Stated::ContainerLost => (CONTAINER_LOST, "the kubelet lost the status of this container"),
    };
    // A container's termination message is its log, not what the kubelet says about a probe.
    let probe = matches!(stated, Stated::LivenessProbe | Stated::StartupProbe);
    fact(reason, if message.is_empty() || probe { default } else { first_line(message) })
}

/// A kill because of a probe, with what the kubelet quotes of the probe's answer.
pub fn of_probe(probe: Stated, answer: &str) -> Fact {
    let fact = of_stated(probe, "");
    let message = if answer.is_empty() { fact.message } else { format!("{}: {}", fact.message, first_line(answer)) };
    Fact { message, ..fact }
}

fn oom_killed(facts: &ExitFacts) -> Fact {
    let code = facts.exit_code.map_or(String::new(), |code| format!(" (exit code {code})"));
    fact(OOM_KILLED, format!("the kernel killed it at the memory limit of its container{code}"))
}

/// What the container runtime says when it cannot start the first process.
fn of_start_error(message: &str, messages: &Messages) -> Fact {
    let lower = message.to_ascii_lowercase();
    let has = |needle: &str| lower.contains(needle);
    let works_on_path = ["mount", "chdir to ", "failed to stat "].iter().any(|words| has(words));
    let reason = if has("oom-killed") {
        OOM_KILLED
    } else if SETTINGS.iter().any(|words| has(words)) {
        INVALID_CONFIGURATION
    } else if has("cannot open shared object file") {
        MISSING_LIBRARY
    } else if has("exec format error") {
        EXEC_FORMAT_ERROR
    } else if has("no command specified") {
        MISSING_CONFIGURATION
    } else if (has("mount") && has("not a directory")) || (works_on_path && has("no such file")) {
        MISSING_FILE
    } else if has("is a directory") && has("permission denied") {
        PERMISSION_DENIED
    } else if NOT_FOUND.iter().any(|words| has(words)) {
        COMMAND_NOT_FOUND
    } else if has("unable to find user") || has("no matching entries in passwd") {
        INVALID_CONFIGURATION
    } else {
        messages.meaning(message, Voice::LastWords).map_or(INVALID_CONFIGURATION, |meaning| meaning.reason)
    };
    // A hook's own error stands below what the container runtime says of the hook.
    let told = |line: &&str| messages.meaning(line, Voice::LastWords).is_some();
    let line = message.lines().find(told).unwrap_or_else(|| first_line(message));
    let text = bare_start_error(line);
    fact(reason, if text.is_empty() { "the container runtime could not start it" } else { text })
}

/// What the pod's spec asks for and the node does not have.
const SETTINGS: [&str; 4] = ["apparmor", "seccomp profile", "/proc/sys/", "error setting rlimit"];
/// How container runtimes say that there is no such command.
const NOT_FOUND: [&str; 5] = [
    "executable file not found",
    "no such file or directory",
    "is a directory",
    "was not found",
    // Windows.
    "cannot find the file specified",
];

/// The runtime's own error, without the layers that passed it on.
fn bare_start_error(message: &str) -> &str {
    let inner = ["unable to start container process: ", "starting container process caused: ", "runc create failed: "]
        .iter()
        .find_map(|layer| message.split_once(layer).map(|(_, inner)| inner))
        .unwrap_or(message);
    inner.strip_suffix(": unknown").unwrap_or(inner)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The exit code, or what it would be for the signal.
pub fn code(facts: &ExitFacts) -> Option<i32> {
    let signal = facts.signal.filter(|signal| (1..=64).contains(signal));
    match facts.exit_code {
        // Some runtimes report a signal beside an exit code of 0.
        None | Some(0) => signal.map(|signal| 128 + signal).or(facts.exit_code),
        code => code,
    }
}

/// Exits that say by themselves what happened: an orderly one, a stop from outside, a fault of the machine.
pub fn of_code(code: i32) -> Option<Fact> {
    if let Some((_, reason, words)) = WINDOWS.iter().find(|(status, ..)| *status == code as u32) {
        return Some(fact(reason.clone(), format!("{words} (exit code {:#010x})", code as u32)));
    }
    if code == 0 {
        return Some(fact(CLEAN_EXIT, "it ended with exit code 0"));
    }
    let signal = signal::of_number(code.checked_sub(128)?)?;
    let verb = if signal.reason == TERMINATED { "stopped" } else { "killed" };
    Some(Fact {
        runtime: signal.is_fault().then_some(Runtime::Native),
        ..fact(signal.reason.clone(), format!("{verb} by {} (exit code {code})", signal.name))
    })
}

/// What a shell's exit code means where the log says nothing.
pub fn of_shell_code(code: i32) -> Option<Fact> {
    let (reason, message) = match code {
        126 => (PERMISSION_DENIED, "the command was found but could not be executed (exit code 126)"),
        127 => (COMMAND_NOT_FOUND, "the command was not found (exit code 127)"),
        _ => return None,
    };
    Some(Fact { confidence: Confidence::Low, ..fact(reason, message) })
}

/// Whether the code says that the process was stopped from outside or ended in order, so that no trace before it was the
/// end. SIGKILL is none of these: a runtime that ran out of memory may be killed while it says so.
pub fn is_orderly(code: i32) -> bool {
    matches!(code, 0 | 129 | 130 | 143)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(reason: &str, message: &str) -> ExitFacts {
        ExitFacts { reason: Some(reason.into()), message: Some(message.into()), ..ExitFacts::default() }
    }

    #[test]
    fn start_errors_have_their_reason() {
        let cases = [
            (
                "runc create failed: unable to start container process: exec: \"/app/server\": stat /app/server: no such file or directory: unknown",
                "CommandNotFound",
                "exec: \"/app/server\": stat /app/server: no such file or directory",
            ),
            (
                "unable to start container process: exec: \"serve\": executable file not found in $PATH: unknown",
                "CommandNotFound",
                "exec: \"serve\": executable file not found in $PATH",
            ),
            (
                "unable to start container process: exec: \"/app\": permission denied: unknown",
                "PermissionDenied",
                "exec: \"/app\": permission denied",
            ),
            (
                "runc create failed: unable to start container process: exec /app: exec format error",
                "ExecFormatError",
                "exec /app: exec format error",
            ),
            (
                "unable to start container process: container init was OOM-killed (memory limit too low?)",
                "OOMKilled",
                "container init was OOM-killed (memory limit too low?)",
            ),
            (
                "error mounting \"/a\" to rootfs at \"/b\": not a directory",
                "MissingFile",
                "error mounting \"/a\" to rootfs at \"/b\": not a directory",
            ),
            (
                "error running hook: exit status 1, stderr: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory: unknown",
                "MissingLibrary",
                "error running hook: exit status 1, stderr: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory",
            ),
            (
                "runc create failed: unable to start container process: error running hook #0: exit status 1, stderr: \nnvidia-container-cli: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory: unknown",
                "MissingLibrary",
                "nvidia-container-cli: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory",
            ),
            (
                "failed to create containerd task: apparmor failed to apply profile: write /proc/self/attr/exec: no such file or directory",
                "InvalidConfiguration",
                "failed to create containerd task: apparmor failed to apply profile: write /proc/self/attr/exec: no such file or directory",
            ),
            (
                "unable to start container process: open /proc/sys/net/core/somaxconn: no such file or directory",
                "InvalidConfiguration",
                "open /proc/sys/net/core/somaxconn: no such file or directory",
            ),
            (
                "unable to start container process: exec: \"/app\": is a directory: permission denied",
                "PermissionDenied",
                "exec: \"/app\": is a directory: permission denied",
            ),
            (
                "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated",
                "PortInUse",
                "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated",
            ),
            (
                "container create failed: chdir to `/srv`: No such file or directory",
                "MissingFile",
                "container create failed: chdir to `/srv`: No such file or directory",
            ),
            (
                "CreateProcess shopd: The system cannot find the file specified.",
                "CommandNotFound",
                "CreateProcess shopd: The system cannot find the file specified.",
            ),
            (
                "failed to generate container spec: no command specified",
                "MissingConfiguration",
                "failed to generate container spec: no command specified",
            ),
            (
                "failed to generate spec: failed to stat \"/mnt/data\": stat /mnt/data: no such file or directory",
                "MissingFile",
                "failed to generate spec: failed to stat \"/mnt/data\": stat /mnt/data: no such file or directory",
            ),
            ("", "InvalidConfiguration", "the container runtime could not start it"),
        ];
        for (message, reason, shown) in cases {
            let fact = stated(&facts("StartError", message), &Messages::default()).unwrap();
            assert_eq!((fact.reason.as_str(), fact.message.as_str()), (reason, shown));
        }
    }

    #[test]
    fn a_container_without_its_configuration_is_told_from_one_with_a_wrong_user() {
        let cases = [
            ("secret \"db\" not found", "MissingConfiguration"),
            (
                "container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root",
                "InvalidConfiguration",
            ),
            ("container has runAsNonRoot and image will run as root", "InvalidConfiguration"),
        ];
        for (message, reason) in cases {
            let fact = stated(&facts("CreateContainerConfigError", message), &Messages::default()).unwrap();
            assert_eq!(fact.reason.as_str(), reason, "{message}");
        }
    }

    #[test]
    fn codes_and_signals_have_their_reason() {
        let cases = [
            (0, Some("CleanExit")),
            (1, None),
            (2, None),
            (132, Some("IllegalInstruction")),
            (134, Some("Abort")),
            (135, Some("BusError")),
            (136, Some("FloatingPointException")),
            (137, Some("Killed")),
            (139, Some("Segfault")),
            (143, Some("Terminated")),
            (0xc000_0005_u32 as i32, Some("Segfault")),
            (-1, None),
        ];
        for (code, reason) in cases {
            assert_eq!(of_code(code).map(|fact| fact.reason.to_string()).as_deref(), reason, "{code}");
        }
    }

    #[test]
    fn a_signal_stands_in_for_a_missing_code() {
        let with = |exit_code, signal| code(&ExitFacts { exit_code, signal, ..ExitFacts::default() });
        assert_eq!(with(None, Some(11)), Some(139));
        assert_eq!(with(Some(0), Some(9)), Some(137));
        assert_eq!(with(Some(2), Some(0)), Some(2));
        assert_eq!(with(None, None), None);
    }
}
