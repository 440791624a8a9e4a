//! Fills a folder with documents of a snapshot, shows how it comes forward, and tells what was moved.
//!
//! ```sh
//! cargo run -p snapfill --example fill_a_folder -- REPOSITORY SNAPSHOT FOLDER [INDEX …]
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::pin::pin;
use std::process::ExitCode;

use snapfill::controller::{BackfillController, Event, EventStream, LocalBackfill, RunEnd};
use snapfill::settings::BackfillSettings;
use snapfill::{Books, Result};

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [repository, snapshot, folder, indices @ ..] = words.as_slice() else {
        eprintln!("usage: fill_a_folder REPOSITORY SNAPSHOT FOLDER [INDEX …]");
        return ExitCode::from(2);
    };
    match fill(repository, snapshot, folder, indices).await {
        Ok((end, books)) => {
            println!("{end:?}: {} documents written, {} failed", books.written, books.failed);
            if end == RunEnd::Completed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{}: {error}", error.kind());
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn fill(
    repository: &str,
    snapshot: &str,
    folder: &str,
    indices: &[String],
) -> Result<(RunEnd, Books)> {
    let mut settings = BackfillSettings::new(repository, snapshot, folder);
    settings.indices = indices.to_vec();
    settings.workers = 2;
    let backfill = LocalBackfill::builder(settings).build()?;
    for index in backfill.plan().await?.migrated() {
        println!("will fill: {}", index.name);
    }
    let events = backfill.events();
    backfill.start().await?;
    let end = show_until_the_end(&backfill, events).await?;
    Ok((end, backfill.deep_status().await?.work.books))
}

async fn show_until_the_end(backfill: &LocalBackfill, mut events: EventStream) -> Result<RunEnd> {
    let mut end = pin!(backfill.wait());
    loop {
        tokio::select! {
            biased;
            event = events.next() => if let Some(Event::ItemCompleted { index, shard, .. }) = event {
                println!("{index}[{shard}] is done");
            },
            end = &mut end => return end,
        }
    }
}
