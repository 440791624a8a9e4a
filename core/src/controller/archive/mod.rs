//! The working state as a file: written when a backfill is stopped, read back when it is restored.
//!
//! The file has the form that users of the system we replace know: a JSON array of batches, each an object `{id: document}`.
//! Beside it lies `<file>.meta.json`, which says what it is and holds its checksum. Both are streamed: a state of any size
//! takes the memory of a few hundred items.
//!
//! | file | subject |
//! |---|---|
//! | `place` | in which folder, under which name |
//! | `manifest` | what lies beside the file |
//! | `write` | the file, from a store |
//! | `read` | the file, document by document |
//! | `verify` | whether what was written is what the store holds |
//! | `restore` | a store, from the file |
//! | `clear` | deleting from the store what is in the file |
//! | `summary` | what a working state in a file comes to |
//! | `record` | what is remembered of a session whose working state is gone |

mod clear;
mod manifest;
mod place;
mod read;
mod record;
mod restore;
mod summary;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub(crate) use clear::{clear, wait_for_workers};
pub use manifest::ArchiveManifest;
pub use place::archive_folder;
pub(crate) use record::SessionRecord;
pub(crate) use restore::{Expected, is_being_restored, restore};
pub(crate) use summary::summary;

use std::path::{Path, PathBuf};

use crate::coordination::WorkStore;
use crate::failed::place as place_of_failures;
use crate::{Clock, Result};

/// A working state that lies in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Archived {
    pub(crate) file: PathBuf,
    pub(crate) manifest: ArchiveManifest,
    /// The highest number of a lease in it.
    pub(crate) highest_lease: u64,
    /// Where its run kept failed documents, if not where it is usual.
    pub(crate) failed_store: Option<String>,
}

/// Writes the working state of a session to a file in `folder` and reads it back; nothing is deleted. None when there is no
/// working state.
///
/// # Errors
/// What the store fails with; `Io` when the file cannot be written or reads back otherwise than it was written.
pub(crate) async fn archive(
    store: &dyn WorkStore,
    clock: &dyn Clock,
    folder: &Path,
) -> Result<Option<Archived>> {
    let Some(run) = store.run().await? else { return Ok(None) };
    let (file, mut out) = place::create(folder, clock.wall())?;
    let archived = async {
        let contents = write::write(store, &run.value, &mut out).await?;
        let manifest = ArchiveManifest::new(&run.value, &contents, clock.wall());
        manifest.write(&file)?;
        verify::verify(store, &file, &manifest).await?;
        place::sync(folder)?;
        Ok(Archived {
            file: file.clone(),
            manifest,
            highest_lease: contents.highest_lease,
            failed_store: place_of_failures::of_run(&run.value.settings),
        })
    };
    match archived.await {
        Ok(archived) => Ok(Some(archived)),
        Err(error) => {
            // The store still has everything; half a file would only be taken for a whole one.
            let _ = std::fs::remove_file(manifest::path_of(&file));
            let _ = std::fs::remove_file(&file);
            let error: crate::Error = error;
            Err(error.with_context("archive", file.display()))
        }
    }
}
