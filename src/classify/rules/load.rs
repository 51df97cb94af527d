//! Users' files of rules, read from disk.

use std::io;
use std::path::{Path, PathBuf};

use super::{Fault, RuleFile, Rules};

/// Why users' rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file could not be read.
    #[error("cannot read rules from {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of another kind lies where files of rules are looked for.
    #[error("{}: is no file of rules: name it .yaml, or take it out of the directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file has mistakes.
    #[error(
        "{}\ncorrect {file}, or take it out; `coroner rules check FILE` tells whether a file is sound",
        faults.iter().map(|fault| format!("{file}:{fault}")).collect::<Vec<_>>().join("\n")
    )]
    Invalid {
        /// Its name.
        file: String,
        /// The mistakes.
        faults: Vec<Fault>,
    },
}

impl Rules {
    /// Reads users' files, in this order.
    ///
    /// # Errors
    /// The first file that cannot be read, or all mistakes of the first one that has any.
    pub fn load(paths: &[PathBuf]) -> Result<Self, RulesError> {
        let files: Result<Vec<RuleFile>, RulesError> = paths.iter().map(|path| file(path)).collect();
        Ok(Self::new(files?))
    }

    /// Reads the users' files in a directory, in the order of their names. What begins with a dot is not looked at: a
    /// ConfigMap that is mounted keeps its versions there.
    ///
    /// # Errors
    /// As [`Rules::load`]; also when the directory cannot be read or holds a file that is not called `.yaml` or `.yml`,
    /// which would otherwise be missed in silence.
    pub fn load_directory(directory: &Path) -> Result<Self, RulesError> {
        let unreadable = |source| RulesError::Read { path: directory.to_owned(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                paths.push(entry.path());
            }
        }
        paths.sort();
        match paths.iter().find(|path| !is_yaml(path)) {
            Some(path) => Err(RulesError::Foreign { path: path.clone() }),
            None => Self::load(&paths),
        }
    }
}

fn file(path: &Path) -> Result<RuleFile, RulesError> {
    let text = std::fs::read_to_string(path).map_err(|source| RulesError::Read { path: path.to_owned(), source })?;
    RuleFile::parse(&text).map_err(|faults| RulesError::Invalid { file: path.display().to_string(), faults })
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::rules::Exit;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    /// What loading a directory says, without the directory's own name.
    fn loaded(files: &[(&str, &str)]) -> Result<Rules, String> {
        let directory = directory(files);
        let place = format!("{}/", directory.path().display());
        Rules::load_directory(directory.path()).map_err(|error| error.to_string().replace(&place, ""))
    }

    #[test]
    fn files_are_read_in_the_order_of_their_names_and_dotted_ones_are_not() {
        let rule = |reason| format!("- {{name: {reason}, match: {{line: boom}}, category: Code, reason: {reason}}}\n");
        let rules = loaded(&[("b.yaml", &rule("Second")), ("a.yml", &rule("First")), ("..data", "[")]).unwrap();
        let (hit, _) = rules.of_users(&["boom".to_owned()], &Exit::default(), |_| true).unwrap();
        assert_eq!(hit.rule.reason.as_str(), "First");
        assert!(!loaded(&[]).unwrap().has_own());
    }

    #[test]
    fn errors_name_the_file_the_place_and_the_way_out() {
        let bad = "- name: a\n  match: {line: '('}\n  category: Code\n  reason: Boom\n";
        for (files, wanted) in [
            (
                &[("shop.yaml", bad)][..],
                "shop.yaml:2:17: bad expression at character 1: unclosed group\ncorrect shop.yaml",
            ),
            (
                &[("shop.yaml", "- boom\n")][..],
                "shop.yaml:1:3: .[0]: invalid type: string \"boom\", expected a rule with `name`, `match` and `reason`",
            ),
            (&[("shop.json", "{}")][..], "shop.json: is no file of rules: name it .yaml"),
        ] {
            let error = loaded(files).unwrap_err();
            assert!(error.starts_with(wanted), "{error}");
        }
        let error = Rules::load_directory(Path::new("/nowhere/rules")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read rules from /nowhere/rules: "), "{error}");
    }
}
