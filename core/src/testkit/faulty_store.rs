//! A working state with faults on request.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use crate::cluster::Created;
use crate::coordination::{
    CasOutcome, Enrollment, ItemPage, ItemTotals, Run, Session, StoreTime, Version, Versioned,
    WorkItem, WorkStore, WorkStoreCapability,
};
use crate::{Error, ErrorKind, Result};

/// What happens to a write of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreFault {
    /// Nothing.
    #[default]
    None,
    /// It fails and nothing is written.
    Refused(ErrorKind),
    /// It is written, and the answer gets lost.
    AnswerLost(ErrorKind),
    /// It is written, and the answer says that somebody else was faster: what a client sees that repeats a request whose
    /// answer got lost.
    AnsweredAsConflict,
}

type OnWrite = Box<dyn Fn(u64, &WorkItem) -> StoreFault + Send + Sync>;

/// A store that passes everything on to another, save for faults of single compare-and-sets. They are counted from 0, in
/// the order in which they arrive.
pub struct FaultyStore {
    inner: Arc<dyn WorkStore>,
    on_write: OnWrite,
    writes: AtomicU64,
    searches: AtomicU64,
    elsewhere: bool,
    blind: bool,
}

impl FaultyStore {
    /// Decides by the write's number and the item what happens to it.
    pub fn new(
        inner: Arc<dyn WorkStore>,
        decide: impl Fn(u64, &WorkItem) -> StoreFault + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner,
            on_write: Box::new(decide),
            writes: AtomicU64::new(0),
            searches: AtomicU64::new(0),
            elsewhere: false,
            blind: false,
        }
    }

    /// Learns of the death of a worker from nothing but its leases, as a store in a cluster does.
    #[must_use]
    pub fn blind_to_the_dead(mut self) -> Self {
        self.blind = true;
        self
    }

    /// Says that workers of other machines use it.
    #[must_use]
    pub fn elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// How many compare-and-sets arrived.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// How many searches for open items arrived.
    pub fn searches(&self) -> u64 {
        self.searches.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
impl WorkStore for FaultyStore {
    fn capability(&self) -> WorkStoreCapability {
        let capability = self.inner.capability();
        WorkStoreCapability {
            remote: capability.remote || self.elsewhere,
            knows_the_dead: capability.knows_the_dead && !self.blind,
        }
    }

    fn session(&self) -> &Session {
        self.inner.session()
    }

    async fn now(&self) -> Result<StoreTime> {
        self.inner.now().await
    }

    async fn run(&self) -> Result<Option<Versioned<Run>>> {
        self.inner.run().await
    }

    async fn create_run(&self, run: &Run) -> Result<Created> {
        self.inner.create_run(run).await
    }

    async fn set_run(&self, run: &Run, expected: Version) -> Result<CasOutcome> {
        self.inner.set_run(run, expected).await
    }

    async fn create_items(&self, items: &[WorkItem]) -> Result<usize> {
        self.inner.create_items(items).await
    }

    async fn item(&self, id: &str) -> Result<Option<Versioned<WorkItem>>> {
        self.inner.item(id).await
    }

    async fn compare_and_set(&self, item: &WorkItem, expected: Version) -> Result<CasOutcome> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        match (self.on_write)(number, item) {
            StoreFault::None => self.inner.compare_and_set(item, expected).await,
            StoreFault::Refused(kind) => {
                Err(Error::new(kind, format!("write {number} was to be refused")))
            }
            StoreFault::AnswerLost(kind) => {
                self.inner.compare_and_set(item, expected).await?;
                Err(Error::new(kind, format!("the answer of write {number} was to be lost")))
            }
            StoreFault::AnsweredAsConflict => {
                self.inner.compare_and_set(item, expected).await?;
                Ok(CasOutcome::Conflict)
            }
        }
    }

    async fn open_items(
        &self,
        expired_before: StoreTime,
        from_sort_key: u64,
        limit: usize,
    ) -> Result<Vec<Versioned<WorkItem>>> {
        self.searches.fetch_add(1, Ordering::SeqCst);
        self.inner.open_items(expired_before, from_sort_key, limit).await
    }

    async fn items(&self, after: Option<&str>, limit: usize) -> Result<ItemPage> {
        self.inner.items(after, limit).await
    }

    async fn unfinished(&self) -> Result<u64> {
        self.inner.unfinished().await
    }

    async fn totals(&self) -> Result<ItemTotals> {
        self.inner.totals().await
    }

    async fn enroll(&self, worker: &str) -> Result<Box<dyn Enrollment>> {
        self.inner.enroll(worker).await
    }

    async fn held_by(&self, worker: &str) -> Result<Vec<Versioned<WorkItem>>> {
        self.inner.held_by(worker).await
    }

    async fn departed(&self) -> Result<Vec<Versioned<WorkItem>>> {
        if self.blind { Ok(Vec::new()) } else { self.inner.departed().await }
    }

    async fn workers(&self) -> Result<u64> {
        self.inner.workers().await
    }

    async fn drop_session(&self) -> Result<()> {
        self.inner.drop_session().await
    }
}
