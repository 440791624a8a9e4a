//! A bucket as an object store.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};

use super::endpoint::Endpoint;
use super::keys::{self, Found};
use super::transport::Connector;
use super::{Bucket, S3Options};
use crate::{Error, ErrorKind, Result};

/// A request is sent again so often at most, with growing pauses: some seconds in all.
const RETRIES: usize = 6;

/// No request is sent again after so long.
const LONGEST: Duration = Duration::from_secs(60);

/// An opened bucket and the region that was found for it.
pub(in crate::snapshot) struct Connected {
    pub(in crate::snapshot) store: Arc<dyn ObjectStore>,
    pub(in crate::snapshot) region: String,
}

/// Opens a bucket. Nothing is asked of it yet.
pub(in crate::snapshot) async fn connect(
    bucket: &Bucket,
    options: &S3Options,
) -> Result<Connected> {
    let Found { region, keys } = keys::find(options).await.map_err(of_buckets)?;
    let endpoint = Endpoint::of(bucket, options, &region)?;
    let connector = Connector::new(bucket.clone(), region.clone(), &endpoint)?;
    let retry = RetryConfig {
        backoff: BackoffConfig { max_backoff: Duration::from_secs(5), ..BackoffConfig::default() },
        max_retries: RETRIES,
        retry_timeout: LONGEST,
    };
    let builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(&region)
        .with_endpoint(endpoint.url)
        .with_virtual_hosted_style_request(!endpoint.path_style)
        .with_http_connector(connector)
        .with_retry(retry);
    let builder = match keys {
        Some(keys) => builder.with_credentials(Arc::new(keys)),
        None => builder.with_skip_signature(true),
    };
    let store = builder.build().map_err(|error| {
        let message = format!("the bucket `{}` cannot be opened: {error}", bucket.name);
        Error::new(ErrorKind::Config, message).with_source(error)
    })?;
    Ok(Connected { store: Arc::new(store), region })
}

/// How a region is named here.
fn of_buckets(error: Error) -> Error {
    if error.kind() != ErrorKind::Config {
        return error;
    }
    Error::new(
        ErrorKind::Config,
        "no AWS region for the bucket: name it (--repo-region), set AWS_REGION, or give the profile one",
    )
}
