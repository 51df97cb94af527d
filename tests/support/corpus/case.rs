//! A case: a folder in `tests/corpus/` with `log.txt` and `case.yaml`.

use std::path::{Path, PathBuf};

use coroner::classify::ExitFacts;
use serde::Deserialize;

/// A case with its name and log.
pub struct Case {
    pub name: String,
    pub log: Vec<u8>,
    pub spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    runtime: Words,
    #[serde(default)]
    pub termination: Termination,
    pub expect: Expect,
    #[serde(default)]
    pub secrets: Vec<String>,
    /// How the log came about, in a word: `head-cut`, `chained`, …
    #[serde(default)]
    pub kind: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Any(Vec<String>),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Termination {
    pub exit_code: Option<i64>,
    pub signal: Option<i64>,
    pub reason: Option<String>,
    pub message: Option<String>,
}

#[derive(Deserialize)]
pub struct Expect {
    pub category: String,
    pub reason: String,
    pub message: Option<String>,
    pub exception: Option<String>,
    pub culprit: Option<Place>,
    pub evidence: Option<String>,
    pub group: Option<String>,
}

#[derive(Deserialize)]
pub struct Place {
    pub function: Option<String>,
    pub file: Option<String>,
    pub line: Option<i64>,
}

impl Spec {
    /// The runtimes that are right; the first is the one that the case is counted for.
    pub fn runtimes(&self) -> &[String] {
        match &self.runtime {
            Words::One(word) => std::slice::from_ref(word),
            Words::Any(words) => words,
        }
    }

    /// What `explain` is told of the exit.
    pub fn facts(&self) -> ExitFacts {
        let Termination { exit_code, signal, reason, message } = &self.termination;
        let given = |word: &Option<String>| word.clone().filter(|word| !word.is_empty());
        ExitFacts {
            // Windows' codes are unsigned.
            exit_code: exit_code.map(|code| code as i32),
            signal: signal.filter(|signal| *signal != 0).map(|signal| signal as i32),
            reason: given(reason),
            message: given(message),
            stated: None,
        }
    }
}

impl Case {
    pub fn runtime(&self) -> &str {
        &self.spec.runtimes()[0]
    }

    pub fn log_path(&self) -> PathBuf {
        folder().join(&self.name).join("log.txt")
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// All cases, by name.
pub fn cases() -> Vec<Case> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| folder().join(name).join("case.yaml").is_file())
        .collect();
    names.sort();
    names.into_iter().map(read).collect()
}

fn read(name: String) -> Case {
    let text = std::fs::read_to_string(folder().join(&name).join("case.yaml")).unwrap();
    let spec = coroner::yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let log = std::fs::read(folder().join(&name).join("log.txt")).unwrap();
    Case { name, log, spec }
}
