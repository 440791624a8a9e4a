//! The control folder: what the supervisor is told and what it says.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::fleet::WorkerProgram;
use crate::{Error, ErrorKind, Result};

/// A log that has grown beyond this is put aside when its worker begins anew.
const LOG_BYTES: u64 = 8 << 20;

/// Of the end of a log, what is looked at for the reason of a failure.
const TAIL_BYTES: u64 = 4096;

/// What the supervisor is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// Counts up with each order.
    pub(super) number: u64,
    /// Workers that are wanted.
    pub(super) workers: usize,
    /// What a worker is.
    pub(super) worker: WorkerProgram,
}

/// What the supervisor says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    /// The order that it goes by.
    pub(super) order: u64,
    /// Workers that are up.
    pub(super) running: u64,
    /// Workers that wait for their next beginning.
    pub(super) pending: u64,
    /// Workers that are going away.
    pub(super) terminating: u64,
    /// Why a worker was given up.
    pub(super) failure: Option<String>,
    /// No worker is left and the supervisor ends.
    pub(super) over: bool,
}

/// The folder through which a fleet of processes is controlled.
#[derive(Clone, Debug)]
pub(super) struct ControlFolder {
    path: PathBuf,
}

impl ControlFolder {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// One at a time gives orders, and no supervisor ends meanwhile. Waits.
    pub(super) fn lock(&self) -> Result<File> {
        std::fs::create_dir_all(&self.path).map_err(|error| failed(&self.path, error))?;
        let path = self.path.join("control.lock");
        let file = open(&path)?;
        file.lock().map_err(|error| failed(&path, error))?;
        Ok(file)
    }

    pub(super) fn order(&self) -> Result<Option<Order>> {
        self.read("order.json")
    }

    pub(super) fn give(&self, order: &Order) -> Result<()> {
        self.write("order.json", order)
    }

    pub(super) fn account(&self) -> Result<Account> {
        Ok(self.read("account.json")?.unwrap_or_default())
    }

    pub(super) fn say(&self, account: &Account) -> Result<()> {
        self.write("account.json", account)
    }

    pub(super) fn supervisor_log(&self) -> PathBuf {
        self.path.join("supervisor.log")
    }

    pub(super) fn worker_log(&self, worker: u32) -> PathBuf {
        self.path.join(format!("worker-{worker}.log"))
    }

    pub(super) fn has_supervisor(&self) -> Result<bool> {
        is_locked(&self.supervisor_log())
    }

    /// Workers that are alive, whether they have a supervisor or not.
    pub(super) fn workers_alive(&self) -> Result<u64> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(failed(&self.path, error)),
        };
        let mut alive = 0;
        for entry in entries {
            let path = entry.map_err(|error| failed(&self.path, error))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_log = name.starts_with("worker-");
            alive += u64::from(is_log && is_locked(&path)?);
        }
        Ok(alive)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.path.join(name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, error)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            let message = format!("{} cannot be understood: {error}", path.display());
            Error::new(ErrorKind::State, message)
        })
    }

    /// Whoever reads sees the old or the new, nothing between.
    fn write(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let unexpected =
            |error: serde_json::Error| Error::new(ErrorKind::Unexpected, error.to_string());
        let bytes = serde_json::to_vec(value).map_err(unexpected)?;
        let (path, new) = (self.path.join(name), self.path.join(format!("{name}.new")));
        std::fs::write(&new, bytes).map_err(|error| failed(&new, error))?;
        std::fs::rename(&new, &path).map_err(|error| failed(&path, error))
    }
}

/// A log to inherit as output, locked for as long as somebody has it as that; none if somebody has it.
pub(super) fn locked_log(path: &Path) -> Result<Option<File>> {
    if std::fs::metadata(path).is_ok_and(|found| found.len() > LOG_BYTES) && !is_locked(path)? {
        let aside = path.with_extension("log.old");
        std::fs::rename(path, &aside).map_err(|error| failed(path, error))?;
    }
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(path, error)),
    }
}

/// The last line of a log that says something; nothing where there is none.
pub(super) fn last_line(path: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned())
    };
    // It only explains an error that is told anyway.
    read().unwrap_or_default()
}

fn open(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.map_err(|error| failed(path, error))
}

fn is_locked(path: &Path) -> Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(path, error)),
    };
    // Shared, so that several may look at once.
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| false).map_err(|error| failed(path, error)),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(failed(path, error)),
    }
}

pub(super) fn failed(path: &Path, error: std::io::Error) -> Error {
    let message = format!("cannot use {}: {error}", path.display());
    Error::new(ErrorKind::Io, message).with_source(error)
}
