//! The name of a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

const INDEX_NAME: &str = ".migrations_working_state";

/// The name of a run, empty for the usual one. It is part of the working-state index's name and follows its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Session(String);

impl Session {
    /// The session of this name; the empty name is the usual session.
    ///
    /// # Errors
    /// `Config` when the name holds anything but lower-case letters, digits, `-`, `_` and `.`, or more than 128 of them.
    pub fn named(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
        };
        if name.len() <= 128 && name.bytes().all(allowed) {
            return Ok(Self(name));
        }
        Err(Error::new(
            ErrorKind::Config,
            format!(
                "`{name}` cannot name a session: use up to 128 lower-case letters, digits, `-`, `_`, `.`"
            ),
        ))
    }

    /// The name, empty for the usual session.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The working-state index of the session.
    pub fn index_name(&self) -> String {
        if self.0.is_empty() { INDEX_NAME.to_owned() } else { format!("{INDEX_NAME}_{}", self.0) }
    }

    /// The session whose working-state index has this name, if it is one.
    pub fn of_index(index: &str) -> Option<Self> {
        let rest = index.strip_prefix(INDEX_NAME)?;
        if rest.is_empty() {
            return Some(Self::default());
        }
        rest.strip_prefix('_')
            .filter(|name| !name.is_empty())
            .and_then(|name| Self::named(name).ok())
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(default)" } else { &self.0 })
    }
}

impl FromStr for Session {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::named(name)
    }
}

impl TryFrom<String> for Session {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        Self::named(name)
    }
}

impl From<Session> for String {
    fn from(session: Session) -> Self {
        session.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_names_go_there_and_back() {
        for name in ["", "nightly", "a_b-c.1"] {
            let session = Session::named(name).unwrap();
            assert_eq!(Session::of_index(&session.index_name()), Some(session));
        }
        assert_eq!(Session::of_index(".migrations_working_state_"), None);
        assert_eq!(Session::of_index("books"), None);
    }

    #[test]
    fn names_that_no_index_could_have_are_refused() {
        for name in ["Big", "a/b", "a b", "é", &"x".repeat(129)] {
            assert_eq!(Session::named(name).unwrap_err().kind(), ErrorKind::Config);
        }
    }
}
