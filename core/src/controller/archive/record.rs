//! What is remembered of a session whose working state is gone.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Archived;
use crate::coordination::Session;
use crate::{Error, ErrorKind, Result};

/// The folder of the records beside the working state.
const FOLDER: &str = "archived";

/// What is remembered of a session whose working state was archived and deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionRecord {
    pub(crate) session: Session,
    /// Where the archive lies.
    pub(crate) archive: PathBuf,
    /// Its checksum.
    pub(crate) sha256: String,
    /// It was stopped, and is not begun again by accident; otherwise it was reset.
    pub(crate) stopped: bool,
    /// A run that begins anew counts its leases from here, so that its word about failed documents counts for more.
    pub(crate) highest_lease: u64,
    /// Where failed documents were kept, if not where it is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failed_store: Option<String>,
}

impl SessionRecord {
    pub(crate) fn of(archived: &Archived, stopped: bool) -> Self {
        Self {
            session: archived.manifest.session.clone(),
            archive: archived.file.clone(),
            sha256: archived.manifest.sha256.clone(),
            stopped,
            highest_lease: archived.highest_lease,
            failed_store: archived.failed_store.clone(),
        }
    }

    /// That of a session, if there is one.
    ///
    /// # Errors
    /// `Io` when it cannot be read, `Corrupt` when it is none.
    pub(crate) fn read(folder: &Path, session: &Session) -> Result<Option<Self>> {
        let path = path_of(folder, session);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            let message = format!(
                "{} says nothing that could be understood: {error}; delete it if the session is to begin anew",
                path.display()
            );
            Error::new(ErrorKind::Corrupt, message)
        })
    }

    /// Writes it in place of an earlier one, so that a crash leaves the one or the other.
    ///
    /// # Errors
    /// `Io` when it cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let path = path_of(folder, &self.session);
        let beside = path.with_extension("tmp");
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        std::fs::create_dir_all(folder.join(FOLDER))?;
        let mut file = File::create(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)?;
        super::place::sync(&folder.join(FOLDER))
    }

    /// Refuses to begin anew what was stopped.
    ///
    /// # Errors
    /// `State` with the ways out.
    pub(crate) fn require_not_stopped(&self) -> Result<()> {
        if !self.stopped {
            return Ok(());
        }
        let message = format!(
            "session {} was stopped, and a stopped backfill cannot simply be started again (to be able to go on, pause it). \
             Ways out: `backfill restore {}` and run again, to go on where it was; run with `--from-scratch`, to begin anew \
             and write documents again that are there; or another session name",
            self.session,
            self.archive.display()
        );
        Err(Error::new(ErrorKind::State, message))
    }
}

/// Index names hold nothing that leads out of the folder: [`Session`] sees to it.
fn path_of(folder: &Path, session: &Session) -> PathBuf {
    folder.join(FOLDER).join(format!("{}.json", session.index_name()))
}
