//! Reads the stored documents of Lucene indices: bytes in, documents out.
//!
//! What Elasticsearch 1 to 9 and OpenSearch 1 to 3 write, that is Lucene 4.1 to 10.5, without a JVM. No I/O: the
//! caller supplies the files through [`Directory`]. Nothing in here panics on hostile bytes: every length is
//! checked before it is believed ([`limits`]), and every error names the file and what was expected.
//!
//! ```
//! use std::sync::Arc;
//! use snapfill_lucene::{Commit, Directory, DocumentState, ReadPosition, Result, Segment};
//!
//! fn print_ids(directory: Arc<dyn Directory>) -> Result<()> {
//!     for commit in Commit::open(&*directory)?.segments() {
//!         let segment = Segment::open(Arc::clone(&directory), commit)?;
//!         let mut documents = segment.documents(ReadPosition::start())?;
//!         while let Some(chunk) = documents.next_chunk()? {
//!             for document in chunk.documents() {
//!                 if let DocumentState::Root(root) = document?.state {
//!                     println!("{}", root.id);
//!                 }
//!             }
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Readers are chosen by the codec name in each file's own header, one module a format; a format that is not known
//! is [`Error::Unsupported`] with its name, never a guess. So a segment of an older version is read in a newer index,
//! too. Of Lucene 4.0 everything is read but the stored fields, which it kept in a format of its own.
//!
//! Every checksum there is gets verified: small files whole, the `.fdt` while it is read. Lucene 4.0 to 4.7 wrote
//! none except for the commit; of their files only the structure can be checked.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod codec;
mod commit;
mod compound;
mod cursor;
mod directory;
mod doc_values;
mod elasticsearch;
mod error;
mod field_infos;
pub mod limits;
mod live_docs;
mod monotonic;
mod segment;
mod segment_info;
mod stored;

pub use commit::{Commit, SegmentCommit};
pub use directory::{Directory, MemoryDirectory};
pub use elasticsearch::{DocumentState, RootDocument, StoredDocument};
pub use error::{Error, Result, SourceError};
pub use segment::Segment;
pub use stored::{Chunk, Documents, ReadPosition, StoredDocuments};

#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod mutations;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod test_support;
#[cfg(test)]
#[path = "../tests/support/writer.rs"]
mod test_writer;
