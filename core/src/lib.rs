//! snapfill fills a search cluster with the documents of an Elasticsearch or OpenSearch snapshot.
//!
//! The way of the data, one direction, each arrow a function of the value before it:
//!
//! ```text
//! snapshot repository ─► snapshot ─► index ─► shard ─► segments ─► documents ─► bulks ─► acknowledgements ─► checkpoint
//! └───────── snapshot ───────────────────────────────────────────┘ └─ pipeline ─────────────┘ └─ coordination ──┘
//! ```

mod books;
mod clock;
pub mod cluster;
#[cfg(feature = "local")]
pub mod controller;
pub mod coordination;
mod document;
mod error;
#[cfg(feature = "local")]
pub mod failed;
#[cfg(feature = "local")]
pub mod fleet;
mod hit;
#[cfg(feature = "local")]
mod pipeline;
pub mod preparation;
pub mod retry;
mod secret;
#[cfg(feature = "local")]
pub mod settings;
#[cfg(all(test, feature = "local"))]
mod simulation;
pub mod snapshot;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
mod transform;

pub use books::{Books, SkipReason};
pub use clock::{Clock, ManualClock, SystemClock};
pub use document::{Document, DocumentBatch, DocumentBatchBuilder, DocumentPlaces, DocumentRef};
pub use error::{Error, ErrorKind, Result};
pub use hit::write_hit;
pub use secret::Secret;
pub use transform::{Transform, Transformed};

/// The code of the README compiles.
#[cfg(all(doctest, feature = "local"))]
#[doc = include_str!("../../README.md")]
struct Readme;

/// So does that of the page on transforms.
#[cfg(all(doctest, feature = "local"))]
#[doc = include_str!("../../docs/transform.md")]
struct TransformPage;
