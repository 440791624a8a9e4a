//! A configuration file: where a backfill reads and writes, and how.
//!
//! | file | subject |
//! |---|---|
//! | [`document`] | the whole of it |
//! | [`source`], [`target`], [`cluster`] | what is read, what is filled, other clusters |
//! | [`auth`], [`secret`] | who we say we are, and where secrets are |
//! | [`backfill`] | what goes where, and how |
//! | [`units`] | sizes and times as people write them |
//! | [`read`], `complaint` | a file becomes a configuration, or a line that is wrong |
//! | `roots` | paths in a file begin at its folder |
//! | `services` | the `services.yaml` of OpenSearch's Migration Assistant |
//! | `schema` | the JSON schema |

pub mod auth;
pub mod backfill;
pub mod cluster;
mod complaint;
pub mod document;
pub mod read;
mod roots;
#[cfg(feature = "schema")]
mod schema;
pub mod secret;
mod services;
pub mod source;
pub mod target;
pub mod units;

pub use auth::{AuthConfig, BasicAuth, LoginConfig, Sigv4Config};
pub use backfill::{BackfillConfig, BulkConfig, LimitsConfig, RenameConfig, RenamePattern};
pub use cluster::{ClusterConfig, CoordinatorConfig, TrustConfig};
pub use document::Config;
pub use read::{ConfigFile, ConfigFormat};
#[cfg(feature = "schema")]
pub use schema::schema;
pub use secret::SecretConfig;
pub use source::{S3Config, SourceConfig};
pub use target::{TargetConfig, TargetTls};
pub use units::{Size, Time};

#[cfg(test)]
mod tests;
