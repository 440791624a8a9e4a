//! Where the bytes come from: the caller's files of one index.

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;

use crate::error::SourceError;
use crate::limits::MAX_METADATA_BYTES;
use crate::{Error, Result};

/// The files of one Lucene index, supplied by the caller.
///
/// Synchronous on purpose: a caller over a network prefetches what [`Segment`](crate::Segment) will ask for, or
/// blocks a thread of its own.
pub trait Directory: Send + Sync {
    /// The physical names of all files, in any order.
    fn files(&self) -> Vec<String>;

    /// Length of `file` in bytes; `None` when there is no such file.
    fn length(&self, file: &str) -> Option<u64>;

    /// The bytes of `file` in `range`, all of them. It is only called for files that have a length, with a
    /// range inside it.
    ///
    /// # Errors
    /// Whatever went wrong on the caller's side; it comes back as [`Error::Source`].
    fn read(&self, file: &str, range: Range<u64>) -> Result<Bytes, SourceError>;
}

/// A directory held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryDirectory {
    files: HashMap<String, Bytes>,
}

impl MemoryDirectory {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or replaces it.
    pub fn insert(&mut self, name: impl Into<String>, data: impl Into<Bytes>) {
        self.files.insert(name.into(), data.into());
    }

    /// The bytes of a file.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.files.get(name)
    }
}

impl FromIterator<(String, Bytes)> for MemoryDirectory {
    fn from_iter<I: IntoIterator<Item = (String, Bytes)>>(files: I) -> Self {
        Self { files: files.into_iter().collect() }
    }
}

impl Directory for MemoryDirectory {
    fn files(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn length(&self, file: &str) -> Option<u64> {
        self.files.get(file).map(|data| data.len() as u64)
    }

    fn read(&self, file: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let data = self.files.get(file).ok_or("no such file")?;
        let (start, end) = (usize::try_from(range.start)?, usize::try_from(range.end)?);
        if start > end || end > data.len() {
            return Err("range outside the file".into());
        }
        Ok(data.slice(start..end))
    }
}

/// Length of a file that must be there.
pub(crate) fn length(directory: &dyn Directory, file: &str) -> Result<u64> {
    directory.length(file).ok_or_else(|| Error::corrupt(file, None, "the file is missing"))
}

/// Reads a range, holding the directory to its word.
pub(crate) fn read_range(
    directory: &dyn Directory,
    file: &str,
    range: Range<u64>,
) -> Result<Bytes> {
    let available = length(directory, file)?;
    if range.start > range.end || range.end > available {
        let what = format!("bytes to {} needed, the file has {available}", range.end);
        return Err(Error::corrupt(file, Some(range.start), what));
    }
    let wanted = range.end.saturating_sub(range.start);
    let start = range.start;
    let data = directory
        .read(file, range)
        .map_err(|source| Error::Source { file: file.to_owned(), source })?;
    if data.len() as u64 != wanted {
        let what = format!("{wanted} bytes asked for, {} came", data.len());
        return Err(Error::corrupt(file, Some(start), what));
    }
    Ok(data)
}

/// Reads a metadata file whole.
pub(crate) fn read_whole(directory: &dyn Directory, file: &str) -> Result<Bytes> {
    let length = length(directory, file)?;
    if length > MAX_METADATA_BYTES {
        let what = format!("{length} bytes are more than any such file has");
        return Err(Error::corrupt(file, None, what));
    }
    read_range(directory, file, 0..length)
}
