//! The working state in an index of a cluster, for workers on many machines.
//!
//! | file | subject |
//! |---|---|
//! | `store` | `IndexWorkStore` |
//! | `access` | requests to the index |
//! | `answer` | what answers mean |
//! | `definition` | how the index is made, and how ours is told from another's |
//! | `document` | a run or an item as a document, with what it is searched and summed up by |
//! | `query` | what is searched for |
//! | `totals` | one aggregated search becomes sums |
//! | `clock` | the cluster's clock, carried forward between looks at it |
//! | `dialect` | what differs from version to version |

mod access;
mod answer;
mod clock;
mod definition;
mod dialect;
mod document;
mod query;
mod store;
#[cfg(test)]
mod tests;
mod totals;

pub use clock::CLOCK_ERROR;
pub use store::IndexWorkStore;
