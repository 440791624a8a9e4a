//! What Elasticsearch and OpenSearch make of stored fields: ids, routing, sources.

mod document;
mod id;

pub use document::{DocumentState, RootDocument, StoredDocument};
pub(crate) use document::{FieldRole, NumberCoding, document};
