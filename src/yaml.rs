//! The one place that knows which YAML library reads and writes: `serde_yaml` is archived upstream, and this module is
//! what would be re-pointed.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a YAML text was not accepted: what, and where.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    message: String,
    line: Option<usize>,
    column: Option<usize>,
}

impl YamlError {
    /// Line and column of the fault, from 1, where the parser knows them.
    pub fn position(&self) -> Option<(usize, usize)> {
        Some((self.line?, self.column?))
    }
}

impl From<serde_yaml::Error> for YamlError {
    fn from(error: serde_yaml::Error) -> Self {
        let place = error.location();
        Self {
            message: error.to_string(),
            line: place.as_ref().map(|place| place.line()),
            column: place.as_ref().map(|place| place.column()),
        }
    }
}

/// Reads one document.
///
/// # Errors
/// When the text is no YAML or does not fit the type; the error has line and column where they are known.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    Ok(serde_yaml::from_str(text)?)
}

/// Writes one document, without a leading `---`.
///
/// # Errors
/// When the value has no YAML form, e.g. a map whose keys are maps.
pub fn to_string<T: Serialize>(value: &T) -> Result<String, YamlError> {
    Ok(serde_yaml::to_string(value)?)
}
