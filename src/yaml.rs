//! The one place that knows which YAML library reads and writes: `serde_yaml` is archived upstream, and this module is
//! what would be re-pointed.

use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Why a YAML text was not accepted: what, and where.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    message: String,
    line: Option<usize>,
    column: Option<usize>,
}

/// One step on the way to a value inside of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The value of this key.
    Key(&'a str),
    /// The element with this index, from 0.
    Index(usize),
}

impl YamlError {
    /// What is wrong, without the place.
    pub fn reason(&self) -> &str {
        let place = self.line.map(|line| format!(" at line {line} column "));
        let cut = place.and_then(|place| self.message.rfind(&place));
        cut.map_or(self.message.as_str(), |at| &self.message[..at])
    }

    /// Line and column of the fault, from 1, where the parser knows them.
    pub fn position(&self) -> Option<(usize, usize)> {
        Some((self.line?, self.column?))
    }
}

impl From<serde_yaml::Error> for YamlError {
    fn from(error: serde_yaml::Error) -> Self {
        let place = error.location();
        Self {
            // It quotes keys as they are, and a key may have line ends: an error stays one line.
            message: error.to_string().replace('\n', "\\n"),
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

/// Line and column, from 1, of the value at the end of this path; of the nearest value around it where the path leads
/// nowhere. A reader of YAML that has become values knows no places any more: this reads the text again, as far as there.
pub fn position_of(text: &str, path: &[Step<'_>]) -> Option<(usize, usize)> {
    let found = Seek { path }.deserialize(serde_yaml::Deserializer::from_str(text));
    YamlError::from(found.err()?).position()
}

/// Walks down a path and fails at its end: the error has the place.
struct Seek<'a> {
    path: &'a [Step<'a>],
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

macro_rules! here {
    ($($visit:ident: $type:ty,)*) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<(), E> {
            Err(E::custom("here"))
        })*
    };
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    here! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str, }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((Step::Index(wanted), rest)) = self.path.split_first() else { return Err(A::Error::custom("here")) };
        for _ in 0..*wanted {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Seek { path: rest })?;
        Err(A::Error::custom("here"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.path.split_first() else { return Err(A::Error::custom("here")) };
        while let Some(key) = map.next_key::<String>()? {
            if key == *wanted {
                map.next_value_seed(Seek { path: rest })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Err(A::Error::custom("here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_path() {
        let text = "rules:\n- name: a\n  match: {line: 'x', exitCodes: [1, 2]}\n- name: b\n  advice:\n    fix:\n    - |\n      do\n";
        let cases: [(&[Step<'_>], (usize, usize)); 6] = [
            (&[Step::Key("rules")], (2, 1)),
            (&[Step::Key("rules"), Step::Index(0), Step::Key("name")], (2, 9)),
            (&[Step::Key("rules"), Step::Index(0), Step::Key("match"), Step::Key("line")], (3, 17)),
            (
                &[Step::Key("rules"), Step::Index(0), Step::Key("match"), Step::Key("exitCodes"), Step::Index(1)],
                (3, 37),
            ),
            (&[Step::Key("rules"), Step::Index(1), Step::Key("advice"), Step::Key("fix"), Step::Index(0)], (7, 7)),
            // A key that is not there: what is around it.
            (&[Step::Key("rules"), Step::Index(1), Step::Key("reason")], (4, 3)),
        ];
        for (path, place) in cases {
            assert_eq!(position_of(text, path), Some(place), "{path:?}");
        }
    }

    #[test]
    fn a_fault_is_told_apart_from_its_place() {
        let error = from_str::<Vec<u32>>("- 1\n- x\n").unwrap_err();
        assert_eq!(error.position(), Some((2, 3)));
        assert!(error.reason().contains("expected u32") && !error.reason().contains("line"), "{}", error.reason());
    }
}
