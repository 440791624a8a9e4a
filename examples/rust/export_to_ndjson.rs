//! Writes one index of a snapshot to a file, one document a line, as `_bulk` would read it. No cluster is needed.
//!
//! ```sh
//! cargo run -p snapfill --no-default-features --example export_to_ndjson -- REPOSITORY SNAPSHOT INDEX FILE
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use serde_json::json;
use snapfill::snapshot::{DocumentsOptions, Repository};

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [repository, snapshot, index, file] = words.as_slice() else {
        eprintln!("usage: export_to_ndjson REPOSITORY SNAPSHOT INDEX FILE");
        return ExitCode::from(2);
    };
    match export(repository, snapshot, index, file).await {
        Ok(count) => {
            println!("{count} documents");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn export(
    repository: &str,
    snapshot: &str,
    index: &str,
    file: &str,
) -> Result<usize, Box<dyn Error>> {
    let snapshot = Repository::open(repository).await?.snapshot(snapshot).await?;
    let mut output = BufWriter::new(File::create(file)?);
    let mut count = 0;
    let mut batches = snapshot.documents(Some(index), None, DocumentsOptions::default());
    while let Some(batch) = batches.next().await {
        let (_, batch) = batch?;
        for document in batch.documents.iter() {
            let mut action = json!({ "index": { "_index": index, "_id": document.id } });
            if let Some(routing) = document.routing {
                action["index"]["routing"] = json!(routing);
            }
            writeln!(output, "{action}")?;
            output.write_all(document.source)?;
            output.write_all(b"\n")?;
            count += 1;
        }
    }
    output.flush()?;
    Ok(count)
}
