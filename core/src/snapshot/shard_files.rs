//! The files of one shard as a Lucene directory: blobs, parts of blobs, and bytes kept in the manifest.

use std::collections::HashMap;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use snapfill_lucene::Directory;
use tokio::runtime::Handle;

use super::blobs::Blobs;
use super::manifest::{Content, Manifest, ManifestFile};
use crate::{Error, ErrorKind, Result};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Reads through the repository. Its calls block: they are made on threads that may.
#[derive(Debug)]
pub(crate) struct ShardFiles {
    blobs: Blobs,
    folder: String,
    files: HashMap<String, ManifestFile>,
    runtime: Handle,
}

impl ShardFiles {
    pub(crate) fn new(blobs: Blobs, folder: String, manifest: Manifest, runtime: Handle) -> Self {
        let files = manifest.files.into_iter().map(|file| (file.name.clone(), file)).collect();
        Self { blobs, folder, files, runtime }
    }

    /// Bytes of all files together.
    pub(crate) fn total_bytes(&self) -> u64 {
        self.files.values().map(|file| file.length).fold(0, u64::saturating_add)
    }

    /// Checks that every blob is there and as long as the manifest says, without reading it.
    pub(crate) async fn check_lengths(&self) -> Result<()> {
        for file in self.files.values() {
            let Content::Blobs { stem, parts, part_size } = &file.content else { continue };
            for part in 0..*parts {
                let expected = part_length(file.length, *part_size, part);
                let blob = self.blob(stem, *parts, part);
                let found = self.blobs.size(&blob).await?;
                if found != expected {
                    let what = format!("the file has {found} bytes, the manifest says {expected}");
                    return Err(Error::new(ErrorKind::Corrupt, what).with_context("file", blob));
                }
            }
        }
        Ok(())
    }

    /// Adds to an error about a Lucene file where its bytes lie in the repository: nobody finds `_1.fdt` there.
    pub(crate) fn name_blob(&self, error: Error) -> Error {
        let file = error.context().find(|(name, _)| *name == "file").map(|(_, file)| file);
        match file.and_then(|file| self.blob_of(file)) {
            Some(blob) => error.with_context("blob", blob),
            None => error,
        }
    }

    /// The blob of a file; for a file inside a compound file, that one's.
    fn blob_of(&self, file: &str) -> Option<String> {
        let segment = file.split('.').next()?;
        let segment = segment.match_indices('_').nth(1).map_or(segment, |(at, _)| &segment[..at]);
        let compound = format!("{segment}.cfs");
        let file = self.files.get(file).or_else(|| self.files.get(&compound))?;
        match &file.content {
            Content::Blobs { stem, parts: 1, .. } => Some(self.blob(stem, 1, 0)),
            Content::Blobs { stem, .. } => Some(format!("{}/{stem}.part*", self.folder)),
            Content::Inline(_) => None,
        }
    }

    fn blob(&self, stem: &str, parts: u64, part: u64) -> String {
        match parts {
            1 => format!("{}/{stem}", self.folder),
            _ => format!("{}/{stem}.part{part}", self.folder),
        }
    }

    fn find(&self, file: &str) -> Result<&ManifestFile> {
        self.files.get(file).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, format!("the shard's manifest has no file `{file}`"))
        })
    }

    async fn read_blobs(&self, file: &ManifestFile, range: Range<u64>) -> Result<Bytes> {
        let Content::Blobs { stem, parts, part_size } = &file.content else {
            return Ok(Bytes::new());
        };
        if *parts == 1 {
            return self.blobs.get_range(&self.blob(stem, 1, 0), range).await;
        }
        let mut joined = BytesMut::new();
        let mut at = range.start;
        while at < range.end {
            let part = at / part_size;
            let start = at % part_size;
            let end = (start + (range.end - at)).min(*part_size);
            joined.extend_from_slice(
                &self.blobs.get_range(&self.blob(stem, *parts, part), start..end).await?,
            );
            at += end - start;
        }
        Ok(joined.freeze())
    }

    fn read_range(&self, file: &str, range: Range<u64>) -> Result<Bytes> {
        let file = self.find(file)?;
        if range.start > range.end || range.end > file.length {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("bytes {}..{} of a file of {}", range.start, range.end, file.length),
            ));
        }
        match &file.content {
            Content::Inline(bytes) => {
                let slice = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
                Ok(slice.map(|(start, end)| bytes.slice(start..end)).unwrap_or_default())
            }
            Content::Blobs { .. } => self.runtime.block_on(self.read_blobs(file, range)),
        }
    }
}

fn part_length(length: u64, part_size: u64, part: u64) -> u64 {
    length.saturating_sub(part.saturating_mul(part_size)).min(part_size)
}

impl Directory for ShardFiles {
    fn files(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn length(&self, file: &str) -> Option<u64> {
        self.files.get(file).map(|file| file.length)
    }

    fn read(&self, file: &str, range: Range<u64>) -> std::result::Result<Bytes, BoxError> {
        self.read_range(file, range).map_err(Into::into)
    }
}

/// What the Lucene reader says, in the words of this crate; an error of ours that went through it comes back as it was.
pub(crate) fn explain_lucene(error: snapfill_lucene::Error) -> Error {
    match error {
        snapfill_lucene::Error::Corrupt { file, offset, what } => {
            let error = Error::new(ErrorKind::Corrupt, what).with_context("file", file);
            match offset {
                Some(offset) => error.with_context("offset", offset),
                None => error,
            }
        }
        snapfill_lucene::Error::Unsupported { file, what } => {
            Error::new(ErrorKind::Unsupported, what).with_context("file", file)
        }
        snapfill_lucene::Error::Source { file, source } => match source.downcast::<Error>() {
            Ok(ours) => ours.with_context("file", file),
            Err(source) => Error::new(ErrorKind::Io, format!("cannot read: {source}"))
                .with_context("file", file),
        },
        snapfill_lucene::Error::TooLarge { file, offset, bytes, .. } => {
            let message = format!(
                "a document of up to {bytes} bytes is larger than what is read; raise --max-document-bytes to read it"
            );
            Error::new(ErrorKind::Unsupported, message)
                .with_context("file", file)
                .with_context("offset", offset)
        }
        other => Error::new(ErrorKind::Unexpected, other.to_string()),
    }
}
