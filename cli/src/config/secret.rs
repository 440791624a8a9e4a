//! Where a secret is that an argument is about.

use std::fmt;

use snapfill::cluster::http::Secret;
use snapfill::settings::config::SecretConfig;
use snapfill::{Error, ErrorKind};

use crate::exit::Failure;

/// Where a secret is. What is typed is a variable of the environment; a configuration file may say otherwise.
#[derive(Clone)]
pub(crate) enum SecretPlace {
    /// In this variable of the environment.
    Variable(String),
    /// As the configuration file says.
    Configured(SecretConfig),
    /// Where we do not get it from, and what to do.
    OutOfReach(String),
}

impl SecretPlace {
    /// The variable of the environment, if it is in one.
    pub(crate) fn variable(&self) -> Option<&str> {
        match self {
            Self::Variable(name) | Self::Configured(SecretConfig::Env(name)) => Some(name),
            _ => None,
        }
    }

    /// The secret.
    pub(crate) fn resolve(&self, what: &str) -> Result<Secret, Failure> {
        let resolved = match self {
            Self::Variable(name) => SecretConfig::Env(name.clone()).resolve(what),
            Self::Configured(place) => place.resolve(what),
            Self::OutOfReach(why) => Err(Error::new(ErrorKind::Unsupported, why.clone())),
        };
        resolved.map_err(Failure::usage)
    }
}

impl From<String> for SecretPlace {
    fn from(variable: String) -> Self {
        Self::Variable(variable)
    }
}

impl fmt::Debug for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretPlace")
    }
}
