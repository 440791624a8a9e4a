//! Reads all documents of a snapshot in batches by the core's own iterator, and says how long that took: what the bindings'
//! throughput is a share of.
//!
//! ```sh
//! cargo run --release -p snapfill --no-default-features --example time_reading -- REPOSITORY SNAPSHOT
//! ```
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use snapfill::snapshot::{DocumentsOptions, Repository};
use snapfill::{Clock, Error, ErrorKind, Result, SystemClock};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(repository), Some(snapshot)) = (arguments.next(), arguments.next()) else {
        return Err(Error::new(ErrorKind::Config, "usage: time_reading REPOSITORY SNAPSHOT"));
    };
    let (mut documents, mut bytes, mut ids) = (0_u64, 0_usize, 0_usize);
    let began = SystemClock::new();
    let repository = Repository::open(&repository).await?;
    let snapshot = repository.snapshot(&snapshot).await?;
    let mut batches = snapshot.documents(None, None, DocumentsOptions::default());
    while let Some(batch) = batches.next().await {
        for document in batch?.1.documents.iter() {
            documents += 1;
            bytes += document.source.len();
            ids += document.id.len();
        }
    }
    let seconds = began.monotonic().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({"documents": documents, "bytes": bytes, "ids": ids, "seconds": seconds})
    );
    Ok(())
}
