//! A range of documents of a shard: the unit that workers lease.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::random;
use super::time::{optional_seconds, seconds};
use super::{Rate, StoreTime};
use crate::snapshot::SegmentPart;
use crate::{Books, Error, ErrorKind, Result};

/// What marks a document of the working state as ours, so that workers of the system we replace leave it alone.
pub const SCRIPT_VERSION: &str = "snapfill-1";

/// A range of documents of a shard, with everything that is known about it. Document numbers are those of the shard, through
/// its segments in commit order.
///
/// As JSON it is a document of the working state; its `_id` is [`WorkItem::id`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkItem {
    /// Always [`SCRIPT_VERSION`].
    pub script_version: String,
    /// The index of the snapshot.
    pub index: String,
    /// The shard of that index.
    pub shard: u32,
    /// The first document number.
    pub first: u32,
    /// The document number after the last.
    pub end: u32,
    /// Stored bytes of the range, to estimate what remains.
    pub bytes: u64,
    /// How many items the shard has.
    pub items_of_shard: u32,
    /// Random: free items are looked for from a random point of this order, so that workers seldom meet.
    pub sort_key: u64,
    /// When the lease runs out; zero when nobody holds the item.
    #[serde(with = "seconds")]
    pub expiration: StoreTime,
    /// Who holds the lease.
    #[serde(default, rename = "leaseHolderId", skip_serializing_if = "Option::is_none")]
    pub lease_holder: Option<String>,
    /// Counts the leases given: tells a lease from an earlier one of the same worker.
    #[serde(default)]
    pub lease_version: u64,
    /// When it was first leased.
    #[serde(default, with = "optional_seconds", skip_serializing_if = "Option::is_none")]
    pub started_at: Option<StoreTime>,
    /// When it was completed.
    #[serde(default, with = "optional_seconds", skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<StoreTime>,
    /// How far it is acknowledged.
    pub checkpoint: Checkpoint,
    /// What became of the acknowledged documents.
    #[serde(default)]
    pub books: Books,
    /// How fast its holder was when it last spoke.
    #[serde(default, skip_serializing_if = "Rate::is_none")]
    pub rate: Rate,
    /// Live documents of the range, known when it was read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<u64>,
    /// Failures in a row without progress, for causes in the item itself.
    #[serde(default)]
    pub attempts: u32,
    /// Holders in a row that vanished without progress and without a word.
    #[serde(default)]
    pub deaths: u32,
    /// The last failure's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The last holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_worker: Option<String>,
    /// Given up: it is not leased any more until it is reopened.
    #[serde(default)]
    pub quarantined: bool,
}

impl WorkItem {
    /// A free item for the documents `first..end` of a shard, with a random sort key.
    pub fn new(index: impl Into<String>, shard: u32, documents: std::ops::Range<u32>) -> Self {
        Self {
            script_version: SCRIPT_VERSION.to_owned(),
            index: index.into(),
            shard,
            first: documents.start,
            end: documents.end,
            bytes: 0,
            items_of_shard: 1,
            sort_key: random::number(),
            expiration: StoreTime::ZERO,
            lease_holder: None,
            lease_version: 0,
            started_at: None,
            completed_at: None,
            checkpoint: Checkpoint {
                next: documents.start,
                sent: documents.start,
                ..Checkpoint::default()
            },
            books: Books::default(),
            rate: Rate::default(),
            live: None,
            attempts: 0,
            deaths: 0,
            last_error: None,
            last_worker: None,
            quarantined: false,
        }
    }

    /// The same item with its stored bytes and the number of items its shard has.
    #[must_use]
    pub fn sized(mut self, bytes: u64, items_of_shard: u32) -> Self {
        self.bytes = bytes;
        self.items_of_shard = items_of_shard;
        self
    }

    /// The `_id` of its document: `<base64url(index)>__<shard>__<first document>`.
    ///
    /// ```
    /// # use snapfill::coordination::WorkItem;
    /// assert_eq!(WorkItem::new("a__b", 3, 100..200).id(), "YV9fYg__3__100");
    /// ```
    pub fn id(&self) -> String {
        format!("{}__{}__{}", URL_SAFE_NO_PAD.encode(&self.index), self.shard, self.first)
    }

    /// How many document numbers the range has, deleted ones included.
    pub fn documents(&self) -> u32 {
        self.end.saturating_sub(self.first)
    }

    /// How many document numbers of it are done.
    pub fn documents_done(&self) -> u32 {
        self.checkpoint.next.saturating_sub(self.first).min(self.documents())
    }

    /// Stored bytes of the part that is done, estimated from the document numbers.
    pub fn bytes_done(&self) -> u64 {
        if self.is_completed() || self.documents() == 0 {
            return if self.is_completed() { self.bytes } else { 0 };
        }
        let done = u128::from(self.bytes) * u128::from(self.documents_done())
            / u128::from(self.documents());
        u64::try_from(done).unwrap_or(self.bytes)
    }

