//! Where access keys come from.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::cluster::http::Secret;
use crate::{Error, ErrorKind, Result};

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
            }),
            _ => Err(Error::new(
                ErrorKind::Auth,
                "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )),
        }
    }
}
