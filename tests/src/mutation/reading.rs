//! Reading all of a repository's snapshots, and judging what came out.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::ObjectStore;
use snapfill::snapshot::{DocumentsOptions, Repository, Snapshot};
use snapfill::{Error, ErrorKind};

use crate::fixtures::Line;

/// What came out of one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The documents of each index, sorted; an index without documents is there too.
    pub documents: BTreeMap<String, Vec<Line>>,
    /// How many documents of each index have no stored source.
    pub skipped: BTreeMap<String, u64>,
}

/// What became of reading a damaged snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It failed, and nothing wrong came out before.
    Refused(ErrorKind),
    /// The same came out.
    Same,
    /// Something else came out, or the reader broke down: a defect.
    Wrong(String),
}

impl Reading {
    /// Reads a snapshot as far as it goes.
    pub async fn of(store: Arc<dyn ObjectStore>, snapshot: &str) -> (Self, Result<(), Error>) {
        let mut reading = Self::default();
        let ended = reading.read(store, snapshot).await;
        reading.documents.values_mut().for_each(|lines| lines.sort());
        (reading, ended)
    }

    async fn read(&mut self, store: Arc<dyn ObjectStore>, snapshot: &str) -> Result<(), Error> {
        let repository = Repository::with_store(store, "specimen").await?;
        let snapshot = repository.snapshot(snapshot).await?;
        for name in snapshot.index_names() {
            self.read_index(&snapshot, name).await?;
        }
        Ok(())
    }

    async fn read_index(&mut self, snapshot: &Snapshot, name: &str) -> Result<(), Error> {
        let lines = self.documents.entry(name.to_owned()).or_default();
        let index = snapshot.index(name).await?;
        for number in 0..index.metadata.shards()? {
            let shard = snapshot.shard_of(&index, number).await?;
            let size = shard.size().await?;
            let mut batches = shard.documents(DocumentsOptions::default());
            let mut accounted = 0;
            while let Some(batch) = batches.next().await {
                let batch = batch?;
                let skipped: u64 = batch.skipped.values().sum();
                accounted += batch.documents.len() as u64 + batch.nested + skipped;
                if skipped > 0 {
                    *self.skipped.entry(name.to_owned()).or_default() += skipped;
                }
                lines.extend(batch.documents.documents().map(|document| Line {
                    index: name.to_owned(),
                    doc_type: document.doc_type.map(|name| name.to_string()),
                    id: document.id,
                    routing: document.routing,
                    parent: document.parent,
                    source: Some(String::from_utf8_lossy(&document.source).into_owned()),
                }));
            }
            // The same books that a backfill keeps.
            if accounted != size.undeleted {
                let what = format!("{accounted} documents of {}", size.undeleted);
                return Err(Error::new(ErrorKind::Corrupt, what));
            }
        }
        Ok(())
    }

    /// Holds what came out of the damaged snapshot against this, which came out of the sound one.
    #[must_use]
    pub fn judge(&self, damaged: &Self, ended: Result<(), Error>) -> Verdict {
        match ended {
            Err(error) if error.kind() == ErrorKind::Unexpected => {
                Verdict::Wrong(format!("the reader broke down: {error}"))
            }
            Err(error) => match self.stray(damaged) {
                Some(what) => Verdict::Wrong(format!("{what}; then: {error}")),
                None => Verdict::Refused(error.kind()),
            },
            Ok(()) if damaged == self => Verdict::Same,
            Ok(()) => Verdict::Wrong(self.difference(damaged)),
        }
    }

    /// The first document that should not have come out, or came out too often.
    fn stray(&self, damaged: &Self) -> Option<String> {
        for (index, lines) in &damaged.documents {
            let mut left = self.documents.get(index).map(Vec::as_slice).unwrap_or_default();
            for line in lines {
                // Both lists are sorted.
                let at = left.iter().position(|expected| expected == line);
                let Some(at) = at else {
                    return Some(format!("a document that is none: {line:?}"));
                };
                left = left.get(at + 1..).unwrap_or_default();
            }
        }
        None
    }

    fn difference(&self, damaged: &Self) -> String {
        if let Some(stray) = self.stray(damaged) {
            return stray;
        }
        let count = |reading: &Self| {
            let of = |(name, lines): (&String, &Vec<Line>)| format!("{name}: {}", lines.len());
            reading.documents.iter().map(of).collect::<Vec<_>>().join(", ")
        };
        format!(
            "{} without source {:?} in place of {} without source {:?}",
            count(damaged),
            damaged.skipped,
            count(self),
            self.skipped
        )
    }
}
