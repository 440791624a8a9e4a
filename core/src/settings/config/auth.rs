//! Who we say we are.

use serde::{Deserialize, Serialize};

use super::SecretConfig;
use crate::cluster::http::Auth;
use crate::{Error, ErrorKind, Result};

/// How requests to a target are authenticated: one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuthConfig {
    /// A user and a password.
    Basic(BasicAuth),
    /// An API key, `id:key` or encoded.
    ApiKey(SecretConfig),
    /// A bearer token.
    Bearer(SecretConfig),
    /// Signatures with AWS's keys, which come from where AWS's own tools take them.
    Sigv4(Sigv4Config),
    /// The ARN of a secret in AWS Secrets Manager that holds user and password. It is not read.
    SecretsManager(String),
    /// The name of a secret of Kubernetes that holds user and password. It is not read.
    KubernetesSecret(String),
}

impl AuthConfig {
    /// Reads the secret from where it is. Signed requests are authenticated by their signer alone.
    ///
    /// # Errors
    /// `Config` when the secret is not there; `Unsupported` where it is in a store of secrets, with what to do.
    pub fn resolve(&self) -> Result<Auth> {
        Ok(match self {
            Self::Basic(basic) => basic.resolve()?,
            Self::ApiKey(key) => Auth::ApiKey(key.resolve("the API key")?),
            Self::Bearer(token) => Auth::Bearer(token.resolve("the token")?),
            Self::Sigv4(_) => Auth::None,
            Self::SecretsManager(arn) => {
                return Err(out_of_reach(&format!("the secret {arn} of AWS Secrets Manager")));
            }
            Self::KubernetesSecret(name) => {
                return Err(out_of_reach(&format!("the secret `{name}` of Kubernetes")));
            }
        })
    }
}

fn out_of_reach(place: &str) -> Error {
    let message = format!(
        "user and password are in {place}, which is not read by this build; give the user by --target-user and the password by \
         the environment variable SNAPFILL_TARGET_PASSWORD"
    );
    Error::new(ErrorKind::Unsupported, message)
}

/// How requests to a cluster are authenticated that is not the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoginConfig {
    /// A user and a password.
    Basic(BasicAuth),
}

/// A user and a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// The user's name.
    pub user: String,
    /// The password, or where it is. Unless said, in the environment, under the variable of the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretConfig>,
}

impl BasicAuth {
    fn resolve(&self) -> Result<Auth> {
        let usual = SecretConfig::Env("SNAPFILL_TARGET_PASSWORD".to_owned());
        let password = self.password.as_ref().unwrap_or(&usual);
        let what = format!("the password of `{}`", self.user);
        Ok(Auth::Basic { user: self.user.clone(), password: password.resolve(&what)? })
    }
}

/// How requests to AWS are signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sigv4Config {
    /// `es` for Amazon OpenSearch Service, `aoss` for Serverless.
    pub service: Sigv4Service,
    /// The region; unless said, the one in the target's address, or of the environment or the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The profile whose keys are taken, whatever the environment holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The ARN of a role to assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The external id that the role asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name under which the role's session shows in logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_session: Option<String>,
    /// The domain's name, for CloudWatch, where the address does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The account that owns the domain, for CloudWatch, where it is not the one of the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The collection's id, where the address does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
}

impl Sigv4Config {
    /// Signatures for a service, everything else as the environment says.
    pub fn new(service: Sigv4Service) -> Self {
        Self {
            service,
            region: None,
            profile: None,
            role: None,
            external_id: None,
            role_session: None,
            domain: None,
            account: None,
            collection: None,
        }
    }
}

/// A service of AWS that is a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Sigv4Service {
    /// Amazon OpenSearch Service.
    Es,
    /// Amazon OpenSearch Serverless.
    Aoss,
}

impl Sigv4Service {
    /// The name that is signed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::Aoss => "aoss",
        }
    }
}
