//! What can be typed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};
use snapfill::cluster::TargetAddress;
use url::Url;

#[cfg(feature = "aws")]
use crate::aws::AwsOptions;
use crate::backfill::attach::OfRun;
use crate::backfill::failed::FailedCommand;
use crate::backfill::pause::Pause;
use crate::backfill::report::{Report, ReportOption};
use crate::backfill::start::{Scale, Start};
use crate::backfill::stop::{Restore, Stop};
use crate::backfill::watch::WatchCommand;
use crate::choosing::{Choosing, Loading, Making};
use crate::clusters::SourceLogin;
use crate::completions::Completions;
use crate::config::check::ConfigCommand;
use crate::config::secret::SecretPlace;
use crate::exit::Failure;
use crate::logging::Logging;
use crate::pacing::{Limit, Pacing};
use crate::reading::{Reading, Repo};
use crate::supervise::Supervise;
use crate::worker::options::{Worker, by_environment};
use crate::working_state::StateOption;
use crate::writing::Refusals;

/// Fill a search cluster with the documents of an Elasticsearch or OpenSearch snapshot, and prove that none was lost.
#[derive(Debug, Parser)]
#[command(name = "snapfill", version, propagate_version = true, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Print one JSON document instead of text (streams are one JSON object a line)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// A file with whatever is not typed: TOML, YAML, or a `services.yaml` of OpenSearch's Migration Assistant [default:
    /// /config/migration_services.yaml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "SNAPFILL_CONFIG")]
    pub(crate) config_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage; of `run`, `backfill watch`, `snapshot cat` and `snapshot verify` also \
3 done but documents failed or have no stored source, 4 the selection matched nothing, 5 the snapshot cannot be read, \
130 interrupted.";

