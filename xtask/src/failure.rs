//! How a command fails.

use std::io;
use std::path::Path;

pub(crate) type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// Why a command ended without having done what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was called wrongly: exit code 2, and the usage.
    Usage(String),
    /// It did not succeed: exit code 1.
    Failed(String),
}

impl Failure {
    pub(crate) fn failed<T>(what: impl Into<String>) -> Result<T> {
        Err(Failure::Failed(what.into()))
    }

    /// For `map_err` on what touches this path.
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Failure {
        move |error| Failure::Failed(format!("{}: {error}", path.display()))
    }
}

impl From<snapfill_harness::Error> for Failure {
    fn from(error: snapfill_harness::Error) -> Self {
        Failure::Failed(error.to_string())
    }
}
