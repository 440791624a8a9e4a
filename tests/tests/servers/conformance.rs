//! `HttpCluster` is a `ClusterClient`.

use std::sync::Arc;

use snapfill::cluster::{ClusterClient, HttpCluster};
use snapfill::testkit::ClusterFixture;
use snapfill_harness::{Version, shared};

use super::{cluster_of, runtime};

struct Node {
    cluster: Arc<HttpCluster>,
    index: String,
}

impl ClusterFixture for Node {
    fn cluster(&self) -> Arc<dyn ClusterClient> {
        Arc::clone(&self.cluster) as _
    }

    fn index(&self) -> String {
        self.index.clone()
    }
}

pub(crate) fn conforms(version: Version) {
    let Some(server) = shared(version) else { return };
    let cluster = cluster_of(&server);
    runtime().block_on(async {
        let info = cluster.info().await.unwrap();
        assert!(version.name().ends_with(&info.version), "{info:?}");
        let health = cluster.health().await.unwrap();
        assert_eq!(health.data_nodes, Some(1));
        assert!(health.write_queue.is_some() && health.heap_percent.is_some(), "{health:?}");
        assert!(health.disk_percent.is_some(), "{health:?}");
        snapfill::cluster_client_conformance_calls!(|name: &str| Node {
            cluster: Arc::clone(&cluster),
            index: name.to_owned()
        });
    });
}
