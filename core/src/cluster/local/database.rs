//! The SQLite file: opening it, transactions on a blocking thread, errors that say what to do.
//!
//! Documents and working state share one file on purpose. Its write-ahead log keeps the order of commits across connections
//! and processes, so that after a power cut a checkpoint can never be there without the documents it speaks of, even though
//! not every commit is synced (`synchronous = NORMAL`).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

use crate::{Error, ErrorKind, Result};

/// The name of the file in its directory.
pub const FILE_NAME: &str = "snapfill.db";

/// "snap", in the header of every file of ours.
const APPLICATION_ID: i32 = 0x736e_6170;

/// Raised when an older build could no longer read the file rightly.
const FORMAT: i32 = 1;

/// How long a writer waits for another process's transaction. Bulks take well below a second; a slow disk may take longer.
const BUSY: Duration = Duration::from_secs(30);

/// A part of the file with tables of its own, made when it is first needed.
pub(crate) struct Component {
    /// A table that is there exactly when the component is.
    pub(crate) table: &'static str,
    /// What makes it.
    pub(crate) statements: &'static str,
}

/// What to do about a file that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Create,
    Refuse,
}

/// What a step inside a transaction fails with.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    Other(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The result of a step inside a transaction.
pub(crate) type Step<T> = std::result::Result<T, Failure>;

/// An open file: one connection that writes, one that reads meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

impl Database {
    /// Opens the file in `dir` and makes `component` if it lacks.
    pub(crate) fn open(dir: &Path, missing: Missing, component: &Component) -> Result<Self> {
        let path = dir.join(FILE_NAME);
        if missing == Missing::Refuse && !path.is_file() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "{} has no {FILE_NAME}: check the path, or fill the directory first",
                    dir.display()
                ),
            ));
        }
        let at = |error: std::io::Error| {
            Error::new(ErrorKind::Io, format!("cannot open {}: {error}", dir.display()))
                .with_source(error)
        };
        std::fs::create_dir_all(dir).map_err(at)?;
        // The address of the cluster is part of a run's identity: one directory has one, however it was named.
        let dir = &dir.canonicalize().map_err(at)?;
        // Two processes that switch a new file to write-ahead logging at once would fail as busy without waiting.
        let path = dir.join(FILE_NAME);
        let guard = File::create(dir.join("snapfill.db.lock")).map_err(at)?;
        guard.lock().map_err(at)?;
        let explain = |failure| explain(failure, &path, "open");
        let mut writer = connect(&path).map_err(explain)?;
        prepare(&mut writer, &path, component).map_err(explain)?;
        let reader = connect(&path).map_err(explain)?;
        drop(guard);
        Ok(Self(Arc::new(Inner { path, writer: Mutex::new(writer), reader: Mutex::new(reader) })))
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Runs `work` in one transaction that takes the write lock at its beginning. Either all of it is kept or nothing.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        self.blocking(doing, move |inner| {
            let mut connection = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
        .await
    }

    /// Runs `work` on one consistent state of the file, beside any writer.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        self.blocking(doing, move |inner| {
            let mut connection = inner.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction()?;
            work(&transaction)
        })
        .await
    }

    /// Runs `work` on the connection that writes, outside any transaction.
    pub(crate) async fn configure<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        self.blocking(doing, move |inner| {
            work(&inner.writer.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Inner) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || {
            work(&inner).map_err(|failure| explain(failure, &inner.path, doing))
        });
        task.await.unwrap_or_else(|error| {
            let kind =
                if error.is_cancelled() { ErrorKind::Cancelled } else { ErrorKind::Unexpected };
            Err(Error::new(kind, format!("could not {doing}: {error}")).with_source(error))
        })
    }
}

fn connect(path: &Path) -> Step<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Holds for new files only. On SQLite's 4 KiB a usual document of 2 to 3 KiB leaves a third of its page empty.
    connection.pragma_update(None, "page_size", 16 * 1024)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // In KiB when negative. Enough for the inner nodes of the key of some ten million documents.
    connection.pragma_update(None, "cache_size", -16 * 1024)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(connection)
}

/// Checks that the file is ours, or new and empty, then makes what it lacks.
fn prepare(connection: &mut Connection, path: &Path, component: &Component) -> Step<()> {
    check(connection, path)?;
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        connection.pragma_update(None, "journal_mode", "WAL")?;
    }
    if has_table(connection, component.table)? {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.execute_batch(component.statements)?;
    transaction.commit()?;
    Ok(())
}

fn check(connection: &Connection, path: &Path) -> Step<()> {
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && format == 0 && tables == 0 {
        return Ok(());
    }
    if application != APPLICATION_ID {
        let message = format!(
            "{} is a SQLite database of another program; choose another directory",
            path.display()
        );
        return Err(Error::new(ErrorKind::State, message).into());
    }
    if format > FORMAT {
        let message = format!(
            "{} was written by a newer release (format {format}, this one reads up to {FORMAT}): \
             update, or choose another directory",
            path.display()
        );
        return Err(Error::new(ErrorKind::Unsupported, message).into());
    }
    Ok(())
}

fn has_table(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    connection.query_row(sql, [table], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

/// The public error for a failed step: what happened to which file, and what to do.
fn explain(failure: Failure, path: &Path, doing: &str) -> Error {
    use rusqlite::ErrorCode as Code;
    let error = match failure {
        Failure::Other(error) => return error,
        Failure::Sqlite(error) => error,
    };
    let (kind, advice) = match error.sqlite_error_code() {
        Some(Code::DiskFull) => (
            ErrorKind::Io,
            "the disk is full or the file has reached its size limit; nothing was half-written: \
             make room or raise the limit, then run again",
        ),
        Some(Code::SystemIoFailure) => (
            ErrorKind::Io,
            "the disk refused a read or a write; nothing was half-written: check that it has room \
             and is sound, then run again",
        ),
        Some(Code::CannotOpen | Code::ReadOnly | Code::PermissionDenied) => {
            (ErrorKind::Io, "check that the directory exists and can be written")
        }
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
            (ErrorKind::Unavailable, "another process keeps it locked")
        }
        Some(Code::NotADatabase | Code::DatabaseCorrupt) => {
            (ErrorKind::Corrupt, "it is no sound SQLite file; choose another directory")
        }
        _ => (ErrorKind::Unexpected, "this is not foreseen, please report it"),
    };
    let message = format!("cannot {doing} {}: {error}; {advice}", path.display());
    Error::new(kind, message).with_source(error)
}

/// A column that holds a number which is never negative.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}
