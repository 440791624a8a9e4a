//! How the program ends, for people and for scripts.

use serde_json::{Map, Value, json};
use snapfill::controller::RunEnd;
use snapfill::{Error, ErrorKind};

use crate::output::Output;

/// The exit codes, documented in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Completed,
    Failed,
    Usage,
    CompletedWithErrors,
    NothingSelected,
    SnapshotUnreadable,
    Interrupted,
    Terminated,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Completed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::CompletedWithErrors => 3,
            Self::NothingSelected => 4,
            Self::SnapshotUnreadable => 5,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<RunEnd> for Exit {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Completed => Self::Completed,
            RunEnd::CompletedWithErrors => Self::CompletedWithErrors,
            RunEnd::Failed => Self::Failed,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

/// An error and the code that it ends the program with.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Error,
    exit: Exit,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, exit: Exit::Failed }
    }
}

impl Failure {
    /// The error of reading a snapshot, in a command that tells this apart.
    pub(crate) fn unreadable(error: Error) -> Self {
        Self { error, exit: Exit::SnapshotUnreadable }
    }

    /// An argument that cannot be used.
    pub(crate) fn usage(error: Error) -> Self {
        Self { error, exit: Exit::Usage }
    }

    /// What kind of error it is.
    pub(crate) fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    /// Whether trying again may help.
    pub(crate) fn is_retryable(&self) -> bool {
        self.error.is_retryable()
    }

    /// A selection that matches nothing.
    pub(crate) fn nothing_selected(message: String) -> Self {
        Self { error: Error::new(ErrorKind::NotFound, message), exit: Exit::NothingSelected }
    }

    /// Says it and hands out the code. Nobody is told when nobody reads: a closed pipe is no failure of ours.
    pub(crate) fn report(self, output: &Output) -> Exit {
        if self.error.context().any(|(name, _)| name == output.closed_mark()) {
            return Exit::Completed;
        }
        if output.is_json() {
            output.print_json_error(&json!({ "error": as_json(&self.error) }));
        } else {
            output.complain(&format!("{}{}", self.error, self.advice()));
        }
        self.exit
    }

    /// What to do about a damaged snapshot; other errors say it themselves.
    fn advice(&self) -> &'static str {
        match (self.exit, self.error.kind()) {
            (Exit::SnapshotUnreadable, ErrorKind::Corrupt) => {
                "; put the file back from a copy of the repository, or take another snapshot"
            }
            _ => "",
        }
    }
}

/// An error as JSON.
pub(crate) fn as_json(error: &Error) -> Value {
    let context: Map<String, Value> =
        error.context().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    json!({
        "kind": error.kind().as_str(),
        "message": error.message(),
        "context": context,
        "retryable": error.is_retryable(),
    })
}
