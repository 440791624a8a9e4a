//! What needs a real server, once a version: one node, and on it all that is tested there.
#![allow(clippy::unwrap_used, clippy::panic)]

use snapfill::cluster::{HttpCluster, HttpConfig};
use snapfill_harness::{Server, each_version};
use std::sync::Arc;
use tokio::runtime::Runtime;

mod backfills;
mod conformance;
mod definitions;

use backfills::{first_snapshots_are_filled_in, second_snapshots_are_filled_in};
use conformance::conforms;
use definitions::takes_every_definition;

each_version!(
    conforms,
    takes_every_definition,
    first_snapshots_are_filled_in,
    second_snapshots_are_filled_in,
);

fn cluster_of(server: &Server) -> Arc<HttpCluster> {
    Arc::new(HttpCluster::new(HttpConfig::new([server.url()]).unwrap()).unwrap())
}

fn runtime() -> Runtime {
    Runtime::new().unwrap()
}
