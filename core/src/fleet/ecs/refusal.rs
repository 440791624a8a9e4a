//! What ECS refuses, in one line that says what helps.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};

use crate::cluster::aws::FoundCredentials;
use crate::error::causes;
use crate::settings::EcsFleetConfig;
use crate::{Error, ErrorKind};

/// What is to be said of a refusal: the service, and whose keys were used.
pub(super) struct Refusals {
    cluster: String,
    service: String,
    found: FoundCredentials,
}

/// That the service is not there.
pub(super) fn missing_service(config: &EcsFleetConfig) -> Error {
    let message = format!(
        "there is no service `{}` in ECS cluster `{}`: check both names and the region",
        config.service, config.cluster
    );
    Error::new(ErrorKind::NotFound, message)
}

impl Refusals {
    pub(super) fn new(config: &EcsFleetConfig, found: FoundCredentials) -> Self {
        Self { cluster: config.cluster.clone(), service: config.service.clone(), found }
    }

    pub(super) fn region(&self) -> &str {
        &self.found.region
    }

    /// What a call that needs the right `action` failed with.
    pub(super) fn error<E>(&self, action: &'static str, error: &SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let error = match error {
            SdkError::ServiceError(answer) => {
                let is_theirs = answer.raw().status().is_server_error();
                let said = answer.err();
                self.refused(action, said.code(), said.message(), is_theirs)
            }
            error => self.not_asked(error),
        };
        error.with_context("call", action).with_context("region", self.region())
    }

    fn refused(
        &self,
        action: &str,
        code: Option<&str>,
        said: Option<&str>,
        is_theirs: bool,
    ) -> Error {
        let Self { cluster, service, .. } = self;
        let (code, said) = (code.unwrap_or("no reason given"), said.unwrap_or("no message"));
        let (kind, message) = match code {
            "ClusterNotFoundException" => (
                ErrorKind::NotFound,
                format!("there is no ECS cluster `{cluster}`: check its name and the region"),
            ),
            "ServiceNotFoundException" | "ServiceNotActiveException" => (
                ErrorKind::NotFound,
                format!(
                    "there is no service `{service}` in ECS cluster `{cluster}` that is active ({code}): check both names and \
                     the region"
                ),
            ),
            "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => (
                ErrorKind::Auth,
                format!(
                    "AWS does not allow it: grant `{action}` for service `{service}` of cluster `{cluster}` to whoever the keys \
                     belong to ({said})"
                ),
            ),
            "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => (
                ErrorKind::Auth,
                format!("the AWS credentials have expired: get new ones ({code})"),
            ),
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignature"
            | "InvalidAccessKeyId"
            | "AuthFailure" => (
                ErrorKind::Auth,
                format!("AWS does not know the credentials: check the key and its secret ({code})"),
            ),
            "ThrottlingException"
            | "Throttling"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException" => (
                ErrorKind::RateLimited,
                format!("ECS asks us to call less often ({code}): try again in a minute"),
            ),
            _ if is_theirs => (
                ErrorKind::Unavailable,
                format!("ECS has trouble of its own ({code}: {said}): try again later"),
            ),
            _ => (ErrorKind::Config, format!("ECS refuses it ({code}: {said})")),
        };
        Error::new(kind, message)
    }

    /// It never came to an answer.
    fn not_asked<E>(&self, error: &SdkError<E>) -> Error
    where
        E: StdError + Send + Sync + 'static,
    {
        let of_keys = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
        if let Some(error) = of_keys {
            return self.found.refused(error);
        }
        let reason = causes(error).last().map(ToString::to_string).unwrap_or_default();
        if matches!(error, SdkError::ConstructionFailure(_)) {
            let message = format!("ECS cannot be asked: {reason}; check the endpoint's URL");
            return Error::new(ErrorKind::Config, message);
        }
        Error::new(
            ErrorKind::Unavailable,
            format!(
                "ECS cannot be reached ({reason}): check the network, the region and the endpoint"
            ),
        )
    }
}
