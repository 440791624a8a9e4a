//! `snapfill clusters …`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value, json};
use snapfill::cluster::http::TlsConfig;
use snapfill::cluster::{ClusterClient, ClusterHealth, IndexRow, LocalCluster, TargetAddress};
use snapfill::controller::{Plan, PlannedIndex};
use snapfill::snapshot::{Repository, RepositoryOptions};
use snapfill::{Error, ErrorKind, Result};

use crate::arguments::{CatIndices, OneTarget, Target};
use crate::config::secret::SecretPlace;
use crate::exit::{Exit, Failure};
use crate::output::{Output, grouped, table};
use crate::target::{basic, connect_as, open_existing, usage};

const COLUMNS: [&str; 10] = [
    "health",
    "status",
    "index",
    "uuid",
    "pri",
    "rep",
    "docs.count",
    "docs.deleted",
    "store.size",
    "pri.store.size",
];

/// The columns that hold numbers.
const NUMBERS: [usize; 6] = [4, 5, 6, 7, 8, 9];

/// How to reach a source that is a cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources that are clusters")]
pub(crate) struct SourceLogin {
    /// The user's name; the password comes from the environment
    #[arg(long, value_name = "NAME", env = "SNAPFILL_SOURCE_USER")]
    pub(crate) source_user: Option<String>,
    /// The environment variable that holds the password
    #[arg(long, value_name = "VARIABLE", default_value = "SNAPFILL_SOURCE_PASSWORD")]
    pub(crate) source_password_env: SecretPlace,
    /// A PEM file of the certificate authorities to trust there, in place of the system's
    #[arg(long, value_name = "FILE", requires = "source")]
    pub(crate) source_ca: Option<PathBuf>,
    /// Do not check the source's certificate
    #[arg(long, requires = "source")]
    pub(crate) source_allow_insecure: bool,
}

pub(crate) async fn cat_indices(arguments: CatIndices, output: &Output) -> Result<Exit, Failure> {
    if arguments.repo.is_some() != arguments.snapshot.is_some() {
        return Err(usage(
            "a source snapshot has a repository and a name: give --repo and --snapshot; see `--help`",
        ));
    }
    if arguments.repo.is_none() && arguments.source.is_none() && arguments.target.is_none() {
        return Err(usage(
            "there is nothing to list: give --target, and --source or --repo and --snapshot, or a configuration file; see `--help`",
        ));
    }
    let source = match (&arguments.source, &arguments.repo, &arguments.snapshot) {
        (Some(source), _, _) => {
            Some(open_source(source, &arguments.source_login)?.cat_indices().await?)
        }
        (_, Some(repo), Some(snapshot)) => {
            Some(source_rows(repo, snapshot, arguments.reading.into()).await?)
        }
        _ => None,
    };
    let target = match &arguments.target {
        Some(target) => Some(open_existing(target, &arguments.cluster).await?.cat_indices().await?),
        None => None,
    };
    let sides = [
        ("SOURCE CLUSTER", "source_cluster", source),
        ("TARGET CLUSTER", "target_cluster", target),
    ];
    if output.is_json() {
        let mut document = Map::new();
        for (_, key, rows) in sides {
            if let Some(rows) = rows {
                document.insert(key.to_owned(), json!(rows));
            }
        }
        output.print_json(&Value::Object(document))?;
        return Ok(Exit::Completed);
    }
    for (title, _, rows) in sides {
        if let Some(rows) = rows {
            output.line(title)?;
            output.line(&table(&COLUMNS, rows.into_iter().map(cells).collect(), &NUMBERS))?;
            output.line("")?;
        }
    }
    Ok(Exit::Completed)
}

/// The source cluster.
fn open_source(source: &Target, login: &SourceLogin) -> Result<Arc<dyn ClusterClient>, Failure> {
    let TargetAddress::Url(url) = source.address()? else {
        return Ok(Arc::new(LocalCluster::open_existing(source.folder()?)?));
    };
    let tls = TlsConfig {
        ca_file: login.source_ca.clone(),
        allow_insecure: login.source_allow_insecure,
        ..TlsConfig::default()
    };
    let user = login.source_user.as_deref();
    let auth = basic(user, &login.source_password_env, "the password of --source-user")?;
    Ok(Arc::new(connect_as(&url, auth, tls)?))
}

pub(crate) async fn info(arguments: OneTarget, output: &Output) -> Result<Exit, Failure> {
    let cluster = open_existing(&arguments.target, &arguments.cluster).await?;
    let info = cluster.info().await?;
    if output.is_json() {
        output.print_json(&json!({ "target_cluster": info, "address": cluster.address() }))?;
        return Ok(Exit::Completed);
    }
    let facts = [
        ("address", cluster.address()),
        ("distribution", info.distribution.to_string()),
        ("version", info.version),
        ("name", info.name),
        ("uuid", info.uuid),
        ("serverless", if info.serverless { "yes" } else { "no" }.to_owned()),
    ];
    print_facts(facts.map(|(name, value)| (name, Some(value))), output)
}

