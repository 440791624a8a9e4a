//! [`HttpCluster`] and its face as a cluster.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use super::buffers::Buffers;
use super::bulk_answer::{Judge, WANTED};
use super::bulk_body::Form;
use super::dialect::Dialect;
use super::refusal::{Complaint, refusal};
use super::request::{Body, Request};
use super::server_ids::Ids;
use super::service::Service;
use super::transport::{Answer, Transport};
use super::{HttpConfig, bulk_body, health, identity, indices};
use crate::cluster::{
    BulkBody, BulkOutcome, ClusterCapability, ClusterClient, ClusterHealth, ClusterInfo, Created,
    HealthStatus, IndexDefinition, IndexRow, ItemError, ItemOutcome,
};
use crate::{Clock, Error, ErrorKind, Result, SystemClock};

/// The answer's parts, and no pipeline.
const BULK_QUERY: &str = "pipeline=_none&filter_path=error,status,items.*.status,items.*.error";

/// OpenSearch 1 to 3 or Elasticsearch 1 to 9, over HTTP.
///
/// Nothing is sent when it is made; the first call asks the cluster who it is. No call is repeated, save that an endpoint
/// which cannot be connected to is passed over for the next.
///
/// ```no_run
/// use snapfill::cluster::ClusterClient;
/// use snapfill::cluster::http::{HttpCluster, HttpConfig};
///
/// # async fn example() -> snapfill::Result<()> {
/// let cluster = HttpCluster::new(HttpConfig::new(["https://search.example.com:9200"])?)?;
/// println!("{}", cluster.info().await?.version);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpCluster {
    shared: Arc<Shared>,
}

struct Shared {
    config: HttpConfig,
    service: Service,
    transport: Transport,
    ids: Ids,
    info: OnceCell<ClusterInfo>,
    buffers: Buffers,
    /// Indices that were there when last looked for.
    known: Mutex<HashSet<Arc<str>>>,
}

impl HttpCluster {
    /// A cluster that is reached as `config` says.
    ///
    /// # Errors
    /// `Config` for files that are no certificates, or for credentials that no header may hold.
    pub fn new(config: HttpConfig) -> Result<Self> {
        Self::with_clock(config, Arc::new(SystemClock::new()))
    }

    /// The same, with another clock than the system's.
    ///
    /// # Errors
    /// As [`HttpCluster::new`].
    pub fn with_clock(config: HttpConfig, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::of_service(config, Service::default(), clock)
    }

