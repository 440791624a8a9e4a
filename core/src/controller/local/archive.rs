//! The working state as a file, before it is deleted.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value};

use super::Shared;
use crate::{Error, ErrorKind, Result};

/// Items of one batch of the archive.
const BATCH: usize = 500;

impl Shared {
    /// Writes the working state to `path`, reads it back, and deletes it. Without a working state there is nothing to do.
    pub(super) async fn archive_and_drop(&self, path: &Path) -> Result<()> {
        let Some(run) = self.store.run().await? else { return Ok(()) };
        let mut first = Map::new();
        first.insert("shard_setup".to_owned(), parse(&run.value.to_json()?)?);
        let mut batches = vec![Value::Object(first)];
        let mut after = None;
        loop {
            let page = self.store.items(after.as_deref(), BATCH).await?;
            let mut batch = Map::new();
            for item in &page.items {
                batch.insert(item.value.id(), parse(&item.value.to_json()?)?);
            }
            if !batch.is_empty() {
                batches.push(Value::Object(batch));
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        write(path, &Value::Array(batches))
            .map_err(|error| error.with_context("archive", path.display()))?;
        self.store.drop_session().await
    }
}

fn parse(json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))
}

/// Writes and reads back: only an archive that is whole lets the working state go.
fn write(path: &Path, archive: &Value) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = BufWriter::new(File::create_new(path)?);
    serde_json::to_writer(&mut file, archive)
        .map_err(|error| Error::new(ErrorKind::Io, error.to_string()).with_source(error))?;
    file.flush()?;
    file.get_ref().sync_all()?;
    let read: Value = serde_json::from_slice(&std::fs::read(path)?)
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot be read back: {error}")))?;
    if &read == archive {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Io, "reads back otherwise than written"))
    }
}
