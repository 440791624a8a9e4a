//! Repositories and failed documents in buckets of S3: how these are reached.

use clap::Args;
use snapfill::snapshot::{S3Options, S3Role};

/// How a bucket is reached. The names of its fields are those of the arguments, which no other group may have.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Buckets of S3 (s3://bucket/folder)")]
pub(crate) struct BucketOptions {
    /// The region of the bucket; unless given, the one of the environment, the profile or the instance
    #[arg(long = "repo-region", value_name = "REGION")]
    repo_region: Option<String>,
    /// A server that speaks like S3, in place of AWS's
    #[arg(
        long = "repo-endpoint",
        value_name = "URL",
        env = "AWS_ENDPOINT_URL_S3",
        hide_env_values = true
    )]
    repo_endpoint: Option<String>,
    /// Name the bucket in the path of requests, not in the host, as many servers but AWS's want it
    #[arg(long = "repo-path-style")]
    repo_path_style: bool,
    /// Take the keys of this profile, whatever the environment holds. It is of this machine: workers elsewhere have their own
    #[arg(long = "repo-profile", value_name = "NAME")]
    pub(crate) repo_profile: Option<String>,
    /// The ARN of a role to assume, also by workers elsewhere; its keys are fetched anew before they end
    #[arg(long = "repo-assume-role", value_name = "ARN")]
    repo_role: Option<String>,
    /// The external id that the role asks for
    #[arg(long = "repo-external-id", value_name = "ID", requires = "repo_role")]
    repo_external_id: Option<String>,
    /// The name under which the role's session shows in logs [default: snapfill]
    #[arg(long = "repo-role-session", value_name = "NAME", requires = "repo_role")]
    repo_role_session: Option<String>,
    /// Sign nothing: the bucket is open to everybody
    #[arg(long = "repo-anonymous", conflicts_with_all = ["repo_profile", "repo_role"])]
    repo_anonymous: bool,
    /// Allow an endpoint that begins with http:// and is not on this machine
    #[arg(long = "repo-allow-http")]
    repo_allow_http: bool,
}

impl From<BucketOptions> for S3Options {
    fn from(options: BucketOptions) -> Self {
        Self {
            region: options.repo_region,
            endpoint: options.repo_endpoint.filter(|endpoint| !endpoint.is_empty()),
            path_style: options.repo_path_style,
            profile: options.repo_profile,
            role: options.repo_role.map(|arn| S3Role {
                arn,
                external_id: options.repo_external_id,
                session_name: options.repo_role_session,
            }),
            anonymous: options.repo_anonymous,
            allow_http: options.repo_allow_http,
        }
    }
}
