//! What is read.

use serde::{Deserialize, Serialize};

use super::ClusterConfig;
use super::units::Size;
use crate::snapshot::{RepositoryOptions, S3Options, S3Role};

/// The snapshot that is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SourceConfig {
    /// The repository: a folder or a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The snapshot's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// The folder of the repository below its location: the `base_path` it was registered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_path: Option<String>,
    /// Whether a PARTIAL snapshot is read; the shards that it lacks are reported as skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_partial: Option<bool>,
    /// The segment repository of OpenSearch's remote store, for shallow snapshots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_store: Option<String>,
    /// The folder of the remote store below its location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_store_base_path: Option<String>,
    /// Whether the original is taken that was kept for replication, where an index stores no source or a filtered one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_source: Option<bool>,
    /// Documents of more bytes are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_document_size: Option<Size>,
    /// How buckets of S3 are reached, the repository's and that of failed documents.
    #[serde(skip_serializing_if = "S3Config::is_empty")]
    pub s3: S3Config,
    /// The cluster that the snapshot is of, where it is still there: to list its indices, and for nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterConfig>,
}

/// How buckets of S3, or of a server that speaks like it, are reached. Keys come from where AWS's own tools take them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct S3Config {
    /// The region; unless said, the one of the environment, the profile or the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The URL of a server in place of AWS's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Whether the bucket is named in the path of requests and not in the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// The profile whose keys are taken, whatever the environment holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The ARN of a role to assume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The external id that the role asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name under which the role's session shows in logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_session: Option<String>,
    /// Whether nothing is signed, for buckets that are open to everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<bool>,
    /// Whether an endpoint on another machine may begin with `http://`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_http: Option<bool>,
}

impl S3Config {
    fn options(&self) -> S3Options {
        let role = self.role.clone().map(|arn| S3Role {
            arn,
            external_id: self.external_id.clone(),
            session_name: self.role_session.clone(),
        });
        S3Options {
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
            path_style: self.path_style.unwrap_or_default(),
            profile: self.profile.clone(),
            role,
            anonymous: self.anonymous.unwrap_or_default(),
            allow_http: self.allow_http.unwrap_or_default(),
        }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl SourceConfig {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How the repository is read.
    pub fn options(&self) -> RepositoryOptions {
        RepositoryOptions {
            base_path: self.base_path.clone(),
            allow_partial: self.allow_partial.unwrap_or_default(),
            remote_store: self.remote_store.clone(),
            remote_store_base_path: self.remote_store_base_path.clone(),
            recovery_source: self.recovery_source.unwrap_or_default(),
            max_document_bytes: self.max_document_size.map(|Size(bytes)| bytes),
            s3: self.s3.options(),
        }
    }
}
