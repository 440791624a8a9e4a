//! A search cluster, or a folder that stands for one.

use std::sync::Arc;

use serde::Serialize;
use snapfill::ErrorKind;
use snapfill::cluster::{ClusterClient, LocalCluster, TargetAddress};
use tokio::sync::OnceCell;

use crate::{ClusterOptions, Result, SnapfillError, runtime};

/// Who a cluster is.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ClusterInfo {
    /// `Elasticsearch`, `OpenSearch` or `local directory`.
    pub distribution: String,
    /// Its version, as it says.
    pub version: String,
    /// The name it was given.
    pub name: String,
    /// Its identity.
    pub uuid: String,
    /// Whether it is a serverless offering.
    pub serverless: bool,
}

/// How a cluster fares. A figure the cluster does not give is absent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ClusterHealth {
    /// `green`, `yellow` or `red`.
    pub status: String,
    /// Nodes that hold data.
    pub data_nodes: Option<u32>,
    /// Bulk requests that wait, all nodes together.
    pub write_queue: Option<u64>,
    /// Bulk requests refused since the nodes started, all nodes together.
    pub write_rejections: Option<u64>,
    /// Heap in use on the node that uses most, in percent.
    pub heap_percent: Option<u8>,
    /// Processor in use on the busiest node, in percent.
    pub cpu_percent: Option<u8>,
    /// Disk in use on the fullest node, in percent.
    pub disk_percent: Option<u8>,
    /// Bytes free on the node that has the fewest.
    pub free_disk_bytes: Option<u64>,
    /// Whether the cluster refuses writes, for want of disk or memory.
    pub writes_blocked: Option<bool>,
}

/// One index of a cluster.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct IndexRow {
    /// Its name.
    pub index: String,
    /// `green`, `yellow` or `red`.
    pub health: Option<String>,
    /// `open` or `close`.
    pub status: Option<String>,
    /// Its identity.
    pub uuid: Option<String>,
    /// Primary shards.
    pub primaries: Option<u64>,
    /// Copies of each shard beside the primary.
    pub replicas: Option<u64>,
    /// Documents, nested ones included.
    pub documents: Option<u64>,
    /// Documents that are deleted and still take space.
    pub deleted: Option<u64>,
    /// Size of all copies, for people: `1.2mb`.
    pub store_size: Option<String>,
    /// Size of the primaries, for people.
    pub primary_store_size: Option<String>,
}

/// A search cluster at an address, or the folder of a local target that is there. Nothing is opened before it is asked for
/// something.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Cluster {
    address: TargetAddress,
    options: ClusterOptions,
    opened: OnceCell<Arc<dyn ClusterClient>>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Cluster {
    /// The cluster at an `http://` or `https://` address, or the local one in a folder.
    ///
    /// # Errors
    /// `Config` for what is neither, holds credentials, or has options that do not go together.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn new(address: String, options: ClusterOptions) -> Result<Arc<Self>> {
        let address: TargetAddress = address.parse()?;
        match &address {
            TargetAddress::Url(url) => drop(options.config(url.as_str())?),
            _ => require_none(&options)?,
        }
        Ok(Arc::new(Self { address, options, opened: OnceCell::new() }))
    }

    /// Who it is.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be reached, `Auth` when it does not let us in, `NotFound` for a folder that holds none.
    pub async fn info(self: Arc<Self>) -> Result<ClusterInfo> {
        runtime::run(async move { Ok(self.opened().await?.info().await?.into()) }).await
    }

    /// How it fares.
    ///
    /// # Errors
    /// As [`Cluster::info`].
    pub async fn health(self: Arc<Self>) -> Result<ClusterHealth> {
        runtime::run(async move { Ok(self.opened().await?.health().await?.into()) }).await
    }

    /// The indices it has, ordered by name.
    ///
    /// # Errors
    /// As [`Cluster::info`].
    pub async fn indices(self: Arc<Self>) -> Result<Vec<IndexRow>> {
        runtime::run(async move {
            let rows = self.opened().await?.cat_indices().await?;
            Ok(rows.into_iter().map(IndexRow::from).collect())
        })
        .await
    }

    /// How many documents an index shows.
    ///
    /// # Errors
    /// As [`Cluster::info`]; `NotFound` when there is no such index.
    pub async fn count(self: Arc<Self>, index: String) -> Result<u64> {
        runtime::run(async move { Ok(self.opened().await?.count(&index).await?) }).await
    }

    /// Makes what was written visible to `count` and searches.
    ///
    /// # Errors
    /// As [`Cluster::count`].
    pub async fn refresh(self: Arc<Self>, index: String) -> Result<()> {
        runtime::run(async move { Ok(self.opened().await?.refresh(&index).await?) }).await
    }
}

impl Cluster {
    async fn opened(&self) -> Result<&Arc<dyn ClusterClient>> {
        let open = || async {
            let cluster: Arc<dyn ClusterClient> = match &self.address {
                TargetAddress::Url(url) => Arc::new(self.options.connect(url.as_str()).await?),
                folder => Arc::new(LocalCluster::open_existing(folder.clone().folder()?)?),
            };
            Ok::<_, SnapfillError>(cluster)
        };
        self.opened.get_or_try_init(open).await
    }
}

/// A folder needs no options: somebody who gives some means another target.
pub(crate) fn require_none(options: &ClusterOptions) -> Result<()> {
    match options.given() {
        None => Ok(()),
        Some(name) => {
            let message = format!("{name} is for clusters, and this one is a folder");
            Err(SnapfillError::new(ErrorKind::Config, message))
        }
    }
}

impl From<snapfill::cluster::ClusterInfo> for ClusterInfo {
    fn from(info: snapfill::cluster::ClusterInfo) -> Self {
        Self {
            distribution: info.distribution.to_string(),
            version: info.version,
            name: info.name,
            uuid: info.uuid,
            serverless: info.serverless,
        }
    }
}

impl From<snapfill::cluster::ClusterHealth> for ClusterHealth {
    fn from(health: snapfill::cluster::ClusterHealth) -> Self {
        Self {
            status: health.status.to_string(),
            data_nodes: health.data_nodes,
            write_queue: health.write_queue,
            write_rejections: health.write_rejections,
            heap_percent: health.heap_percent,
            cpu_percent: health.cpu_percent,
            disk_percent: health.disk_percent,
            free_disk_bytes: health.free_disk_bytes,
            writes_blocked: health.writes_blocked,
        }
    }
}

impl From<snapfill::cluster::IndexRow> for IndexRow {
    fn from(row: snapfill::cluster::IndexRow) -> Self {
        Self {
            index: row.index,
            health: row.health,
            status: row.status,
            uuid: row.uuid,
            primaries: row.pri,
            replicas: row.rep,
            documents: row.docs_count,
            deleted: row.docs_deleted,
            store_size: row.store_size,
            primary_store_size: row.pri_store_size,
        }
    }
}