    /// A cluster that a service runs.
    pub(in crate::cluster) fn of_service(
        config: HttpConfig,
        service: Service,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let transport = Transport::new(&config, clock)?;
        if config.auth.is_some() && config.tls.allow_insecure {
            tracing::warn!("credentials are sent to a target whose certificate is not checked");
        }
        let shared = Shared {
            ids: Ids::new(config.server_ids),
            config,
            service,
            transport,
            info: OnceCell::new(),
            buffers: Buffers::default(),
            known: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Sends a request of another part of the crate.
    pub(crate) async fn ask(&self, request: &Request) -> Result<Answer> {
        self.shared.transport.send(request).await
    }

    pub(crate) async fn identity(&self) -> Result<&ClusterInfo> {
        self.shared.info.get_or_try_init(|| self.get_to_know()).await
    }

    /// Who it is, and before the first document whose ids it takes.
    async fn get_to_know(&self) -> Result<ClusterInfo> {
        let Shared { service, transport, ids, .. } = &*self.shared;
        let info = match &service.identity {
            Some(identity) => {
                // It does not say who it is. That it is there and lets us in is seen by the cheapest question it takes.
                indices::list(transport, Dialect::of(identity)).await?;
                identity.clone()
            }
            None => identity::identify(transport).await?,
        };
        if let Some(management) = service.management.as_ref().filter(|_| ids.is_open())
            && management.gives_ids().await == Some(true)
        {
            ids.refused();
        }
        Ok(info)
    }

    async fn dialect(&self) -> Result<Dialect> {
        self.identity().await.map(Dialect::of)
    }

    /// Refuses an index that is not there: many servers would make one at the first document.
    async fn require_index(&self, index: &Arc<str>) -> Result<()> {
        let known = || self.shared.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(index) {
            return Ok(());
        }
        indices::require(&self.shared.transport, index).await?;
        known().insert(Arc::clone(index));
        Ok(())
    }

    fn forget_index(&self, index: &str) {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner).remove(index);
    }

    async fn body_of(&self, bulk: &BulkBody, form: Form) -> Result<Body> {
        if !self.shared.config.compresses() {
            return bulk_body::plain(bulk, form, &self.shared.buffers);
        }
        // Compressing 10 MiB takes long enough to hold up what else the thread has to do.
        let (bulk, buffers) = (bulk.clone(), self.shared.buffers.clone());
        let packed =
            tokio::task::spawn_blocking(move || bulk_body::gzip(&bulk, form, &buffers)).await;
        packed.unwrap_or_else(|error| Err(Error::new(ErrorKind::Unexpected, error.to_string())))
    }

    async fn send_bulk(&self, bulk: &BulkBody) -> Result<BulkOutcome> {
        let dialect = self.dialect().await?;
        self.require_index(&bulk.index).await?;
        let query = if dialect.has_no_pipeline { BULK_QUERY } else { WANTED };
        let form = Form { dialect, has_ids: !self.shared.ids.are_given() };
        let body = self.body_of(bulk, form).await?;
        let request =
            Request::of_index(Method::POST, &bulk.index, &["_bulk"])?.query(query).body(body);
        let answer = self.shared.transport.send(&request).await?;
        if answer.status == StatusCode::PAYLOAD_TOO_LARGE {
            return Ok(too_large(bulk.documents.len(), &Complaint::of_body(&answer.body)));
        }
        if !answer.status.is_success() {
            return Err(refusal(&answer, &request));
        }
        let judge = Judge {
            operation: bulk.operation,
            allowed: &self.shared.config.allowed_exceptions,
            ids: form.has_ids.then_some(&self.shared.ids),
        };
        judge.outcome(&answer.body, bulk.documents.len())
    }
}

fn too_large(documents: usize, complaint: &Complaint) -> BulkOutcome {
    let reason = match complaint.reason.as_str() {
        "" => "the target takes no request as large".to_owned(),
        reason => reason.to_owned(),
    };
    let error =
        ItemError { status: 413, error_type: "request_entity_too_large".to_owned(), reason };
    BulkOutcome { items: vec![ItemOutcome::TooLarge(Box::new(error)); documents] }
}

impl fmt::Debug for HttpCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCluster").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

#[async_trait]
impl ClusterClient for HttpCluster {
    fn capability(&self) -> ClusterCapability {
        let service = &self.shared.service;
        ClusterCapability {
            refresh: service.has_refresh,
            load: service.has_health,
            client_ids: !self.shared.ids.are_given(),
            routing_in_key: false,
            types_in_key: false,
            update_settings: true,
            index_settings: true,
            working_state: service.has_working_state,
            max_bulk_bytes: service.max_bulk_bytes,
        }
    }

    fn address(&self) -> String {
        let first =
            self.shared.config.endpoints().first().map(url::Url::as_str).unwrap_or_default();
        first.trim_end_matches('/').to_owned()
    }

    async fn info(&self) -> Result<ClusterInfo> {
        self.identity().await.cloned()
    }

    async fn cat_indices(&self) -> Result<Vec<IndexRow>> {
        indices::list(&self.shared.transport, self.dialect().await?).await
    }

    async fn health(&self) -> Result<ClusterHealth> {
        let Shared { service, transport, .. } = &*self.shared;
        if !service.has_health {
            // It is there, or it does not answer: the list of indices is the cheapest question it takes.
            self.cat_indices().await?;
            return Ok(ClusterHealth::of(HealthStatus::Green));
        }
        let own = health::health(transport).await;
        match &service.management {
            Some(management) => management.complete(own).await,
            None => own,
        }
    }

    async fn index_health(&self, index: &str) -> Result<Option<HealthStatus>> {
        if !self.shared.service.has_health {
            return Ok(None);
        }
        health::index_health(&self.shared.transport, index).await.map(Some)
    }

    async fn create_index(&self, index: &str, definition: &IndexDefinition) -> Result<Created> {
        indices::create(&self.shared.transport, self.dialect().await?, index, definition).await
    }

    async fn bulk(&self, body: &BulkBody) -> Result<BulkOutcome> {
        if body.documents.is_empty() {
            return Ok(BulkOutcome::default());
        }
        self.send_bulk(body).await.map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                self.forget_index(&body.index);
            }
            error.with_context("index", &body.index)
        })
    }

    async fn count(&self, index: &str) -> Result<u64> {
        indices::count(&self.shared.transport, index).await
    }

    async fn refresh(&self, index: &str) -> Result<()> {
        if !self.shared.service.has_refresh {
            return indices::require(&self.shared.transport, index).await;
        }
        indices::refresh(&self.shared.transport, index).await
    }

    async fn update_settings(&self, index: &str, settings: &Value) -> Result<()> {
        indices::update_settings(&self.shared.transport, self.dialect().await?, index, settings)
            .await
    }
    async fn index_settings(&self, index: &str) -> Result<Option<Map<String, Value>>> {
        indices::settings(&self.shared.transport, index).await
    }
}
