//! How to speak with a cluster.

use std::fmt;
use std::time::Duration;

use snapfill::ErrorKind;
use snapfill::cluster::http::{Auth, Compression, Secret, ServerIds, TlsConfig};
use snapfill::cluster::{HttpCluster, HttpConfig};

use crate::convert::choose;
use crate::{Result, SnapfillError};

/// How to speak with a cluster. None of it is for a target that is a folder.
#[derive(Clone, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record), uniffi::export(Debug))]
pub struct ClusterOptions {
    /// Further addresses of the same cluster.
    #[cfg_attr(feature = "uniffi", uniffi(default = []))]
    pub endpoints: Vec<String>,
    /// The user's name, for basic authentication.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub user: Option<String>,
    /// The user's password.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub password: Option<String>,
    /// An API key: `id:key`, or both encoded together.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub api_key: Option<String>,
    /// A bearer token.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub token: Option<String>,
    /// A PEM file of certificate authorities to believe in place of the system's.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub ca_file: Option<String>,
    /// The certificate to show: a PEM file.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub client_certificate: Option<String>,
    /// Its private key: a PEM file.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub client_key: Option<String>,
    /// Believe anybody.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub allow_insecure: bool,
    /// Whether request bodies are compressed: `auto` (unless the cluster is on this machine), `gzip` or `off`.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub compression: Option<String>,
    /// How long a request may take; none: a minute.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub timeout: Option<Duration>,
    /// Types of exceptions that are no failure of a document.
    #[cfg_attr(feature = "uniffi", uniffi(default = []))]
    pub allowed_exceptions: Vec<String>,
    /// Whether documents get ids from the server: `auto`, `always` or `never`.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub server_ids: Option<String>,
    /// Put behind `snapfill/<version>` in the user agent.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub user_agent_extra: Option<String>,
    /// Signs requests for AWS.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub aws: Option<AwsOptions>,
}

/// How requests to AWS are signed. Keys come from where AWS's own tools take them.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AwsOptions {
    /// `es` for Amazon OpenSearch Service, `aoss` for Serverless.
    pub service: String,
    /// The region; none: that of the address, the environment or the profile.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub region: Option<String>,
    /// Takes the keys of this profile.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub profile: Option<String>,
    /// The ARN of a role to assume.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub role: Option<String>,
    /// The external id that the role asks for.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub external_id: Option<String>,
    /// The name under which the role's session shows in logs; none: `snapfill`.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub role_session: Option<String>,
    /// The domain's name, for CloudWatch, where the address does not hold it.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub domain: Option<String>,
    /// The id of the account that owns the domain, where it is not the one of the keys.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub account: Option<String>,
    /// The collection's id, where the address does not hold it.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub collection: Option<String>,
}

impl fmt::Debug for ClusterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Everything that may be a secret, or hold one, stays out.
        f.debug_struct("ClusterOptions")
            .field("user", &self.user)
            .field("ca_file", &self.ca_file)
            .field("allow_insecure", &self.allow_insecure)
            .field("aws", &self.aws)
            .finish_non_exhaustive()
    }
}

