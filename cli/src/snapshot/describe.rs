//! `snapfill snapshot describe`.

use jiff::Timestamp;
use serde_json::json;
use snapfill::cluster::IndexRow;
use snapfill::controller::Plan;
use snapfill::snapshot::Repository;

use crate::arguments::RepoSnapshot;
use crate::exit::{Exit, Failure};
use crate::output::{Output, grouped, table};

pub(crate) async fn run(arguments: RepoSnapshot, output: &Output) -> Result<Exit, Failure> {
    let options = arguments.reading.into();
    let repository = Repository::open_with(&arguments.repo, options).await?;
    let snapshot = repository.snapshot(&arguments.snapshot).await?;
    let info = snapshot.info();
    let everything: Vec<String> = snapshot.index_names().into_iter().map(str::to_owned).collect();
    let plan = Plan::make(&snapshot, &everything).await?;
    if output.is_json() {
        let indices: Vec<_> = plan
            .indices
            .iter()
            .map(|index| {
                json!({
                    "name": index.name,
                    "shards": index.shards,
                    "documents": index.undeleted(),
                    "missing": index.missing,
                    "warnings": index.warnings,
                })
            })
            .collect();
        output.print_json(&json!({
            "name": snapshot.name(),
            "uuid": snapshot.uuid(),
            "state": info.state,
            "version": info.version().to_string(),
            "started": timestamp(info.started_ms),
            "ended": timestamp(info.ended_ms),
            "total_shards": info.total_shards,
            "indices": indices,
        }))?;
        return Ok(Exit::Completed);
    }
    output.line(&format!(
        "Snapshot {} ({}), made by {}",
        snapshot.name(),
        snapshot.uuid(),
        info.version()
    ))?;
    output.line(&format!(
        "Taken {} to {}",
        timestamp(info.started_ms),
        timestamp(info.ended_ms)
    ))?;
    output.line("")?;
    let rows = plan.indices.iter().map(|index| {
        let deleted = index.shards.iter().map(|shard| shard.deleted).sum();
        let total: u64 = index.shards.iter().map(|shard| shard.total_bytes).sum();
        vec![
            index.name.clone(),
            index.shards.len().to_string(),
            grouped(index.undeleted()),
            grouped(deleted),
            IndexRow::human_size(total),
        ]
    });
    output.line(&table(
        &["index", "shards", "documents", "deleted", "size"],
        rows.collect(),
        &[1, 2, 3, 4],
    ))?;
    for index in &plan.indices {
        for warning in &index.warnings {
            output.line(&format!("\n{}: {warning}", index.name))?;
        }
    }
    Ok(Exit::Completed)
}

fn timestamp(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| "?".to_owned(), |time| time.to_string())
}
