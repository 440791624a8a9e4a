//! The file, document by document, whatever its size.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::write::{BATCH, hex};
use crate::coordination::run::RUN_ID;
use crate::coordination::{Run, WorkItem};
use crate::{Error, ErrorKind, Result};

/// A document of the working state.
#[derive(Debug)]
pub(super) enum Entry {
    Run(Box<Run>),
    Item(Box<WorkItem>),
}

/// What the whole file was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// An archive that is being read on a thread of its own.
pub(super) struct Reading {
    batches: mpsc::Receiver<Vec<Entry>>,
    ended: JoinHandle<Result<Seen>>,
}

impl Reading {
    pub(super) fn begin(path: &Path) -> Self {
        let (sender, batches) = mpsc::channel(2);
        let path: PathBuf = path.to_owned();
        let ended = tokio::task::spawn_blocking(move || {
            read(&path, sender).map_err(|error| error.with_context("archive", path.display()))
        });
        Self { batches, ended }
    }

    /// Some of the documents, in their order; none after the last, and none after an error, which [`Reading::finish`] tells.
    pub(super) async fn next(&mut self) -> Option<Vec<Entry>> {
        self.batches.recv().await
    }

    /// What the file was, once all of it was read.
    pub(super) async fn finish(mut self) -> Result<Seen> {
        while self.next().await.is_some() {}
        self.ended
            .await
            .unwrap_or_else(|error| Err(Error::new(ErrorKind::Unexpected, error.to_string())))
    }
}

fn read(path: &Path, to: mpsc::Sender<Vec<Entry>>) -> Result<Seen> {
    let mut from = Hashing { from: File::open(path)?, digest: Sha256::new(), bytes: 0 };
    let mut batch = Vec::new();
    let mut refusal = None;
    let mut take = |id: &str, document: &str| match entry(id, document) {
        Ok(entry) => {
            batch.push(entry);
            if batch.len() >= BATCH {
                // Nobody listens any more when the file was found wrong; the rest is read all the same.
                let _ = to.blocking_send(std::mem::take(&mut batch));
            }
            true
        }
        Err(error) => {
            refusal = Some(error);
            false
        }
    };
    let parsed = {
        let mut json = serde_json::Deserializer::from_reader(BufReader::new(&mut from));
        Batches(&mut take).deserialize(&mut json).and_then(|()| json.end())
    };
    if let Some(error) = refusal {
        return Err(error);
    }
    parsed.map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("the archive is damaged: {error}"))
    })?;
    let _ = to.blocking_send(batch);
    Ok(Seen { bytes: from.bytes, sha256: hex(&from.digest.finalize()) })
}

fn entry(id: &str, document: &str) -> Result<Entry> {
    if id == RUN_ID {
        return Ok(Entry::Run(Box::new(Run::from_json(document)?)));
    }
    let item = WorkItem::from_json(document)?;
    if item.id() == id {
        return Ok(Entry::Item(Box::new(item)));
    }
    let message =
        format!("the archive is damaged: under `{id}` it holds the work item `{}`", item.id());
    Err(Error::new(ErrorKind::Corrupt, message))
}

/// The array of batches.
struct Batches<'a, F>(&'a mut F);

/// One batch.
struct Batch<'a, F>(&'a mut F);

impl<'de, F: FnMut(&str, &str) -> bool> DeserializeSeed<'de> for Batches<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(&str, &str) -> bool> Visitor<'de> for Batches<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of batches")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut batches: A) -> Result<(), A::Error> {
        while batches.next_element_seed(Batch(self.0))?.is_some() {}
        Ok(())
    }
}

impl<'de, F: FnMut(&str, &str) -> bool> DeserializeSeed<'de> for Batch<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, &str) -> bool> Visitor<'de> for Batch<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("documents by id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut documents: A) -> Result<(), A::Error> {
        while let Some((id, document)) = documents.next_entry::<String, Box<RawValue>>()? {
            if !(self.0)(&id, document.get()) {
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// Counts and hashes what goes through.
struct Hashing {
    from: File,
    digest: Sha256,
    bytes: u64,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.digest.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        Ok(read)
    }
}