impl ClusterOptions {
    /// The options that were given, by name: a target that is a folder takes none.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let given = [
            (!self.endpoints.is_empty(), "endpoints"),
            (self.user.is_some(), "user"),
            (self.password.is_some(), "password"),
            (self.api_key.is_some(), "api_key"),
            (self.token.is_some(), "token"),
            (self.ca_file.is_some(), "ca_file"),
            (self.client_certificate.is_some(), "client_certificate"),
            (self.client_key.is_some(), "client_key"),
            (self.allow_insecure, "allow_insecure"),
            (self.compression.is_some(), "compression"),
            (self.timeout.is_some(), "timeout"),
            (!self.allowed_exceptions.is_empty(), "allowed_exceptions"),
            (self.server_ids.is_some(), "server_ids"),
            (self.user_agent_extra.is_some(), "user_agent_extra"),
            (self.aws.is_some(), "aws"),
        ];
        given.into_iter().find(|(is_given, _)| *is_given).map(|(_, name)| name)
    }

    /// The configuration for the cluster at an address.
    pub(crate) fn config(&self, address: &str) -> Result<HttpConfig> {
        let endpoints = std::iter::once(address).chain(self.endpoints.iter().map(String::as_str));
        let tls = TlsConfig {
            ca_file: self.ca_file.clone().map(Into::into),
            client_certificate: self.client_certificate.clone().map(Into::into),
            client_key: self.client_key.clone().map(Into::into),
            allow_insecure: self.allow_insecure,
        };
        let mut config = HttpConfig::new(endpoints)?.with_auth(self.auth()?).with_tls(tls);
        config.compression = choose(
            "compression",
            self.compression.as_deref(),
            &[("auto", Compression::Auto), ("gzip", Compression::Gzip), ("off", Compression::Off)],
        )?;
        config.server_ids = choose(
            "server_ids",
            self.server_ids.as_deref(),
            &[
                ("auto", ServerIds::Auto),
                ("always", ServerIds::Always),
                ("never", ServerIds::Never),
            ],
        )?;
        config.allowed_exceptions = self.allowed_exceptions.iter().cloned().collect();
        config.user_agent_extra = self.user_agent_extra.clone().unwrap_or_default();
        if let Some(timeout) = self.timeout {
            config.timeout = timeout;
        }
        Ok(config)
    }

    fn auth(&self) -> Result<Auth> {
        let Self { user, password, api_key, token, aws, .. } = self;
        let ways = [user.is_some(), api_key.is_some(), token.is_some(), aws.is_some()];
        if ways.into_iter().filter(|is_given| *is_given).count() > 1 {
            let message =
                "give one of user, api_key, token and aws: a request is authenticated in one way";
            return Err(SnapfillError::new(ErrorKind::Config, message));
        }
        let secret = |text: &String| Secret::from(text.clone());
        match (user, password, api_key, token) {
            (Some(user), Some(password), ..) => {
                Ok(Auth::Basic { user: user.clone(), password: secret(password) })
            }
            (Some(_), None, ..) | (None, Some(_), ..) => Err(SnapfillError::new(
                ErrorKind::Config,
                "basic authentication takes both user and password",
            )),
            (_, _, Some(key), _) => Ok(Auth::ApiKey(secret(key))),
            (_, _, _, Some(token)) => Ok(Auth::Bearer(secret(token))),
            _ => Ok(Auth::None),
        }
    }

    /// The cluster at an address.
    pub(crate) async fn connect(&self, address: &str) -> Result<HttpCluster> {
        let config = self.config(address)?;
        match &self.aws {
            Some(aws) => aws.connect(config).await,
            None => Ok(HttpCluster::new(config)?),
        }
    }
}

#[cfg(not(feature = "aws"))]
impl AwsOptions {
    // As the real one, which asks for credentials.
    #[allow(clippy::unused_async)]
    async fn connect(&self, _config: HttpConfig) -> Result<HttpCluster> {
        let message = "this build has no AWS in it; take one with the feature `aws`";
        Err(SnapfillError::new(ErrorKind::Unsupported, message))
    }
}

#[cfg(feature = "aws")]
impl AwsOptions {
    async fn connect(&self, config: HttpConfig) -> Result<HttpCluster> {
        use snapfill::cluster::aws::{AwsService, AwsTarget};

        let services = [("es", AwsService::Domain), ("aoss", AwsService::Serverless)];
        let target = AwsTarget {
            service: choose("aws.service", Some(&self.service), &services)?,
            region: self.region.clone(),
            profile: self.profile.clone(),
            role: self.role.clone(),
            external_id: self.external_id.clone(),
            role_session: self.role_session.clone(),
            domain: self.domain.clone(),
            account: self.account.clone(),
            collection: self.collection.clone(),
        };
        if let Some(other) = target.other_service(&config) {
            let name = other.name();
            let message =
                format!("the address is one of AWS's service `{name}`: say so in aws.service");
            return Err(SnapfillError::new(ErrorKind::Config, message));
        }
        Ok(target.connect(config).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let options = ClusterOptions {
            user: Some("filler".to_owned()),
            password: Some("hunter2".to_owned()),
            token: Some("hunter3".to_owned()),
            api_key: Some("hunter4".to_owned()),
            ..ClusterOptions::default()
        };
        let shown = format!("{options:?}");
        assert!(shown.contains("filler") && !shown.contains("hunter"), "{shown}");
        let refused = options.config("http://a").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(!refused.to_string().contains("hunter"), "{refused}");
    }

    #[test]
    fn an_unknown_word_is_refused_with_those_that_are_known() {
        let options =
            ClusterOptions { compression: Some("zip".to_owned()), ..ClusterOptions::default() };
        let refused = options.config("http://a").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(refused.to_string().contains("auto, gzip, off"), "{refused}");
    }
}
