//! What is filled.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::AuthConfig;
use super::cluster::ClusterUrl;
use crate::cluster::TargetAddress;
use crate::cluster::http::{Auth, Compression, HttpConfig, ServerIds, TlsConfig};
use crate::{Error, Result};

/// The target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// A cluster's address without a user or a password, or a folder.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub endpoint: TargetPlace,
    /// Other addresses of the same cluster, used in turn with the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub endpoints: Vec<ClusterUrl>,
    /// Who we say we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthConfig>,
    /// Whom we believe, and the certificate we show.
    #[serde(default, skip_serializing_if = "TargetTls::is_empty")]
    pub tls: TargetTls,
    /// Whether what is sent is compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// Whether documents get new ids from the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_ids: Option<ServerIds>,
    /// Put behind `snapfill/<version>` in the user agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent_extra: Option<String>,
}

impl TargetConfig {
    /// The target at an address, everything else as usual.
    pub fn new(endpoint: TargetPlace) -> Self {
        Self {
            endpoint,
            endpoints: Vec::new(),
            auth: None,
            tls: TargetTls::default(),
            compression: None,
            server_ids: None,
            user_agent_extra: None,
        }
    }

    /// How to speak with it, its secrets read from where they are. Signing is the caller's, who has the keys
    /// ([`AuthConfig::Sigv4`]).
    ///
    /// # Errors
    /// `Config` for a folder, or a secret that is not there.
    pub fn http(&self) -> Result<HttpConfig> {
        let first = self.endpoint.to_string();
        let more = self.endpoints.iter().map(ToString::to_string);
        let mut config = HttpConfig::new(std::iter::once(first).chain(more))?;
        config.auth = self.auth.as_ref().map_or(Ok(Auth::None), AuthConfig::resolve)?;
        config.tls = TlsConfig {
            ca_file: self.tls.ca.clone(),
            client_certificate: self.tls.certificate.clone(),
            client_key: self.tls.key.clone(),
            allow_insecure: self.tls.allow_insecure.unwrap_or_default(),
        };
        config.compression = self.compression.unwrap_or_default();
        config.server_ids = self.server_ids.unwrap_or_default();
        config.user_agent_extra = self.user_agent_extra.clone().unwrap_or_default();
        Ok(config)
    }
}

/// Whom we believe, and the certificate we show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TargetTls {
    /// A PEM file of the certificate authorities to trust, in place of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// A PEM file of the certificate to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// A PEM file of its private key, where it is not in the same file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Whether the target's certificate is not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
}

impl TargetTls {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A cluster's address, or a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TargetPlace {
    /// A local target.
    Folder(PathBuf),
    /// A cluster.
    Cluster(ClusterUrl),
}

impl TargetPlace {
    /// The folder of a local target.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Cluster(_) => None,
        }
    }
}

impl TryFrom<String> for TargetPlace {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        match text.parse()? {
            TargetAddress::Folder(folder) => Ok(Self::Folder(folder)),
            TargetAddress::Url(_) => text.try_into().map(Self::Cluster),
        }
    }
}

impl From<TargetPlace> for String {
    fn from(place: TargetPlace) -> Self {
        place.to_string()
    }
}

impl fmt::Display for TargetPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Cluster(url) => url.fmt(f),
        }
    }
}
