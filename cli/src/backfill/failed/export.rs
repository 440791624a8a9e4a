//! `snapfill backfill failed export`.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde_json::json;
use snapfill::failed::{FailedFilter, FailedLog};
use snapfill::{Error, ErrorKind};

use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, write_failed};

use super::Export;

pub(crate) async fn run(arguments: Export, output: &Output) -> Result<Exit, Failure> {
    let log = arguments.run.open().await?;
    let is_stdout = arguments.is_stdout();
    let filter = FailedFilter::from(arguments.which);
    if is_stdout {
        let written = write(&log, &filter, &mut output.stream(), &write_failed).await?;
        if !output.is_json() {
            output.remark(&count_of(written, "failed document"));
        }
        return Ok(Exit::Completed);
    }
    let path = &arguments.to;
    let failed = |error: std::io::Error| {
        let message = format!("cannot write {}: {error}", path.display());
        Error::new(ErrorKind::Io, message).with_source(error)
    };
    let mut file = BufWriter::new(File::create_new(path).map_err(failed)?);
    let written = match write(&log, &filter, &mut file, &failed).await {
        Ok(written) => written,
        Err(error) => {
            // Half of it would be taken for all of it.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
    };
    file.get_ref().sync_all().map_err(failed)?;
    if output.is_json() {
        output.print_json(&json!({ "file": path, "documents": written }))?;
    } else {
        let count = count_of(written, "failed document");
        output.line(&format!("{count} written to {}", path.display()))?;
    }
    Ok(Exit::Completed)
}

async fn write(
    log: &FailedLog,
    filter: &FailedFilter,
    to: &mut impl Write,
    failed: &dyn Fn(std::io::Error) -> Error,
) -> Result<u64, Failure> {
    let mut written = 0;
    let mut documents = log.documents().await?;
    while let Some(batch) = documents.next().await {
        for document in batch?.iter().filter(|document| filter.admits(document)) {
            document.write_operation(to).map_err(failed)?;
            written += 1;
        }
    }
    to.flush().map_err(failed)?;
    Ok(written)
}
