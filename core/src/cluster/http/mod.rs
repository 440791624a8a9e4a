//! [`HttpCluster`]: OpenSearch and Elasticsearch over HTTP.
//!
//! | file | subject |
//! |---|---|
//! | [`config`] | where the cluster is and how to speak with it |
//! | [`auth`] | who we say we are |
//! | [`tls`] | whom we believe |
//! | `endpoints` | several addresses of one cluster, and which of them to ask |
//! | `request` | what is asked |
//! | `transport` | one request to one endpoint after another, until one answers |
//! | `retry_after` | how long a server asks us to wait |
//! | `refusal` | an answer that is no success becomes an error |
//! | `identity` | whose server it is, and which version |
//! | `dialect` | what differs from version to version |
//! | `service` | what a service behind an address lacks |
//! | [`server_ids`] | whose ids documents get |
//! | `buffers`, `parts`, `bulk_body`, `bulk_answer` | documents to bytes, and answers to outcomes |
//! | `indices`, `data_streams`, `health` | making and listing indices and data streams, how the cluster fares |
//! | `json_rpc` | calls to services of AWS that take JSON |
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
#[cfg(feature = "aws")]
mod json_rpc;
mod parts;
mod refusal;
mod request;
mod retry_after;
pub mod server_ids;
mod service;
pub mod tls;
mod transport;

pub(crate) use dialect::Dialect;
pub(crate) use identity::numbers;
pub(crate) use indices::ALREADY_THERE;
pub(crate) use refusal::{Complaint, NO_INDEX, PASSING, refusal};
pub(crate) use request::{Body, Request};
pub(crate) use transport::Answer;
#[cfg(feature = "s3")]
pub(crate) use transport::{reason, tls_error};

pub use crate::Secret;
pub use auth::{Auth, RequestSigner, SignedHeaders, Unsigned};
pub use cluster::HttpCluster;
pub use config::{Compression, HttpConfig};
pub use server_ids::ServerIds;
pub use tls::TlsConfig;

#[cfg(feature = "aws")]
pub(in crate::cluster) use json_rpc::JsonRpc;
#[cfg(feature = "aws")]
pub(in crate::cluster) use service::{Management, Service};

#[cfg(test)]
pub(crate) mod tests;
