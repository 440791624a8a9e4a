//! Which API server, as whom.

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::error::causes;
use crate::settings::KubernetesFleetConfig;
use crate::{Error, ErrorKind, Result};

/// A call without an answer within this is made again.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// An API server that cannot be connected to within this is away.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A client of the API server that the configuration, the usual kubeconfig or the service account names. It is not asked yet.
pub(super) async fn client(config: &KubernetesFleetConfig) -> Result<Client> {
    let mut found = find(config).await?;
    // Calls are made again by our own rules and clock.
    found.default_retry = false;
    found.connect_timeout = Some(CONNECT_LIMIT);
    found.read_timeout = Some(ANSWER_LIMIT);
    Client::try_from(found).map_err(|error| unusable(&error))
}

async fn find(config: &KubernetesFleetConfig) -> Result<Config> {
    let options = KubeConfigOptions { context: config.context.clone(), ..Default::default() };
    let found = match (&config.kubeconfig, &config.context) {
        (Some(file), _) => {
            let file = Kubeconfig::read_from(file).map_err(|error| unusable(&error))?;
            Config::from_custom_kubeconfig(file, &options).await
        }
        (None, Some(_)) => Config::from_kubeconfig(&options).await,
        (None, None) => return Config::infer().await.map_err(|error| unusable(&error)),
    };
    found.map_err(|error| unusable(&error))
}

fn unusable(error: &(dyn std::error::Error + 'static)) -> Error {
    // The outermost message of these holds the inner ones.
    let said = causes(error).next().map(ToString::to_string).unwrap_or_default();
    let message = format!(
        "no usable Kubernetes configuration: {said}; name a kubeconfig and a context, or run in a pod that has a service account"
    );
    Error::new(ErrorKind::Config, message)
}
