//! Who the servers run as. They refuse to be root, so root hands their folders to `nobody`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use crate::error::{During, Result};

/// The user and group that a server gets when the tests run as root.
pub(crate) const NOBODY: u32 = 65534;

/// Whether this process is root: seen by whom a file it makes belongs to.
pub(crate) fn are_we_root() -> Result<bool> {
    let metadata = tempfile::tempfile().and_then(|file| file.metadata());
    Ok(metadata.during(|| "making a temporary file".to_owned())?.uid() == 0)
}

/// Gives a folder and all below it to a user and the group of the same number.
pub(crate) fn give(path: &Path, user: u32) -> Result<()> {
    let what = || format!("giving {} to user {user}", path.display());
    chown(path, Some(user), Some(user)).during(what)?;
    if path.is_dir() {
        for entry in fs::read_dir(path).during(what)? {
            let entry = entry.during(what)?;
            if !entry.file_type().during(what)?.is_symlink() {
                give(&entry.path(), user)?;
            }
        }
    }
    Ok(())
}

/// Whether everyone may enter each folder above this path, as far as they exist.
pub(crate) fn is_open_to_all(path: &Path) -> bool {
    path.ancestors()
        .filter_map(|folder| fs::metadata(folder).ok())
        .all(|metadata| metadata.permissions().mode() & 0o001 != 0)
}
