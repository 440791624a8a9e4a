//! `source_cluster` and `target_cluster`.

use serde::Deserialize;
use serde_json::Value;

use super::there;
use crate::settings::config::SecretConfig;
use crate::settings::config::auth::{Sigv4Config, Sigv4Service};
use crate::settings::config::cluster::ClusterUrl;

/// A cluster.
#[derive(Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Cluster {
    pub(super) endpoint: ClusterUrl,
    pub(super) allow_insecure: Option<bool>,
    pub(super) login: Login,
}

/// Who is said to be there.
pub(super) enum Login {
    Nobody,
    Basic {
        user: String,
        password: SecretConfig,
    },
    /// User and password are in a secret of AWS with this ARN.
    SecretsManager(String),
    /// They are in a secret of Kubernetes with this name.
    KubernetesSecret(String),
    Signed(Sigv4Config),
}

#[derive(Deserialize)]
struct Written {
    endpoint: ClusterUrl,
    allow_insecure: Option<bool>,
    /// The version that the cluster is said to have; we ask it.
    #[serde(rename = "version")]
    _version: Option<Value>,
    #[serde(default, deserialize_with = "there")]
    no_auth: Option<Value>,
    #[serde(default, deserialize_with = "there")]
    basic_auth: Option<Basic>,
    #[serde(default, deserialize_with = "there")]
    sigv4: Option<Sigv4>,
}

#[derive(Default, Deserialize)]
struct Basic {
    username: Option<String>,
    password: Option<SecretConfig>,
    user_secret_arn: Option<String>,
    k8s_secret_name: Option<String>,
}

#[derive(Default, Deserialize)]
struct Sigv4 {
    region: Option<String>,
    service: Option<Sigv4Service>,
}

impl TryFrom<Written> for Cluster {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let login = match (written.no_auth, written.basic_auth, written.sigv4) {
            (_, None, None) => Login::Nobody,
            (None, Some(basic), None) => basic.try_into()?,
            (None, None, Some(Sigv4 { region, service })) => {
                let service = service.unwrap_or(Sigv4Service::Es);
                Login::Signed(Sigv4Config { region, ..Sigv4Config::new(service) })
            }
            _ => return Err("a cluster has one of `no_auth`, `basic_auth` and `sigv4`"),
        };
        let Written { endpoint, allow_insecure, .. } = written;
        Ok(Self { endpoint, allow_insecure, login })
    }
}

impl TryFrom<Basic> for Login {
    type Error = &'static str;

    fn try_from(basic: Basic) -> Result<Self, Self::Error> {
        let Basic { username, password, user_secret_arn, k8s_secret_name } = basic;
        match (username, password, user_secret_arn, k8s_secret_name) {
            (Some(user), Some(password), None, None) => Ok(Self::Basic { user, password }),
            (_, None, Some(arn), None) => Ok(Self::SecretsManager(arn)),
            (_, None, None, Some(name)) => Ok(Self::KubernetesSecret(name)),
            _ => Err(
                "`basic_auth` has a `username` and a `password`, or a `user_secret_arn`, or a `k8s_secret_name`",
            ),
        }
    }
}
