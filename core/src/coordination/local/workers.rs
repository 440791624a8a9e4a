//! Lock files that tell the living from the dead: the operating system gives up a process's locks however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::super::Enrollment;
use crate::{Error, ErrorKind, Result};

/// A worker's locked file.
#[derive(Debug)]
pub(super) struct Sign {
    worker: String,
    /// Unlocked when closed. The file itself stays: removing it would let two workers lock two files of one name.
    _file: File,
}

impl Enrollment for Sign {
    fn worker(&self) -> &str {
        &self.worker
    }
}

/// Locks the file of `worker`; none if somebody has it.
pub(super) fn sign(dir: &Path, worker: &str) -> Result<Option<Sign>> {
    let path = file(dir, worker)?;
    let at = |error| failed(&path, error);
    std::fs::create_dir_all(dir).map_err(at)?;
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(at)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Sign { worker: worker.to_owned(), _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(at(error)),
    }
}

/// Whether `worker` once enrolled here and is gone. One that never enrolled is not judged.
pub(super) fn is_dead(dir: &Path, worker: &str) -> Result<bool> {
    // A name that cannot enroll never did.
    let Ok(path) = file(dir, worker) else { return Ok(false) };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(&path, error)),
    };
    // Shared, so that several may look at once.
    match file.try_lock_shared() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(failed(&path, error)),
    }
}

/// How many workers are alive.
pub(super) fn alive(dir: &Path) -> Result<u64> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(failed(dir, error)),
    };
    let mut alive = 0;
    for entry in entries {
        let path = entry.map_err(|error| failed(dir, error))?.path();
        // A file that went away meanwhile was a dead worker's.
        let Ok(file) = File::open(&path) else { continue };
        alive += u64::from(matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)));
    }
    Ok(alive)
}

/// Removes the files of the dead.
pub(super) fn sweep(dir: &Path) -> Result<()> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(dir, error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| failed(dir, error))?.path();
        let is_free = File::open(&path).is_ok_and(|file| file.try_lock_shared().is_ok());
        if is_free {
            std::fs::remove_file(&path).map_err(|error| failed(&path, error))?;
        }
    }
    Ok(())
}

/// Names are not to lead out of the directory: anything unusual is written as `%` and two digits.
fn file(dir: &Path, worker: &str) -> Result<PathBuf> {
    let mut name = String::with_capacity(worker.len());
    for byte in worker.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    if name.is_empty() || name.len() > 200 {
        let message = format!("`{worker}` cannot name a worker: use 1 to 200 letters and digits");
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(dir.join(format!("{name}.lock")))
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    let message = format!("cannot use {}: {error}", path.display());
    Error::new(ErrorKind::Io, message).with_source(error)
}
