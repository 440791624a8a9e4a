//! The snapshot, as a worker sees it.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::fleet;
use super::network::Port;
use super::scenario::{Content, Poison};
use super::target::document_id;
use crate::cluster::Distribution;
use crate::coordination::WorkItem;
use crate::pipeline::{ShardSource, Source};
use crate::preparation::{Route, Selector};
use crate::snapshot::{DocumentStream, DocumentsOptions, Feed, SnapshotIndex};
use crate::{DocumentBatch, DocumentRef, Error, ErrorKind, Result};

/// The snapshot's one index.
pub(super) const INDEX: &str = "i";

/// A document's source.
pub(super) fn content_of(number: usize) -> String {
    format!("{{\"n\":{number}}}")
}

#[derive(Clone, Debug)]
pub(super) struct SimulatedSnapshot(pub(super) Port);

#[derive(Clone, Debug)]
pub(super) struct SimulatedShard {
    port: Port,
    shard: usize,
}

impl SimulatedShard {
    fn content(&self) -> &Content {
        &self.port.world.scenario.items[self.shard]
    }

    /// The live documents of a range.
    fn batch(&self, range: std::ops::Range<u32>) -> DocumentBatch {
        let live = range.filter(|number| self.content().live[*number as usize]);
        let documents: Vec<_> = live
            .map(|number| (number, document_id(self.shard, number), content_of(number as usize)))
            .collect();
        documents
            .iter()
            .map(|(number, id, source)| DocumentRef {
                number: *number,
                id,
                doc_type: None,
                routing: None,
                parent: None,
                source: source.as_bytes(),
            })
            .collect()
    }

    async fn feed(self, feed: Feed, options: DocumentsOptions) {
        let end = self.content().live.len() as u32;
        let poison = self.content().poison;
        let mut next = options.from.next;
        while next < end {
            let mut until = end.min(next + options.batch_documents as u32);
            let poisoned = poison.filter(|(number, _)| (next..until).contains(number));
            if let Some((number, _)) = poisoned {
                until = number;
            }
            self.port.world.sleep(Duration::from_millis(5)).await;
            self.port.resumed().await;
            let is_away = self.port.world.now() < self.port.world.lock().source_away_until;
            if is_away {
                let away = Error::new(ErrorKind::Unavailable, "the repository is away");
                feed.pass(Err(away)).await;
                return;
            }
            if until > next && !feed.pass(Ok((self.batch(next..until), next..until))).await {
                return;
            }
            match poisoned.map(|(_, poison)| poison) {
                Some(Poison::Corrupt) => {
                    let corrupt = Error::new(ErrorKind::Corrupt, "a block does not unpack");
                    feed.pass(Err(corrupt)).await;
                    return;
                }
                Some(Poison::Kills) => {
                    // What was read before may be on its way yet.
                    self.port.world.sleep(Duration::from_millis(500)).await;
                    if feed.is_wanted() {
                        fleet::kill(&self.port, "out of memory");
                    }
                    return;
                }
                None => next = until,
            }
        }
        feed.end(self.undeleted_documents()).await;
    }

    fn undeleted_documents(&self) -> u64 {
        self.content().live.iter().filter(|live| **live).count() as u64
    }
}

#[async_trait]
impl Source for SimulatedSnapshot {
    type Shard = SimulatedShard;

    fn lacks(&self, _: &str, _: u32) -> bool {
        false
    }

    async fn open(
        &self,
        item: &WorkItem,
        _: &Selector,
        _: Distribution,
        _: &Mutex<HashMap<String, SnapshotIndex>>,
    ) -> Result<(SimulatedShard, Route)> {
        self.0.world.sleep(Duration::from_millis(20)).await;
        self.0.resumed().await;
        let shard = SimulatedShard { port: self.0.clone(), shard: item.shard as usize };
        Ok((shard, Route::One(INDEX.into())))
    }
}

#[async_trait]
impl ShardSource for SimulatedShard {
    fn documents(&self, options: DocumentsOptions) -> DocumentStream {
        let (feed, stream) = Feed::open();
        tokio::spawn(self.clone().feed(feed, options));
        stream
    }

    async fn undeleted(&self) -> Result<u64> {
        Ok(self.undeleted_documents())
    }
}
