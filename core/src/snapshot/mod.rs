//! Snapshot repositories: from a location to the documents of a shard.
//!
//! | file | subject |
//! |---|---|
//! | `location` | a path or URL becomes a blob store |
//! | `blobs` | reading whole blobs, ranges and listings, with limits |
//! | `frame` | the codec frame and compression of metadata blobs |
//! | `xcontent` | SMILE and JSON into typed values |
//! | `catalogue` | `index-N`: which snapshots and indices there are |
//! | `info` | `snap-<uuid>.dat` at the root: one snapshot |
//! | `index_metadata` | settings, mappings and aliases of one index |
//! | `version` | the product version behind a version id |
//! | `manifest` | `snap-<uuid>.dat` of a shard: its files |
//! | `shard_files` | those files as a Lucene directory |
//! | `source` | making a stored `_source` fit one line |
//! | `documents` | the documents of a shard as a stream bounded by bytes |
//! | `repository`, `snapshot`, `shard` | the handles that callers hold |

mod blobs;
mod catalogue;
mod documents;
mod frame;
mod index_metadata;
mod info;
mod limits;
mod location;
mod manifest;
mod repository;
mod shard;
mod shard_files;
#[allow(clippy::module_inception)]
mod snapshot;
mod source;
mod version;
mod xcontent;

pub(crate) use location::{Location, locate};

pub use documents::{DocumentStream, DocumentsOptions, ReadPoint, SegmentPoint, ShardBatch};
pub use index_metadata::IndexMetadata;
pub use info::{ShardFailure, SnapshotInfo, SnapshotState};
pub use repository::{Repository, SnapshotSummary};
pub use shard::{Shard, ShardSize};
pub use snapshot::{Snapshot, SnapshotIndex};
pub use version::{Distribution, SourceVersion};
