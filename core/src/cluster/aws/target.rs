//! A target on AWS, as somebody describes it: by whose keys its requests are signed, and what its address does not tell.

use std::sync::Arc;

use super::{AssumedRole, AwsAddress, AwsChain, AwsCluster, AwsService};
use crate::cluster::{HttpCluster, HttpConfig};
use crate::{Result, SystemClock};

/// Under which name a role's session shows in logs, unless another one is given.
const ROLE_SESSION: &str = "snapfill";

/// A target on AWS. What is none is taken from its address, or from where AWS's own tools take it.
#[derive(Clone, Debug)]
pub struct AwsTarget {
    /// What it is.
    pub service: AwsService,
    /// Its region.
    pub region: Option<String>,
    /// Takes the keys of this profile.
    pub profile: Option<String>,
    /// The ARN of a role to assume.
    pub role: Option<String>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
    /// The name under which the role's session shows in logs; none: `snapfill`.
    pub role_session: Option<String>,
    /// The domain's name, for CloudWatch, where the address does not hold it.
    pub domain: Option<String>,
    /// The id of the account that owns the domain, where it is not the one of the keys.
    pub account: Option<String>,
    /// The collection's id, where the address does not hold it.
    pub collection: Option<String>,
}

impl AwsTarget {
    /// The service that the address is one of, where that is another one.
    pub fn other_service(&self, config: &HttpConfig) -> Option<AwsService> {
        let told = config.endpoints().first().and_then(AwsAddress::of)?;
        (told.service != self.service).then_some(told.service)
    }

    /// The cluster at an address, its requests signed.
    ///
    /// # Errors
    /// `Config` when no keys or no region are to be found; as [`HttpCluster::new`].
    pub async fn connect(self, config: HttpConfig) -> Result<HttpCluster> {
        let Self { external_id, role_session, .. } = self;
        let told = config.endpoints().first().and_then(AwsAddress::of);
        let session_name = role_session.or_else(|| Some(ROLE_SESSION.to_owned()));
        let chain = AwsChain {
            profile: self.profile,
            region: self.region.or(told.map(|told| told.region)),
            role: self.role.map(|arn| AssumedRole { arn, external_id, session_name }),
            ..AwsChain::default()
        };
        let found = chain.find().await?;
        let mut cluster = AwsCluster::new(self.service, found.region.clone(), Arc::new(found));
        if let Some(name) = self.domain {
            cluster = cluster.with_domain(name, self.account);
        }
        if let Some(id) = self.collection {
            cluster = cluster.with_collection(id);
        }
        cluster.connect(config, Arc::new(SystemClock::new()))
    }
}
