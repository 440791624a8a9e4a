//! Who works on what: work items, the rules of their leases, and the store that holds them.
//!
//! - [`time`]: [`StoreTime`], the clock of the store
//! - [`session`]: [`Session`], the name of a run
//! - [`work_item`]: [`WorkItem`], a range of documents of a shard, its [`Checkpoint`] and its books
//! - [`lease`]: [`lease::apply`], every rule there is, as one pure function
//! - [`run`]: [`Run`], what a session is about, written once and obeyed by all
//! - [`rate`]: [`Rate`], how fast workers are
//! - [`totals`]: [`ItemTotals`], what a status shows
//! - `coverage`: whether items cover their shards without gap or overlap
//! - [`store`]: the trait [`WorkStore`], compare-and-set over work items
//! - [`coordinator`], `held`: [`Coordinator`] and [`Held`], what a planner and a worker use
//! - `index`: `IndexWorkStore`, in an index of a cluster (feature `http`)
//! - [`local`]: [`LocalWorkStore`], in the SQLite file of the embedded cluster (feature `local`)

pub mod coordinator;
mod coverage;
mod held;
#[cfg(feature = "http")]
pub mod index;
pub mod lease;
#[cfg(feature = "local")]
pub mod local;
pub(crate) mod random;
pub mod rate;
pub mod run;
pub mod session;
pub mod store;
pub mod time;
pub mod totals;
pub mod work_item;

pub use coordinator::{Coordinator, Standing};
pub use held::Held;
#[cfg(feature = "http")]
pub use index::IndexWorkStore;
pub use lease::{FailureCause, LeaseEvent, LeaseRefusal, LeaseRules, LeaseToken, Progress};
#[cfg(feature = "local")]
pub use local::LocalWorkStore;
pub use rate::Rate;
pub use run::{Run, SnapshotName};
pub use session::Session;
pub use store::{
    CasOutcome, Enrollment, ItemPage, Version, Versioned, WorkStore, WorkStoreCapability,
};
pub use time::StoreTime;
pub use totals::{FailedItem, IndexTotals, ItemTotals, Part, Tally};
pub use work_item::{Checkpoint, SegmentProgress, WorkItem};
