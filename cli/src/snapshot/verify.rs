//! `snapfill snapshot verify`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use snapfill::snapshot::{DocumentsOptions, Shard, Snapshot};
use snapfill::{Books, Error, Result, SkipReason};

use crate::arguments::RepoSnapshot;
use crate::exit::{Exit, Failure, as_json};
use crate::output::{Output, count_of, grouped};

/// What was found in one shard.
#[derive(Default, Serialize)]
struct Verdict {
    index: String,
    shard: u32,
    /// Live root documents.
    live: u64,
    /// Documents that can be read.
    readable: u64,
    /// Those that cannot, by reason.
    unreadable: BTreeMap<SkipReason, u64>,
    /// Nested children: part of their root document.
    nested: u64,
    /// Bytes of all sources.
    source_bytes: u64,
    error: Option<Value>,
}

#[derive(Serialize)]
struct Report {
    snapshot: String,
    shards: Vec<Verdict>,
    damaged: usize,
}

pub(crate) async fn run(
    arguments: RepoSnapshot,
    output: &Output,
) -> std::result::Result<Exit, Failure> {
    let snapshot = arguments.open().await?;
    let mut shards = Vec::new();
    for name in snapshot.index_names() {
        verify_index(&snapshot, name, output, &mut shards).await;
    }
    let damaged = shards.iter().filter(|verdict| verdict.error.is_some()).count();
    let lossy = shards.iter().any(|verdict| !verdict.unreadable.is_empty());
    let report = Report { snapshot: snapshot.name().to_owned(), shards, damaged };
    conclude(&report, output)?;
    Ok(match (damaged, lossy) {
        (0, false) => Exit::Completed,
        (0, true) => Exit::CompletedWithErrors,
        _ => Exit::SnapshotUnreadable,
    })
}

async fn verify_index(snapshot: &Snapshot, name: &str, output: &Output, shards: &mut Vec<Verdict>) {
    let (index, count) =
        match snapshot.index(name).await.and_then(|index| Ok((index.metadata.shards()?, index))) {
            Ok((count, index)) => (index, count),
            Err(error) => return note(verdict(name, 0, Err(error)), output, shards),
        };
    for number in 0..count {
        let found = match snapshot.missing(name, number) {
            Some(_) => Ok(missing()),
            None => match snapshot.shard_of(&index, number).await {
                Ok(shard) => verify_shard(&shard).await,
                Err(error) => Err(error),
            },
        };
        note(verdict(name, number, found), output, shards);
    }
}

/// A shard that the snapshot says it does not hold: no damage, but a loss.
fn missing() -> (u64, Books) {
    let mut books = Books::default();
    books.skip(SkipReason::ShardMissing, 1);
    (0, books)
}

/// Reads every document and reconciles what came out with what the segments say.
async fn verify_shard(shard: &Shard) -> Result<(u64, Books)> {
    shard.check_lengths().await?;
    let undeleted = shard.size().await?.undeleted;
    let mut books = Books::default();
    let mut batches = shard.documents(DocumentsOptions::default());
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        books.written += batch.documents.len() as u64;
        books.bytes += batch.documents.source_bytes();
        books.add(&batch.aside());
    }
    let live = undeleted.saturating_sub(books.nested);
    books.balance(live)?;
    Ok((live, books))
}

fn verdict(index: &str, shard: u32, found: Result<(u64, Books), Error>) -> Verdict {
    let index = index.to_owned();
    match found {
        Ok((live, books)) => Verdict {
            index,
            shard,
            live,
            readable: books.written,
            unreadable: books.skipped,
            nested: books.nested,
            source_bytes: books.bytes,
            error: None,
        },
        Err(error) => {
            let mut told = as_json(&error);
            told["text"] = Value::from(error.to_string());
            Verdict { index, shard, error: Some(told), ..Verdict::default() }
        }
    }
}

/// Progress, shard by shard, while the report is still being made.
fn note(verdict: Verdict, output: &Output, shards: &mut Vec<Verdict>) {
    if !output.is_json() {
        let place = format!("{}[{}]", verdict.index, verdict.shard);
        let text = match &verdict.error {
            Some(error) => {
                format!("{place}: DAMAGED: {}", error["text"].as_str().unwrap_or_default())
            }
            None => format!("{place}: {}", account(&verdict)),
        };
        output.remark(&text);
    }
    shards.push(verdict);
}

fn account(verdict: &Verdict) -> String {
    if verdict.unreadable.contains_key(&SkipReason::ShardMissing) {
        return SkipReason::ShardMissing.explanation().to_owned();
    }
    let mut text = format!("sound, {}", count_of(verdict.live, "document"));
    for (reason, count) in &verdict.unreadable {
        text.push_str(&format!(
            ", {} of them cannot be read: {}",
            grouped(*count),
            reason.explanation()
        ));
    }
    text
}

fn losses(report: &Report, wanted: impl Fn(SkipReason) -> bool) -> u64 {
    let losses = report.shards.iter().flat_map(|verdict| &verdict.unreadable);
    losses.filter(|(reason, _)| wanted(**reason)).map(|(_, count)| count).sum()
}

fn conclude(report: &Report, output: &Output) -> Result<()> {
    if output.is_json() {
        return output.print_json(report);
    }
    let missing: u64 = losses(report, |reason| !reason.counts_documents());
    let shards = count_of((report.shards.len() as u64).saturating_sub(missing), "shard");
    let documents = grouped(report.shards.iter().map(|verdict| verdict.live).sum());
    let unreadable: u64 = losses(report, SkipReason::counts_documents);
    let mut aside = match unreadable {
        0 => String::new(),
        count => format!(", {} of them without a source that can be read", grouped(count)),
    };
    if missing > 0 {
        aside.push_str(&format!("; it does not hold {}", count_of(missing, "more shard")));
    }
    output.line(&match report.damaged {
        0 => format!(
            "Snapshot {} is sound: {shards}, {documents} live documents{aside}",
            report.snapshot
        ),
        damaged => {
            format!("Snapshot {} is damaged: {damaged} of {shards} cannot be read", report.snapshot)
        }
    })
}
