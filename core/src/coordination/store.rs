//! What a place for the working state must supply.

use std::fmt;

use async_trait::async_trait;

use super::{ItemTotals, Run, Session, StoreTime, WorkItem};
use crate::Result;
use crate::cluster::Created;

/// What an implementation of [`WorkStore`] can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkStoreCapability {
    /// It knows at once when an enrolled worker has died; otherwise its leases must run out.
    pub knows_the_dead: bool,
    /// Workers on other machines can use it.
    pub remote: bool,
}

/// Which state of a document it is. Opaque: only equality means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// A primary term, where the store has them.
    pub term: u64,
    /// A sequence number or version.
    pub number: u64,
}

/// A value and which state of its document it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Its state.
    pub version: Version,
}

/// What became of a compare-and-set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CasOutcome {
    /// It is written, and this is its version now.
    Done(Version),
    /// Somebody else changed or deleted it: read it again.
    Conflict,
}

/// Some of the items, and where to go on.
#[derive(Clone, Debug, Default)]
pub struct ItemPage {
    /// The items.
    pub items: Vec<Versioned<WorkItem>>,
    /// What to ask with for those that follow; none after the last.
    pub next: Option<String>,
}

/// A worker's sign of life: while it exists, the worker is not taken for dead.
pub trait Enrollment: Send + Sync + fmt::Debug {
    /// Whose.
    fn worker(&self) -> &str;
}

/// The working state of one session: compare-and-set over work items and the run they belong to.
///
/// A store decides nothing: the rules are in [`lease`](super::lease), and [`Coordinator`](super::Coordinator) applies them.
/// Calls that cannot reach the store fail with `Unavailable`; none is repeated here.
#[async_trait]
pub trait WorkStore: Send + Sync + fmt::Debug {
    /// What this implementation can do.
    fn capability(&self) -> WorkStoreCapability;

    /// The session it is about.
    fn session(&self) -> &Session;

    /// The store's clock.
    ///
    /// # Errors
    /// As said at the trait.
    async fn now(&self) -> Result<StoreTime>;

    /// What the session is about, if anything was planned.
    ///
    /// # Errors
    /// `State` when the place is taken by something that is not ours.
    async fn run(&self) -> Result<Option<Versioned<Run>>>;

    /// Writes the run unless there is one.
    ///
    /// # Errors
    /// As [`WorkStore::run`].
    async fn create_run(&self, run: &Run) -> Result<Created>;

    /// Replaces the run if it is still in the state `expected`.
    ///
    /// # Errors
    /// As said at the trait.
    async fn set_run(&self, run: &Run, expected: Version) -> Result<CasOutcome>;

    /// Writes those items that are not there yet and says how many that were. The run is there before its items.
    ///
    /// # Errors
    /// `State` when nothing is planned, or the session was deleted meanwhile: a planner that is late revives nothing. As said
    /// at the trait; some may have been written.
    async fn create_items(&self, items: &[WorkItem]) -> Result<usize>;

    /// One item.
    ///
    /// # Errors
    /// As said at the trait.
    async fn item(&self, id: &str) -> Result<Option<Versioned<WorkItem>>>;

    /// Replaces an item if it is still in the state `expected`; one that is gone is a conflict and is not made anew.
    ///
    /// # Errors
    /// As said at the trait. It may have been written.
    async fn compare_and_set(&self, item: &WorkItem, expected: Version) -> Result<CasOutcome>;

    /// Up to `limit` items that are claimable ([`WorkItem::is_claimable`]), in the order of their sort key from
    /// `from_sort_key`, then from the lowest. What was written since the items were last counted or listed may be missing or
    /// stale; those calls see all that was written before them.
    ///
    /// # Errors
    /// As said at the trait.
    async fn open_items(
        &self,
        expired_before: StoreTime,
        from_sort_key: u64,
        limit: usize,
    ) -> Result<Vec<Versioned<WorkItem>>>;

    /// All items in pages of at most `limit`, in some stable order.
    ///
    /// # Errors
    /// As said at the trait.
    async fn items(&self, after: Option<&str>, limit: usize) -> Result<ItemPage>;

    /// How many items are neither completed nor quarantined.
    ///
    /// # Errors
    /// As said at the trait.
    async fn unfinished(&self) -> Result<u64>;

    /// All items, summed up.
    ///
    /// # Errors
    /// As said at the trait.
    async fn totals(&self) -> Result<ItemTotals>;

    /// Announces a worker. It is alive until the enrollment is dropped or its process ends, however it ends. Workers enroll
    /// before they lease and keep the enrollment as long as they hold anything.
    ///
    /// # Errors
    /// `State` when a worker of this name is alive, where the store knows.
    async fn enroll(&self, worker: &str) -> Result<Box<dyn Enrollment>>;

    /// Items that this worker holds, whether or not the lease has run out.
    ///
    /// # Errors
    /// As said at the trait.
    async fn held_by(&self, worker: &str) -> Result<Vec<Versioned<WorkItem>>>;

    /// Items whose holder is known to be dead. Their versions are from before that became known: a compare-and-set with one
    /// cannot hit a later lease of a worker that took the dead one's name.
    ///
    /// # Errors
    /// As said at the trait.
    async fn departed(&self) -> Result<Vec<Versioned<WorkItem>>>;

    /// How many workers are at it, as far as the store can tell: those that are enrolled where it knows the dead, else those
    /// that hold a lease which runs.
    ///
    /// # Errors
    /// As said at the trait.
    async fn workers(&self) -> Result<u64>;

    /// Deletes the run and all items.
    ///
    /// # Errors
    /// As said at the trait.
    async fn drop_session(&self) -> Result<()>;
}
