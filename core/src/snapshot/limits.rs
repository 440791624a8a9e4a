//! What a repository may claim before it is disbelieved. A snapshot is bytes from elsewhere.
//!
//! | limit | what is refused | enforced in |
//! |---|---|---|
//! | [`METADATA_BLOB_BYTES`] | a larger metadata blob, before it is read | `blobs` |
//! | [`METADATA_DOCUMENT_BYTES`] | a metadata document that grows past it when it is decompressed | `frame`, `lzf` |
//! | [`DOCUMENT_BYTES`] | a larger document, unless another limit is asked for; a compressed `_source` that grows past it | `documents`, `source` |
//! | [`ZSTD_WINDOW_LOG`] | a zstd frame that asks for a larger window | `frame` |
//! | [`NESTING`] | a `_source` in CBOR or YAML nested deeper; JSON and SMILE readers stop at 128 by themselves | `source` |
//! | [`SHARD_FILES`] | a manifest of more files | `manifest` |
//! | [`FILE_PARTS`] | a file in more parts | `manifest` |
//! | [`INDEX_SHARDS`] | an index of more shards | `index_metadata` |
//! | no number | names of files and blobs that are empty, `.`, `..`, or hold `/`, `\` or NUL | `manifest` |
//! | no number | paths that lead out of the repository | `blobs` |
//!
//! What a shard's own files may claim stands in `snapfill_lucene::limits`.

/// The largest metadata blob that is read, in bytes.
pub(crate) const METADATA_BLOB_BYTES: u64 = 512 << 20;

/// The largest metadata document after decompression, in bytes.
pub(crate) const METADATA_DOCUMENT_BYTES: usize = 2 << 30;

/// A metadata document of up to so many bytes may come out of a blob of any length.
pub(crate) const METADATA_FREE_BYTES: usize = 16 << 20;

/// Bytes that one byte of a blob may stand for in a larger metadata document. Large ones are lists of files, whose names
/// are random, and compress to a fifth; a bomb is a thousand times its blob.
pub(crate) const METADATA_RATIO: usize = 32;

/// The largest document that is read unless another limit is asked for, in bytes. Servers take requests of 100 MB by
/// default.
pub(crate) const DOCUMENT_BYTES: u64 = 256 << 20;

/// Bytes that smaller documents of the same chunk may have beside the largest: chunks are closed at 480 KiB or sooner.
pub(crate) const CHUNK_SLACK_BYTES: u64 = 1 << 20;

/// The largest zstd window (as a power of two) that is allocated.
pub(crate) const ZSTD_WINDOW_LOG: u32 = 27;

/// Objects and lists within each other.
pub(crate) const NESTING: usize = 200;

/// Files of one shard.
pub(crate) const SHARD_FILES: usize = 1_000_000;

/// Parts of one file.
pub(crate) const FILE_PARTS: u64 = 100_000;

/// Shards of one index: servers allow 1024 by default, operators may raise it.
pub(crate) const INDEX_SHARDS: u32 = 100_000;
