//! Where a cluster is and how to speak with it.

use std::collections::BTreeSet;
use std::time::Duration;

use url::{Host, Url};

use super::{Auth, ServerIds, TlsConfig};
use crate::{Error, ErrorKind, Result};

/// Whether request bodies are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Unless the target is on this machine, where compressing costs more than it saves.
    #[default]
    Auto,
    /// Always.
    Gzip,
    /// Never.
    Off,
}

/// Where a cluster is and how to speak with it.
///
/// ```
/// use snapfill::cluster::http::{Auth, HttpConfig};
///
/// let config = HttpConfig::new(["https://search-1.example.com:9200", "https://search-2.example.com:9200"])?
///     .with_auth(Auth::Basic { user: "filler".into(), password: "secret".to_owned().into() });
/// assert!(!format!("{config:?}").contains("secret"));
/// # Ok::<(), snapfill::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpConfig {
    endpoints: Vec<Url>,
    /// Who we say we are.
    pub auth: Auth,
    /// Whom we believe.
    pub tls: TlsConfig,
    /// Whether request bodies are compressed.
    pub compression: Compression,
    /// How long setting up a connection may take.
    pub connect_timeout: Duration,
    /// How long a request may take from its beginning to the end of its answer.
    pub timeout: Duration,
    /// Put behind `snapfill/<version>` in the user agent.
    pub user_agent_extra: String,
    /// Types of exceptions that are no failure of a document: it counts as present in the target.
    pub allowed_exceptions: BTreeSet<String>,
    /// Whether documents get ids from the server.
    pub server_ids: ServerIds,
}

impl HttpConfig {
    /// Everything by default but the addresses: one, or several of the same cluster.
    ///
    /// # Errors
    /// `Config` for what is no `http://` or `https://` URL, or holds a user or a password.
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<str>>(endpoints: I) -> Result<Self> {
        let endpoints: Vec<Url> =
            endpoints.into_iter().map(|text| endpoint(text.as_ref())).collect::<Result<_>>()?;
        if endpoints.is_empty() {
            return Err(Error::new(ErrorKind::Config, "a target needs at least one address"));
        }
        Ok(Self {
            endpoints,
            auth: Auth::None,
            tls: TlsConfig::default(),
            compression: Compression::Auto,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            user_agent_extra: String::new(),
            allowed_exceptions: BTreeSet::new(),
            server_ids: ServerIds::Auto,
        })
    }

    /// Authenticates requests.
    #[must_use]
    pub fn with_auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Believes others than the system's certificate authorities, or shows a certificate of one's own.
    #[must_use]
    pub fn with_tls(mut self, tls: TlsConfig) -> Self {
        self.tls = tls;
        self
    }

    /// The addresses.
    pub fn endpoints(&self) -> &[Url] {
        &self.endpoints
    }

    pub(super) fn user_agent(&self) -> String {
        let own = concat!("snapfill/", env!("CARGO_PKG_VERSION"));
        match self.user_agent_extra.trim() {
            "" => own.to_owned(),
            extra => format!("{own} {extra}"),
        }
    }

    /// Whether every address is on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.endpoints.iter().all(|url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        })
    }

    pub(super) fn compresses(&self) -> bool {
        match self.compression {
            Compression::Auto => !self.is_local(),
            Compression::Gzip => true,
            Compression::Off => false,
        }
    }
}

/// Understands one address. Errors do not show it: it may hold a password.
fn endpoint(text: &str) -> Result<Url> {
    let refuse = |why: String| Err(Error::new(ErrorKind::Config, why));
    let mut url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return refuse(format!("the target's address is no URL: {error}")),
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return refuse(format!(
            "a target's address begins with http:// or https:// and a host, not with `{}:`",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "the target's address holds a user or a password; give them apart from it, since addresses are shown".to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("the target's address holds a `?` or `#`; end it after the path".to_owned());
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}
