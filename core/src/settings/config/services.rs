//! The `services.yaml` of OpenSearch's Migration Assistant, read as it is.

mod clusters;
mod reindex;

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::complaint::Complaint;
use super::{AuthConfig, Config, LoginConfig, SecretConfig, TargetConfig};
use super::{BasicAuth, ClusterConfig, TargetTls, TrustConfig};
use clusters::{Cluster, Login};
use reindex::{Backfill, Snapshot};

/// Sections of such a file that no configuration of ours has.
const THEIRS: [&str; 8] = [
    "source_cluster",
    "target_cluster",
    "snapshot",
    "client_options",
    "metadata_migration",
    "metrics_source",
    "replay",
    "kafka",
];

/// What of the file is for a backfill. Everything else is for other tools, and left alone.
#[derive(Deserialize)]
struct Services {
    source_cluster: Option<Cluster>,
    target_cluster: Option<Cluster>,
    backfill: Option<Backfill>,
    snapshot: Option<Snapshot>,
    client_options: Option<ClientOptions>,
}

#[derive(Deserialize)]
struct ClientOptions {
    user_agent_extra: Option<String>,
}

/// Whether a text is such a file. One that is no map is none.
pub(super) fn is_one(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Sections {
        #[serde(default)]
        backfill: Option<BTreeMap<String, IgnoredAny>>,
        #[serde(flatten)]
        others: BTreeMap<String, IgnoredAny>,
    }
    let Ok(sections) = serde_saphyr::from_str::<Sections>(text) else { return false };
    let backfill = sections.backfill.unwrap_or_default();
    THEIRS.iter().any(|name| sections.others.contains_key(*name))
        || backfill.contains_key(reindex::FROM_SNAPSHOT)
        || backfill.contains_key(reindex::INGESTION)
}

/// The configuration that such a file is, and what is to be said of it.
pub(super) fn read(text: &str) -> Result<(Config, Vec<String>), Complaint> {
    let mut ignored = Vec::new();
    let options = serde_saphyr::options! { with_snippet: false };
    let services: Services =
        serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
            serde_ignored::deserialize(deserializer, |path| ignored.push(name_of(&path)))
        })
        .map_err(|error| Complaint::of_yaml(&error))?;
    let mut notes: Vec<String> =
        ignored.iter().map(|name| format!("`{name}` is not for snapfill and is ignored")).collect();
    let config = services.into_config(&mut notes);
    Ok((config, notes))
}

/// The name of what is ignored, without the steps that only the reader takes.
fn name_of(path: &serde_ignored::Path<'_>) -> String {
    let path = path.to_string();
    path.split('.').filter(|step| *step != "?").collect::<Vec<_>>().join(".")
}

impl Services {
    fn into_config(self, notes: &mut Vec<String>) -> Config {
        let mut config = Config::default();
        config.source.cluster = self.source_cluster.and_then(|cluster| source(cluster, notes));
        let extra = self.client_options.and_then(|options| options.user_agent_extra);
        config.target = self
            .target_cluster
            .map(|cluster| TargetConfig { user_agent_extra: extra, ..target(cluster) });
        if let Some(snapshot) = self.snapshot {
            snapshot.write_to(&mut config.source, notes);
        }
        if let Some(backfill) = self.backfill {
            backfill.write_to(&mut config, notes);
        }
        config
    }
}

fn target(cluster: Cluster) -> TargetConfig {
    let auth = match cluster.login {
        Login::Nobody => None,
        Login::Basic { user, password } => Some(basic(user, password)),
        Login::Signed(sigv4) => Some(AuthConfig::Sigv4(sigv4)),
        Login::SecretsManager(arn) => Some(AuthConfig::SecretsManager(arn)),
        Login::KubernetesSecret(name) => Some(AuthConfig::KubernetesSecret(name)),
    };
    TargetConfig {
        auth,
        tls: TargetTls { allow_insecure: cluster.allow_insecure, ..TargetTls::default() },
        ..TargetConfig::new(super::target::TargetPlace::Cluster(cluster.endpoint))
    }
}

fn basic(user: String, password: SecretConfig) -> AuthConfig {
    AuthConfig::Basic(BasicAuth { user, password: Some(password) })
}

/// The source, where we can speak with it: it is only listed, and the snapshot can be listed as well.
fn source(cluster: Cluster, notes: &mut Vec<String>) -> Option<ClusterConfig> {
    let auth = match cluster.login {
        Login::Nobody => None,
        Login::Basic { user, password } => {
            Some(LoginConfig::Basic(BasicAuth { user, password: Some(password) }))
        }
        Login::Signed(_) | Login::SecretsManager(_) | Login::KubernetesSecret(_) => {
            notes.push(
                "`source_cluster` is not asked, since its login is none that snapfill has for a source; its indices are \
                 listed from the snapshot"
                    .to_owned(),
            );
            return None;
        }
    };
    let tls = TrustConfig { allow_insecure: cluster.allow_insecure, ..TrustConfig::default() };
    Some(ClusterConfig { endpoint: cluster.endpoint, auth, tls })
}

/// A name that is there, whatever stands behind it, and be it nothing.
fn there<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Some(Option::deserialize(deserializer)?.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
