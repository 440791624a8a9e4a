//! [`LocalWorkStore`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::super::{
    CasOutcome, Enrollment, ItemPage, ItemTotals, Run, Session, StoreTime, Version, Versioned,
    WorkItem, WorkStore, WorkStoreCapability,
};
use super::items::{self, Stored};
use super::{runs, schema, workers};
use crate::cluster::Created;
use crate::cluster::local::database::{Database, Missing};
use crate::{Clock, Error, ErrorKind, Result};

/// A look at a worker's lock takes it for a moment, so an enrollment that is refused is tried again.
const ENROLL_TRIES: u32 = 20;
const ENROLL_WAIT: Duration = Duration::from_millis(10);

/// The working state of a session in the SQLite file `snapfill.db` of a directory, for workers of one machine.
///
/// Its clock is the wall clock of the machine, which all its processes share. The boot clock would be better, as nobody sets
/// it back, but the standard library does not offer it. A clock that is set only changes when a lease counts as run out:
/// compare-and-set keeps the state right, and the dead are known by their locks, not by time.
#[derive(Clone, Debug)]
pub struct LocalWorkStore {
    database: Database,
    session: Session,
    index: Arc<str>,
    workers: PathBuf,
    clock: Arc<dyn Clock>,
}

impl LocalWorkStore {
    /// Opens the working state of a session in a directory; makes what lacks.
    ///
    /// # Errors
    /// As [`LocalCluster::open`](crate::cluster::LocalCluster::open).
    pub fn open(dir: impl AsRef<Path>, session: Session, clock: Arc<dyn Clock>) -> Result<Self> {
        let dir = dir.as_ref();
        let database = Database::open(dir, Missing::Create, &schema::COMPONENT)?;
        let index = session.index_name();
        let workers = dir.join("workers").join(&index);
        Ok(Self { database, session, index: index.into(), workers, clock })
    }

    /// The sessions of a directory that something is planned under.
    ///
    /// # Errors
    /// `NotFound` when the directory has no file of ours.
    pub async fn sessions(dir: impl AsRef<Path>) -> Result<Vec<Session>> {
        let database = Database::open(dir.as_ref(), Missing::Refuse, &schema::COMPONENT)?;
        database.read("read", |file| runs::sessions(file)).await
    }

    /// How many workers of the session are alive, whichever process they are in.
    ///
    /// # Errors
    /// `Io` when their lock files cannot be read.
    pub async fn workers(&self) -> Result<u64> {
        let folder = self.workers.clone();
        let counted = tokio::task::spawn_blocking(move || workers::alive(&folder)).await;
        counted.unwrap_or_else(|error| Err(Error::new(ErrorKind::Unexpected, error.to_string())))
    }

    fn time(&self) -> StoreTime {
        StoreTime(u64::try_from(self.clock.wall().as_millis()).unwrap_or(u64::MAX))
    }

    /// The session's name within the file, to move into a transaction.
    fn key(&self) -> Arc<str> {
        Arc::clone(&self.index)
    }
}

#[async_trait]
impl WorkStore for LocalWorkStore {
    fn capability(&self) -> WorkStoreCapability {
        WorkStoreCapability { knows_the_dead: true, remote: false }
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn now(&self) -> Result<StoreTime> {
        Ok(self.time())
    }

    async fn run(&self) -> Result<Option<Versioned<Run>>> {
        let key = self.key();
        self.database.read("read", move |file| runs::read(file, &key)).await
    }

    async fn create_run(&self, run: &Run) -> Result<Created> {
        let (key, document) = (self.key(), run.to_json()?);
        self.database.write("write", move |file| runs::create(file, &key, &document)).await
    }

    async fn set_run(&self, run: &Run, expected: Version) -> Result<CasOutcome> {
        let (key, document) = (self.key(), run.to_json()?);
        self.database
            .write("write", move |file| runs::replace(file, &key, &document, expected))
            .await
    }

    async fn create_items(&self, items: &[WorkItem]) -> Result<usize> {
        let key = self.key();
        let items = items.iter().map(Stored::of).collect::<Result<Vec<_>>>()?;
        self.database.write("write", move |file| items::create(file, &key, &items)).await
    }

    async fn item(&self, id: &str) -> Result<Option<Versioned<WorkItem>>> {
        let (key, id) = (self.key(), id.to_owned());
        self.database.read("read", move |file| items::read(file, &key, &id)).await
    }

    async fn compare_and_set(&self, item: &WorkItem, expected: Version) -> Result<CasOutcome> {
        let (key, item) = (self.key(), Stored::of(item)?);
        self.database.write("write", move |file| items::replace(file, &key, &item, expected)).await
    }

    async fn open_items(
        &self,
        expired_before: StoreTime,
        from_sort_key: u64,
        limit: usize,
    ) -> Result<Vec<Versioned<WorkItem>>> {
        let key = self.key();
        self.database
            .read("read", move |file| items::open(file, &key, expired_before, from_sort_key, limit))
            .await
    }

    async fn items(&self, after: Option<&str>, limit: usize) -> Result<ItemPage> {
        let (key, after) = (self.key(), after.unwrap_or_default().to_owned());
        self.database.read("read", move |file| items::page(file, &key, &after, limit)).await
    }

    async fn unfinished(&self) -> Result<u64> {
        let key = self.key();
        self.database.read("read", move |file| items::unfinished(file, &key)).await
    }

    async fn totals(&self) -> Result<ItemTotals> {
        let (key, now) = (self.key(), self.time());
        self.database.read("read", move |file| items::totals(file, &key, now)).await
    }

    async fn enroll(&self, worker: &str) -> Result<Box<dyn Enrollment>> {
        for _ in 0..ENROLL_TRIES {
            if let Some(sign) = workers::sign(&self.workers, worker)? {
                return Ok(Box::new(sign));
            }
            self.clock.sleep(ENROLL_WAIT).await;
        }
        let message = format!("a worker named `{worker}` is running; give this one another name");
        Err(Error::new(ErrorKind::State, message))
    }

    async fn held_by(&self, worker: &str) -> Result<Vec<Versioned<WorkItem>>> {
        let (key, worker) = (self.key(), worker.to_owned());
        self.database.read("read", move |file| items::held(file, &key, Some(&worker))).await
    }

    async fn departed(&self) -> Result<Vec<Versioned<WorkItem>>> {
        let key = self.key();
        // The items first, the locks after: a lock that is free now was let go by whoever held the item then.
        let mut held =
            self.database.read("read", move |file| items::held(file, &key, None)).await?;
        let mut dead = std::collections::BTreeMap::new();
        for item in &held {
            let Some(holder) = &item.value.lease_holder else { continue };
            if !dead.contains_key(holder) {
                dead.insert(holder.clone(), workers::is_dead(&self.workers, holder)?);
            }
        }
        held.retain(|item| {
            item.value.lease_holder.as_ref().is_some_and(|holder| dead.get(holder) == Some(&true))
        });
        Ok(held)
    }

    async fn workers(&self) -> Result<u64> {
        Self::workers(self).await
    }

    async fn drop_session(&self) -> Result<()> {
        let key = self.key();
        self.database.write("write", move |file| runs::drop_session(file, &key)).await?;
        workers::sweep(&self.workers)
    }
}
