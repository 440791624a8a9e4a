//! Counts the documents of a snapshot, index by index, and shows one of each: the reader alone, without target,
//! working state or any other feature.
//!
//! ```sh
//! cargo run -p snapfill --no-default-features --example read_snapshot -- REPOSITORY SNAPSHOT
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::process::ExitCode;

use snapfill::Result;
use snapfill::snapshot::{DocumentsOptions, Repository};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [repository, snapshot] = arguments.as_slice() else {
        eprintln!("usage: read_snapshot REPOSITORY SNAPSHOT");
        return ExitCode::from(2);
    };
    match read(repository, snapshot).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn read(repository: &str, snapshot: &str) -> Result<()> {
    let repository = Repository::open(repository).await?;
    let snapshot = repository.snapshot(snapshot).await?;
    for index in snapshot.indices().await? {
        let (mut read, mut without_source, mut example) = (0, 0, None);
        for shard in snapshot.shards(&index).await? {
            let mut batches = shard.documents(DocumentsOptions::default());
            while let Some(batch) = batches.next().await {
                let batch = batch?;
                read += batch.documents.len();
                without_source += batch.skipped.values().sum::<u64>();
                example = example.or_else(|| batch.documents.documents().next());
            }
        }
        println!(
            "{}: {read} documents, {without_source} without a stored source",
            index.metadata.name
        );
        if let Some(document) = example {
            let source: String =
                String::from_utf8_lossy(&document.source).chars().take(80).collect();
            println!("  {} {source}", document.id);
        }
    }
    Ok(())
}
