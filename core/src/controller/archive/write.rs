//! The file, from a store.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use sha2::{Digest, Sha256};

use crate::coordination::run::RUN_ID;
use crate::coordination::{Run, WorkItem, WorkStore};
use crate::{Books, Error, ErrorKind, Result};

/// Items of one batch.
pub(super) const BATCH: usize = 500;

/// What was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    pub(super) items: u64,
    pub(super) completed: u64,
    pub(super) quarantined: u64,
    pub(super) books: Books,
    pub(super) highest_lease: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Contents {
    pub(super) fn count(&mut self, item: &WorkItem) {
        self.items += 1;
        self.completed += u64::from(item.is_completed());
        self.quarantined += u64::from(item.quarantined);
        self.books.add(&item.books);
        self.highest_lease = self.highest_lease.max(item.lease_version);
    }
}

/// Writes the run and all items, one page of the store at a time, and has them on disk before it returns.
pub(super) async fn write(store: &dyn WorkStore, run: &Run, file: &mut File) -> Result<Contents> {
    let mut out = BufWriter::new(Hashing { to: file, digest: Sha256::new(), bytes: 0 });
    let mut contents = Contents::default();
    out.write_all(b"[").map_err(unwritten)?;
    write_batch(&mut out, &[(RUN_ID.to_owned(), run.to_json()?)])?;
    let mut after = None;
    loop {
        let page = store.items(after.as_deref(), BATCH).await?;
        let mut batch = Vec::with_capacity(page.items.len());
        for item in &page.items {
            contents.count(&item.value);
            batch.push((item.value.id(), item.value.to_json()?));
        }
        if !batch.is_empty() {
            out.write_all(b",\n").map_err(unwritten)?;
            write_batch(&mut out, &batch)?;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    out.write_all(b"]\n").map_err(unwritten)?;
    let hashing = out.into_inner().map_err(|error| unwritten(error.into_error()))?;
    hashing.to.sync_all().map_err(unwritten)?;
    contents.bytes = hashing.bytes;
    contents.sha256 = hex(&hashing.digest.finalize());
    Ok(contents)
}

fn write_batch(out: &mut impl Write, batch: &[(String, String)]) -> Result<()> {
    let mut separator = "{";
    for (id, document) in batch {
        let id = serde_json::Value::from(id.as_str());
        write!(out, "{separator}{id}:{document}").map_err(unwritten)?;
        separator = ",\n";
    }
    out.write_all(b"}").map_err(unwritten)
}

fn unwritten(error: io::Error) -> Error {
    let message = format!("cannot write the archive: {error}; the working state is kept as it is");
    Error::new(ErrorKind::Io, message).with_source(error)
}

/// Counts and hashes what goes through.
struct Hashing<'a> {
    to: &'a mut File,
    digest: Sha256,
    bytes: u64,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Bytes as people write a checksum.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
