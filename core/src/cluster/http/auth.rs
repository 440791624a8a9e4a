//! Who we say we are.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::Url;

use super::Secret;
use crate::{Error, ErrorKind, Result};

/// How requests are authenticated.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// By name and password.
    Basic {
        /// The user's name.
        user: String,
        /// The user's password.
        password: Secret,
    },
    /// By an API key: `id:key`, or both encoded together as servers hand them out.
    ApiKey(Secret),
    /// By a token.
    Bearer(Secret),
    /// By headers that are worked out anew for each request, such as a signature.
    Signed(Arc<dyn RequestSigner>),
}

/// A request before it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// Where it goes.
    pub url: &'a Url,
    /// The headers that it has so far.
    pub headers: &'a [(String, String)],
    /// Its body, as it is sent.
    pub body: &'a [u8],
}

/// Headers to add: name and value.
pub type SignedHeaders = Vec<(String, Secret)>;

/// Works out the headers that authenticate a request.
#[async_trait]
pub trait RequestSigner: Send + Sync + fmt::Debug {
    /// The headers to add to `request`.
    ///
    /// # Errors
    /// `Auth` when there are no credentials, `Unavailable` when they cannot be fetched now.
    async fn sign(&self, request: Unsigned<'_>) -> Result<SignedHeaders>;
}

impl Auth {
    /// The header that is the same for every request.
    pub(super) fn fixed_header(&self) -> Result<HeaderMap> {
        let value = match self {
            Self::None | Self::Signed(_) => return Ok(HeaderMap::new()),
            Self::Basic { user, password } if user.contains(':') || password.is_empty() => {
                let what = if password.is_empty() {
                    "the password is empty"
                } else {
                    "the user's name holds a colon"
                };
                return Err(Error::new(ErrorKind::Config, format!("basic authentication: {what}")));
            }
            Self::Basic { user, password } => {
                format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))
            }
            Self::ApiKey(key) if key.expose().contains(':') => {
                format!("ApiKey {}", STANDARD.encode(key.expose()))
            }
            Self::ApiKey(key) => format!("ApiKey {}", key.expose().trim()),
            Self::Bearer(token) => format!("Bearer {}", token.expose().trim()),
        };
        // The text stays out of the error: it is the secret.
        let mut value = HeaderValue::from_str(&value).map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "the API key or token holds characters that no header may hold",
            )
        })?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
    }

    /// Whether anything secret goes with the requests.
    pub(super) fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }
}
