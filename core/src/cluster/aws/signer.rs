//! The signature of a request.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign,
};
use aws_sigv4::sign::v4;

use super::{AwsCredentials, CredentialSource, KeptCredentials};
use crate::cluster::http::{RequestSigner, Secret, SignedHeaders, Unsigned};
use crate::{Clock, Error, ErrorKind, Result};

/// What is signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsService {
    /// Amazon OpenSearch Service: a domain.
    Domain,
    /// Amazon OpenSearch Serverless: a collection.
    Serverless,
}

impl AwsService {
    /// Its name in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "es",
            Self::Serverless => "aoss",
        }
    }
}

/// Signs requests by Signature Version 4.
#[derive(Debug)]
pub struct AwsSigner {
    region: String,
    service: &'static str,
    source: Arc<KeptCredentials>,
    clock: Arc<dyn Clock>,
}

impl AwsSigner {
    /// Signs for a service in a region, with the keys of `source`. The time in a signature is `clock`'s.
    pub fn new(
        region: &str,
        service: AwsService,
        source: Arc<dyn CredentialSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let kept = Arc::new(KeptCredentials::new(source, Arc::clone(&clock)));
        Self::of(region, service.name(), &kept, &clock)
    }

    /// Signs for a service by its name in signatures.
    pub(super) fn of(
        region: &str,
        service: &'static str,
        source: &Arc<KeptCredentials>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let (source, clock) = (Arc::clone(source), Arc::clone(clock));
        Self { region: region.to_owned(), service, source, clock }
    }
}

#[async_trait]
impl RequestSigner for AwsSigner {
    async fn sign(&self, request: Unsigned<'_>) -> Result<SignedHeaders> {
        let scope = Scope {
            region: &self.region,
            service: self.service,
            time: self.clock.wall(),
            checksum: PayloadChecksumKind::XAmzSha256,
        };
        scope.sign(request, &self.source.credentials().await?)
    }
}

/// What a signature is good for.
#[derive(Debug)]
pub(in crate::cluster) struct Scope<'a> {
    pub(in crate::cluster) region: &'a str,
    pub(in crate::cluster) service: &'a str,
    pub(in crate::cluster) time: Duration,
    pub(in crate::cluster) checksum: PayloadChecksumKind,
}

impl Scope<'_> {
    pub(in crate::cluster) fn sign(
        &self,
        request: Unsigned<'_>,
        credentials: &AwsCredentials,
    ) -> Result<SignedHeaders> {
        let token = credentials.session_token.as_ref().map(|token| token.expose().to_owned());
        let key = credentials.secret_access_key.expose();
        let identity =
            Credentials::new(&credentials.access_key_id, key, token, None, "snapfill").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = self.checksum;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(UNIX_EPOCH + self.time)
            .settings(settings)
            .build()
            .map_err(|error| unsigned(&error))?
            .into();
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(request.body);
        let signable = SignableRequest::new(request.method, request.url.as_str(), headers, body)
            .map_err(|error| unsigned(&error))?;
        let (instructions, _) =
            sign(signable, &params).map_err(|error| unsigned(&error))?.into_parts();
        let headers = instructions.headers();
        Ok(headers.map(|(name, value)| (name.to_owned(), Secret::from(value.to_owned()))).collect())
    }
}

fn unsigned(error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Unexpected, format!("a request cannot be signed: {error}"))
}
