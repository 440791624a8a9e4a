//! The target: what a search cluster must be able to do to be filled, and the embedded one.
//!
//! - [`address`]: [`TargetAddress`], where a target is
//! - [`client`]: the trait [`ClusterClient`], its sugar [`ClusterClientExt`]
//! - [`capability`]: what an implementation can do
//! - [`info`]: who a cluster is and how it fares
//! - [`index`], [`index_row`]: making an index, listing them
//! - [`bulk`]: a bulk request and what became of each of its documents
//! - `http`: `HttpCluster`, OpenSearch and Elasticsearch over HTTP (feature `http`)
//! - `aws`: `AwsCluster`, the same with signed requests (feature `aws`)
//! - [`local`]: [`LocalCluster`], a directory with a SQLite file (feature `local`)

pub mod address;
#[cfg(feature = "aws")]
pub mod aws;
pub mod bulk;
pub mod capability;
pub mod client;
#[cfg(feature = "http")]
pub mod http;
pub mod index;
pub mod index_row;
pub mod info;
#[cfg(feature = "local")]
pub mod local;

pub use address::TargetAddress;
pub use bulk::{BulkBody, BulkOperation, BulkOutcome, ItemError, ItemOutcome};
pub use capability::ClusterCapability;
pub use client::{ClusterClient, ClusterClientExt};
#[cfg(feature = "http")]
pub use http::{HttpCluster, HttpConfig};
pub use index::{Created, DataStreamDefinition, IndexDefinition};
pub use index_row::IndexRow;
pub use info::{ClusterHealth, ClusterInfo, DiskWatermark, Distribution, HealthStatus};
#[cfg(feature = "local")]
pub use local::{LocalCluster, LocalScan};
