//! [`AwsCluster`], and what Serverless lacks.

use std::sync::Arc;

use async_trait::async_trait;

use super::{AwsService, AwsSigner, CredentialSource};
use crate::cluster::http::{Auth, HttpCluster, HttpConfig};
use crate::cluster::{
    BulkBody, BulkOutcome, ClusterCapability, ClusterClient, ClusterHealth, ClusterInfo, Created,
    DataStreamDefinition, Distribution, HealthStatus, IndexDefinition, IndexRow,
};
use crate::{Clock, Result};

/// What Serverless speaks like. It tells no version of its own.
const SERVERLESS_VERSION: &str = "2.0.0";

/// The longest bulk that Serverless takes.
const SERVERLESS_BULK: u64 = 10 << 20;

/// A domain of Amazon OpenSearch Service or a collection of Serverless: requests are signed.
///
/// Serverless tells neither its version nor how it fares, and shows writes by itself.
#[derive(Clone, Debug)]
pub struct AwsCluster {
    inner: HttpCluster,
    service: AwsService,
}

impl AwsCluster {
    /// A cluster that is reached as `config` says, its requests signed for `service` in `region`.
    ///
    /// # Errors
    /// As [`HttpCluster::new`].
    pub fn new(
        config: HttpConfig,
        region: impl Into<String>,
        service: AwsService,
        source: Arc<dyn CredentialSource>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let signer = AwsSigner::new(region, service, source, Arc::clone(&clock));
        let config = config.with_auth(Auth::Signed(Arc::new(signer)));
        let inner = HttpCluster::with_clock(config, clock)?;
        let inner = match service {
            AwsService::Domain => inner,
            AwsService::Serverless => {
                let name = inner.address();
                inner.assuming(ClusterInfo {
                    distribution: Distribution::OpenSearch,
                    version: SERVERLESS_VERSION.to_owned(),
                    uuid: name.clone(),
                    name,
                    serverless: true,
                })
            }
        };
        Ok(Self { inner, service })
    }

    fn is_serverless(&self) -> bool {
        self.service == AwsService::Serverless
    }
}

#[async_trait]
impl ClusterClient for AwsCluster {
    fn capability(&self) -> ClusterCapability {
        let capability = self.inner.capability();
        if !self.is_serverless() {
            return capability;
        }
        ClusterCapability {
            refresh: false,
            load: false,
            max_bulk_bytes: Some(SERVERLESS_BULK),
            ..capability
        }
    }

    fn address(&self) -> String {
        self.inner.address()
    }

    async fn info(&self) -> Result<ClusterInfo> {
        self.inner.info().await
    }

    async fn cat_indices(&self) -> Result<Vec<IndexRow>> {
        self.inner.cat_indices().await
    }

    async fn health(&self) -> Result<ClusterHealth> {
        if self.is_serverless() {
            // It is there, or it does not answer: the list of indices is the cheapest question it takes.
            self.inner.cat_indices().await?;
            return Ok(ClusterHealth::of(HealthStatus::Green));
        }
        self.inner.health().await
    }

    async fn create_index(&self, index: &str, definition: &IndexDefinition) -> Result<Created> {
        self.inner.create_index(index, definition).await
    }

    async fn data_streams(&self) -> Result<Option<Vec<String>>> {
        if self.is_serverless() {
            return Ok(None);
        }
        self.inner.data_streams().await
    }

    async fn create_data_stream(
        &self,
        name: &str,
        definition: &DataStreamDefinition,
    ) -> Result<Created> {
        self.inner.create_data_stream(name, definition).await
    }

    async fn bulk(&self, body: &BulkBody) -> Result<BulkOutcome> {
        self.inner.bulk(body).await
    }

    async fn count(&self, index: &str) -> Result<u64> {
        self.inner.count(index).await
    }

    async fn refresh(&self, index: &str) -> Result<()> {
        if self.is_serverless() {
            return self.inner.require_there(index).await;
        }
        self.inner.refresh(index).await
    }

    async fn update_settings(&self, index: &str, settings: &serde_json::Value) -> Result<()> {
        self.inner.update_settings(index, settings).await
    }
}
