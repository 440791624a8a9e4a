//! The whole configuration.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{BackfillConfig, CoordinatorConfig, SourceConfig, TargetConfig};
use crate::coordination::Session;
use crate::settings::FleetConfig;

/// Where a backfill reads and writes, and how. Everything may be left out: what is missing is given otherwise, or as usual.
///
/// ```
/// use snapfill::settings::config::{Config, ConfigFormat};
///
/// let text = r#"
/// [source]
/// repository = "/backups/nightly"
/// snapshot = "snap-1"
///
/// [target]
/// endpoint = "https://search.example.com:9200"
/// auth.basic = { user = "filler", password = { env = "TARGET_PASSWORD" } }
///
/// [backfill]
/// indices = ["logs-*"]
/// lease = "2m"
/// bulk = { size = "5 MiB" }
/// "#;
/// let config = Config::parse(text, ConfigFormat::Toml, "snapfill.toml")?;
/// assert_eq!(config.source.snapshot.as_deref(), Some("snap-1"));
/// # Ok::<(), snapfill::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What is read.
    #[serde(skip_serializing_if = "SourceConfig::is_empty")]
    pub source: SourceConfig,
    /// What is filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetConfig>,
    /// Where the working state is kept, where that is not the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordinator: Option<CoordinatorConfig>,
    /// The run's name, to keep it apart from others that fill the same target.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub session: Option<Session>,
    /// The folder for what this machine keeps of a run into a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PathBuf>,
    /// What goes where, and how.
    #[serde(skip_serializing_if = "BackfillConfig::is_empty")]
    pub backfill: BackfillConfig,
    /// Where the workers are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetConfig>,
}

/// As YAML, secrets as asterisks.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        serde_saphyr::to_fmt_writer(f, self).map_err(|_| fmt::Error)
    }
}
