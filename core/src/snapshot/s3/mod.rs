//! Buckets of S3, over `object_store`.
//!
//! | file | subject |
//! |---|---|
//! | `options` | how a bucket is reached, as data |
//! | `bucket` | what an `s3://` URL names |
//! | `endpoint` | whom to ask for a bucket |
//! | `store` | the bucket as an object store |
//! | `keys` | access keys for it |
//! | `transport` | its requests, over the HTTP client of the targets |
//! | `refusal` | what S3 refuses, and what to do |

#[cfg(feature = "s3")]
mod bucket;
#[cfg(feature = "s3")]
mod endpoint;
#[cfg(feature = "s3")]
mod keys;
mod options;
#[cfg(feature = "s3")]
mod refusal;
#[cfg(feature = "s3")]
mod store;
#[cfg(feature = "s3")]
mod transport;

#[cfg(feature = "s3")]
pub(super) use bucket::Bucket;
pub use options::{S3Options, S3Role};
#[cfg(feature = "s3")]
pub(super) use refusal::ours;
#[cfg(feature = "s3")]
pub(super) use store::{Connected, connect};
