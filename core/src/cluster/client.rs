//! The trait every target implements.

use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{
    BulkBody, BulkOutcome, ClusterCapability, ClusterHealth, ClusterInfo, Created, HealthStatus,
    IndexDefinition, IndexRow,
};
use crate::{ErrorKind, Result};

/// A search cluster, as far as filling it needs one.
///
/// A call that cannot reach the cluster fails with `Unavailable`, one that is not let in with `Auth`, one that names an index
/// that is not there with `NotFound`. Implementations do not repeat calls by themselves: whoever calls knows better.
#[async_trait]
pub trait ClusterClient: Send + Sync + fmt::Debug {
    /// What this implementation can do.
    fn capability(&self) -> ClusterCapability;

    /// Where the cluster is, for messages. Never holds a secret.
    fn address(&self) -> String;

    /// Who it is.
    ///
    /// # Errors
    /// As said at the trait.
    async fn info(&self) -> Result<ClusterInfo>;

    /// The indices it has, ordered by name.
    ///
    /// # Errors
    /// As said at the trait.
    async fn cat_indices(&self) -> Result<Vec<IndexRow>>;

    /// How it fares.
    ///
    /// # Errors
    /// As said at the trait.
    async fn health(&self) -> Result<ClusterHealth>;

    /// The colour of one index, where the implementation can tell it: a cluster may be red because of an index that nobody
    /// here writes to.
    ///
    /// # Errors
    /// As said at the trait.
    async fn index_health(&self, _index: &str) -> Result<Option<HealthStatus>> {
        Ok(None)
    }

    /// Makes an index; one that is already there is left as it is.
    ///
    /// # Errors
    /// `Config` when the cluster does not accept the name or the definition.
    async fn create_index(&self, index: &str, definition: &IndexDefinition) -> Result<Created>;

    /// Writes documents. The outcome holds one entry a document, in order.
    ///
    /// # Errors
    /// `NotFound` when there is no such index; none is made. An error says nothing about single documents: any of them may
    /// have been written.
    async fn bulk(&self, body: &BulkBody) -> Result<BulkOutcome>;

    /// How many documents an index shows.
    ///
    /// # Errors
    /// `NotFound` when there is no such index.
    async fn count(&self, index: &str) -> Result<u64>;

    /// Makes what was written visible to `count` and searches.
    ///
    /// # Errors
    /// `NotFound` when there is no such index.
    async fn refresh(&self, index: &str) -> Result<()>;

    /// Changes settings of an index; a null puts one back to its default.
    ///
    /// # Errors
    /// `NotFound` when there is no such index.
    async fn update_settings(&self, index: &str, settings: &Value) -> Result<()>;

    /// The settings that an index has of its own, by flat name (`index.refresh_interval`); none where the implementation
    /// cannot tell them. Without them, settings of an index that was there before are not changed for the load.
    ///
    /// # Errors
    /// `NotFound` when there is no such index.
    async fn index_settings(&self, _index: &str) -> Result<Option<Map<String, Value>>> {
        Ok(None)
    }
}

/// What follows from [`ClusterClient`].
#[async_trait]
pub trait ClusterClientExt: ClusterClient {
    /// Whether an index of this name is there.
    ///
    /// # Errors
    /// Those of [`ClusterClient::count`], save `NotFound`.
    async fn has_index(&self, index: &str) -> Result<bool> {
        match self.count(index).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How many documents an index has, counting what was written a moment ago.
    ///
    /// # Errors
    /// `NotFound` when there is no such index.
    async fn refreshed_count(&self, index: &str) -> Result<u64> {
        self.refresh(index).await?;
        self.count(index).await
    }
}

impl<C: ClusterClient + ?Sized> ClusterClientExt for C {}
