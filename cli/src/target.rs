//! The target that was typed, opened.

use std::sync::Arc;

use snapfill::cluster::http::{Auth, Compression, ServerIds, TlsConfig};
use snapfill::cluster::{ClusterClient, HttpCluster, HttpConfig, LocalCluster, TargetAddress};
use snapfill::{Error, ErrorKind};
use url::Url;

use crate::arguments::{self, ClusterOptions, Compress, Target};
use crate::config::secret::SecretPlace;
use crate::exit::Failure;
use crate::fleet::text;

/// The target: a cluster, or a folder that holds one already.
pub(crate) async fn open_existing(
    target: &Target,
    options: &ClusterOptions,
) -> Result<Arc<dyn ClusterClient>, Failure> {
    match target.address()? {
        TargetAddress::Url(url) => Ok(Arc::new(connect(&url, options).await?)),
        folder => {
            require_none(options)?;
            Ok(Arc::new(LocalCluster::open_existing(folder.folder()?)?))
        }
    }
}

/// The cluster at an address.
pub(crate) async fn connect(url: &Url, options: &ClusterOptions) -> Result<HttpCluster, Failure> {
    let config = config(url, options)?;
    #[cfg(feature = "aws")]
    if let Some(service) = options.aws.service {
        return crate::aws::connect(service, &options.aws, config).await;
    }
    HttpCluster::new(config).map_err(Failure::usage)
}

fn config(url: &Url, options: &ClusterOptions) -> Result<HttpConfig, Failure> {
    let mut endpoints = vec![url.to_string()];
    for more in &options.endpoints {
        match more.address()? {
            TargetAddress::Url(url) => endpoints.push(url.to_string()),
            _ => {
                return Err(usage(
                    "--target-endpoint takes an address that begins with http:// or https://",
                ));
            }
        }
    }
    let tls = TlsConfig {
        ca_file: options.ca.clone(),
        client_certificate: options.certificate.clone(),
        client_key: options.key.clone(),
        allow_insecure: options.allow_insecure,
    };
    let mut config =
        HttpConfig::new(endpoints).map_err(Failure::usage)?.with_auth(auth(options)?).with_tls(tls);
    config.user_agent_extra = options.user_agent_extra.clone().unwrap_or_default();
    config.compression = match options.compress {
        Compress::Auto => Compression::Auto,
        Compress::Gzip => Compression::Gzip,
        Compress::Off => Compression::Off,
    };
    config.allowed_exceptions = options.allowed_exceptions.iter().cloned().collect();
    config.server_ids = match options.server_ids {
        arguments::ServerIds::Auto => ServerIds::Auto,
        arguments::ServerIds::Always => ServerIds::Always,
        arguments::ServerIds::Never => ServerIds::Never,
    };
    Ok(config)
}

/// A folder needs none of them: somebody who gives them means another target.
pub(crate) fn require_none(options: &ClusterOptions) -> Result<(), Failure> {
    let given = [
        (!options.endpoints.is_empty(), "--target-endpoint"),
        (options.api_key_env.is_some(), "--target-api-key-env"),
        (options.token_env.is_some(), "--target-token-env"),
        (options.ca.is_some(), "--target-ca"),
        (options.certificate.is_some(), "--target-cert"),
        (options.allow_insecure, "--allow-insecure"),
        (!options.allowed_exceptions.is_empty(), "--allow-exception"),
        (options.server_ids != arguments::ServerIds::Auto, "--server-ids"),
        #[cfg(feature = "aws")]
        (options.aws.service.is_some(), "--target-aws-service"),
    ];
    match given.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, name)) => Err(usage(&format!(
            "{name} is for targets that are clusters, and this one is a folder"
        ))),
        None => Ok(()),
    }
}

impl ClusterOptions {
    /// The same for a worker on this machine. Secrets stay in the environment, which it has, too, and in the configuration
    /// file, which it reads.
    pub(crate) fn to_arguments(&self) -> Result<Vec<String>, Failure> {
        let mut arguments = Vec::new();
        let mut give = |name: &str, value: &str| arguments.push(format!("{name}={value}"));
        for endpoint in &self.endpoints {
            if let Some(url) = endpoint.url()? {
                give("--target-endpoint", url.as_str());
            }
        }
        if let Some(user) = &self.user {
            give("--target-user", user);
            if let Some(variable) = self.password_env.variable() {
                give("--target-password-env", variable);
            }
        }
        for (name, variable) in
            [("--target-api-key-env", &self.api_key_env), ("--target-token-env", &self.token_env)]
        {
            if let Some(variable) = variable.as_ref().and_then(SecretPlace::variable) {
                give(name, variable);
            }
        }
        for (name, file) in [
            ("--target-ca", &self.ca),
            ("--target-cert", &self.certificate),
            ("--target-key", &self.key),
        ] {
            if let Some(file) = file {
                give(name, &text(file)?);
            }
        }
        if let Some(text) = &self.user_agent_extra {
            give("--user-agent-extra", text);
        }
        give("--compress", self.compress.word());
        give("--server-ids", self.server_ids.word());
        for exception in &self.allowed_exceptions {
            give("--allow-exception", exception);
        }
        if self.allow_insecure {
            arguments.push("--allow-insecure".to_owned());
        }
        #[cfg(feature = "aws")]
        arguments.extend(self.aws.to_arguments());
        Ok(arguments)
    }
}

impl arguments::ServerIds {
    fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl Compress {
    fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Gzip => "gzip",
            Self::Off => "off",
        }
    }
}

fn auth(options: &ClusterOptions) -> Result<Auth, Failure> {
    let ClusterOptions { user, password_env, api_key_env, token_env, .. } = options;
    Ok(match (user, api_key_env, token_env) {
        (_, Some(place), _) => Auth::ApiKey(place.resolve("--target-api-key-env")?),
        (_, _, Some(place)) => Auth::Bearer(place.resolve("--target-token-env")?),
        (Some(user), _, _) => {
            let password = password_env.resolve("the password of --target-user")?;
            Auth::Basic { user: user.clone(), password }
        }
        _ => Auth::None,
    })
}

/// A user and a password of the environment, or nobody.
pub(crate) fn basic(
    user: Option<&str>,
    password: &SecretPlace,
    what: &str,
) -> Result<Auth, Failure> {
    Ok(match user {
        None => Auth::None,
        Some(user) => Auth::Basic { user: user.to_owned(), password: password.resolve(what)? },
    })
}

/// The cluster at an address that is no target.
pub(crate) fn connect_as(url: &Url, auth: Auth, tls: TlsConfig) -> Result<HttpCluster, Failure> {
    let config = HttpConfig::new([url.as_str()]).map_err(Failure::usage)?;
    HttpCluster::new(config.with_auth(auth).with_tls(tls)).map_err(Failure::usage)
}

pub(crate) fn usage(message: &str) -> Failure {
    Failure::usage(Error::new(ErrorKind::Config, message))
}
