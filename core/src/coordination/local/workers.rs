//! Lock files that tell the living from the dead: the operating system gives up a process's locks however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::super::Enrollment;
use crate::{Error, ErrorKind, Result};

/// A worker's locked file.
#[derive(Debug)]
pub(super) struct Sign {
    worker: String,
    /// The file itself stays: removing it would let two workers lock two files of one name.
    file: File,
}

impl Drop for Sign {
    fn drop(&mut self) {
        // Closing is not enough: a child process that begins just now has a copy of the file until it runs its program, and
        // one that runs none for as long as it lives. Where it cannot be unlocked, closing is what is left.
        let _ = self.file.unlock();
    }
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
        Ok(()) => Ok(Some(Sign { worker: worker.to_owned(), file })),
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
    is_free(&file).map_err(|error| failed(&path, error))
}

/// Whether nobody has this file locked. It is not locked afterwards either, not even by a copy of it in a child process.
fn is_free(file: &File) -> std::io::Result<bool> {
    // Shared, so that several may look at once.
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
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
        alive += u64::from(matches!(is_free(&file), Ok(false)));
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
        let is_dead = File::open(&path).is_ok_and(|file| matches!(is_free(&file), Ok(true)));
        if is_dead {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy stands for the one that a child process has between its beginning and its program.
    #[test]
    fn a_worker_that_ends_is_dead_at_once_though_a_child_process_has_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let sign = sign(dir.path(), "w").unwrap().unwrap();
        let _inherited = sign.file.try_clone().unwrap();
        assert!(!is_dead(dir.path(), "w").unwrap());
        assert_eq!(alive(dir.path()).unwrap(), 1);
        drop(sign);
        assert!(is_dead(dir.path(), "w").unwrap());
        assert_eq!(alive(dir.path()).unwrap(), 0);
    }

    #[test]
    fn a_look_that_a_child_process_inherits_refuses_nobody() {
        let dir = tempfile::tempdir().unwrap();
        drop(sign(dir.path(), "w").unwrap());
        let look = File::open(file(dir.path(), "w").unwrap()).unwrap();
        let _inherited = look.try_clone().unwrap();
        assert!(is_free(&look).unwrap());
        drop(look);
        assert!(sign(dir.path(), "w").unwrap().is_some());
    }
}
