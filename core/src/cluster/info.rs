//! Who a cluster is and how it fares.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Distribution {
    /// Elasticsearch.
    Elasticsearch,
    /// OpenSearch, also as Amazon OpenSearch Service.
    OpenSearch,
    /// A directory with a SQLite file.
    Local,
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
            Self::Local => "local directory",
        })
    }
}

/// Who a cluster is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterInfo {
    /// Whose server it is.
    pub distribution: Distribution,
    /// Its version, as it says: `2.19.1`.
    pub version: String,
    /// The name it was given.
    pub name: String,
    /// Its identity: two addresses with the same one are one cluster.
    pub uuid: String,
    /// Whether it is a serverless offering, which lacks many of the management calls.
    pub serverless: bool,
}

impl ClusterInfo {
    /// The number before the first dot of the version, where there is one.
    pub fn major(&self) -> Option<u32> {
        self.version.split('.').next()?.parse().ok()
    }
}

/// A cluster's colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// All copies of all shards are there.
    Green,
    /// All shards are there, some copies are not.
    Yellow,
    /// Some shard is not there.
    Red,
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        })
    }
}

/// The disk watermarks of a cluster, as far as one is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskWatermark {
    /// No new shards on the fullest node.
    Low,
    /// Shards are moved away from it.
    High,
    /// Indices with a shard on it refuse writes.
    FloodStage,
}

/// How a cluster fares: what a gate needs to slow down or stop writing. A figure the cluster does not give is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterHealth {
    /// Its colour.
    pub status: HealthStatus,
    /// Nodes that hold data.
    pub data_nodes: Option<u32>,
    /// Bulk requests that wait, all nodes together.
    pub write_queue: Option<u64>,
    /// How full the write queue is on the node where it is fullest, in percent of what it takes.
    pub write_queue_percent: Option<u8>,
    /// Bulk requests refused since the nodes started, all nodes together.
    pub write_rejections: Option<u64>,
    /// Heap in use on the node that uses most, in percent.
    pub heap_percent: Option<u8>,
    /// Processor in use on the busiest node, in percent.
    #[serde(default)]
    pub cpu_percent: Option<u8>,
    /// Disk in use on the fullest node, in percent.
    pub disk_percent: Option<u8>,
    /// The highest watermark that a node is past.
    pub disk_watermark: Option<DiskWatermark>,
    /// Bytes free on the node that has the fewest.
    #[serde(default)]
    pub free_disk_bytes: Option<u64>,
    /// Whether the cluster refuses writes, for want of disk or memory.
    #[serde(default)]
    pub writes_blocked: Option<bool>,
}

impl ClusterHealth {
    /// A colour, and no figures.
    pub fn of(status: HealthStatus) -> Self {
        Self {
            status,
            data_nodes: None,
            write_queue: None,
            write_queue_percent: None,
            write_rejections: None,
            heap_percent: None,
            cpu_percent: None,
            disk_percent: None,
            disk_watermark: None,
            free_disk_bytes: None,
            writes_blocked: None,
        }
    }
}
