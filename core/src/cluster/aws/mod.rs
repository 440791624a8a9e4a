//! Amazon OpenSearch Service and Serverless: [`HttpCluster`](super::HttpCluster) with requests signed by Signature Version 4.
//!
//! - [`credentials`]: where access keys come from
//! - [`signer`]: the signature of a request
//! - [`cluster`]: [`AwsCluster`], and what Serverless lacks

pub mod cluster;
pub mod credentials;
pub mod signer;

pub use cluster::AwsCluster;
pub use credentials::{AwsCredentials, CredentialSource, EnvironmentCredentials, FixedCredentials};
pub use signer::{AwsService, AwsSigner};
