//! What goes over the wire, and what becomes of what comes back.

mod answers;
#[cfg(feature = "aws")]
mod chain;
pub(crate) mod fake;
#[cfg(feature = "aws")]
mod managed;
mod reaching;
#[cfg(feature = "aws")]
mod signed;
#[cfg(feature = "aws")]
mod small_cluster;
mod tls;
#[cfg(all(feature = "aws", feature = "local"))]
mod transformed;

use super::{Auth, Compression, HttpCluster, HttpConfig};
use crate::cluster::{BulkBody, BulkOperation, ClusterClient};
use crate::testkit::samples::{bulk, documents};
use fake::{Fake, Reply};

fn cluster(fake: &Fake) -> HttpCluster {
    HttpCluster::new(HttpConfig::new([fake.url()]).unwrap()).unwrap()
}

fn two_documents() -> BulkBody {
    bulk("books", BulkOperation::Index, documents(0..2))
}
