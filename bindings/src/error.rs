//! The one error of every binding: a kind, a text, and what a caller may decide by.

use std::fmt;
use std::time::Duration;

use snapfill::{Error, ErrorKind};

#[cfg(feature = "uniffi")]
mod declared;

/// What went wrong. One variant a kind; adding one is a decision on record (`docs/adr`). Its text is that of `Display`.
///
/// In Kotlin the variants are subclasses, in Python exceptions under `SnapfillError`, in JavaScript the values of `error.code`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Error))]
pub enum SnapfillError {
    /// The settings are wrong or contradict each other: mend them.
    Config(Context),
    /// The other side does not know us or does not let us: check the credentials.
    Auth(Context),
    /// What was named is not there: a repository, a snapshot, an index, a document.
    NotFound(Context),
    /// The other side cannot be reached or is not ready: try again later.
    Unavailable(Context),
    /// The other side asks us to slow down.
    RateLimited(Context),
    /// Somebody else changed it first: read it again.
    Conflict(Context),
    /// The lease ran out or went to another worker.
    LeaseLost(Context),
    /// Bytes are not what their format says.
    Corrupt(Context),
    /// A format, version or feature that this build does not read.
    Unsupported(Context),
    /// The books do not balance, or a snapshot lacks shards.
    Incomplete(Context),
    /// Not allowed in the present state, for example a start after a stop.
    State(Context),
    /// The caller asked to stop.
    Cancelled(Context),
    /// The operating system refused a read or a write: a full disk, a missing right.
    Io(Context),
    /// A defect of snapfill. Please report it.
    Unexpected(Context),
}

/// What an error says besides its kind.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// What happened, to what, and what to do. Where it happened is not part of it.
    pub text: String,
    /// Whether the same call may succeed if made again later.
    pub retryable: bool,
    /// How long the other side asks us to wait before the next try, where it says.
    pub retry_after: Option<Duration>,
    /// Where it happened, as name and value: `file`, `shard`, `repository`, …
    pub places: Vec<(String, String)>,
}

impl SnapfillError {
    /// A new error, whose kind alone says whether it may be tried again.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Error::new(kind, text).into()
    }

    fn parts(&self) -> (ErrorKind, &Context) {
        match self {
            Self::Config(context) => (ErrorKind::Config, context),
            Self::Auth(context) => (ErrorKind::Auth, context),
            Self::NotFound(context) => (ErrorKind::NotFound, context),
            Self::Unavailable(context) => (ErrorKind::Unavailable, context),
            Self::RateLimited(context) => (ErrorKind::RateLimited, context),
            Self::Conflict(context) => (ErrorKind::Conflict, context),
            Self::LeaseLost(context) => (ErrorKind::LeaseLost, context),
            Self::Corrupt(context) => (ErrorKind::Corrupt, context),
            Self::Unsupported(context) => (ErrorKind::Unsupported, context),
            Self::Incomplete(context) => (ErrorKind::Incomplete, context),
            Self::State(context) => (ErrorKind::State, context),
            Self::Cancelled(context) => (ErrorKind::Cancelled, context),
            Self::Io(context) => (ErrorKind::Io, context),
            Self::Unexpected(context) => (ErrorKind::Unexpected, context),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.parts().0
    }

    /// Its kind as one upper-case word, stable across releases: `NOT_FOUND`, `LEASE_LOST`, …
    pub fn code(&self) -> String {
        self.kind().as_str().to_uppercase()
    }

    /// What it says besides its kind.
    pub fn context(&self) -> &Context {
        self.parts().1
    }

    /// Whether the same call may succeed if made again later.
    pub fn is_retryable(&self) -> bool {
        self.context().retryable
    }
}

impl From<Error> for SnapfillError {
    fn from(error: Error) -> Self {
        let context = Context {
            text: error.message().to_owned(),
            retryable: error.is_retryable(),
            retry_after: error.retry_after(),
            places: error
                .context()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        };
        match error.kind() {
            ErrorKind::Config => Self::Config(context),
            ErrorKind::Auth => Self::Auth(context),
            ErrorKind::NotFound => Self::NotFound(context),
            ErrorKind::Unavailable => Self::Unavailable(context),
            ErrorKind::RateLimited => Self::RateLimited(context),
            ErrorKind::Conflict => Self::Conflict(context),
            ErrorKind::LeaseLost => Self::LeaseLost(context),
            ErrorKind::Corrupt => Self::Corrupt(context),
            ErrorKind::Unsupported => Self::Unsupported(context),
            ErrorKind::Incomplete => Self::Incomplete(context),
            ErrorKind::State => Self::State(context),
            ErrorKind::Cancelled => Self::Cancelled(context),
            ErrorKind::Io => Self::Io(context),
            _ => Self::Unexpected(context),
        }
    }
}

impl fmt::Display for SnapfillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context().fmt(f)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, places, .. } = self;
        f.write_str(text)?;
        for (place, (name, value)) in places.iter().enumerate() {
            write!(f, "{}{name}: {value}", if place == 0 { " (" } else { ", " })?;
        }
        if places.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl std::error::Error for SnapfillError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_keeps_its_kind_and_its_text() {
        let kinds = [
            ErrorKind::Config,
            ErrorKind::Auth,
            ErrorKind::NotFound,
            ErrorKind::Unavailable,
            ErrorKind::RateLimited,
            ErrorKind::Conflict,
            ErrorKind::LeaseLost,
            ErrorKind::Corrupt,
            ErrorKind::Unsupported,
            ErrorKind::Incomplete,
            ErrorKind::State,
            ErrorKind::Cancelled,
            ErrorKind::Io,
            ErrorKind::Unexpected,
        ];
        for kind in kinds {
            let error = Error::new(kind, "what").with_context("file", "a").with_context("shard", 1);
            let (text, retryable) = (error.to_string(), error.is_retryable());
            let error = SnapfillError::from(error);
            assert_eq!((error.kind(), error.is_retryable()), (kind, retryable));
            assert_eq!(error.to_string(), text);
        }
        assert_eq!(SnapfillError::new(ErrorKind::LeaseLost, "x").code(), "LEASE_LOST");
    }
}
