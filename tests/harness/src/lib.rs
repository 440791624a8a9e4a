//! Real OpenSearch and Elasticsearch nodes for the tests.
//!
//! A [`Server`] is one node of a [`Version`] on 127.0.0.1: its distribution is fetched from Maven
//! Central once, kept in a cache, started with 512 MB of heap on a free port and killed when the
//! value is dropped, also when the test panics, and when the whole process dies.
//!
//! ```no_run
//! use snapfill_harness::{Server, Version};
//!
//! let server = Server::start(Version::OpenSearch2_19_6)?;
//! server.call("PUT", "/books/_doc/1", r#"{"title":"Emma"}"#)?;
//! println!("{} writes snapshots to {}", server.url(), server.repo_dir().display());
//! server.stop()?;
//! # Ok::<(), snapfill_harness::Error>(())
//! ```
//!
//! Tests take theirs from [`shared`], and [`each_version!`] makes a test for each version. Which of them
//! run is said by [`SERVERS_VARIABLE`].
//!
//! A [`FaultProxy`] stands before a node and misbehaves in as many ways as a test asks for.
//!
//! An `S3Server` (feature `s3`) holds repositories in buckets.
//!
//! A [`Moto`] passes for Amazon ECS.
//!
//! It needs `mvn` and a JDK, and Python for [`Moto`]. Where something is missing, the error says what and how to get it.
//! The cache is `$SNAPFILL_SERVER_CACHE`, else `~/.cache/snapfill/servers`; for root, whose home is
//! closed to the user that servers run as, `/var/cache/snapfill/servers`.

mod boot_path;
mod cable;
mod cache;
mod config;
mod error;
mod fault;
mod http;
mod jdk;
mod launch;
mod maven;
mod modules;
mod moto;
mod owner;
mod proxy;
mod rest_root;
#[cfg(feature = "s3")]
mod s3;
mod security;
mod server;
mod shared;
mod tier;
mod version;
mod wait;

pub use cable::Cable;
pub use error::{Error, Result};
pub use fault::{Fault, Faults};
pub use http::{Http, Response};
pub use moto::Moto;
pub use proxy::{Counts, FaultProxy};
#[cfg(feature = "s3")]
pub use s3::{S3Call, S3Fault, S3Server};
pub use security::Security;
pub use server::{Options, Server};
pub use shared::shared;
pub use tier::{SERVERS_VARIABLE, Servers, runs};
pub use version::Version;