const WORKER_EXIT_CODES: &str = "A run that is planned already is worked on as its planner said: flags that say otherwise are for the run \
that this worker plans if nobody has. Every flag may stand in the environment: --bulk-bytes as SNAPFILL_BULK_BYTES, and those \
that may be given several times with a value a line.\n\nExit codes: 0 nothing is left to be done or the backfill was stopped, \
1 failed, 2 wrong usage, 130 interrupted (Ctrl-C), 143 asked to end (SIGTERM): what was in flight is finished, at most for \
--grace, and the rest is free for others.";

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one in the life of the process")]
pub(crate) enum Command {
    /// Look into a snapshot repository
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Fill a target with the documents of a snapshot
    #[command(subcommand)]
    Backfill(BackfillCommand),
    /// Work on a run together with other workers, on this machine or others, until nothing is left
    #[command(after_help = WORKER_EXIT_CODES)]
    Worker(Box<Worker>),
    /// The same as `backfill run`, in fewer words
    Run(Box<RunShort>),
    /// Has the workers of this machine while nobody is at a terminal: `backfill start` runs it
    #[command(hide = true)]
    Supervise(Supervise),
    /// Look at source and target
    #[command(subcommand)]
    Clusters(ClustersCommand),
    /// Print one document of a local target
    Get(Get),
    /// Print the script that has a shell complete what is typed: `source <(snapfill completions bash)`
    Completions(Completions),
    /// Look at configuration files
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotCommand {
    /// List the snapshots of a repository
    List(Repo),
    /// Describe one snapshot: its indices, shards and documents
    Describe(RepoSnapshot),
    /// Print the documents of a snapshot, one JSON object a line
    Cat(Cat),
    /// Read a whole snapshot and check every checksum and count, without a target
    Verify(RepoSnapshot),
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackfillCommand {
    /// Say what a run would do, index by index, and do nothing
    Plan(Box<Plan>),
    /// Fill the target and wait for the end; going on where an earlier run was interrupted
    Run(Box<Run>),
    /// Begin filling the target, or go on, and return: workers go on in the background. See `status`, and end it by `pause` or
    /// `stop`
    Start(Box<Start>),
    /// Set the number of workers
    Scale(Box<Scale>),
    /// Send all workers away and keep what is done: `start` and `scale` go on there
    Pause(Pause),
    /// Print what the configuration file says of the backfill
    Describe,
    /// Say how a backfill stands
    Status(Status),
    /// Show how a backfill comes forward until its end, and end as it does; a Ctrl-C ends the watching alone
    Watch(WatchCommand),
    /// Say what was moved: books, what the target holds, failures, settings; at any time, also after a stop
    Report(Report),
    /// Look at the documents that the target refused, and send them again
    #[command(subcommand)]
    Failed(FailedCommand),
    /// Change how fast a backfill sends, also while it runs; without a ceiling, say what they are
    Limit(Limit),
    /// Send all workers away, write the working state to a file, and delete it. A stopped backfill cannot simply be started
    /// again: `pause` is for that
    Stop(Stop),
    /// Bring a stopped backfill back to where it was
    Restore(Restore),
    /// The same as stop, and then the session may be begun anew
    Reset(Stop),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClustersCommand {
    /// List the indices of a snapshot, a target, or both
    CatIndices(Box<CatIndices>),
    /// Say who a target is: distribution, version, name
    Info(OneTarget),
    /// Say how a target fares: its colour, write queue, rejections, heap and disk
    Health(OneTarget),
    /// Try whether a target can be reached and lets us in
    ConnectionCheck(OneTarget),
}

/// A target as it was typed. It is understood later: a wrong argument is printed back, and an address may hold a password.
#[derive(Clone)]
pub(crate) struct Target(String);

impl From<String> for Target {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target")
    }
}

impl Target {
    pub(crate) fn folder(&self) -> Result<PathBuf, Failure> {
        self.address()?.folder().map_err(Failure::usage)
    }

    /// The URL of a cluster; none for a folder.
    pub(crate) fn url(&self) -> Result<Option<Url>, Failure> {
        Ok(match self.address()? {
            TargetAddress::Url(url) => Some(url),
            _ => None,
        })
    }

    pub(crate) fn address(&self) -> Result<TargetAddress, Failure> {
        self.0.parse().map_err(Failure::usage)
    }
}

#[derive(Debug, Args)]
pub(crate) struct RepoSnapshot {
    /// The repository: a folder, a file:// URL or s3://bucket/folder
    pub(crate) repo: String,
    /// The snapshot's name
    pub(crate) snapshot: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, Args)]
pub(crate) struct Cat {
    #[command(flatten)]
    pub(crate) source: RepoSnapshot,
    /// Only this index (may be given several times)
    #[arg(long = "index", value_name = "NAME")]
    pub(crate) indices: Vec<String>,
    /// Only this shard of each index
    #[arg(long, value_name = "N")]
    pub(crate) shard: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The repository: a folder, a file:// URL or s3://bucket/folder
    #[arg(long)]
    pub(crate) repo: String,
    /// The snapshot's name
    #[arg(long)]
    pub(crate) snapshot: String,
    /// The target, a folder or a cluster's URL; says which of the indices are there already
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) target: Option<Target>,
    #[command(flatten)]
    pub(crate) choosing: Choosing,
    #[command(flatten)]
    pub(crate) making: Making,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) cluster: ClusterOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The repository: a folder, a file:// URL or s3://bucket/folder
    #[arg(long)]
    pub(crate) repo: String,
    /// The snapshot's name
    #[arg(long)]
    pub(crate) snapshot: String,
    /// The target: a folder, which is made when it is not there, or a cluster's URL
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) how: RunOptions,
    #[command(flatten)]
    pub(crate) report: ReportOption,
}

#[derive(Debug, Args)]
pub(crate) struct RunShort {
    /// The repository: a folder, a file:// URL or s3://bucket/folder
    pub(crate) repo: String,
    /// The snapshot's name
    pub(crate) snapshot: String,
    /// The target: a folder, which is made when it is not there, or a cluster's URL
    #[arg(value_name = "TARGET")]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) how: RunOptions,
    #[command(flatten)]
    pub(crate) report: ReportOption,
}

impl From<RunShort> for Run {
    fn from(short: RunShort) -> Self {
        let RunShort { repo, snapshot, target, how, report } = short;
        Self { repo, snapshot, target, how, report }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// Workers, each reading one shard at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) workers: u16,
    /// A name for this run, to keep it apart from others that fill the same target
    #[arg(long, value_name = "NAME", default_value = "", env = "SNAPFILL_SESSION")]
    pub(crate) session: String,
    /// Begin a session anew that was stopped: every document is written again, also those that are in the target
    #[arg(long)]
    pub(crate) from_scratch: bool,
    /// Bytes of one bulk request
    #[arg(long, value_name = "BYTES", default_value_t = 10 << 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) bulk_bytes: u64,
    /// Documents of one bulk request
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) bulk_documents: u32,
    /// How long a worker holds a work item without renewing its lease, such as 60s; a bulk may take half of that, at most 30 s
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = lease)]
    pub(crate) lease: Duration,
    #[command(flatten)]
    pub(crate) pacing: Pacing,
    #[command(flatten)]
    pub(crate) choosing: Choosing,
    #[command(flatten)]
    pub(crate) making: Making,
    #[command(flatten)]
    pub(crate) loading: Loading,
    #[command(flatten)]
    pub(crate) refusals: Refusals,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) state: StateOption,
    #[command(flatten)]
    pub(crate) cluster: ClusterOptions,
}

