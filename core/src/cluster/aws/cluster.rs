//! [`AwsCluster`], and what Serverless lacks.

use std::sync::Arc;

use url::Url;

use super::cloudwatch::{CloudWatch, WatchedDomain};
use super::collection::Collection;
use super::{AwsAddress, AwsService, AwsSigner, CredentialSource, KeptCredentials};
use crate::cluster::http::{Auth, HttpCluster, HttpConfig, JsonRpc, Management, Service};
use crate::cluster::{ClusterInfo, Distribution};
use crate::{Clock, Result};

/// What Serverless speaks like. It tells no version of its own.
const SERVERLESS_VERSION: &str = "2.0.0";

/// The longest bulk that Serverless takes.
const SERVERLESS_BULK: u64 = 10 << 20;

/// A domain of Amazon OpenSearch Service or a collection of Serverless: an [`HttpCluster`] whose requests are signed, and
/// whose service can be asked for what the cluster does not tell itself.
///
/// - A *domain* is a cluster as any other. Where its own API does not let us see how it fares, CloudWatch is asked.
/// - *Serverless* tells neither its version nor how it fares, shows writes by itself, and cannot hold the working state.
///   Its collections for time series and vector search give documents ids of their own
///   ([`ServerIds`](crate::cluster::http::ServerIds)).
#[derive(Clone, Debug)]
pub struct AwsCluster {
    service: AwsService,
    region: String,
    source: Arc<dyn CredentialSource>,
    domain: Option<WatchedDomain>,
    collection: Option<String>,
    management: Option<Url>,
}

impl AwsCluster {
    /// A cluster of a service in a region, its requests signed with the keys of `source`.
    pub fn new(
        service: AwsService,
        region: impl Into<String>,
        source: Arc<dyn CredentialSource>,
    ) -> Self {
        let (domain, collection, management) = (None, None, None);
        Self { service, region: region.into(), source, domain, collection, management }
    }

    /// Names the domain for CloudWatch, which files its figures under the name and the account that owns it. Without it, the
    /// name is taken from the address, and the account from the credentials where they tell it.
    #[must_use]
    pub fn with_domain(mut self, name: impl Into<String>, account: Option<String>) -> Self {
        self.domain = Some(WatchedDomain { name: name.into(), account });
        self
    }

    /// Names the collection by its id, so that Serverless can be asked for its type. Without it, the id is taken from the
    /// address.
    #[must_use]
    pub fn with_collection(mut self, id: impl Into<String>) -> Self {
        self.collection = Some(id.into());
        self
    }

    /// Where the service's own API is asked in place of its public address: CloudWatch of a domain, or Serverless's list of
    /// collections. For private endpoints.
    #[must_use]
    pub fn with_management_endpoint(mut self, url: Url) -> Self {
        self.management = Some(url);
        self
    }

    /// The cluster that is reached as `config` says. Nothing is sent before its first call.
    ///
    /// # Errors
    /// As [`HttpCluster::new`].
    pub fn connect(self, config: HttpConfig, clock: Arc<dyn Clock>) -> Result<HttpCluster> {
        let source = Arc::new(KeptCredentials::new(Arc::clone(&self.source), Arc::clone(&clock)));
        let told = config.endpoints().first().and_then(AwsAddress::of);
        let told = told.filter(|told| told.service == self.service);
        let management = self.management(told, &source, &clock)?;
        let service = match self.service {
            AwsService::Domain => Service { management, ..Service::default() },
            AwsService::Serverless => serverless(&config, management),
        };
        let signer = AwsSigner::of(&self.region, self.service.name(), &source, &clock);
        let config = config.with_auth(Auth::Signed(Arc::new(signer)));
        HttpCluster::of_service(config, service, clock)
    }

    /// Whom to ask beside the cluster, where it is known by name.
    fn management(
        &self,
        told: Option<AwsAddress>,
        source: &Arc<KeptCredentials>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Arc<dyn Management>>> {
        let rpc = |title, name| {
            let signer = Arc::new(AwsSigner::of(&self.region, name, source, clock));
            JsonRpc::new(title, &self.management_url(name), signer, Arc::clone(clock))
        };
        let name = told.map(|told| told.name);
        match self.service {
            AwsService::Domain => {
                let named = self.domain.clone();
                let domain = named.or_else(|| Some(WatchedDomain { name: name?, account: None }));
                let Some(domain) = domain else { return Ok(None) };
                let rpc = rpc("CloudWatch", "monitoring")?;
                let watch = CloudWatch::new(rpc, domain, Arc::clone(source), Arc::clone(clock));
                Ok(Some(Arc::new(watch)))
            }
            AwsService::Serverless => {
                let Some(id) = self.collection.clone().or(name) else { return Ok(None) };
                let rpc = rpc("OpenSearch Serverless", "aoss")?;
                Ok(Some(Arc::new(Collection::new(rpc, id))))
            }
        }
    }

    fn management_url(&self, name: &str) -> String {
        let ending = if self.region.starts_with("cn-") { ".cn" } else { "" };
        match &self.management {
            Some(url) => url.to_string(),
            None => format!("https://{name}.{}.amazonaws.com{ending}", self.region),
        }
    }
}

/// What Serverless lacks.
fn serverless(config: &HttpConfig, management: Option<Arc<dyn Management>>) -> Service {
    let name = config.endpoints().first().map(Url::as_str).unwrap_or_default();
    let name = name.trim_end_matches('/').to_owned();
    Service {
        identity: Some(ClusterInfo {
            distribution: Distribution::OpenSearch,
            version: SERVERLESS_VERSION.to_owned(),
            uuid: name.clone(),
            name,
            serverless: true,
        }),
        has_health: false,
        has_refresh: false,
        has_working_state: false,
        max_bulk_bytes: Some(SERVERLESS_BULK),
        management,
    }
}
