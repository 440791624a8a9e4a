//! What a service behind an address has, where that is not all that a server has.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::Result;
use crate::cluster::{ClusterHealth, ClusterInfo};

/// What is not the same everywhere. By default all that a server of one's own has.
#[derive(Clone, Debug)]
pub(in crate::cluster) struct Service {
    /// Who it is, where it does not say so.
    pub(in crate::cluster) identity: Option<ClusterInfo>,
    /// Whether it knows `_cluster/health` and `_nodes/stats`.
    pub(in crate::cluster) has_health: bool,
    /// Whether it knows `_refresh`; where not, writes show by themselves.
    pub(in crate::cluster) has_refresh: bool,
    /// Whether it can hold the working state: reads that see the last write, and writes on a condition.
    pub(in crate::cluster) has_working_state: bool,
    /// The longest bulk that it takes.
    pub(in crate::cluster) max_bulk_bytes: Option<u64>,
    /// Who runs it and can be asked too.
    pub(in crate::cluster) management: Option<Arc<dyn Management>>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            identity: None,
            has_health: true,
            has_refresh: true,
            has_working_state: true,
            max_bulk_bytes: None,
            management: None,
        }
    }
}

/// Who runs a cluster, and knows of it what it does not tell itself.
#[async_trait]
pub(in crate::cluster) trait Management: Send + Sync + fmt::Debug {
    /// How the cluster fares, given what it told itself.
    async fn complete(&self, own: Result<ClusterHealth>) -> Result<ClusterHealth> {
        own
    }

    /// Whether the cluster gives documents ids of its own and takes none; nothing where that cannot be known.
    async fn gives_ids(&self) -> Option<bool> {
        None
    }
}
