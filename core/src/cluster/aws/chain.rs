//! Access keys from where AWS's own tools take them.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::config::SharedHttpClient;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use url::Url;

use super::{AwsCredentials, CredentialSource};
use crate::error::causes;
use crate::{Error, ErrorKind, Result};

/// Access keys from where AWS's own tools take them: the environment, the files of profiles, a web identity, the container's
/// role, the instance's.
///
/// A profile that is named is used alone: keys in the environment do not come before it. A role is assumed with what is found.
#[derive(Clone, Debug, Default)]
pub struct AwsChain {
    /// The profile, in place of the whole chain.
    pub profile: Option<String>,
    /// A file of profiles in place of `~/.aws/config` and `~/.aws/credentials`.
    pub profile_file: Option<PathBuf>,
    /// The region, in place of the one that the environment, the profile or the instance names.
    pub region: Option<String>,
    /// The region where none is named anywhere.
    pub usual_region: Option<String>,
    /// The role to assume.
    pub role: Option<AssumedRole>,
    /// Where roles are assumed, in place of the region's public address of STS.
    pub sts_endpoint: Option<Url>,
}

/// A role to assume.
#[derive(Clone, Debug, Default)]
pub struct AssumedRole {
    /// Its ARN.
    pub arn: String,
    /// The id that the role's owner asks for.
    pub external_id: Option<String>,
    /// The name under which the session shows in logs; `snapfill` unless given.
    pub session_name: Option<String>,
}

/// Keys as a chain found them, and the region.
#[derive(Debug)]
pub struct FoundCredentials {
    /// The region.
    pub region: String,
    profile: Option<String>,
    provider: SharedCredentialsProvider,
}

impl AwsChain {
    /// Looks for a region, and for where keys come from. None is fetched yet.
    ///
    /// # Errors
    /// `Config` when no region is named anywhere.
    pub async fn find(self) -> Result<FoundCredentials> {
        Ok(self.resolve().await?.1)
    }

    /// The same for a client of AWS's own SDK, with the configuration that it is made of.
    #[cfg(feature = "ecs")]
    pub(crate) async fn find_for_client(self) -> Result<(SdkConfig, FoundCredentials)> {
        let (config, found) = self.resolve().await?;
        let config = config.into_builder().credentials_provider(found.provider.clone()).build();
        Ok((config, found))
    }

    async fn resolve(self) -> Result<(SdkConfig, FoundCredentials)> {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let config = self.loader(http.clone()).load().await;
        let usual = || self.usual_region.clone().map(Region::new);
        let Some(region) = config.region().cloned().or_else(usual) else {
            return Err(Error::new(
                ErrorKind::Config,
                "no AWS region: name it, set AWS_REGION, or give the profile one",
            ));
        };
        let provider = match &self.profile {
            Some(name) => self.profile_alone(name, &region, http),
            None => config.credentials_provider().ok_or_else(|| none_found(None))?,
        };
        let provider = match self.role {
            Some(role) => assume(role, &config, provider).await,
            None => provider,
        };
        let found =
            FoundCredentials { region: region.to_string(), profile: self.profile, provider };
        Ok((config, found))
    }

    fn loader(&self, http: SharedHttpClient) -> ConfigLoader {
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &self.sts_endpoint {
            loader = loader.endpoint_url(endpoint.as_str());
        }
        match self.files() {
            Some(files) => loader.profile_files(files),
            None => loader,
        }
    }

    /// In the chain, keys of the environment would come first.
    fn profile_alone(
        &self,
        name: &str,
        region: &Region,
        http: SharedHttpClient,
    ) -> SharedCredentialsProvider {
        let config =
            ProviderConfig::default().with_region(Some(region.clone())).with_http_client(http);
        let mut builder =
            ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name);
        if let Some(files) = self.files() {
            builder = builder.profile_files(files);
        }
        SharedCredentialsProvider::new(builder.build())
    }

    #[expect(deprecated, reason = "the crate they moved to is not meant to be depended on")]
    fn files(&self) -> Option<aws_config::profile::profile_file::ProfileFiles> {
        use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
        let file = self.profile_file.as_ref()?;
        Some(ProfileFiles::builder().with_file(ProfileFileKind::Config, file).build())
    }
}

async fn assume(
    role: AssumedRole,
    config: &SdkConfig,
    provider: SharedCredentialsProvider,
) -> SharedCredentialsProvider {
    let mut builder = AssumeRoleProvider::builder(role.arn)
        .configure(config)
        .session_name(role.session_name.unwrap_or_else(|| "snapfill".to_owned()));
    if let Some(id) = role.external_id {
        builder = builder.external_id(id);
    }
    SharedCredentialsProvider::new(builder.build_from_provider(provider).await)
}

#[async_trait]
impl CredentialSource for FoundCredentials {
    async fn credentials(&self) -> Result<AwsCredentials> {
        let found =
            self.provider.provide_credentials().await.map_err(|error| self.refused(&error))?;
        let expires = found.expiry().map(|end| end.duration_since(UNIX_EPOCH).unwrap_or_default());
        Ok(AwsCredentials {
            access_key_id: found.access_key_id().to_owned(),
            secret_access_key: found.secret_access_key().to_owned().into(),
            session_token: found.session_token().map(|token| token.to_owned().into()),
            expires,
            account_id: found.account_id().map(|id| id.as_str().to_owned()),
        })
    }
}

fn none_found(profile: Option<&str>) -> Error {
    if let Some(name) = profile {
        let message = format!(
            "the AWS profile `{name}` gives no credentials: check its name, and ~/.aws/config and ~/.aws/credentials"
        );
        return Error::new(ErrorKind::Auth, message);
    }
    Error::new(
        ErrorKind::Auth,
        "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, or run where there \
         is a role (container, instance, web identity)",
    )
}

impl FoundCredentials {
    /// One line of what went wrong.
    pub(crate) fn refused(&self, error: &CredentialsError) -> Error {
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
            return none_found(self.profile.as_deref());
        }
        let of_sts = causes(error).find_map(|cause| {
            of_sts::<AssumeRoleError>(cause)
                .or_else(|| of_sts::<AssumeRoleWithWebIdentityError>(cause))
        });
        let (kind, said) = of_sts.unwrap_or_else(|| {
            let kind = match error {
                CredentialsError::ProviderTimedOut(_) => ErrorKind::Unavailable,
                CredentialsError::InvalidConfiguration(_) => ErrorKind::Config,
                _ => ErrorKind::Auth,
            };
            (kind, causes(error).last().map(ToString::to_string).unwrap_or_default())
        });
        Error::new(kind, format!("AWS credentials cannot be had: {said}"))
    }
}

/// What STS said, or that it cannot be reached.
fn of_sts<E>(cause: &(dyn StdError + 'static)) -> Option<(ErrorKind, String)>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match cause.downcast_ref::<SdkError<E>>()? {
        SdkError::ServiceError(answer) => {
            let error = answer.err();
            let code = error.code().unwrap_or("no reason given");
            let said = format!("STS refuses ({code}: {})", error.message().unwrap_or("no message"));
            let is_passing = answer.raw().status().is_server_error() || code == "Throttling";
            Some((if is_passing { ErrorKind::Unavailable } else { ErrorKind::Auth }, said))
        }
        error => {
            let reason = causes(error).last().map(ToString::to_string).unwrap_or_default();
            Some((ErrorKind::Unavailable, format!("STS cannot be reached ({reason})")))
        }
    }
}
