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

impl Summary {
    fn skip(&mut self, index: &str, reason: SkipReason, count: u64) {
        let of_index = self.skipped.entry(index.to_owned()).or_default();
        *of_index.entry(reason).or_default() += count;
    }
}

pub(crate) async fn run(arguments: Cat, output: &Output) -> Result<Exit, Failure> {
    let Cat { source, indices, shard: only } = arguments;
    let snapshot = source.open().await?;
    require_indices(&snapshot, &indices)?;
    let mut summary = Summary::default();
    let mut shards = 0;
    for name in snapshot.index_names() {
        if !indices.is_empty() && !indices.iter().any(|wanted| wanted == name) {
            continue;
        }
        for shard in shards_of(&snapshot, name, only).await? {
            shards += 1;
            match shard {
                Some(shard) => print_shard(&shard, output, &mut summary).await?,
                None => summary.skip(name, SkipReason::ShardMissing, 1),
            }
        }
    }
    if shards == 0 {
        return Err(Failure::nothing_selected(nothing_selected(&snapshot, only)));
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

/// The selected shards; `None` for one that the snapshot says it does not hold.
async fn shards_of(
    snapshot: &Snapshot,
    index: &str,
    only: Option<u32>,
) -> Result<Vec<Option<Shard>>, Failure> {
    let index = snapshot.index(index).await.map_err(Failure::unreadable)?;
    let count = index.metadata.shards().map_err(Failure::unreadable)?;
    let mut shards = Vec::new();
    for number in (0..count).filter(|number| only.is_none_or(|only| only == *number)) {
        shards.push(match snapshot.missing(&index.metadata.name, number) {
            Some(_) => None,
            None => {
                let shard = snapshot.shard_of(&index, number).await;
                Some(shard.map_err(Failure::unreadable)?)
            }
        });
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
            summary.skip(shard.index(), *reason, *count);
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
            let count = match reason.counts_documents() {
                true => grouped(*count),
                false => count_of(*count, "shard"),
            };
            output.remark(&format!("{index}: {count} not printed: {}", reason.explanation()));
        }
    }
}
