//! Targets on AWS: how requests are signed, and with whose keys.

use clap::Args;
use snapfill::cluster::aws::{AwsService, AwsTarget};
use snapfill::cluster::{HttpCluster, HttpConfig};

use crate::exit::Failure;
use crate::target::usage;

/// How requests to AWS are signed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Targets on AWS")]
pub(crate) struct AwsOptions {
    /// Sign requests (Signature Version 4) for Amazon OpenSearch Service, `es`, or Serverless, `aoss`. Keys come from where
    /// AWS's own tools take them: environment, profile, web identity, container, instance
    #[arg(
        long = "target-aws-service",
        value_name = "SERVICE",
        value_enum,
        conflicts_with_all = ["user", "api_key_env", "token_env"]
    )]
    pub(crate) service: Option<Service>,
    /// The region; unless given, the one in the target's address, or of the environment or the profile
    #[arg(long = "target-aws-region", value_name = "REGION", requires = "service")]
    region: Option<String>,
    /// Take the keys of this profile, whatever the environment holds
    #[arg(long = "target-aws-profile", value_name = "NAME", requires = "service")]
    profile: Option<String>,
    /// The ARN of a role to assume; its keys are fetched anew before they end
    #[arg(long = "target-aws-role", value_name = "ARN", requires = "service")]
    role: Option<String>,
    /// The external id that the role asks for
    #[arg(long = "target-aws-external-id", value_name = "ID", requires = "role")]
    external_id: Option<String>,
    /// The name under which the role's session shows in logs
    #[arg(
        long = "target-aws-role-session",
        value_name = "NAME",
        requires = "role",
        default_value = "snapfill"
    )]
    role_session: String,
    /// The domain's name, for CloudWatch, where the address does not hold it
    #[arg(long = "target-aws-domain", value_name = "NAME", requires = "service")]
    domain: Option<String>,
    /// The id of the account that owns the domain, for CloudWatch, where it is not the one of the keys
    #[arg(long = "target-aws-account", value_name = "ID", requires = "domain")]
    account: Option<String>,
    /// The collection's id, where the address does not hold it
    #[arg(long = "target-aws-collection", value_name = "ID", requires = "service")]
    collection: Option<String>,
}

impl AwsOptions {
    /// The same for a worker on this machine.
    pub(crate) fn to_arguments(&self) -> Vec<String> {
        let service = self.service.map(|service| AwsService::from(service).name().to_owned());
        let session = self.role.is_some().then(|| self.role_session.clone());
        let given = [
            ("--target-aws-service", &service),
            ("--target-aws-region", &self.region),
            ("--target-aws-profile", &self.profile),
            ("--target-aws-role", &self.role),
            ("--target-aws-external-id", &self.external_id),
            ("--target-aws-role-session", &session),
            ("--target-aws-domain", &self.domain),
            ("--target-aws-account", &self.account),
            ("--target-aws-collection", &self.collection),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        given.map(|(name, value)| format!("{name}={value}")).collect()
    }
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Service {
    /// Amazon OpenSearch Service
    Es,
    /// Amazon OpenSearch Serverless
    Aoss,
}

impl From<Service> for AwsService {
    fn from(service: Service) -> Self {
        match service {
            Service::Es => Self::Domain,
            Service::Aoss => Self::Serverless,
        }
    }
}

/// The cluster at an address, its requests signed.
pub(crate) async fn connect(
    service: Service,
    options: &AwsOptions,
    config: HttpConfig,
) -> Result<HttpCluster, Failure> {
    let target = AwsTarget {
        service: service.into(),
        region: options.region.clone(),
        profile: options.profile.clone(),
        role: options.role.clone(),
        external_id: options.external_id.clone(),
        role_session: Some(options.role_session.clone()),
        domain: options.domain.clone(),
        account: options.account.clone(),
        collection: options.collection.clone(),
    };
    if let Some(other) = target.other_service(&config) {
        let message = format!(
            "the target's address is one of AWS's service `{0}`: give --target-aws-service {0}",
            other.name()
        );
        return Err(usage(&message));
    }
    target.connect(config).await.map_err(Failure::usage)
}
