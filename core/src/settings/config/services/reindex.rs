//! `backfill` and `snapshot`.

use std::num::NonZeroU16;

use serde::Deserialize;
use serde_json::Value;

use super::there;
use crate::coordination::Session;
use crate::settings::config::{Config, SourceConfig};
use crate::settings::{EcsFleetConfig, FleetConfig, KubernetesFleetConfig};

/// The backfill that we do.
pub(super) const FROM_SNAPSHOT: &str = "reindex_from_snapshot";
/// One that we do not.
pub(super) const INGESTION: &str = "opensearch_ingestion";

/// What is said of a role that is not for us.
const WRITERS_ROLE: &str = "`snapshot.s3.role` is the role with which a managed cluster reaches the bucket; snapfill reads it \
                            with its own keys (another role: `--repo-assume-role`)";

#[derive(Deserialize)]
pub(super) struct Backfill {
    #[serde(default, deserialize_with = "there")]
    reindex_from_snapshot: Option<Reindex>,
    #[serde(default, deserialize_with = "there")]
    opensearch_ingestion: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(try_from = "Written")]
struct Reindex {
    fleet: Option<FleetConfig>,
    snapshot_name: Option<String>,
    session: Option<Session>,
    scale: Option<NonZeroU16>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default, deserialize_with = "there")]
    docker: Option<Value>,
    ecs: Option<Ecs>,
    k8s: Option<Pods>,
    snapshot_name: Option<String>,
    /// Under which name a cluster knows the repository: we read the repository itself.
    #[serde(rename = "snapshot_repo")]
    _snapshot_repo: Option<String>,
    session_name: Option<Session>,
    backfill_session_name: Option<Session>,
    scale: Option<NonZeroU16>,
}

#[derive(Deserialize)]
struct Ecs {
    cluster_name: String,
    service_name: String,
    aws_region: Option<String>,
}

#[derive(Deserialize)]
struct Pods {
    namespace: Option<String>,
    deployment_name: String,
}

impl TryFrom<Written> for Reindex {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let fleet = match (written.docker, written.ecs, written.k8s) {
            (None, None, None) => None,
            (Some(_), None, None) => Some(FleetConfig::Processes),
            (None, Some(ecs), None) => Some(FleetConfig::Ecs(EcsFleetConfig {
                region: ecs.aws_region,
                ..EcsFleetConfig::new(ecs.cluster_name, ecs.service_name)
            })),
            (None, None, Some(pods)) => Some(FleetConfig::Kubernetes(KubernetesFleetConfig {
                namespace: pods.namespace,
                ..KubernetesFleetConfig::new(pods.deployment_name)
            })),
            _ => return Err("`reindex_from_snapshot` has one of `docker`, `ecs` and `k8s`"),
        };
        Ok(Self {
            fleet,
            snapshot_name: written.snapshot_name,
            session: written.backfill_session_name.or(written.session_name),
            scale: written.scale,
        })
    }
}

impl Backfill {
    pub(super) fn write_to(self, config: &mut Config, notes: &mut Vec<String>) {
        if self.opensearch_ingestion.is_some() {
            notes.push(format!("`backfill.{INGESTION}` is not done by snapfill and is ignored"));
        }
        let Some(reindex) = self.reindex_from_snapshot else { return };
        config.fleet = reindex.fleet;
        config.session = reindex.session;
        config.backfill.workers = reindex.scale;
        if reindex.snapshot_name.is_some() {
            config.source.snapshot = reindex.snapshot_name;
        }
    }
}

/// Where the snapshot lies.
#[derive(Deserialize)]
#[serde(try_from = "Place")]
pub(super) struct Snapshot {
    name: Option<String>,
    repository: Option<Repository>,
}

enum Repository {
    Folder(String),
    Bucket(Bucket),
}

#[derive(Deserialize)]
struct Place {
    snapshot_name: Option<String>,
    /// Under which name a cluster knows the repository: we read the repository itself.
    #[serde(rename = "snapshot_repo_name")]
    _snapshot_repo_name: Option<String>,
    s3: Option<Bucket>,
    gcs: Option<Bucket>,
    fs: Option<Folder>,
}

#[derive(Deserialize)]
struct Bucket {
    repo_uri: String,
    aws_region: Option<String>,
    role: Option<String>,
    endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Folder {
    repo_path: String,
}

impl TryFrom<Place> for Snapshot {
    type Error = &'static str;

    fn try_from(place: Place) -> Result<Self, Self::Error> {
        let repository = match (place.s3, place.gcs, place.fs) {
            (None, None, None) => None,
            (Some(bucket), None, None) | (None, Some(bucket), None) => {
                Some(Repository::Bucket(bucket))
            }
            (None, None, Some(folder)) => Some(Repository::Folder(folder.repo_path)),
            _ => return Err("`snapshot` has one of `s3`, `gcs` and `fs`"),
        };
        Ok(Self { name: place.snapshot_name, repository })
    }
}

impl Snapshot {
    pub(super) fn write_to(self, source: &mut SourceConfig, notes: &mut Vec<String>) {
        source.snapshot = self.name;
        match self.repository {
            Some(Repository::Folder(folder)) => source.repository = Some(folder),
            Some(Repository::Bucket(bucket)) => {
                source.repository = Some(bucket.repo_uri);
                source.s3.region = bucket.aws_region;
                source.s3.endpoint = bucket.endpoint;
                if bucket.role.is_some() {
                    notes.push(WRITERS_ROLE.to_owned());
                }
            }
            None => {}
        }
    }
}
