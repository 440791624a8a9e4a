//! Other names in the target.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::selection::{reason, whole};
use crate::{Error, ErrorKind, Result};

/// How indices are called in the target. A name in the map has the last word; else the first pattern that matches the whole
/// name is replaced, and the prefix put before the result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rename {
    /// Put before every name that is not in the map.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// New names by old ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub map: BTreeMap<String, String>,
    /// Regular expressions and what takes their place, with `$1` or `${name}` for groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<(String, String)>,
}

impl Rename {
    /// Whether every index keeps its name.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A [`Rename`] ready for use.
#[derive(Clone, Debug, Default)]
pub(super) struct Renamer {
    prefix: String,
    map: BTreeMap<String, String>,
    patterns: Vec<(Regex, String)>,
}

impl Renamer {
    pub(super) fn new(rename: &Rename) -> Result<Self> {
        let compile = |(expression, replacement): &(String, String)| match whole(expression) {
            Ok(regex) => Ok((regex, replacement.clone())),
            Err(error) => {
                let message =
                    format!("`{expression}` cannot be used to rename: {}", reason(&error));
                Err(Error::new(ErrorKind::Config, message))
            }
        };
        Ok(Self {
            prefix: rename.prefix.clone(),
            map: rename.map.clone(),
            patterns: rename.patterns.iter().map(compile).collect::<Result<_>>()?,
        })
    }

    /// Whether this very name is given another one.
    pub(super) fn names(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    pub(super) fn rename(&self, name: &str) -> String {
        if let Some(new) = self.map.get(name) {
            return new.clone();
        }
        let matching = self.patterns.iter().find(|(regex, _)| regex.is_match(name));
        match matching {
            Some((regex, new)) => format!("{}{}", self.prefix, regex.replace(name, new.as_str())),
            None => format!("{}{name}", self.prefix),
        }
    }
}

/// Why no cluster would take a name.
pub(super) fn why_no_name(name: &str) -> Option<&'static str> {
    if name.is_empty() || name == "." || name == ".." || name.len() > 255 {
        return Some("a name has 1 to 255 bytes and is not `.` or `..`");
    }
    if name.starts_with(['-', '_', '+']) {
        return Some("a name does not begin with `-`, `_` or `+`");
    }
    if name.contains(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':']) {
        return Some("a name holds none of `\\ / * ? \" < > | , # :` and no blank");
    }
    (name.to_lowercase() != name).then_some("a name is in lower case")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_has_the_last_word_then_patterns_then_the_prefix() {
        let rename = Rename {
            prefix: "new-".to_owned(),
            map: BTreeMap::from([("logs-1".to_owned(), "first".to_owned())]),
            patterns: vec![
                ("logs-(\\d+)".to_owned(), "l${1}x".to_owned()),
                (".*-7".to_owned(), "never".to_owned()),
            ],
        };
        let renamer = Renamer::new(&rename).unwrap();
        let names = ["logs-1", "logs-7", "xlogs-8", "a"].map(|name| renamer.rename(name));
        assert_eq!(names, ["first", "new-l7x", "new-xlogs-8", "new-a"]);
        assert_eq!(Renamer::default().rename("a"), "a");
        let broken = Rename { patterns: vec![("(".to_owned(), String::new())], ..rename };
        assert_eq!(Renamer::new(&broken).unwrap_err().kind(), ErrorKind::Config);
    }

    #[test]
    fn names_that_no_cluster_takes_are_known() {
        for name in ["", "..", "_a", "a b", "A", "a/b", "a:b", &"x".repeat(256)] {
            assert!(why_no_name(name).is_some(), "{name}");
        }
        for name in ["a", ".ds-x-1", "é", "a_b-c.d+e"] {
            assert!(why_no_name(name).is_none(), "{name}");
        }
    }
}
