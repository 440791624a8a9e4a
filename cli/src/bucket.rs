//! Repositories and failed documents in buckets of S3: how these are reached.

use clap::Args;
use snapfill::snapshot::{S3Options, S3Role};

/// How a bucket is reached.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Buckets of S3 (s3://bucket/folder)")]
pub(crate) struct BucketOptions {
    /// The region of the bucket; unless given, the one of the environment, the profile or the instance
    #[arg(long = "repo-region", value_name = "REGION")]
    region: Option<String>,
    /// A server that speaks like S3, in place of AWS's
    #[arg(
        long = "repo-endpoint",
        value_name = "URL",
        env = "AWS_ENDPOINT_URL_S3",
        hide_env_values = true
    )]
    endpoint: Option<String>,
    /// Name the bucket in the path of requests, not in the host, as many servers but AWS's want it
    #[arg(long = "repo-path-style")]
    path_style: bool,
    /// Take the keys of this profile, whatever the environment holds. It is of this machine: workers elsewhere have their own
    #[arg(long = "repo-profile", value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The ARN of a role to assume, also by workers elsewhere; its keys are fetched anew before they end
    #[arg(long = "repo-assume-role", value_name = "ARN")]
    role: Option<String>,
    /// The external id that the role asks for
    #[arg(long = "repo-external-id", value_name = "ID", requires = "role")]
    external_id: Option<String>,
    /// The name under which the role's session shows in logs [default: snapfill]
    #[arg(long = "repo-role-session", value_name = "NAME", requires = "role")]
    role_session: Option<String>,
    /// Sign nothing: the bucket is open to everybody
    #[arg(long = "repo-anonymous", conflicts_with_all = ["profile", "role"])]
    anonymous: bool,
    /// Allow an endpoint that begins with http:// and is not on this machine
    #[arg(long = "repo-allow-http")]
    allow_http: bool,
}

impl From<BucketOptions> for S3Options {
    fn from(options: BucketOptions) -> Self {
        Self {
            region: options.region,
            endpoint: options.endpoint.filter(|endpoint| !endpoint.is_empty()),
            path_style: options.path_style,
            profile: options.profile,
            role: options.role.map(|arn| S3Role {
                arn,
                external_id: options.external_id,
                session_name: options.role_session,
            }),
            anonymous: options.anonymous,
            allow_http: options.allow_http,
        }
    }
}
