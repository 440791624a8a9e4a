//! [`HttpCluster`]: OpenSearch and Elasticsearch over HTTP.
//!
//! | file | subject |
//! |---|---|
//! | [`config`] | where the cluster is and how to speak with it |
//! | [`secret`] | a value that is never shown |
//! | [`auth`] | who we say we are |
//! | [`tls`] | whom we believe |
//! | `endpoints` | several addresses of one cluster, and which of them to ask |
//! | `request` | what is asked |
//! | `transport` | one request to one endpoint after another, until one answers |
//! | `retry_after` | how long a server asks us to wait |
//! | `refusal` | an answer that is no success becomes an error |
//! | `identity` | whose server it is, and which version |
//! | `dialect` | what differs from version to version |
//! | `buffers`, `bulk_body`, `bulk_answer` | documents to bytes, and answers to outcomes |
//! | `indices`, `data_streams`, `health` | making and listing indices and data streams, how the cluster fares |
//! | [`cluster`] | all of it as a `ClusterClient` |

pub mod auth;
mod buffers;
mod bulk_answer;
mod bulk_body;
pub mod cluster;
pub mod config;
mod data_streams;
mod dialect;
mod endpoints;
mod health;
mod identity;
mod indices;
mod refusal;
mod request;
mod retry_after;
pub mod secret;
pub mod tls;
mod transport;

pub use auth::{Auth, RequestSigner, SignedHeaders, Unsigned};
pub use cluster::HttpCluster;
pub use config::{Compression, HttpConfig};
pub use secret::Secret;
pub use tls::TlsConfig;

#[cfg(test)]
mod tests;