pub(crate) async fn health(arguments: OneTarget, output: &Output) -> Result<Exit, Failure> {
    let cluster = open_existing(&arguments.target, &arguments.cluster).await?;
    let health = cluster.health().await?;
    if output.is_json() {
        output.print_json(&json!({ "target_cluster": health, "address": cluster.address() }))?;
        return Ok(Exit::Completed);
    }
    print_facts(facts_of(&health), output)
}

fn facts_of(health: &ClusterHealth) -> [(&'static str, Option<String>); 11] {
    let percent = |value: Option<u8>| value.map(|value| format!("{value} %"));
    let watermark = health.disk_watermark.map(|mark| format!("{mark:?}").to_lowercase());
    [
        ("status", Some(health.status.to_string())),
        ("data nodes", health.data_nodes.map(|nodes| nodes.to_string())),
        ("write queue", health.write_queue.map(grouped)),
        ("write queue filled", percent(health.write_queue_percent)),
        ("write rejections", health.write_rejections.map(grouped)),
        ("heap used", percent(health.heap_percent)),
        ("processor used", percent(health.cpu_percent)),
        ("disk used", percent(health.disk_percent)),
        ("disk free", health.free_disk_bytes.map(IndexRow::human_size)),
        ("disk watermark passed", watermark),
        (
            "writes blocked",
            health.writes_blocked.map(|is| if is { "yes" } else { "no" }.to_owned()),
        ),
    ]
}

pub(crate) async fn connection_check(
    arguments: OneTarget,
    output: &Output,
) -> Result<Exit, Failure> {
    let cluster = open_existing(&arguments.target, &arguments.cluster).await?;
    let info = cluster.info().await?;
    if output.is_json() {
        let said =
            json!({ "connected": true, "address": cluster.address(), "version": info.version });
        output.print_json(&json!({ "target_cluster": said }))?;
    } else {
        let what = match info.serverless {
            true => format!("{} Serverless", info.distribution),
            false => format!("{} {}", info.distribution, info.version),
        };
        let said = format!("Successfully connected to {what} at {}", cluster.address());
        output.line("TARGET CLUSTER")?;
        output.line(&said)?;
    }
    Ok(Exit::Completed)
}

/// One fact a line; what is not known is a dash.
fn print_facts<const N: usize>(
    facts: [(&str, Option<String>); N],
    output: &Output,
) -> Result<Exit, Failure> {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    output.line("TARGET CLUSTER")?;
    for (name, value) in facts {
        output.line(&format!("{name:width$}  {}", value.as_deref().unwrap_or("-")))?;
    }
    Ok(Exit::Completed)
}

/// The indices of the snapshot in the form of the cluster they come from.
async fn source_rows(
    repo: &str,
    snapshot: &str,
    options: RepositoryOptions,
) -> Result<Vec<IndexRow>> {
    let snapshot = Repository::open_with(repo, options).await?.snapshot(snapshot).await?;
    let everything: Vec<String> = snapshot.index_names().into_iter().map(str::to_owned).collect();
    let plan = Plan::make(&snapshot, &everything).await?;
    plan.indices.iter().map(row).collect()
}

fn row(index: &PlannedIndex) -> Result<IndexRow> {
    let metadata = index.metadata().ok_or_else(|| {
        Error::new(ErrorKind::Unexpected, "an index that was planned has no metadata")
            .with_context("index", &index.name)
    })?;
    let size = IndexRow::human_size(index.shards.iter().map(|shard| shard.total_bytes).sum());
    Ok(IndexRow {
        health: Some("green".to_owned()),
        status: Some("open".to_owned()),
        index: index.name.clone(),
        uuid: Some(metadata.uuid().to_owned()),
        pri: Some(index.shards.len() as u64),
        rep: Some(u64::from(metadata.replicas())),
        docs_count: Some(index.undeleted()),
        docs_deleted: Some(index.shards.iter().map(|shard| shard.deleted).sum()),
        store_size: Some(size.clone()),
        pri_store_size: Some(size),
    })
}

fn cells(row: IndexRow) -> Vec<String> {
    let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    vec![
        row.health.unwrap_or_default(),
        row.status.unwrap_or_default(),
        row.index,
        row.uuid.unwrap_or_default(),
        number(row.pri),
        number(row.rep),
        number(row.docs_count),
        number(row.docs_deleted),
        row.store_size.unwrap_or_default(),
        row.pri_store_size.unwrap_or_default(),
    ]
}
