//! Which fleet works on a backfill.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::fleet::FleetKind;

/// Where the workers of a backfill are. As data it is a word, or a word and what belongs to it.
///
/// ```
/// use snapfill::settings::FleetConfig;
///
/// let tasks: FleetConfig = serde_json::from_str(r#""tasks""#)?;
/// assert_eq!(tasks, FleetConfig::Tasks);
/// let service = r#"{"ecs": {"cluster": "migration", "service": "snapfill-worker", "region": "eu-west-1"}}"#;
/// let FleetConfig::Ecs(service) = serde_json::from_str(service)? else { unreachable!() };
/// assert_eq!(service.service, "snapfill-worker");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FleetConfig {
    /// Tasks of the process that controls the backfill. They end with it.
    #[default]
    Tasks,
    /// Processes of this machine.
    Processes,
    /// The tasks of a service of Amazon ECS.
    Ecs(EcsFleetConfig),
    /// The pods of a Kubernetes deployment.
    Kubernetes(KubernetesFleetConfig),
}

impl FleetConfig {
    /// Where that is.
    pub fn kind(&self) -> FleetKind {
        match self {
            Self::Tasks => FleetKind::Tasks,
            Self::Processes => FleetKind::Processes,
            Self::Ecs(_) => FleetKind::Ecs,
            Self::Kubernetes(_) => FleetKind::Kubernetes,
        }
    }
}

/// A service of Amazon ECS whose tasks are workers. Holds no secret: keys come from AWS's own chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EcsFleetConfig {
    /// The cluster, by name or ARN.
    pub cluster: String,
    /// The service, by name or ARN.
    pub service: String,
    /// The region, in place of the one that the environment, the profile or the instance names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The URL at which ECS is asked, in place of the region's public address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The profile whose keys are used, in place of the whole chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The ARN of a role to assume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The id that the role's owner asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The tasks mount a repository's folder, and that of failed documents, at the same paths as this machine (EFS).
    #[serde(skip_serializing_if = "is_not")]
    pub shared_folders: bool,
}

impl EcsFleetConfig {
    /// A service of a cluster, everything else as the environment says.
    pub fn new(cluster: impl Into<String>, service: impl Into<String>) -> Self {
        Self { cluster: cluster.into(), service: service.into(), ..Self::default() }
    }
}

/// A Kubernetes deployment whose pods are workers. Without `kubeconfig` and `context`, the usual kubeconfig is read, and within a
/// cluster its service account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct KubernetesFleetConfig {
    /// The deployment.
    pub deployment: String,
    /// Its namespace; unless said, that of the context or of the service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// A kubeconfig file, in place of `$KUBECONFIG` and `~/.kube/config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, in place of its current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The pods mount a repository's folder, and that of failed documents, at the same paths as this machine.
    #[serde(skip_serializing_if = "is_not")]
    pub shared_folders: bool,
}

impl KubernetesFleetConfig {
    /// A deployment, everything else as the environment says.
    pub fn new(deployment: impl Into<String>) -> Self {
        Self { deployment: deployment.into(), ..Self::default() }
    }
}

/// What is off need not be written.
fn is_not(on: &bool) -> bool {
    !on
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_fleet_reads_back_as_it_was_written() {
        let ecs = EcsFleetConfig {
            region: Some("eu-west-1".into()),
            role: Some("arn:aws:iam::1:role/r".into()),
            ..EcsFleetConfig::new("c", "s")
        };
        let pods = KubernetesFleetConfig {
            namespace: Some("n".into()),
            ..KubernetesFleetConfig::new("workers")
        };
        for (fleet, written) in [
            (FleetConfig::Tasks, json!("tasks")),
            (FleetConfig::Processes, json!("processes")),
            (
                FleetConfig::Ecs(ecs),
                json!({"ecs": {"cluster": "c", "service": "s", "region": "eu-west-1",
                    "role": "arn:aws:iam::1:role/r"}}),
            ),
            (
                FleetConfig::Kubernetes(pods),
                json!({"kubernetes": {"deployment": "workers", "namespace": "n"}}),
            ),
        ] {
            assert_eq!(serde_json::to_value(&fleet).unwrap(), written);
            assert_eq!(serde_json::from_value::<FleetConfig>(written).unwrap(), fleet);
        }
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        let misspelt = json!({"ecs": {"cluster": "c", "servise": "s"}});
        let error = serde_json::from_value::<FleetConfig>(misspelt).unwrap_err();
        assert!(error.to_string().contains("servise"), "{error}");
    }
}
