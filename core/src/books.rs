//! The books of a shard: every live document is written, failed, or skipped for a named reason.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

/// Why a live document was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// The mapping says `_source.enabled: false`: the source was never stored.
    SourceDisabled,
    /// Elasticsearch builds this index's `_source` from doc values on read (synthetic source, logsdb); none is stored.
    SourceSynthetic,
    /// OpenSearch builds this index's `_source` from doc values on read (`index.derived_source`); none is stored.
    SourceDerived,
    /// A time-series index that stores no `_source`, and from Elasticsearch 9.3 on not even `_id`.
    TimeSeries,
    /// No `_source` is stored and nothing in the index's metadata says why.
    SourceMissing,
    /// The stored `_source` is not a JSON object that could be sent.
    Undecodable,
    /// The shard is not in the snapshot (a PARTIAL snapshot). Counts shards: how many documents they had, nobody knows.
    ShardMissing,
    /// The caller asked for fewer documents.
    Limit,
    /// The caller's filter left it out.
    Filtered,
}

impl SkipReason {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::SourceDisabled,
        Self::SourceSynthetic,
        Self::SourceDerived,
        Self::TimeSeries,
        Self::SourceMissing,
        Self::Undecodable,
        Self::ShardMissing,
        Self::Limit,
        Self::Filtered,
    ];

    /// Whether the caller asked for it; otherwise it is a loss, and a run with one ends *completed with errors*.
    pub fn is_by_request(self) -> bool {
        matches!(self, Self::Limit | Self::Filtered)
    }

    /// Whether it counts documents. What counts shards stands beside the balance of documents.
    pub fn counts_documents(self) -> bool {
        self != Self::ShardMissing
    }

    /// The reason as one lower-case word, stable across releases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SourceDisabled => "source_disabled",
            Self::SourceSynthetic => "source_synthetic",
            Self::SourceDerived => "source_derived",
            Self::TimeSeries => "time_series",
            Self::SourceMissing => "source_missing",
            Self::Undecodable => "undecodable",
            Self::ShardMissing => "shard_missing",
            Self::Limit => "limit",
            Self::Filtered => "filtered",
        }
    }

    /// What it means for a reader of a report.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::SourceDisabled => "`_source` is disabled in the mapping, so it was never stored",
            Self::SourceSynthetic => "synthetic `_source` is rebuilt on read and not stored",
            Self::SourceDerived => "derived `_source` is rebuilt on read and not stored",
            Self::TimeSeries => "a time-series index stores no `_source`",
            Self::SourceMissing => "no `_source` is stored, and the metadata does not say why",
            Self::Undecodable => "the stored `_source` is not JSON that could be sent",
            Self::ShardMissing => "the snapshot does not hold this shard",
            Self::Limit => "left out by the limit that was asked for",
            Self::Filtered => "left out by the filter that was asked for",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What became of documents that were read. Counts are documents, save `bytes` and skipped shards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// Acknowledged by the target.
    pub written: u64,
    /// Refused by the target for good.
    pub failed: u64,
    /// Not sent, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Nested children: part of their root document's source, so no documents of their own and in no other count.
    #[serde(default)]
    pub nested: u64,
    /// Of the written: already there and left alone (create mode).
    #[serde(default)]
    pub present: u64,
    /// Of the written: replaced another document outside a range that was being sent again.
    #[serde(default)]
    pub overwritten: u64,
    /// Source bytes of the written documents.
    #[serde(default)]
    pub bytes: u64,
    /// Of those that were read: stored as SMILE, CBOR or YAML, and converted to JSON.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub converted: u64,
    /// Of those that were read: taken from `_recovery_source`, because that was asked for and `_source` is not whole.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recovered: u64,
    /// Live documents of such an index that had no `_recovery_source` any more: left as they are stored, or skipped.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unrecovered: u64,
    /// Of the written and the failed: more than the one for each that was read, because a transform made several of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub added: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Books {
    /// Documents of the snapshot that are accounted for: written, failed and skipped, without those that were added.
    pub fn accounted(&self) -> u64 {
        (self.written + self.failed + self.skipped_total()).saturating_sub(self.added)
    }

    /// Skipped documents, whatever the reason. Shards that are missing are not among them.
    pub fn skipped_total(&self) -> u64 {
        let documents = self.skipped.iter().filter(|(reason, _)| reason.counts_documents());
        documents.map(|(_, count)| count).sum()
    }

    /// Shards that the snapshot does not hold.
    pub fn missing_shards(&self) -> u64 {
        self.skipped.get(&SkipReason::ShardMissing).copied().unwrap_or(0)
    }

    /// Skipped documents, and shards, that nobody asked to skip.
    pub fn skipped_by_loss(&self) -> u64 {
        self.skipped
            .iter()
            .filter(|(reason, _)| !reason.is_by_request())
            .map(|(_, count)| count)
            .sum()
    }

    /// Counts `count` documents as skipped.
    pub fn skip(&mut self, reason: SkipReason, count: u64) {
        if count > 0 {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        self.written += other.written;
        self.failed += other.failed;
        self.nested += other.nested;
        self.present += other.present;
        self.overwritten += other.overwritten;
        self.bytes += other.bytes;
        self.converted += other.converted;
        self.recovered += other.recovered;
        self.unrecovered += other.unrecovered;
        self.added += other.added;
        for (reason, count) in &other.skipped {
            self.skip(*reason, *count);
        }
    }

    /// Checks that every one of `live` documents is accounted for.
    ///
    /// # Errors
    /// `Incomplete` with both sides of the balance.
    pub fn balance(&self, live: u64) -> Result<()> {
        if self.accounted() == live {
            return Ok(());
        }
        let (written, failed, skipped) = (self.written, self.failed, self.skipped_total());
        let added = if self.added > 0 { format!(" - {} added", self.added) } else { String::new() };
        Err(Error::new(
            ErrorKind::Incomplete,
            format!(
                "the books do not balance: {live} live documents, but {written} written + {failed} failed + {skipped} \
                 skipped{added} = {}",
                self.accounted()
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_balance_only_when_everything_is_accounted_for() {
        let mut books = Books { written: 7, failed: 1, ..Books::default() };
        books.skip(SkipReason::SourceDisabled, 2);
        assert!(books.balance(10).is_ok());
        assert_eq!(books.balance(11).unwrap_err().kind(), ErrorKind::Incomplete);
    }

    #[test]
    fn skips_by_request_are_no_loss() {
        let mut books = Books::default();
        books.skip(SkipReason::Limit, 5);
        books.skip(SkipReason::SourceMissing, 1);
        assert_eq!((books.skipped_total(), books.skipped_by_loss()), (6, 1));
    }

    #[test]
    fn what_was_added_is_nobodys_document() {
        let books = Books { written: 7, failed: 1, added: 3, ..Books::default() };
        books.balance(5).unwrap();
        let error = books.balance(8).unwrap_err();
        assert!(error.message().ends_with("7 written + 1 failed + 0 skipped - 3 added = 5"));
    }

    #[test]
    fn missing_shards_are_a_loss_beside_the_balance() {
        let mut books = Books { written: 7, ..Books::default() };
        books.skip(SkipReason::ShardMissing, 2);
        books.balance(7).unwrap();
        assert_eq!((books.skipped_total(), books.missing_shards()), (0, 2));
        assert_eq!(books.skipped_by_loss(), 2);
    }

    #[test]
    fn adding_adds_every_count() {
        let mut sum = Books { written: 1, bytes: 10, ..Books::default() };
        let mut other = Books {
            written: 2,
            failed: 3,
            present: 1,
            overwritten: 1,
            bytes: 5,
            added: 1,
            ..Books::default()
        };
        other.skip(SkipReason::Filtered, 4);
        sum.add(&other);
        assert_eq!((sum.written, sum.failed, sum.bytes, sum.accounted()), (3, 3, 15, 9));
    }
}
