//! Amazon OpenSearch Service and Serverless: [`HttpCluster`](super::HttpCluster) with requests signed by Signature Version 4.
//!
//! - [`address`]: what an address of AWS tells of what is behind it
//! - [`chain`]: access keys from where AWS's own tools take them
//! - [`credentials`]: where access keys come from, and when they are asked for anew
//! - [`signer`]: the signature of a request
//! - `cloudwatch`: how a domain fares, as CloudWatch sees it
//! - `collection`: what Serverless tells of a collection
//! - [`cluster`]: [`AwsCluster`], and what Serverless lacks
//! - `target`: [`AwsTarget`], a target as somebody describes it

pub mod address;
pub mod chain;
mod cloudwatch;
pub mod cluster;
mod collection;
pub mod credentials;
pub mod signer;
mod target;

pub use address::AwsAddress;
pub use chain::{AssumedRole, AwsChain, FoundCredentials};
pub use cluster::AwsCluster;
pub use credentials::{
    AwsCredentials, CredentialSource, EnvironmentCredentials, FixedCredentials, KeptCredentials,
};
pub use signer::{AwsService, AwsSigner};
pub use target::AwsTarget;