/// How to reach a target that is a cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "Targets that are clusters")]
pub(crate) struct ClusterOptions {
    /// Another address of the same cluster, used in turn with the first (may be given several times)
    #[arg(long = "target-endpoint", value_name = "URL")]
    pub(crate) endpoints: Vec<Target>,
    /// The user's name; the password comes from the environment
    #[arg(long = "target-user", value_name = "NAME", env = "SNAPFILL_TARGET_USER")]
    pub(crate) user: Option<String>,
    /// The environment variable that holds the password
    #[arg(
        long = "target-password-env",
        value_name = "VARIABLE",
        default_value = "SNAPFILL_TARGET_PASSWORD"
    )]
    pub(crate) password_env: SecretPlace,
    /// The environment variable that holds an API key, `id:key` or encoded
    #[arg(long = "target-api-key-env", value_name = "VARIABLE", conflicts_with_all = ["user", "token_env"])]
    pub(crate) api_key_env: Option<SecretPlace>,
    /// The environment variable that holds a bearer token
    #[arg(long = "target-token-env", value_name = "VARIABLE", conflicts_with = "user")]
    pub(crate) token_env: Option<SecretPlace>,
    /// A PEM file of the certificate authorities to trust, in place of the system's
    #[arg(long = "target-ca", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// A PEM file of the certificate to show
    #[arg(long = "target-cert", value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// A PEM file of its private key, where it is not in the same file
    #[arg(long = "target-key", value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<PathBuf>,
    /// Do not check the target's certificate
    #[arg(long)]
    pub(crate) allow_insecure: bool,
    /// Whether to compress what is sent: auto does unless the target is on this machine
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Compress::Auto)]
    pub(crate) compress: Compress,
    /// Put behind `snapfill/<version>` in the user agent of requests
    #[arg(long, value_name = "TEXT")]
    pub(crate) user_agent_extra: Option<String>,
    /// Types of exceptions that count as success; typed where documents are written.
    #[arg(skip)]
    pub(crate) allowed_exceptions: Vec<String>,
    /// Whether documents get new ids from the server: auto does where the target takes none (some collections of Serverless).
    /// A bulk that is sent again then writes its documents twice
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ServerIds::Auto)]
    pub(crate) server_ids: ServerIds,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) aws: AwsOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ServerIds {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Compress {
    Auto,
    Gzip,
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct OneTarget {
    /// The target: a folder or a cluster's URL
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) cluster: ClusterOptions,
}

/// Below three seconds, a slow answer of the working state would cost the lease.
fn lease(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    match number.parse::<u64>() {
        Ok(seconds) if (3..=86_400).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        Ok(_) => Err("give 3s to 86400s".to_owned()),
        Err(_) => Err("give a number of seconds such as 60s".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) run: OfRun,
    /// Also say how far the work is: shards, documents, books
    #[arg(long)]
    pub(crate) deep_check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CatIndices {
    /// The repository of the source snapshot
    #[arg(long)]
    pub(crate) repo: Option<String>,
    /// The source snapshot's name
    #[arg(long)]
    pub(crate) snapshot: Option<String>,
    /// The source, where it is a cluster that is still there
    #[arg(long, value_name = "URL", conflicts_with = "repo")]
    pub(crate) source: Option<Target>,
    #[command(flatten)]
    pub(crate) source_login: SourceLogin,
    /// The target: a folder or a cluster's URL
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) target: Option<Target>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) cluster: ClusterOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The target's folder
    pub(crate) target: Target,
    /// The index
    pub(crate) index: String,
    /// The document's `_id`
    pub(crate) id: String,
    /// The document's `_routing`, where two documents share the id
    #[arg(long)]
    pub(crate) routing: Option<String>,
}

impl Arguments {
    /// What may be typed and what may stand in the environment.
    pub(crate) fn definition() -> clap::Command {
        Self::command().mut_subcommand("worker", by_environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::definition().debug_assert();
    }

    #[test]
    fn a_lease_is_some_seconds() {
        assert_eq!(lease("90s"), Ok(Duration::from_secs(90)));
        assert!(lease("2s").is_err() && lease("soon").is_err());
    }
}
