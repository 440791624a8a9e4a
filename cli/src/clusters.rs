//! `snapfill clusters …`.

use serde_json::{Map, Value, json};
use snapfill::cluster::{ClusterClient, IndexRow, LocalCluster};
use snapfill::controller::{Plan, PlannedIndex};
use snapfill::snapshot::{Repository, RepositoryOptions};
use snapfill::{Error, ErrorKind, Result};

use crate::arguments::CatIndices;
use crate::exit::{Exit, Failure};
use crate::output::{Output, table};

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

pub(crate) async fn cat_indices(arguments: CatIndices, output: &Output) -> Result<Exit, Failure> {
    let source = match (&arguments.repo, &arguments.snapshot) {
        (Some(repo), Some(snapshot)) => {
            Some(source_rows(repo, snapshot, arguments.reading.into()).await?)
        }
        _ => None,
    };
    let target = match &arguments.target {
        Some(target) => Some(LocalCluster::open_existing(target.folder()?)?.cat_indices().await?),
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
