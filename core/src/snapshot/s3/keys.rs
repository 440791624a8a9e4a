//! Access keys for a bucket.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

use super::S3Options;
use crate::cluster::aws::{AssumedRole, AwsChain, CredentialSource, KeptCredentials};
use crate::{Result, SystemClock};

/// The region of servers that have none.
const USUAL_REGION: &str = "us-east-1";

/// Keys of AWS's chain as `object_store` asks for them, with each request.
#[derive(Debug)]
pub(super) struct Keys(KeptCredentials);

/// Where keys come from, and the region.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) region: String,
    /// None: nothing is signed.
    pub(super) keys: Option<Keys>,
}

/// Looks where keys come from. None is fetched yet.
pub(super) async fn find(options: &S3Options) -> Result<Found> {
    if options.anonymous {
        let region = options.region.clone().unwrap_or_else(|| USUAL_REGION.to_owned());
        return Ok(Found { region, keys: None });
    }
    let chain = AwsChain {
        profile: options.profile.clone(),
        region: options.region.clone(),
        usual_region: options.endpoint.is_some().then(|| USUAL_REGION.to_owned()),
        role: options.role.clone().map(|role| AssumedRole {
            arn: role.arn,
            external_id: role.external_id,
            session_name: role.session_name,
        }),
        ..AwsChain::default()
    };
    let found = chain.find().await?;
    let region = found.region.clone();
    let kept = KeptCredentials::new(Arc::new(found), Arc::new(SystemClock::new()));
    Ok(Found { region, keys: Some(Keys(kept)) })
}

#[async_trait]
impl CredentialProvider for Keys {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let found = self.0.credentials().await.map_err(|error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(error),
        })?;
        Ok(Arc::new(AwsCredential {
            key_id: found.access_key_id,
            secret_key: found.secret_access_key.expose().to_owned(),
            token: found.session_token.map(|token| token.expose().to_owned()),
        }))
    }
}
