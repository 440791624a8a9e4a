//! In which folder an archive lies, and under which name.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::{Error, ErrorKind, Result};

/// The folder for archives below the one that is shared with others.
const FOLDER: &str = "backfill_working_state";

/// The variable that names the folder which is shared with others.
const SHARED: &str = "SHARED_LOGS_DIR_PATH";

/// Names that are tried, a second apart: a name that is taken is somebody else's archive.
const TRIES: i64 = 120;

/// The folder for archives: the one that is given, or `$SHARED_LOGS_DIR_PATH/backfill_working_state`, or else
/// `./backfill_working_state`.
pub fn archive_folder(given: Option<&Path>) -> PathBuf {
    if let Some(folder) = given {
        return folder.to_owned();
    }
    match std::env::var_os(SHARED).filter(|value| !value.is_empty()) {
        Some(shared) => Path::new(&shared).join(FOLDER),
        None => Path::new(".").join(FOLDER),
    }
}

/// Makes the file for an archive of this time, and its folder.
pub(super) fn create(folder: &Path, now: Duration) -> Result<(PathBuf, File)> {
    let made = std::fs::create_dir_all(folder).and_then(|()| std::fs::canonicalize(folder));
    let folder = made.map_err(|error| {
        let message = format!(
            "cannot make the folder {} for the archive: {error}; name another by `--archive-dir`",
            folder.display()
        );
        Error::new(ErrorKind::Io, message).with_source(error)
    })?;
    let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
    for later in 0..TRIES {
        let path = folder.join(name(seconds + later)?);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                let message = format!("cannot make the archive {}: {error}", path.display());
                return Err(Error::new(ErrorKind::Io, message).with_source(error));
            }
        }
    }
    let message = format!("the folder {} is full of archives of this minute", folder.display());
    Err(Error::new(ErrorKind::Io, message))
}

fn name(seconds: i64) -> Result<String> {
    let time = Timestamp::from_second(seconds)
        .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
    Ok(format!("working_state_backup_{}.json", time.strftime("%Y%m%d%H%M%S")))
}

/// Has the folder's entries survive a power cut.
pub(super) fn sync(folder: &Path) -> Result<()> {
    // Not every system lets a folder be opened; then its entries are its own affair.
    if let Ok(folder) = File::open(folder) {
        folder.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_known_and_none_is_taken_twice() {
        let folder = tempfile::tempdir().unwrap();
        let now = Duration::from_secs(1_731_709_102);
        let names: Vec<_> = (0..2)
            .map(|_| create(&folder.path().join("deep"), now).unwrap().0)
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            names,
            [
                "working_state_backup_20241115221822.json",
                "working_state_backup_20241115221823.json"
            ]
        );
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = create(file.path(), Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains(file.path().to_str().unwrap()), "{error}");
    }
}
