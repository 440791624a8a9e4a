//! The documents of a whole snapshot, or of some of it, one shard after another.

use std::collections::{BTreeMap, VecDeque};

use super::documents::{DocumentStream, DocumentsOptions, ShardBatch};
use super::snapshot::{Snapshot, SnapshotIndex};
use crate::{Error, ErrorKind, Result, SkipReason};

/// Documents of a snapshot, shard after shard, ordered by index name and shard number. Dropping it stops the reader.
///
/// A `next` that is dropped before its end loses nothing: the next call goes on there.
#[derive(Debug)]
pub struct SnapshotDocuments {
    snapshot: Snapshot,
    only_shard: Option<u32>,
    options: DocumentsOptions,
    indices: VecDeque<String>,
    shards: VecDeque<(SnapshotIndex, u32)>,
    reading: Option<(PlaceOfBatch, DocumentStream)>,
    has_begun: bool,
    has_ended: bool,
    skipped: BTreeMap<SkipReason, u64>,
}

/// Which shard a batch is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOfBatch {
    /// The index's name.
    pub index: String,
    /// The shard's number within the index.
    pub shard: u32,
}

impl Snapshot {
    /// The documents of all indices or of one, of all their shards or of those with one number. Nothing is read before the
    /// first `next`.
    pub fn documents(
        &self,
        index: Option<&str>,
        shard: Option<u32>,
        options: DocumentsOptions,
    ) -> SnapshotDocuments {
        let indices = match index {
            Some(name) => VecDeque::from([name.to_owned()]),
            None => self.index_names().into_iter().map(str::to_owned).collect(),
        };
        SnapshotDocuments {
            snapshot: self.clone(),
            only_shard: shard,
            options,
            indices,
            shards: VecDeque::new(),
            reading: None,
            has_begun: false,
            has_ended: false,
            skipped: BTreeMap::new(),
        }
    }
}

impl SnapshotDocuments {
    /// The next batch and where it is from; `None` when all documents have come. Nothing comes after an error.
    ///
    /// Must be called within a tokio runtime.
    pub async fn next(&mut self) -> Option<Result<(PlaceOfBatch, ShardBatch)>> {
        if self.has_ended {
            return None;
        }
        let next = self.advance().await.transpose();
        self.has_ended = !matches!(next, Some(Ok(_)));
        next
    }

    /// Live documents that had no source to give, and shards that the snapshot does not hold, of what has been read so far.
    pub fn skipped(&self) -> &BTreeMap<SkipReason, u64> {
        &self.skipped
    }

    async fn advance(&mut self) -> Result<Option<(PlaceOfBatch, ShardBatch)>> {
        loop {
            if let Some((place, stream)) = &mut self.reading {
                if let Some(batch) = stream.next().await.transpose()? {
                    let place = place.clone();
                    self.note(&batch);
                    return Ok(Some((place, batch)));
                }
                self.reading = None;
            }
            if !self.open_shard().await? && !self.open_index().await? {
                return self.end();
            }
        }
    }

    fn note(&mut self, batch: &ShardBatch) {
        for (reason, count) in &batch.skipped {
            *self.skipped.entry(*reason).or_default() += count;
        }
    }

    /// Opens the next shard; false when there is none.
    async fn open_shard(&mut self) -> Result<bool> {
        let Some((index, number)) = self.shards.front() else { return Ok(false) };
        let name = &index.metadata.name;
        if self.snapshot.missing(name, *number).is_some() {
            *self.skipped.entry(SkipReason::ShardMissing).or_default() += 1;
        } else {
            let shard = self.snapshot.shard_of(index, *number).await?;
            let place = PlaceOfBatch { index: name.clone(), shard: *number };
            self.reading = Some((place, shard.documents(self.options.clone())));
        }
        self.has_begun = true;
        self.shards.pop_front();
        Ok(true)
    }

    /// Lists the shards of the next index; false when there is none.
    async fn open_index(&mut self) -> Result<bool> {
        let Some(name) = self.indices.front() else { return Ok(false) };
        let index = self.snapshot.index(name).await?;
        let wanted = |number: &u32| self.only_shard.is_none_or(|only| only == *number);
        let numbers = (0..index.metadata.shards()?).filter(wanted);
        self.shards.extend(numbers.map(|number| (index.clone(), number)));
        self.indices.pop_front();
        Ok(true)
    }

    fn end(&self) -> Result<Option<(PlaceOfBatch, ShardBatch)>> {
        match self.only_shard {
            Some(number) if !self.has_begun => Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "no selected index of snapshot `{}` has a shard {number}; shards are numbered from 0",
                    self.snapshot.name()
                ),
            )),
            _ => Ok(None),
        }
    }
}
