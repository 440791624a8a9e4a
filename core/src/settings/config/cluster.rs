//! Clusters that are not filled: the source, and the one that coordinates.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::LoginConfig;
use crate::cluster::TargetAddress;
use crate::{Error, ErrorKind, Result};

/// A cluster that is asked and not filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// Its address, `http://…` or `https://…`, without a user or a password.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub endpoint: ClusterUrl,
    /// Who we say we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<LoginConfig>,
    /// Whom we believe.
    #[serde(default, skip_serializing_if = "TrustConfig::is_empty")]
    pub tls: TrustConfig,
}

/// Where a run is coordinated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CoordinatorConfig {
    /// A cluster's address, or `local` for a file on this machine.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub endpoint: CoordinatorPlace,
    /// Who we say we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<LoginConfig>,
    /// Whom we believe.
    #[serde(default, skip_serializing_if = "TrustConfig::is_empty")]
    pub tls: TrustConfig,
}

/// Whom we believe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TrustConfig {
    /// A PEM file of the certificate authorities to trust, in place of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Whether the certificate is not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
}

impl TrustConfig {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A cluster's address without credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterUrl(Url);

impl ClusterUrl {
    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl TryFrom<String> for ClusterUrl {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        match text.parse()? {
            TargetAddress::Url(url) => Ok(Self(url)),
            TargetAddress::Folder(_) => Err(Error::new(
                ErrorKind::Config,
                "a cluster's address begins with http:// or https://",
            )),
        }
    }
}

impl From<ClusterUrl> for String {
    fn from(url: ClusterUrl) -> Self {
        url.to_string()
    }
}

impl fmt::Display for ClusterUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// A place for the working state that is not the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CoordinatorPlace {
    /// A file on this machine.
    Local,
    /// A cluster.
    Cluster(ClusterUrl),
}

impl TryFrom<String> for CoordinatorPlace {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        if text == "local" { Ok(Self::Local) } else { text.try_into().map(Self::Cluster) }
    }
}

impl From<CoordinatorPlace> for String {
    fn from(place: CoordinatorPlace) -> Self {
        place.to_string()
    }
}

impl fmt::Display for CoordinatorPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Cluster(url) => url.fmt(f),
        }
    }
}
