//! The built-in reasons, as in the taxonomy: adding one is a compatible change, renaming one is not.

use super::finding::{Category, CrashReason};

macro_rules! reasons {
    ($($category:ident { $($constant:ident = $word:literal,)* })*) => {
        $($(
            #[doc = concat!("`", $word, "`")]
            pub const $constant: CrashReason = CrashReason::built_in($word);
        )*)*

        /// Every built-in reason with its category, in the order of the taxonomy.
        pub const ALL: &[(&str, Category)] = &[$($(($word, Category::$category),)*)*];
    };
}

reasons! {
    Code {
        CONCURRENT_MAP_ACCESS = "ConcurrentMapAccess",
        DATA_RACE = "DataRace",
        DEADLOCK = "Deadlock",
        SYNC_MISUSE = "SyncMisuse",
        NIL_DEREFERENCE = "NilDereference",
        INDEX_OUT_OF_BOUNDS = "IndexOutOfBounds",
        MISSING_KEY = "MissingKey",
        UNWRAP_FAILED = "UnwrapFailed",
        BORROW_VIOLATION = "BorrowViolation",
        TYPE_MISMATCH = "TypeMismatch",
        ARITHMETIC_ERROR = "ArithmeticError",
        STACK_OVERFLOW = "StackOverflow",
        ASSERTION_FAILED = "AssertionFailed",
        UNHANDLED_ERROR = "UnhandledError",
    }
    Native {
        SEGFAULT = "Segfault",
        BUS_ERROR = "BusError",
        ILLEGAL_INSTRUCTION = "IllegalInstruction",
        FLOATING_POINT_EXCEPTION = "FloatingPointException",
        ABORT = "Abort",
        HEAP_CORRUPTION = "HeapCorruption",
        STACK_SMASHING = "StackSmashing",
        SANITIZER_REPORT = "SanitizerReport",
    }
    Resource {
        OOM_KILLED = "OOMKilled",
        HEAP_EXHAUSTED = "HeapExhausted",
        DISK_FULL = "DiskFull",
        TOO_MANY_OPEN_FILES = "TooManyOpenFiles",
        THREAD_LIMIT = "ThreadLimit",
    }
    Startup {
        COMMAND_NOT_FOUND = "CommandNotFound",
        PERMISSION_DENIED = "PermissionDenied",
        EXEC_FORMAT_ERROR = "ExecFormatError",
        MISSING_LIBRARY = "MissingLibrary",
        MISSING_MODULE = "MissingModule",
        MISSING_FILE = "MissingFile",
        MISSING_CONFIGURATION = "MissingConfiguration",
        INVALID_CONFIGURATION = "InvalidConfiguration",
        PORT_IN_USE = "PortInUse",
        IMAGE_UNAVAILABLE = "ImageUnavailable",
    }
    Dependency {
        CONNECTION_REFUSED = "ConnectionRefused",
        DNS_FAILURE = "DnsFailure",
        TLS_FAILURE = "TlsFailure",
        AUTHENTICATION_FAILED = "AuthenticationFailed",
        DEPENDENCY_TIMEOUT = "DependencyTimeout",
    }
    Probe {
        LIVENESS_PROBE_FAILED = "LivenessProbeFailed",
        STARTUP_PROBE_FAILED = "StartupProbeFailed",
    }
    Lifecycle {
        CLEAN_EXIT = "CleanExit",
        TERMINATED = "Terminated",
        KILLED = "Killed",
        EVICTED = "Evicted",
        PREEMPTED = "Preempted",
        NODE_LOST = "NodeLost",
        DEADLINE_EXCEEDED = "DeadlineExceeded",
    }
    Unknown {
        ERROR_EXIT = "ErrorExit",
        CONTAINER_LOST = "ContainerLost",
    }
}

/// The category of a built-in reason; `None` for a word of a user's own.
pub fn category_of(reason: &CrashReason) -> Option<Category> {
    ALL.iter().find(|(word, _)| *word == reason.as_str()).map(|(_, category)| *category)
}
