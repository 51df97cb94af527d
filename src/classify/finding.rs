//! What a classification says: the vocabulary of `status.finding`, of Events, metrics and messages.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest quoted message, in bytes: one line of Slack and of `kubectl get -o wide` holds no more.
pub const MESSAGE_BYTES: usize = 1024;
/// Most frames of a stack that a finding keeps.
pub const STACK_FRAMES: usize = 20;
/// Most related stacks (the other side of a race) that a finding keeps.
pub const RELATED: usize = 4;
/// Most findings kept beside the one that won.
pub const CONTRIBUTING: usize = 4;
/// Longest function name or file path kept, in bytes: C++ and Rust symbols grow without bound.
pub const SYMBOL_BYTES: usize = 256;

/// What kind of trouble it was, hence who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Category {
    /// A bug in the program.
    Code,
    /// The machine stopped it: a signal, corrupted memory.
    Native,
    /// It ran out of memory, disk, files or threads.
    Resource,
    /// It never got going: command, library, configuration, port.
    Startup,
    /// Something that it needs did not answer.
    Dependency,
    /// The kubelet restarted it because a probe failed.
    Probe,
    /// Nothing is wrong inside the program: stopped, evicted, preempted.
    Lifecycle,
    /// Not recognised.
    Unknown,
}

impl Category {
    /// The word that users read and filter by, as in the taxonomy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "Code",
            Self::Native => "Native",
            Self::Resource => "Resource",
            Self::Startup => "Startup",
            Self::Dependency => "Dependency",
            Self::Probe => "Probe",
            Self::Lifecycle => "Lifecycle",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the process was written in, as far as its log shows it. An exit code or an image name is no proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // each is the name of a language or platform
pub enum Runtime {
    Go,
    Rust,
    Jvm,
    Python,
    Nodejs,
    Dotnet,
    Ruby,
    Php,
    Beam,
    Native,
    Perl,
    Lua,
    Haskell,
    Ocaml,
    Swift,
    Dart,
    Shell,
    #[default]
    Unknown,
}

impl Runtime {
    /// The word in `status.finding.runtime` and in the label `coroner.dev/runtime`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Jvm => "jvm",
            Self::Python => "python",
            Self::Nodejs => "nodejs",
            Self::Dotnet => "dotnet",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Beam => "beam",
            Self::Native => "native",
            Self::Perl => "perl",
            Self::Lua => "lua",
            Self::Haskell => "haskell",
            Self::Ocaml => "ocaml",
            Self::Swift => "swift",
            Self::Dart => "dart",
            Self::Shell => "shell",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure the classifier is of the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Confidence {
    /// A guess from an exit code or a loose line.
    Low,
    /// The log says so, but nothing proves that this ended the process.
    Medium,
    /// A fatal trace that agrees with the exit, or a fact stated by the kernel or the kubelet.
    High,
}

/// The precise cause: a stable PascalCase word, the same in every language. Built-in ones are constants in
/// [`super::reason`]; a user's rule may bring its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CrashReason(
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Z][A-Za-z0-9]*$"))] Cow<'static, str>,
);

impl CrashReason {
    /// A built-in reason.
    pub const fn built_in(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }

    /// A reason of a user's own rule; `None` unless it is PascalCase ASCII of at most 64 characters.
    pub fn custom(word: &str) -> Option<Self> {
        let fits = word.len() <= 64
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self(Cow::Owned(word.to_owned())))
    }

    /// The word itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CrashReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One frame of a quoted stack, without arguments and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// The function as the runtime names it, e.g. `inventory.(*Cache).Add`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 256))]
    pub function: String,
    /// The source file as the trace has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub file: Option<String>,
    /// The line in that file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Whether it is the user's own code, not a library or the runtime.
    pub in_app: bool,
}

/// The top frame in the user's own code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Culprit {
    /// The function as the runtime names it; absent where the trace names only a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub function: Option<String>,
    /// The source file as the trace has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub file: Option<String>,
    /// The line in that file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl Culprit {
    /// What a printer column shows: `cache.go:28`, or the function where no file is known.
    pub fn short(&self) -> String {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{}:{line}", base_name(file)),
            (Some(file), None) => base_name(file).to_owned(),
            (None, _) => self.function.clone().unwrap_or_default(),
        }
    }
}

/// The last component of a path, of either kind of slash.
pub fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Another stack that belongs to the same event, e.g. the other goroutine inside the same map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    /// What it is, in words: `goroutine 35, also writing the map`.
    #[schemars(length(max = 256))]
    pub title: String,
    /// Its top frame in the user's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<Culprit>,
    /// Its frames, the top one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub stack: Vec<Frame>,
}

/// A finding that did not win, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contributing {
    /// Its category.
    pub category: Category,
    /// Its reason.
    pub reason: CrashReason,
    /// Its message.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// Why it is not the cause, in words.
    #[schemars(length(max = 256))]
    pub why_not: String,
    /// Its top frame in the user's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<Culprit>,
}

/// How to prove the cause and how to fix it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// One sentence: what happened.
    #[schemars(length(max = 512))]
    pub summary: String,
    /// Steps that prove it, each one line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(max = 512)))]
    pub prove: Vec<String>,
    /// Steps that fix it, each one line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(max = 512)))]
    pub fix: Vec<String>,
}

/// What killed the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What kind of trouble, hence who acts.
    pub category: Category,
    /// The precise cause, one word.
    pub reason: CrashReason,
    /// What the process was written in, as far as the log shows it.
    pub runtime: Runtime,
    /// The error's type: exception class, or the kind of panic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub exception: Option<String>,
    /// The decisive message, one line, redacted.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// How sure that is.
    pub confidence: Confidence,
    /// The top frame in the user's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<Culprit>,
    /// The quoted stack, the top frame first, at most 20 frames.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub stack: Vec<Frame>,
    /// Other stacks of the same event, e.g. the other goroutine inside the same map.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub related: Vec<Related>,
    /// Other findings in the log, and why they did not win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub contributing: Vec<Contributing>,
    /// How to prove it and how to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
}
