//! The embedded cluster: a directory with one SQLite file, which people may query with any SQLite tool.
//!
//! - `database`: opening the file, transactions, errors; shared with the embedded working state
//! - `schema`: the tables and the view `documents_view`
//! - `cluster`: [`LocalCluster`] and its [`ClusterClient`](super::ClusterClient) face
//! - `indices`, `documents`: what happens inside a transaction
//! - `scan`: [`LocalScan`], all documents of an index in pages

mod cluster;
pub(crate) mod database;
mod documents;
mod indices;
mod scan;
mod schema;
#[cfg(test)]
mod tests;

pub use cluster::LocalCluster;
pub use database::FILE_NAME;
pub use scan::LocalScan;
