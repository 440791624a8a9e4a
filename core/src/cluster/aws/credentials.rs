//! Where access keys come from.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::cluster::http::Secret;
use crate::{Clock, Error, ErrorKind, Result};

/// Credentials that end sooner are asked for anew: a bulk that waits must not outlive them.
const BEFORE_THE_END: Duration = Duration::from_secs(300);

/// An access key, for good or for a while.
#[derive(Clone, Debug)]
pub struct AwsCredentials {
    /// The key's name, which is no secret.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// The token that goes with a key for a while.
    pub session_token: Option<Secret>,
    /// When it ends, since the Unix epoch. It is asked for anew some minutes before.
    pub expires: Option<Duration>,
    /// The account that it belongs to, where that is known.
    pub account_id: Option<String>,
}

/// Hands out access keys: from a file, an instance's role, another account's.
#[async_trait]
pub trait CredentialSource: Send + Sync + fmt::Debug {
    /// The key to use now.
    ///
    /// # Errors
    /// `Auth` when there is none, `Unavailable` when it cannot be fetched now.
    async fn credentials(&self) -> Result<AwsCredentials>;
}

/// Keys of another source, kept until they are about to end.
#[derive(Debug)]
pub struct KeptCredentials {
    source: Arc<dyn CredentialSource>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<AwsCredentials>>,
}

impl KeptCredentials {
    /// Asks `source` when there is no key yet, or some minutes before it ends by `clock`.
    pub fn new(source: Arc<dyn CredentialSource>, clock: Arc<dyn Clock>) -> Self {
        Self { source, clock, kept: Mutex::default() }
    }
}

#[async_trait]
impl CredentialSource for KeptCredentials {
    /// Those who come while a key is fetched wait for it. Where none can be had, the one that is kept serves to its end.
    async fn credentials(&self) -> Result<AwsCredentials> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.wall();
        let lasts = |known: &AwsCredentials, until| known.expires.is_none_or(|end| end > until);
        if let Some(known) = kept.as_ref()
            && lasts(known, now.saturating_add(BEFORE_THE_END))
        {
            return Ok(known.clone());
        }
        match (self.source.credentials().await, kept.as_ref()) {
            (Ok(fresh), _) => {
                *kept = Some(fresh.clone());
                Ok(fresh)
            }
            (Err(error), Some(known)) if error.is_retryable() && lasts(known, now) => {
                tracing::warn!(%error, "credentials are not to be had anew; going on with those that still last");
                Ok(known.clone())
            }
            (Err(error), _) => Err(error),
        }
    }
}

/// A key that is known beforehand.
#[derive(Clone, Debug)]
pub struct FixedCredentials(pub AwsCredentials);

#[async_trait]
impl CredentialSource for FixedCredentials {
    async fn credentials(&self) -> Result<AwsCredentials> {
        Ok(self.0.clone())
    }
}

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvironmentCredentials;

#[async_trait]
impl CredentialSource for EnvironmentCredentials {
    async fn credentials(&self) -> Result<AwsCredentials> {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        match (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key_id), Some(key)) => Ok(AwsCredentials {
                access_key_id,
                secret_access_key: key.into(),
                session_token: set("AWS_SESSION_TOKEN").map(Secret::from),
                expires: None,
                account_id: set("AWS_ACCOUNT_ID"),
            }),
            _ => Err(Error::new(
                ErrorKind::Auth,
                "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )),
        }
    }
}
