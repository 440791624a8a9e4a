//! Snapshot repositories: from a location to the documents of a shard.
//!
//! | file | subject |
//! |---|---|
//! | `location` | a path or URL becomes a blob store |
//! | `s3` | buckets of S3 |
//! | `blobs` | reading whole blobs, ranges and listings, with limits |
//! | `frame` | the codec frame and compression of metadata blobs |
//! | `xcontent` | SMILE and JSON into typed values |
//! | `lzf` | the compression of Elasticsearch 1 |
//! | `layout` | how the blobs of one snapshot are named and wrapped |
//! | `options` | what a caller knows of a repository besides its location |
//! | `catalogue` | `index-N`: which snapshots and indices there are |
//! | `uncatalogued` | the same for Elasticsearch 1 and 2, which have no catalogue |
//! | `info` | `snap-<uuid>.dat` at the root: one snapshot |
//! | `index_metadata` | settings, mappings and aliases of one index |
//! | `version` | the product version behind a version id |
//! | `manifest` | `snap-<uuid>.dat` of a shard: its files |
//! | `shard_place` | where a shard lies, and which blob lists its files |
//! | `shard_path` | OpenSearch's hashed paths |
//! | `remote_store` | where the files of a shallow snapshot lie |
//! | `shard_files` | those files as a Lucene directory |
//! | `source` | making a stored `_source` fit one line |
//! | `documents` | the documents of a shard as a stream bounded by bytes |
//! | `snapshot_documents` | those of a whole snapshot, shard after shard |
//! | `repository`, `snapshot`, `shard` | the handles that callers hold |

mod blobs;
mod catalogue;
mod documents;
mod frame;
#[cfg(test)]
mod fuzzing;
mod index_metadata;
mod info;
mod layout;
mod limits;
mod location;
mod lzf;
mod manifest;
mod options;
mod remote_store;
mod repository;
mod s3;
mod shard;
mod shard_files;
mod shard_path;
mod shard_place;
#[allow(clippy::module_inception)]
mod snapshot;
mod snapshot_documents;
mod source;
mod uncatalogued;
mod version;
mod xcontent;

#[cfg(feature = "local")]
pub(crate) use blobs::explain_store;
#[cfg(feature = "local")]
pub(crate) use location::{Location, locate, locate_folder, url_of};

#[cfg(all(test, feature = "local"))]
pub(crate) use documents::Feed;
pub use documents::{
    DocumentStream, DocumentsOptions, ReadPoint, SegmentPart, SegmentPoint, ShardBatch,
};
pub use index_metadata::IndexMetadata;
pub use info::{ShardFailure, SnapshotInfo, SnapshotState};
pub use options::RepositoryOptions;
pub use repository::{Repository, SnapshotSummary};
pub use s3::{S3Options, S3Role};
pub use shard::{Shard, ShardSize};
pub use snapshot::{Snapshot, SnapshotIndex};
pub use snapshot_documents::{PlaceOfBatch, SnapshotDocuments};
#[cfg(feature = "local")]
pub(crate) use source::one_line;
pub use version::{Distribution, SourceVersion};
