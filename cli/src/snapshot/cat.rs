//! `snapfill snapshot cat`.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;
use snapfill::snapshot::{DocumentsOptions, Shard, Snapshot};
use snapfill::{SkipReason, write_hit};

use crate::arguments::Cat;
use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, grouped, write_failed};

use super::require_indices;

/// What was printed and what was not.
#[derive(Default)]
struct Summary {
    documents: u64,
    skipped: BTreeMap<String, BTreeMap<SkipReason, u64>>,
}

pub(crate) async fn run(arguments: Cat, output: &Output) -> Result<Exit, Failure> {
    let snapshot = arguments.source.open().await?;
    require_indices(&snapshot, &arguments.indices)?;
    let mut summary = Summary::default();
    let mut shards = 0;
    for name in snapshot.index_names() {
        if !arguments.indices.is_empty() && !arguments.indices.iter().any(|wanted| wanted == name) {
            continue;
        }
        for shard in shards_of(&snapshot, name, arguments.shard).await? {
            shards += 1;
            print_shard(&shard, output, &mut summary).await?;
        }
    }
    if shards == 0 {
        return Err(Failure::nothing_selected(nothing_selected(&snapshot, arguments.shard)));
    }
    summarise(&summary, output);
    Ok(if summary.skipped.is_empty() { Exit::Completed } else { Exit::CompletedWithErrors })
}

fn nothing_selected(snapshot: &Snapshot, shard: Option<u32>) -> String {
    let name = snapshot.name();
    match shard {
        None => format!("snapshot `{name}` holds no index"),
        Some(number) => format!(
            "no selected index of snapshot `{name}` has a shard {number}; shards are numbered from 0"
        ),
    }
}

async fn shards_of(
    snapshot: &Snapshot,
    index: &str,
    only: Option<u32>,
) -> Result<Vec<Shard>, Failure> {
    let index = snapshot.index(index).await.map_err(Failure::unreadable)?;
    let count = index.metadata.shards().map_err(Failure::unreadable)?;
    let mut shards = Vec::new();
    for number in (0..count).filter(|number| only.is_none_or(|only| only == *number)) {
        shards.push(snapshot.shard_of(&index, number).await.map_err(Failure::unreadable)?);
    }
    Ok(shards)
}

async fn print_shard(shard: &Shard, output: &Output, summary: &mut Summary) -> Result<(), Failure> {
    let mut batches = shard.documents(DocumentsOptions::default());
    let mut lines = Vec::new();
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(Failure::unreadable)?;
        lines.clear();
        for document in batch.documents.iter() {
            write_hit(&mut lines, shard.index(), &document);
            lines.push(b'\n');
        }
        let mut stdout = output.stream();
        stdout.write_all(&lines).and_then(|()| stdout.flush()).map_err(write_failed)?;
        summary.documents += batch.documents.len() as u64;
        for (reason, count) in &batch.skipped {
            *summary
                .skipped
                .entry(shard.index().to_owned())
                .or_default()
                .entry(*reason)
                .or_default() += count;
        }
    }
    Ok(())
}

fn summarise(summary: &Summary, output: &Output) {
    if output.is_json() {
        output.remark(
            &json!({ "documents": summary.documents, "skipped": summary.skipped }).to_string(),
        );
        return;
    }
    output.remark(&format!("{} printed", count_of(summary.documents, "document")));
    for (index, reasons) in &summary.skipped {
        for (reason, count) in reasons {
            output.remark(&format!(
                "{index}: {} not printed: {}",
                grouped(*count),
                reason.explanation()
            ));
        }
    }
}
