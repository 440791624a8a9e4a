//! What is searched for.

use serde_json::{Value, json};

use super::super::StoreTime;
use super::super::run::RUN_ID;
use super::dialect::IndexDialect;
use super::document::{Rank, second_at_or_after};

/// Below the 10 000 documents that an answer may hold on any server, and far below what we take as an answer's length.
pub(super) const LARGEST_PAGE: usize = 5000;

/// Every item and nothing else.
pub(super) fn items() -> Value {
    json!({"bool": {"must_not": [{"ids": {"values": [RUN_ID]}}]}})
}

/// Items that are neither completed nor quarantined.
pub(super) fn unfinished() -> Value {
    rank(Rank::Open)
}

pub(super) fn rank(rank: Rank) -> Value {
    json!({"term": {"store.rank": rank as u8}})
}

/// Items with a lease that runs.
pub(super) fn held(now: StoreTime) -> Value {
    json!({"range": {"store.heldUntil": {"gte": second_at_or_after(now)}}})
}

/// Items that a worker holds, whether or not the lease has run out.
pub(super) fn held_by(worker: &str) -> Value {
    json!({"bool": {"filter": [{"term": {"leaseHolderId": worker}}, unfinished()]}})
}

/// Claimable items in the order of their sort key, from one on and then from the lowest: those from there on score 1, the
/// rest 0.
pub(super) fn open(expired_before: StoreTime, from: u64, limit: usize) -> Value {
    let expired = second_at_or_after(expired_before);
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    json!({
        "size": limit.min(LARGEST_PAGE),
        "query": {"bool": {
            "filter": [{"range": {"store.claimableFrom": {"lt": expired}}}],
            "should": [{"constant_score": {"filter": {"range": {"sortKey": {"gte": from}}}}}],
            "minimum_should_match": 0,
        }},
        "sort": [{"_score": "desc"}, {"sortKey": "asc"}],
    })
}

/// A page of what `query` finds, after the values that `after` was sorted by. What items are ordered by never changes.
pub(super) fn page(query: &Value, after: Option<&Value>, limit: usize) -> Value {
    let mut body = json!({"size": limit.min(LARGEST_PAGE), "query": query, "sort": order()});
    if let Some(after) = after {
        body["search_after"] = after.clone();
    }
    body
}

/// Unique, and the same for ever.
pub(super) fn order() -> Value {
    json!([{"index": "asc"}, {"shard": "asc"}, {"first": "asc"}])
}

/// Asks for the versions of what is found, and not for how many there are.
pub(super) fn with_versions(mut body: Value, dialect: IndexDialect) -> Value {
    let wanted = if dialect.has_sequence_numbers { "seq_no_primary_term" } else { "version" };
    body[wanted] = true.into();
    if dialect.has_uncounted_hits {
        body["track_total_hits"] = false.into();
    }
    body
}
