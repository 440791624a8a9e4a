//! Shards that several items share: no worker reads their segments' files whole, so the checksums of the parts are joined
//! when all of them are done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Shared;
use crate::coordination::{Run, WorkItem};
use crate::preparation::section;
use crate::snapshot::SegmentPart;
use crate::{Error, ErrorKind, Result};

/// Items read at once.
const PAGE: usize = 1000;

/// Whether checksums are to be joined, and whether that was done: a section of the run's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JoinRecord {
    /// Some shard is shared by several items.
    needed: bool,
    /// All were joined.
    done: bool,
}

impl JoinRecord {
    const KEY: &str = "joins";

    pub(super) fn of_items(items: &[WorkItem]) -> Self {
        Self { needed: items.iter().any(|item| item.items_of_shard > 1), done: false }
    }

    fn of_run(settings: &Value) -> Self {
        section::read(settings, Self::KEY)
    }

    pub(super) fn write(self, settings: &mut Value) {
        if self.needed {
            section::write(settings, Self::KEY, &self);
        }
    }

    fn is_open(self) -> bool {
        self.needed && !self.done
    }
}

/// The completed items of one shard.
#[derive(Debug, Default)]
struct SharedShard {
    completed: u32,
    of: u32,
    /// Parts of segments, by the item that read them.
    parts: Vec<(String, SegmentPart)>,
}

impl Shared {
    /// Joins the checksums of shards that several items share. The items of a segment whose checksum is wrong are given up:
    /// what they wrote may differ from what was once indexed.
    pub(super) async fn verify_joins(&self) -> Result<()> {
        if self.is_joined().await? {
            return Ok(());
        }
        for ((index, number), shared) in self.shared_shards().await? {
            // The others of a shard with a failed item are nobody's word for the whole.
            if shared.completed < shared.of || shared.parts.is_empty() {
                continue;
            }
            let shard = self.snapshot().await?.shard(&index, number).await?;
            for parts in shared.by_segment() {
                let sums = parts.iter().map(|(_, part)| *part).collect();
                match shard.verify_parts(sums).await {
                    Err(error) if error.kind() == ErrorKind::Corrupt => {
                        self.refute(&parts, &error).await?;
                    }
                    verified => verified?,
                }
            }
        }
        let done = |run: &mut Run| {
            JoinRecord { needed: true, done: true }.write(&mut run.settings);
            Ok(())
        };
        self.coordinator.change_run(done).await.map(|_| ())
    }

    /// Whether nothing is left to be joined.
    pub(super) async fn is_joined(&self) -> Result<bool> {
        let run = self.store.run().await?;
        Ok(run.is_none_or(|run| Self::has_joined(&run.value)))
    }

    /// The same for a run that is known.
    pub(super) fn has_joined(run: &Run) -> bool {
        !JoinRecord::of_run(&run.settings).is_open()
    }

    async fn shared_shards(&self) -> Result<BTreeMap<(String, u32), SharedShard>> {
        let mut shards = BTreeMap::<_, SharedShard>::new();
        let mut after = None;
        loop {
            let page = self.store.items(after.as_deref(), PAGE).await?;
            for item in page.items.into_iter().map(|item| item.value) {
                if item.items_of_shard > 1 {
                    let id = item.id();
                    let shard = shards.entry((item.index, item.shard)).or_default();
                    shard.of = item.items_of_shard;
                    shard.completed += u32::from(item.completed_at.is_some());
                    let parts = item.checkpoint.parts().into_iter();
                    shard.parts.extend(parts.map(|part| (id.clone(), part)));
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(shards);
            }
        }
    }

    async fn refute(&self, parts: &[(String, SegmentPart)], error: &Error) -> Result<()> {
        let reason = format!(
            "{error}; the documents of this item are suspect, and so are those of the segment's other items"
        );
        for (item, _) in parts {
            self.coordinator.refute(item, &reason).await?;
        }
        Ok(())
    }
}

impl SharedShard {
    fn by_segment(mut self) -> Vec<Vec<(String, SegmentPart)>> {
        self.parts.sort_by_key(|(_, part)| (part.ordinal, part.from));
        self.parts
            .chunk_by(|(_, one), (_, next)| one.ordinal == next.ordinal)
            .map(<[_]>::to_vec)
            .collect()
    }
}
