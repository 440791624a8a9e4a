//! `snapfill backfill plan`.

use std::sync::Arc;

use serde_json::json;
use snapfill::cluster::{ClusterClient, IndexRow};
use snapfill::controller::{Decision, Plan, PlannedIndex};
use snapfill::preparation::{LeftOut, PlannedTarget};
use snapfill::snapshot::RepositoryOptions;
use snapfill::{Error, ErrorKind};

use crate::arguments::{ClusterOptions, Plan as Arguments, Target};
use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, grouped, table};
use crate::snapshot::{open, require_selected};
use crate::target::open_existing;

/// Fields named in one line of what is left out.
const FIELDS: usize = 3;

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result<Exit, Failure> {
    let Arguments { repo, snapshot, target, choosing, making, reading, cluster } = arguments;
    let options = RepositoryOptions::from(reading);
    let selection = choosing.selection(options.recovery_source);
    let snapshot = open(&repo, &snapshot, options).await?;
    require_selected(&snapshot, &selection)?;
    let existing = match &target {
        Some(target) => existing(target, &cluster).await?,
        None => None,
    };
    let cluster = existing.as_deref();
    let plan =
        Plan::for_target(&snapshot, &selection, &making.into(), cluster).await.map_err(refused)?;
    let there: Vec<&str> = plan
        .targets
        .iter()
        .filter(|target| target.existing.is_some())
        .map(|target| target.name.as_str())
        .collect();
    let end = if plan.require_accepted().is_ok() { Exit::Completed } else { Exit::Failed };
    if output.is_json() {
        output.print_json(&json!({ "plan": plan, "already_in_target": there }))?;
        return Ok(end);
    }
    output.line(&format!(
        "Snapshot {} of {}, made by {}",
        plan.snapshot, plan.repository, plan.version
    ))?;
    output.line("")?;
    let header = ["index", "shards", "documents", "stored", "decision"];
    output.line(&table(
        &header,
        plan.indices.iter().map(|index| row(index, &plan)).collect(),
        &[1, 2, 3],
    ))?;
    print_findings(&plan, &there, output)?;
    Ok(end)
}

/// What the target answers is no fault of the snapshot.
fn refused(error: Error) -> Failure {
    let is_the_targets = error.context().any(|(name, _)| name == "request");
    if is_the_targets { error.into() } else { Failure::unreadable(error) }
}

fn row(index: &PlannedIndex, plan: &Plan) -> Vec<String> {
    let decision = match &index.decision {
        Decision::Migrate if index.targets == [index.name.as_str()] => "will migrate".to_owned(),
        Decision::Migrate => format!("will migrate to {}", targets_of(index, plan).join(", ")),
        Decision::Skip(reason) => format!("skipped, because: {reason}"),
        Decision::Refuse(reason) => format!("refused, because: {reason}"),
    };
    let is_skipped = matches!(index.decision, Decision::Skip(_));
    let figure = |text: String| if is_skipped { "-".to_owned() } else { text };
    vec![
        index.name.clone(),
        figure(index.shards.len().to_string()),
        figure(grouped(index.undeleted())),
        figure(IndexRow::human_size(index.stored_bytes())),
        decision,
    ]
}

fn targets_of(index: &PlannedIndex, plan: &Plan) -> Vec<String> {
    let stream = |name: &String| {
        plan.targets.iter().any(|target| target.name == *name && target.data_stream.is_some())
    };
    let named =
        |name: &String| if stream(name) { format!("data stream {name}") } else { name.clone() };
    index.targets.iter().map(named).collect()
}

fn print_findings(plan: &Plan, there: &[&str], output: &Output) -> Result<(), Failure> {
    let of_sources = plan.migrated().map(|index| (&index.name, &index.warnings));
    let of_targets = plan.targets.iter().map(|target| (&target.name, &target.warnings));
    for (name, warnings) in of_sources.chain(of_targets) {
        for warning in warnings {
            output.line(&format!("\n{name}: {warning}"))?;
        }
    }
    for target in &plan.targets {
        print_left_out(target, output)?;
    }
    if !there.is_empty() {
        output.line(&format!(
            "\nAlready in the target, and kept as they are: {}",
            there.join(", ")
        ))?;
    }
    let shards = plan.migrated().map(|index| index.shards.len() as u64).sum();
    let documents = plan.migrated().map(PlannedIndex::undeleted).sum();
    let indices = if plan.migrated().count() == 1 { "index" } else { "indices" };
    output.line(&format!(
        "\n{} {indices}, {}, {}",
        plan.migrated().count(),
        count_of(shards, "shard"),
        count_of(documents, "document")
    ))?;
    Ok(())
}

fn print_left_out(target: &PlannedTarget, output: &Output) -> Result<(), Failure> {
    if target.left_out.is_empty() {
        return Ok(());
    }
    output.line(&format!("\nLeft out of {}:", target.name))?;
    for LeftOut { what, why, fields } in &target.left_out {
        let named = fields.get(..FIELDS.min(fields.len())).unwrap_or_default().join(", ");
        let more = match fields.len().saturating_sub(FIELDS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let of = if fields.is_empty() { String::new() } else { format!(" of {named}{more}") };
        output.line(&format!("  {what}{of}: {why}"))?;
    }
    Ok(())
}

/// The target, if there is one already.
async fn existing(
    target: &Target,
    options: &ClusterOptions,
) -> Result<Option<Arc<dyn ClusterClient>>, Failure> {
    match open_existing(target, options).await {
        Ok(cluster) => Ok(Some(cluster)),
        Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}
