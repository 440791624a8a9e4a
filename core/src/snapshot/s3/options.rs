//! How a bucket is reached.

use serde::{Deserialize, Serialize};

/// How buckets of S3, or of a server that speaks like it, are reached: the repository's, its remote store's and that of failed
/// documents. Holds no secret: keys come from where AWS's own tools take them.
///
/// Buckets need the cargo feature `s3`; without it, a location that begins with `s3://` is refused.
///
/// ```
/// use snapfill::snapshot::{RepositoryOptions, S3Options};
///
/// let s3 = S3Options { region: Some("eu-west-1".into()), ..S3Options::default() };
/// let options = RepositoryOptions { s3, ..RepositoryOptions::default() };
/// # assert_eq!(options.s3.region.as_deref(), Some("eu-west-1"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct S3Options {
    /// The region of the buckets. Unless said: the one that the environment, the profile or the instance names.
    pub region: Option<String>,
    /// The URL of a server in place of AWS's.
    pub endpoint: Option<String>,
    /// Names the bucket in the path of requests and not in the host. Where the host is an address, or the bucket's name fits no
    /// host, that is done anyway.
    pub path_style: bool,
    /// The profile whose keys are used, whatever the environment holds. It is of this machine: a run does not keep it.
    #[serde(skip)]
    pub profile: Option<String>,
    /// A role to assume. Every worker of a run does.
    pub role: Option<S3Role>,
    /// Signs nothing, for buckets that are open to everybody.
    pub anonymous: bool,
    /// Allows an endpoint that begins with `http://` on another machine: whoever listens can read what is sent.
    pub allow_http: bool,
}

/// A role to assume for a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct S3Role {
    /// Its ARN.
    pub arn: String,
    /// The id that the role's owner asks for.
    pub external_id: Option<String>,
    /// The name under which the session shows in logs; `snapfill` unless given.
    pub session_name: Option<String>,
}
