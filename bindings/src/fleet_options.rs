//! Where the workers of a backfill are, when they are not in this process.

use snapfill::settings::{EcsFleetConfig, FleetConfig, KubernetesFleetConfig};

use crate::backfill_options::config;
use crate::{BackfillOptions, Result};

/// A service of Amazon ECS whose tasks are the workers. Keys come from where AWS's own tools take them.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct EcsFleet {
    /// The cluster, by name or ARN.
    pub cluster: String,
    /// The service, by name or ARN.
    pub service: String,
    /// The region, in place of the one that the environment, the profile or the instance names.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub region: Option<String>,
    /// The URL at which ECS is asked, in place of the region's public address.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub endpoint: Option<String>,
    /// Takes the keys of this profile.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub profile: Option<String>,
    /// The ARN of a role to assume.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub role: Option<String>,
    /// The external id that the role asks for.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub external_id: Option<String>,
    /// The tasks mount a repository's folder, and that of failed documents, at the same paths as this machine.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub shared_folders: bool,
}

/// A Kubernetes deployment whose pods are the workers.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct KubernetesFleet {
    /// The deployment.
    pub deployment: String,
    /// Its namespace; none: that of the context or of the service account.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub namespace: Option<String>,
    /// A kubeconfig file; none: the usual one, and within a cluster its service account.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub kubeconfig: Option<String>,
    /// The context of the kubeconfig; none: its current one.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub context: Option<String>,
    /// The pods mount a repository's folder, and that of failed documents, at the same paths as this machine.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub shared_folders: bool,
}

impl BackfillOptions {
    /// Where the workers are.
    ///
    /// # Errors
    /// `Config` when two places are given, or one without its name.
    pub(crate) fn fleet(&self) -> Result<FleetConfig> {
        match (&self.ecs, &self.kubernetes) {
            (None, None) => Ok(FleetConfig::Tasks),
            (Some(_), Some(_)) => Err(config("give one of ecs and kubernetes")),
            (Some(ecs), None) if ecs.cluster.is_empty() || ecs.service.is_empty() => {
                Err(config("a fleet on Amazon ECS needs both cluster and service"))
            }
            (Some(ecs), None) => Ok(FleetConfig::Ecs(ecs.clone().into())),
            (None, Some(pods)) if pods.deployment.is_empty() => {
                Err(config("a fleet on Kubernetes needs a deployment"))
            }
            (None, Some(pods)) => Ok(FleetConfig::Kubernetes(pods.clone().into())),
        }
    }
}

impl From<EcsFleet> for EcsFleetConfig {
    fn from(fleet: EcsFleet) -> Self {
        let EcsFleet {
            cluster,
            service,
            region,
            endpoint,
            profile,
            role,
            external_id,
            shared_folders,
        } = fleet;
        Self { cluster, service, region, endpoint, profile, role, external_id, shared_folders }
    }
}

impl From<KubernetesFleet> for KubernetesFleetConfig {
    fn from(fleet: KubernetesFleet) -> Self {
        let KubernetesFleet { deployment, namespace, kubeconfig, context, shared_folders } = fleet;
        let kubeconfig = kubeconfig.map(Into::into);
        Self { deployment, namespace, kubeconfig, context, shared_folders }
    }
}

impl From<EcsFleetConfig> for EcsFleet {
    fn from(fleet: EcsFleetConfig) -> Self {
        Self {
            cluster: fleet.cluster,
            service: fleet.service,
            region: fleet.region,
            endpoint: fleet.endpoint,
            profile: fleet.profile,
            role: fleet.role,
            external_id: fleet.external_id,
            shared_folders: fleet.shared_folders,
        }
    }
}

impl From<KubernetesFleetConfig> for KubernetesFleet {
    fn from(fleet: KubernetesFleetConfig) -> Self {
        Self {
            deployment: fleet.deployment,
            namespace: fleet.namespace,
            kubeconfig: fleet.kubeconfig.map(|file| file.to_string_lossy().into_owned()),
            context: fleet.context,
            shared_folders: fleet.shared_folders,
        }
    }
}
