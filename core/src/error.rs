//! The one public error: what happened, to what, and what to do about it.
//!
//! Modules keep detailed private enums of their own; what leaves the crate is this type. A caller decides by
//! [`Error::kind`] and [`Error::is_retryable`] and shows the message as it is.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// The result of most functions of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller may want to act on it. Adding a kind is a decision on record (`docs/adr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The settings are wrong or contradict each other: mend them.
    Config,
    /// The other side does not know us or does not let us: check the credentials.
    Auth,
    /// What was named is not there: a repository, a snapshot, an index, a document.
    NotFound,
    /// The other side cannot be reached or is not ready: try again later.
    Unavailable,
    /// The other side asks us to slow down.
    RateLimited,
    /// Somebody else changed it first: read it again.
    Conflict,
    /// The lease ran out or went to another worker: let the item go.
    LeaseLost,
    /// Bytes are not what their format says.
    Corrupt,
    /// A format, version or feature that this build does not read.
    Unsupported,
    /// The books do not balance: some document is neither written, failed nor skipped for a reason.
    Incomplete,
    /// Not allowed in the present state, for example a start after a stop.
    State,
    /// The caller asked to stop.
    Cancelled,
    /// The operating system refused a read or a write: a full disk, a missing right.
    Io,
    /// A defect of this crate. Please report it.
    Unexpected,
}

impl ErrorKind {
    /// The kind as one lower-case word, stable across releases: `not_found`, `lease_lost`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Auth => "auth",
            Self::NotFound => "not_found",
            Self::Unavailable => "unavailable",
            Self::RateLimited => "rate_limited",
            Self::Conflict => "conflict",
            Self::LeaseLost => "lease_lost",
            Self::Corrupt => "corrupt",
            Self::Unsupported => "unsupported",
            Self::Incomplete => "incomplete",
            Self::State => "state",
            Self::Cancelled => "cancelled",
            Self::Io => "io",
            Self::Unexpected => "unexpected",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a function of this crate fails with.
///
/// ```
/// use snapfill::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::NotFound, "no snapshot `nightly`; the repository has `snap-1`, `snap-2`")
///     .with_context("repository", "file:///backup");
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert!(!error.is_retryable());
/// assert_eq!(error.to_string(),
///     "no snapshot `nightly`; the repository has `snap-1`, `snap-2` (repository: file:///backup)");
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    retryable: bool,
    retry_after: Option<Duration>,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// A new error. It is retryable if its kind is by nature: unavailable, rate limited, conflict.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retryable =
            matches!(kind, ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::Conflict);
        let message = message.into();
        let (retry_after, context, source) = (None, Vec::new(), None);
        Self(Box::new(Inner { kind, message, retryable, retry_after, context, source }))
    }

    /// Adds where it happened: a name such as `file`, `shard`, `document`, and its value. Order is kept; a name that is
    /// already there keeps its first, innermost value.
    #[must_use]
    pub fn with_context(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        if !self.0.context.iter().any(|(known, _)| *known == name) {
            self.0.context.push((name, value.to_string()));
        }
        self
    }

    /// Keeps the underlying cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says whether trying again may help, where the kind alone does not tell.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Says how long the other side asks us to wait before the next try.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    #[cfg(any(feature = "local", feature = "s3"))]
    /// The same error for another listener. The underlying cause stays with the first.
    pub(crate) fn duplicate(&self) -> Self {
        let Inner { kind, message, retryable, retry_after, context, .. } = &*self.0;
        Self(Box::new(Inner {
            kind: *kind,
            message: message.clone(),
            retryable: *retryable,
            retry_after: *retry_after,
            context: context.clone(),
            source: None,
        }))
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed if made again later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// How long the other side asks us to wait before the next try, where it says.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The message without its context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened, as name and value.
    pub fn context(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.context.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for (place, (name, value)) in self.0.context.iter().enumerate() {
            write!(f, "{}{name}: {value}", if place == 0 { " (" } else { ", " })?;
        }
        if self.0.context.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// An error and what it comes from, outermost first.
#[cfg(any(feature = "http", feature = "kubernetes"))]
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next: Option<&'a (dyn StdError + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_context_wins() {
        let error = Error::new(ErrorKind::Corrupt, "bad footer")
            .with_context("file", "_0.fdt")
            .with_context("file", "snapshot")
            .with_context("shard", 3);
        assert_eq!(error.to_string(), "bad footer (file: _0.fdt, shard: 3)");
    }

    #[test]
    fn only_passing_troubles_are_retryable_by_nature() {
        assert!(Error::new(ErrorKind::Unavailable, "").is_retryable());
        assert!(!Error::new(ErrorKind::Corrupt, "").is_retryable());
        assert!(Error::new(ErrorKind::Io, "").with_retryable(true).is_retryable());
    }
}
