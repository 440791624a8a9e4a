//! What lies beside an archive and says what it is.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::write::Contents;
use crate::coordination::{Run, Session, SnapshotName};
use crate::{Books, Error, ErrorKind, Result};

/// Raised when an older release could no longer restore the archive rightly.
const FORMAT_VERSION: u32 = 1;

/// More than any of them has.
const MOST_BYTES: u64 = 1 << 20;

/// What an archive is: of which run, how much it holds, and its checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchiveManifest {
    /// The form of the archive.
    pub format_version: u32,
    /// The release that wrote it.
    pub version: String,
    /// The session.
    pub session: Session,
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// The URL of its repository.
    pub repository: String,
    /// The address of the target.
    pub target: String,
    /// When it was written, in seconds since the epoch.
    pub archived_at: u64,
    /// Its work items.
    pub items: u64,
    /// Of these, completed.
    pub completed: u64,
    /// Of these, given up.
    pub quarantined: u64,
    /// What became of the documents so far.
    pub books: Books,
    /// The length of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: String,
}

impl ArchiveManifest {
    pub(super) fn new(run: &Run, contents: &Contents, now: Duration) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            session: run.session.clone(),
            snapshot: run.snapshot.clone(),
            repository: run.repository.clone(),
            target: run.target.clone(),
            archived_at: now.as_secs(),
            items: contents.items,
            completed: contents.completed,
            quarantined: contents.quarantined,
            books: contents.books.clone(),
            bytes: contents.bytes,
            sha256: contents.sha256.clone(),
        }
    }

    /// Reads what lies beside an archive.
    ///
    /// # Errors
    /// `NotFound` when either is not there, `Corrupt` when it is none, `Unsupported` when a newer release wrote it.
    pub fn beside(archive: &Path) -> Result<Self> {
        let path = path_of(archive);
        let absent = |path: &Path, error: std::io::Error| {
            let message = format!(
                "cannot read {}: {error}; an archive is two files, `working_state_backup_….json` and the same with \
                 `.meta.json` behind it",
                path.display()
            );
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Io,
            };
            Error::new(kind, message).with_source(error)
        };
        std::fs::metadata(archive).map_err(|error| absent(archive, error))?;
        let mut text = String::new();
        let file = File::open(&path).map_err(|error| absent(&path, error))?;
        file.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| absent(&path, error))?;
        Self::from_json(&text).map_err(|error| error.with_context("file", path.display()))
    }

    fn from_json(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Format {
            format_version: u32,
        }
        let damaged = |error: serde_json::Error| {
            let message = format!("what lies beside the archive cannot be understood: {error}");
            Error::new(ErrorKind::Corrupt, message)
        };
        // The version first: the rest may be of another form.
        let Format { format_version } = serde_json::from_str(text).map_err(damaged)?;
        if format_version > FORMAT_VERSION {
            let message = format!(
                "the archive was written by a newer release (format {format_version}, this one knows {FORMAT_VERSION}): update"
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        serde_json::from_str(text).map_err(damaged)
    }

    pub(super) fn write(&self, archive: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        let mut file = File::create_new(path_of(archive))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(())
    }
}

/// The path of what lies beside an archive.
pub(super) fn path_of(archive: &Path) -> PathBuf {
    let mut path = OsString::from(archive);
    path.push(".meta.json");
    path.into()
}
