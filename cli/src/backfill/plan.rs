//! `snapfill backfill plan`.

use serde_json::json;
use snapfill::ErrorKind;
use snapfill::cluster::{ClusterClientExt, IndexRow};
use snapfill::controller::{Decision, Plan};

use crate::arguments::Plan as Arguments;
use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, grouped, table};
use crate::snapshot::{open, require_indices};
use crate::target::open_existing;

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result<Exit, Failure> {
    let snapshot = open(&arguments.repo, &arguments.snapshot).await?;
    require_indices(&snapshot, &arguments.indices)?;
    let plan = Plan::make(&snapshot, &arguments.indices).await.map_err(Failure::unreadable)?;
    let there = already_there(&arguments, &plan).await?;
    if output.is_json() {
        output.print_json(&json!({ "plan": plan, "already_in_target": there }))?;
        return Ok(Exit::Completed);
    }
    output.line(&format!(
        "Snapshot {} of {}, made by {}",
        plan.snapshot, plan.repository, plan.version
    ))?;
    output.line("")?;
    let rows = plan.indices.iter().map(|index| {
        let decision = match &index.decision {
            Decision::Migrate => "will migrate".to_owned(),
            Decision::Skip(reason) => format!("skipped, because: {reason}"),
        };
        let figure =
            |text: String| if index.decision == Decision::Migrate { text } else { "-".to_owned() };
        vec![
            index.name.clone(),
            figure(index.shards.len().to_string()),
            figure(grouped(index.undeleted())),
            figure(IndexRow::human_size(index.stored_bytes())),
            decision,
        ]
    });
    output.line(&table(
        &["index", "shards", "documents", "stored", "decision"],
        rows.collect(),
        &[1, 2, 3],
    ))?;
    print_findings(&plan, &there, output)?;
    Ok(Exit::Completed)
}

fn print_findings(plan: &Plan, there: &[String], output: &Output) -> Result<(), Failure> {
    for index in plan.migrated() {
        for warning in &index.warnings {
            output.line(&format!("\n{}: {warning}", index.name))?;
        }
    }
    if !there.is_empty() {
        output.line(&format!(
            "\nAlready in the target, and kept as they are: {}",
            there.join(", ")
        ))?;
    }
    let shards = plan.migrated().map(|index| index.shards.len() as u64).sum();
    let documents = plan.migrated().map(snapfill::controller::PlannedIndex::undeleted).sum();
    let indices = if plan.migrated().count() == 1 { "index" } else { "indices" };
    output.line(&format!(
        "\n{} {indices}, {}, {}",
        plan.migrated().count(),
        count_of(shards, "shard"),
        count_of(documents, "document")
    ))?;
    Ok(())
}

async fn already_there(arguments: &Arguments, plan: &Plan) -> Result<Vec<String>, Failure> {
    let Some(target) = &arguments.target else { return Ok(Vec::new()) };
    let cluster = match open_existing(target, &arguments.cluster) {
        Ok(cluster) => cluster,
        Err(failure) if failure.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(failure) => return Err(failure),
    };
    let mut there = Vec::new();
    for index in plan.migrated() {
        if cluster.has_index(&index.name).await? {
            there.push(index.name.clone());
        }
    }
    Ok(there)
}
