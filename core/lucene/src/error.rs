//! The one error of the crate.

/// What an operation of this crate gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error that a [`Directory`](crate::Directory) may fail with.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Why an index, a segment or a document could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes contradict themselves, each other or their checksum.
    #[error("{file}{}: {what}", display_offset(*.offset))]
    Corrupt {
        /// Name of the file inside the index.
        file: String,
        /// Byte offset in that file, where it is known.
        offset: Option<u64>,
        /// What was found and what was expected.
        what: String,
    },
    /// The bytes are in a format, or a version of one, that this crate does not read.
    #[error("{file}: not supported: {what}")]
    Unsupported {
        /// Name of the file inside the index.
        file: String,
        /// The format by its own name.
        what: String,
    },
    /// A chunk of documents larger than the caller allows
    /// ([`StoredDocuments::limit_chunk_bytes`](crate::StoredDocuments::limit_chunk_bytes)).
    #[error("{file} at byte {offset}: {bytes} bytes of documents, {limit} allowed")]
    TooLarge {
        /// Name of the file inside the index.
        file: String,
        /// Offset of the chunk in that file.
        offset: u64,
        /// Bytes of its documents.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A position to read from that is not one of this segment's.
    #[error("{file}: cannot read from there: {what}")]
    Position {
        /// Name of the file inside the index.
        file: String,
        /// What does not fit.
        what: String,
    },
    /// The caller's [`Directory`](crate::Directory) failed.
    #[error("{file}: cannot be read: {source}")]
    Source {
        /// Name of the file inside the index.
        file: String,
        /// The caller's own error.
        source: SourceError,
    },
}

impl Error {
    pub(crate) fn corrupt(file: &str, offset: Option<u64>, what: impl Into<String>) -> Self {
        Self::Corrupt { file: file.to_owned(), offset, what: what.into() }
    }

    pub(crate) fn unsupported(file: &str, what: impl Into<String>) -> Self {
        Self::Unsupported { file: file.to_owned(), what: what.into() }
    }

    pub(crate) fn position(file: &str, what: impl Into<String>) -> Self {
        Self::Position { file: file.to_owned(), what: what.into() }
    }
}

fn display_offset(offset: Option<u64>) -> String {
    offset.map_or_else(String::new, |offset| format!(" at byte {offset}"))
}
