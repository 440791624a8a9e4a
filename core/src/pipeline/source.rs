//! What a worker reads: a snapshot, or in the simulation what stands for one.

use std::collections::HashMap;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::Result;
use crate::cluster::Distribution;
use crate::coordination::WorkItem;
use crate::preparation::{Route, Selector};
use crate::snapshot::{DocumentStream, DocumentsOptions, Shard, Snapshot, SnapshotIndex};

/// What a worker reads.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// One shard of it.
    type Shard: ShardSource;

    /// Whether it says of itself that it does not hold the shard.
    fn lacks(&self, index: &str, shard: u32) -> bool;

    /// The shard of an item, and where its documents go in a target of that kind. `known` keeps what was read of its index.
    async fn open(
        &self,
        item: &WorkItem,
        selector: &Selector,
        target: Distribution,
        known: &Mutex<HashMap<String, SnapshotIndex>>,
    ) -> Result<(Self::Shard, Route)>;
}

/// One shard.
#[async_trait]
pub(crate) trait ShardSource: Send + Sync {
    /// The documents, in order.
    fn documents(&self, options: DocumentsOptions) -> DocumentStream;

    /// How many documents of the whole shard are not deleted.
    async fn undeleted(&self) -> Result<u64>;
}

#[async_trait]
impl Source for Snapshot {
    type Shard = Shard;

    fn lacks(&self, index: &str, shard: u32) -> bool {
        self.missing(index, shard).is_some()
    }

    async fn open(
        &self,
        item: &WorkItem,
        selector: &Selector,
        target: Distribution,
        known: &Mutex<HashMap<String, SnapshotIndex>>,
    ) -> Result<(Shard, Route)> {
        let index = {
            let mut known = known.lock().await;
            match known.get(&item.index) {
                Some(index) => index.clone(),
                None => {
                    let index = self.index(&item.index).await?;
                    known.insert(item.index.clone(), index.clone());
                    index
                }
            }
        };
        let route = Route::of(&index.metadata, selector, target);
        Ok((self.shard_of(&index, item.shard).await?, route))
    }
}

#[async_trait]
impl ShardSource for Shard {
    fn documents(&self, options: DocumentsOptions) -> DocumentStream {
        Self::documents(self, options)
    }

    async fn undeleted(&self) -> Result<u64> {
        Ok(self.size().await?.undeleted)
    }
}
