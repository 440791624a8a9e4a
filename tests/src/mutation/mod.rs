//! Whole snapshots with one byte or one length wrong.
//!
//! A [`Specimen`] is a small repository in memory with the documents that must come out of it. [`Damage`] is one flip or
//! one cut of one of its blobs. Reading the damaged repository may fail; if it does not, [`Reading`] must be what the
//! specimen's is. What comes out before a failure is held against the expected documents too.

mod damage;
mod reading;
mod specimen;
mod store;

pub use damage::Damage;
pub use reading::{Reading, Verdict};
pub use specimen::{Blob, Specimen};
pub use store::{Budget, CountingStore};
