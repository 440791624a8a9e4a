//! Failed documents: what the target refused for good is kept, never dropped.
//!
//! A folder or object store holds, for each session, one small object a bulk request that had failures: lines of JSON,
//! compressed with zstd. It is written before the checkpoint passes these documents. Nothing is ever changed or deleted;
//! what is no longer true is outvoted:
//!
//! | object | says |
//! |---|---|
//! | `<session>/<index>/<shard>/failed-<first>-<last>-<count>-v<lease>-<random>.ndjson.zst` | these documents failed |
//! | `<session>/<index>/<shard>/void-<first>-<end>-v<lease>` | this range was sent anew: older leases' failures in it are void |
//! | `<session>/redriven/<random>.ndjson.zst` | these failures were sent again, and taken |
//!
//! | file | subject |
//! |---|---|
//! | `record` | one failed document, as a line |
//! | `class` | what kind of failure it was |
//! | `names` | the names of the objects |
//! | `standing` | which failures still hold |
//! | `store` | reading and writing |
//! | `place` | where that is, as a setting |
//! | `filter` | some of them |
//! | `redrive` | sending them again |
//! | `summary` | how many, by index and reason |
//! | `budget` | when there are too many to go on |

mod budget;
mod class;
mod filter;
mod names;
pub(crate) mod place;
mod record;
mod redrive;
mod standing;
mod store;
mod summary;

pub use budget::FailureLimit;
pub(crate) use budget::{FailureBudget, LeaseKey};
pub use class::FailureClass;
pub use filter::FailedFilter;
pub use place::require_reachable;
pub(crate) use record::Attempt;
pub use record::FailedDocument;
pub use redrive::{Redrive, Redriven};
pub use store::{FailedDocuments, FailedLog, FailedStore};
pub use summary::{FailedSummary, FailureGroup};

#[cfg(test)]
mod tests;
