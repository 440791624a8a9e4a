//! A configuration file as options: where things are and how to speak with them. What the backfill is to do, the core reads from
//! the configuration itself.

use snapfill::Secret;
use snapfill::settings::FleetConfig;
use snapfill::settings::config::{
    AuthConfig, BasicAuth, Config, CoordinatorConfig, LoginConfig, SecretConfig, Sigv4Config,
    TargetConfig,
};

use crate::backfill_options::config;
use crate::{AwsOptions, BackfillOptions, ClusterOptions, Result};

/// The options that find the places of a configuration.
///
/// # Errors
/// `Config` when the target is missing, a secret is not where it is said to be, or workers are to be processes.
pub(crate) fn options(configured: &Config) -> Result<BackfillOptions> {
    let target = configured.target.as_ref().ok_or_else(|| {
        config("the configuration does not say `target.endpoint`: where the documents go")
    })?;
    let mut options = BackfillOptions {
        target: target.endpoint.to_string(),
        target_options: target_options(target)?,
        repository: configured.source.repository.clone(),
        snapshot: configured.source.snapshot.clone(),
        session: configured.session.as_ref().map(|session| session.name().to_owned()),
        ..BackfillOptions::default()
    };
    if target.endpoint.folder().is_none() {
        options.state = configured.state.as_ref().map(|state| state.to_string_lossy().into_owned());
        options
            .target_options
            .allowed_exceptions
            .clone_from(&configured.backfill.allowed_exceptions);
    }
    if let Some(coordinator) = &configured.coordinator {
        options.coordinator = Some(coordinator.endpoint.to_string());
        options.coordinator_options = coordinator_options(coordinator)?;
    }
    match configured.fleet.clone().unwrap_or_default() {
        FleetConfig::Tasks => {}
        FleetConfig::Ecs(fleet) => options.ecs = Some(fleet.into()),
        FleetConfig::Kubernetes(fleet) => options.kubernetes = Some(fleet.into()),
        _ => {
            return Err(config(
                "workers that are processes of their own on this machine (`fleet`, or `docker` in a services.yaml) are started by the command \
                 line alone; leave the word out to have them in this process",
            ));
        }
    }
    Ok(options)
}

fn target_options(target: &TargetConfig) -> Result<ClusterOptions> {
    let text = |path: &std::path::PathBuf| path.to_string_lossy().into_owned();
    let word = |value: Option<serde_json::Value>| {
        value.as_ref().and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    let mut options = ClusterOptions {
        endpoints: target.endpoints.iter().map(ToString::to_string).collect(),
        ca_file: target.tls.ca.as_ref().map(text),
        client_certificate: target.tls.certificate.as_ref().map(text),
        client_key: target.tls.key.as_ref().map(text),
        allow_insecure: target.tls.allow_insecure.unwrap_or_default(),
        compression: word(serde_json::to_value(target.compression).ok()),
        server_ids: word(serde_json::to_value(target.server_ids).ok()),
        user_agent_extra: target.user_agent_extra.clone(),
        ..ClusterOptions::default()
    };
    match &target.auth {
        None => {}
        Some(AuthConfig::Basic(login)) => basic(&mut options, login, "SNAPFILL_TARGET_PASSWORD")?,
        Some(AuthConfig::ApiKey(key)) => options.api_key = Some(exposed(key, "the API key")?),
        Some(AuthConfig::Bearer(token)) => options.token = Some(exposed(token, "the token")?),
        Some(AuthConfig::Sigv4(aws)) => options.aws = Some(aws.into()),
        Some(elsewhere @ (AuthConfig::SecretsManager(_) | AuthConfig::KubernetesSecret(_))) => {
            elsewhere.resolve()?;
        }
    }
    Ok(options)
}

fn coordinator_options(coordinator: &CoordinatorConfig) -> Result<ClusterOptions> {
    let ca = coordinator.tls.ca.as_ref();
    let mut options = ClusterOptions {
        ca_file: ca.map(|path| path.to_string_lossy().into_owned()),
        allow_insecure: coordinator.tls.allow_insecure.unwrap_or_default(),
        ..ClusterOptions::default()
    };
    if let Some(LoginConfig::Basic(login)) = &coordinator.auth {
        basic(&mut options, login, "SNAPFILL_COORDINATOR_PASSWORD")?;
    }
    Ok(options)
}

fn basic(options: &mut ClusterOptions, login: &BasicAuth, variable: &str) -> Result<()> {
    let usual = SecretConfig::Env(variable.to_owned());
    let password = login.password.as_ref().unwrap_or(&usual);
    options.user = Some(login.user.clone());
    options.password = Some(exposed(password, &format!("the password of `{}`", login.user))?);
    Ok(())
}

fn exposed(secret: &SecretConfig, what: &str) -> Result<String> {
    let secret: Secret = secret.resolve(what)?;
    Ok(secret.expose().to_owned())
}

impl From<&Sigv4Config> for AwsOptions {
    fn from(aws: &Sigv4Config) -> Self {
        Self {
            service: aws.service.name().to_owned(),
            region: aws.region.clone(),
            profile: aws.profile.clone(),
            role: aws.role.clone(),
            external_id: aws.external_id.clone(),
            role_session: aws.role_session.clone(),
            domain: aws.domain.clone(),
            account: aws.account.clone(),
            collection: aws.collection.clone(),
        }
    }
}