    /// Whether all of it is done.
    pub fn is_completed(&self) -> bool {
        self.completed_at.is_some()
    }

    /// Whether a worker's lease is still running.
    pub fn is_held(&self, now: StoreTime) -> bool {
        !self.is_completed() && self.lease_holder.is_some() && self.expiration >= now
    }

    /// Whether a worker may take it: free, or held by a lease that ran out before `expired_before`.
    pub fn is_claimable(&self, expired_before: StoreTime) -> bool {
        !self.is_completed()
            && !self.quarantined
            && (self.lease_holder.is_none() || self.expiration < expired_before)
    }

    /// The item as a document of the working state.
    ///
    /// # Errors
    /// `Unexpected`, never in practice.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::Unexpected, format!("cannot write a work item: {error}"))
        })
    }

    /// The item of a document of the working state.
    ///
    /// # Errors
    /// `Corrupt` when it is not one, `Unsupported` when it is another program's or release's.
    pub fn from_json(text: &str) -> Result<Self> {
        let item: Self = serde_json::from_str(text).map_err(|error| {
            Error::new(
                ErrorKind::Corrupt,
                format!("a document of the working state is no work item: {error}"),
            )
        })?;
        if item.script_version == SCRIPT_VERSION {
            return Ok(item);
        }
        let message = format!(
            "a work item was written by `{}`, this release knows `{SCRIPT_VERSION}`: use another session",
            item.script_version
        );
        Err(Error::new(ErrorKind::Unsupported, message).with_context("item", item.id()))
    }
}

/// How far an item is acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// All documents below are acknowledged: the contiguous prefix.
    pub next: u32,
    /// The document number after the last that may have been sent: what is in between may be sent twice.
    pub sent: u32,
    /// Where in the stored fields that is, to go on without reading them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentProgress>,
    /// What was read of the segment that the item begins within, once it was read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<SegmentPart>,
}

impl Checkpoint {
    /// The parts of segments that were read and whose checksums nobody has verified, since others hold the rest.
    pub fn parts(&self) -> Vec<SegmentPart> {
        let tail = self.segment.as_ref().and_then(|point| {
            let SegmentProgress { ordinal, offset, crc, crc_from, .. } = *point;
            Some(SegmentPart { ordinal, from: crc_from, to: offset, crc: crc? })
        });
        self.head.into_iter().chain(tail).collect()
    }
}

/// A place within the stored fields of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentProgress {
    /// The segment, counted in commit order.
    pub ordinal: u32,
    /// The document within the segment.
    pub doc: u32,
    /// The offset within its `.fdt`.
    pub offset: u64,
    /// The checksum of the bytes before, where they were all read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc: Option<u32>,
    /// The offset of the first byte of that checksum.
    #[serde(default)]
    pub crc_from: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_item_reads_as_the_status_queries_expect() {
        let item = WorkItem { sort_key: 7, ..WorkItem::new("books", 2, 0..50) };
        let json: serde_json::Value = serde_json::from_str(&item.to_json().unwrap()).unwrap();
        assert_eq!(json["expiration"], 0);
        assert_eq!(json["scriptVersion"], "snapfill-1");
        assert!(json.get("completedAt").is_none() && json.get("leaseHolderId").is_none());
        assert_eq!(WorkItem::from_json(&json.to_string()).unwrap(), item);
    }

    #[test]
    fn times_are_written_in_seconds() {
        let mut item = WorkItem::new("books", 0, 0..5);
        item.expiration = StoreTime::from_secs(1_700_000_060);
        item.completed_at = Some(StoreTime::from_secs(1_700_000_001));
        item.lease_holder = Some("w".into());
        let json: serde_json::Value = serde_json::from_str(&item.to_json().unwrap()).unwrap();
        assert_eq!(json["expiration"], 1_700_000_060_u64);
        assert_eq!(json["completedAt"], 1_700_000_001_u64);
        assert_eq!(json["leaseHolderId"], "w");
        assert_eq!(WorkItem::from_json(&json.to_string()).unwrap(), item);
    }

    #[test]
    fn an_item_of_another_program_is_refused() {
        let mut item = WorkItem::new("books", 0, 0..5);
        item.script_version = "2.0".into();
        let error = WorkItem::from_json(&item.to_json().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(WorkItem::from_json("{}").unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn bytes_done_follow_the_documents() {
        let mut item = WorkItem::new("books", 0, 100..200).sized(1000, 1);
        item.checkpoint.next = 150;
        assert_eq!((item.documents_done(), item.bytes_done()), (50, 500));
        assert_eq!(WorkItem::new("books", 0, 0..0).sized(9, 1).bytes_done(), 0);
    }
}
