//! The deployment whose pods are workers.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};

use super::connection;
use super::refusal::{self, Right};
use crate::controller::FleetCounts;
use crate::fleet::{Fleet, FleetKind};
use crate::retry::RetryPolicy;
use crate::settings::KubernetesFleetConfig;
use crate::{Clock, Error, ErrorKind, Result};

const PATCH_SCALE: Right = Right { verb: "patch", resource: "deployments/scale" };
const GET_SCALE: Right = Right { verb: "get", resource: "deployments/scale" };
const LIST_PODS: Right = Right { verb: "list", resource: "pods" };

/// Pods asked for at a time.
const PAGE: u32 = 500;

/// A Kubernetes deployment whose pods are workers (`snapfill worker --when-done stay`).
///
/// Calls that the API server puts off or fails at are made again, by the injected clock.
///
/// ```no_run
/// # async fn example() -> snapfill::Result<()> {
/// use std::sync::Arc;
/// use snapfill::SystemClock;
/// use snapfill::fleet::{Fleet, KubernetesFleet};
/// use snapfill::settings::KubernetesFleetConfig;
///
/// let workers = KubernetesFleetConfig::new("snapfill-worker");
/// let fleet = KubernetesFleet::connect(workers, Arc::new(SystemClock::new())).await?;
/// fleet.desired(5).await?;
/// println!("{:?}", fleet.counts().await?);
/// # Ok(())
/// # }
/// ```
pub struct KubernetesFleet {
    deployments: Api<Deployment>,
    pods: Api<Pod>,
    namespace: String,
    config: KubernetesFleetConfig,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
}

impl fmt::Debug for KubernetesFleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KubernetesFleet");
        shown.field("config", &self.config).field("namespace", &self.namespace);
        shown.finish_non_exhaustive()
    }
}

impl KubernetesFleet {
    /// A fleet of the deployment that `config` names. The API server is not asked yet.
    ///
    /// # Errors
    /// `Config` when the deployment is not named, or there is neither a usable kubeconfig nor a service account.
    pub async fn connect(config: KubernetesFleetConfig, clock: Arc<dyn Clock>) -> Result<Self> {
        if config.deployment.trim().is_empty() {
            let message = "no Kubernetes deployment is named: say which one the workers are in";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let client: Client = connection::client(&config).await?;
        let namespace = match &config.namespace {
            Some(namespace) => namespace.clone(),
            None => client.default_namespace().to_owned(),
        };
        Ok(Self {
            deployments: Api::namespaced(client.clone(), &namespace),
            pods: Api::namespaced(client, &namespace),
            namespace,
            config,
            clock,
            retry: RetryPolicy::default(),
        })
    }

    /// Makes calls again by another policy than the usual one.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    fn error(&self, right: Right, error: &kube::Error) -> Error {
        refusal::error(right, &self.config.deployment, &self.namespace, error)
    }

    /// How many pods are wanted, and how to find them.
    async fn scale(&self) -> Result<(u64, String)> {
        let get = || async {
            let scale = self.deployments.get_scale(&self.config.deployment).await;
            scale.map_err(|error| self.error(GET_SCALE, &error))
        };
        let scale = self.retry.run(&*self.clock, get).await?;
        // None is left out.
        let desired = scale.spec.and_then(|spec| spec.replicas).unwrap_or_default();
        let selector = scale.status.and_then(|status| status.selector).unwrap_or_default();
        if selector.is_empty() {
            // Without one, all pods of the namespace would be counted.
            let message = format!(
                "the scale of deployment `{}` does not say which pods are its own",
                self.config.deployment
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok((u64::try_from(desired).unwrap_or_default(), selector))
    }

    async fn count_pods(&self, selector: &str) -> Result<FleetCounts> {
        let (mut counts, mut page) = (FleetCounts::default(), None);
        loop {
            let mut wanted = ListParams::default().labels(selector).limit(PAGE);
            wanted.continue_token = page;
            let list = || async {
                self.pods.list(&wanted).await.map_err(|error| self.error(LIST_PODS, &error))
            };
            let pods = self.retry.run(&*self.clock, list).await?;
            for pod in &pods.items {
                count(pod, &mut counts);
            }
            page = pods.metadata.continue_.filter(|next| !next.is_empty());
            if page.is_none() {
                return Ok(counts);
            }
        }
    }
}

/// A pod that has ended is in no count.
fn count(pod: &Pod, counts: &mut FleetCounts) {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    match phase {
        Some("Succeeded" | "Failed") => {}
        _ if pod.metadata.deletion_timestamp.is_some() => counts.terminating += 1,
        // One of a node that is not heard of may be at work.
        Some("Running" | "Unknown") => counts.running += 1,
        _ => counts.pending += 1,
    }
}

#[async_trait]
impl Fleet for KubernetesFleet {
    fn kind(&self) -> FleetKind {
        FleetKind::Kubernetes
    }

    fn sees_folders(&self) -> bool {
        self.config.shared_folders
    }

    async fn desired(&self, workers: usize) -> Result<()> {
        let replicas = i32::try_from(workers).map_err(|_| {
            let message = format!("{workers} workers are more than Kubernetes can count");
            Error::new(ErrorKind::Config, message)
        })?;
        let patch = Patch::Merge(serde_json::json!({"spec": {"replicas": replicas}}));
        let set = || async {
            let name = &self.config.deployment;
            let set = self.deployments.patch_scale(name, &PatchParams::default(), &patch).await;
            set.map_err(|error| self.error(PATCH_SCALE, &error))
        };
        self.retry.run(&*self.clock, set).await.map(|_| ())
    }

    async fn counts(&self) -> Result<FleetCounts> {
        let (desired, selector) = self.scale().await?;
        Ok(FleetCounts { desired, ..self.count_pods(&selector).await? })
    }

    fn describe(&self) -> String {
        format!("deployment {} of namespace {}", self.config.deployment, self.namespace)
    }

    fn change_line(&self, workers: usize, _: &FleetCounts) -> String {
        format!(
            "The {} deployment has been set to {workers} desired count.",
            self.config.deployment
        )
    }
}
