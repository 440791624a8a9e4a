//! Every limit on what is believed of the input, in one table.
//!
//! A snapshot is bytes from elsewhere. A length found in it is used only after it was held against the
//! bytes that are really there and, where those allow too much, against a number from this table.
//!
//! | what is bounded | by |
//! | --- | --- |
//! | counts of maps, sets, lists and fields | the bytes left, at the fewest bytes an entry takes |
//! | strings, packed numbers, bit sets, blocks of lines | the bytes left |
//! | variable-length integers | 5 bytes and 31 bits, 9 bytes and 63 bits |
//! | segments of a commit | [`MAX_SEGMENTS`] |
//! | digits of a segment's name | [`MAX_SEGMENT_NAME_DIGITS`] |
//! | documents of a segment, and of a chunk | [`MAX_SEGMENT_DOCS`], [`MAX_CHUNK_DOCS`] |
//! | field numbers | [`MAX_FIELD_NUMBER`] |
//! | metadata files read whole | [`MAX_METADATA_BYTES`] |
//! | doc values read whole | [`WHOLE_DOC_VALUES_BYTES`] |
//! | the chunk index | [`MAX_INDEX_BLOCK_CHUNKS`], [`MAX_MONOTONIC_SHIFT`], three bytes of `.fdt` a chunk |
//! | bits of a packed number | 31 in chunk headers, 64 in the chunk index |
//! | a chunk, and so a document | [`MAX_CHUNK_BYTES`], [`MAX_STORED_CHUNK_BYTES`], the caller's own limit |
//! | what compressed bytes can stand for | [`LZ4_RATIO`], [`DEFLATE_RATIO`], [`ZSTD_STEP_BYTES`] at a time |
//! | the window of a zstd frame | [`ZSTD_WINDOW_LOG`] |
//! | memory between chunks | [`WINDOW_BYTES`], [`KEPT_OUTPUT_BYTES`] |

/// Largest number of documents of one segment (Lucene's `IndexWriter.MAX_DOCS`).
pub const MAX_SEGMENT_DOCS: u32 = (1 << 31) - 1 - 128;

/// Most segments one commit may name. Merging keeps real shards far below a thousand.
pub const MAX_SEGMENTS: u32 = 100_000;

/// Most digits of a segment's name: what a 64-bit number takes in base 36.
pub const MAX_SEGMENT_NAME_DIGITS: usize = 13;

/// Largest field number. Elasticsearch allows 1 000 fields by default; the table by number is this long at most.
pub const MAX_FIELD_NUMBER: u32 = 1 << 24;

/// Largest metadata file (`segments_N`, `.si`, `.cfe`, `.fnm`, `.liv`, `.del`, `.dvm`, `.fdm`, `.fdx`) that is read
/// whole, in bytes. The `.liv` of the largest possible segment takes a quarter of it.
pub const MAX_METADATA_BYTES: u64 = 1 << 30;

/// Largest `.dvd` that is read whole, and so checksummed, instead of the wanted range only, in bytes.
pub const WHOLE_DOC_VALUES_BYTES: u64 = 1 << 20;

/// Bytes asked for at once when stored fields are read in sequence (more when a single chunk is longer).
pub const WINDOW_BYTES: u64 = 4 << 20;

/// Longest header of a `.fdt`, in bytes: codec name, id, suffix and the three numbers behind them.
pub const STORED_HEADER_BYTES: u64 = 512;

/// Most documents of one chunk. Lucene closes a chunk after 4 096 at the latest.
pub const MAX_CHUNK_DOCS: u32 = 1 << 20;

/// Most chunks of a block of the chunk index up to Lucene 8.4 (Lucene's block size).
pub const MAX_INDEX_BLOCK_CHUNKS: usize = 1024;

/// Most bytes of one chunk once decompressed (Lucene counts them in a signed 32-bit integer). A single
/// document can be no larger.
pub const MAX_CHUNK_BYTES: u64 = (1 << 31) - 1;

/// Most bytes a chunk takes in the file: its documents, should they not compress at all, and its header.
pub const MAX_STORED_CHUNK_BYTES: u64 = MAX_CHUNK_BYTES + (64 << 20);

/// Largest block shift of a DirectMonotonic array (Lucene's own limit).
pub const MAX_MONOTONIC_SHIFT: u32 = 22;

/// Most bytes one byte of LZ4 can stand for, and what a block may have beyond that.
pub const LZ4_RATIO: u64 = 255;

/// Most bytes one byte of DEFLATE can stand for.
pub const DEFLATE_RATIO: u64 = 1032;

/// Bytes of zstd output made room for at a time: a frame can claim any length, so room follows what came out.
pub const ZSTD_STEP_BYTES: usize = 16 << 20;

/// Largest zstd window, as a power of two (the bound zstd's own tools keep by default).
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// The output buffer is given back when a chunk has made it larger than this, in bytes.
pub const KEPT_OUTPUT_BYTES: usize = 8 << 20;
