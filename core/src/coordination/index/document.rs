//! A run or an item as a document of the index, with what it is searched and summed up by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{Rate, Run, StoreTime, WorkItem};
use super::definition::Incarnation;
use crate::{Error, ErrorKind, Result};

/// How many numbers of an item are summed up, beside its skips.
const SUMS: usize = 21;

/// What an item adds to the sums, by name. All of them are there, also those that are zero.
pub(super) fn sums(item: &WorkItem) -> [(&'static str, u64); SUMS] {
    let is = u64::from;
    let (completed, quarantined) = (item.is_completed(), item.quarantined && !item.is_completed());
    let whole = !is_split(item);
    let books = &item.books;
    [
        ("completed", is(completed)),
        ("quarantined", is(quarantined)),
        ("whole", is(whole)),
        ("wholeCompleted", is(whole && completed)),
        ("wholeQuarantined", is(whole && quarantined)),
        ("documents", item.documents().into()),
        ("documentsDone", item.documents_done().into()),
        ("stored", item.bytes),
        ("storedDone", item.bytes_done()),
        ("live", item.live.unwrap_or_default()),
        ("written", books.written),
        ("failed", books.failed),
        ("skipped", books.skipped.values().sum()),
        ("nested", books.nested),
        ("present", books.present),
        ("overwritten", books.overwritten),
        ("bytes", books.bytes),
        ("converted", books.converted),
        ("recovered", books.recovered),
        ("unrecovered", books.unrecovered),
        ("added", books.added),
    ]
}

/// The names of all sums.
pub(super) fn sum_names() -> [&'static str; SUMS] {
    sums(&WorkItem::new("", 0, 0..0)).map(|(name, _)| name)
}

/// The fields of [`Rate`], as they are written.
pub(super) const RATES: [&str; 4] = ["documents", "bytes", "stored", "rejected"];

/// Whether the item's shard has others.
fn is_split(item: &WorkItem) -> bool {
    item.items_of_shard > 1
}

/// What stands of an item where states are compared: the higher one decides about a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    Completed = 0,
    Quarantined = 1,
    Open = 2,
}

impl Rank {
    pub(super) fn of(item: &WorkItem) -> Self {
        match item {
            item if item.is_completed() => Self::Completed,
            item if item.quarantined => Self::Quarantined,
            _ => Self::Open,
        }
    }
}

/// What the store writes beside a run or an item, for its own use.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Beside {
    run: Incarnation,
    #[serde(flatten)]
    of_item: Option<OfItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OfItem {
    rank: u8,
    split: bool,
    /// When the lease runs out, where somebody has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_until: Option<u64>,
    /// From when on others may take it: −1 when it is free, absent when it is no work any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimable_from: Option<i64>,
    sums: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "Rate::is_none")]
    rates: Rate,
    skipped: BTreeMap<&'static str, u64>,
}

impl OfItem {
    fn new(item: &WorkItem) -> Self {
        let rank = Rank::of(item);
        let expiration = item.expiration.as_secs();
        let lease = item.lease_holder.as_ref().filter(|_| rank == Rank::Open).map(|_| expiration);
        let claimable_from = lease.map_or(-1, |until| i64::try_from(until).unwrap_or(i64::MAX));
        let skipped = item.books.skipped.iter();
        Self {
            rank: rank as u8,
            split: is_split(item),
            held_until: lease,
            claimable_from: (rank == Rank::Open).then_some(claimable_from),
            sums: sums(item).into_iter().filter(|(_, number)| *number > 0).collect(),
            rates: item.rate,
            skipped: skipped.map(|(reason, count)| (reason.as_str(), *count)).collect(),
        }
    }
}

/// The least whole second that is not before `time`: an expiration is before `time` if it is before this second.
pub(super) fn second_at_or_after(time: StoreTime) -> i64 {
    i64::try_from(time.ceil().as_secs()).unwrap_or(i64::MAX)
}

#[derive(Serialize)]
struct Document<'a, T> {
    #[serde(flatten)]
    value: &'a T,
    store: Beside,
}

/// The document of an item.
pub(super) fn of_item(item: &WorkItem, run: Incarnation) -> Result<String> {
    write(item, Beside { run, of_item: Some(OfItem::new(item)) })
}

/// The document of a run.
pub(super) fn of_run(value: &Run, run: Incarnation) -> Result<String> {
    write(value, Beside { run, of_item: None })
}

fn write<T: Serialize>(value: &T, store: Beside) -> Result<String> {
    serde_json::to_string(&Document { value, store }).map_err(|error| {
        let message = format!("cannot write a document of the working state: {error}");
        Error::new(ErrorKind::Unexpected, message)
    })
}

#[derive(Deserialize)]
struct Read {
    store: ReadBeside,
}

#[derive(Deserialize)]
struct ReadBeside {
    run: Incarnation,
}

/// The incarnation that a document was written in.
///
/// # Errors
/// `State` when it was not written by a store like this one.
pub(super) fn incarnation(source: &str) -> Result<Incarnation> {
    let read: Read = serde_json::from_str(source).map_err(|_| {
        let message = "the working state holds a document that snapfill did not write there; \
                       use another session name";
        Error::new(ErrorKind::State, message)
    })?;
    Ok(read.store.run)
}

/// A number of an answer; servers write sums as floating-point numbers, which are exact below 2^53.
pub(super) fn number(value: &Value) -> Option<u64> {
    if let Some(number) = value.as_u64() {
        return Some(number);
    }
    let number = value.as_f64().filter(|number| *number >= 0.0 && *number < 9e15)?;
    // In range and without a fraction: seconds, counts and bytes are whole.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(number.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(item: &WorkItem) -> Value {
        serde_json::from_str(&of_item(item, Incarnation(7)).unwrap()).unwrap()
    }

    #[test]
    fn an_item_reads_back_from_its_document() {
        let mut item = WorkItem::new("a", 1, 0..9).sized(100, 2);
        item.books.skip(crate::SkipReason::Limit, 3);
        let text = of_item(&item, Incarnation(7)).unwrap();
        assert_eq!(WorkItem::from_json(&text).unwrap(), item);
        assert_eq!(incarnation(&text).unwrap(), Incarnation(7));
        assert_eq!(incarnation(&item.to_json().unwrap()).unwrap_err().kind(), ErrorKind::State);
        let store = &document(&item)["store"];
        assert_eq!(store["skipped"]["limit"], 3);
        assert_eq!((&store["sums"]["documents"], &store["split"]), (&9.into(), &true.into()));
    }

    #[test]
    fn only_open_items_are_claimable_and_only_leased_ones_held() {
        let free = WorkItem::new("a", 0, 0..9);
        let held = WorkItem {
            lease_holder: Some("w".into()),
            expiration: StoreTime::from_secs(60),
            ..free.clone()
        };
        let beside = |item: &WorkItem| {
            let store = document(item)["store"].clone();
            (store["claimableFrom"].as_i64(), store["heldUntil"].as_u64(), store["rank"].as_u64())
        };
        assert_eq!(beside(&free), (Some(-1), None, Some(2)));
        assert_eq!(beside(&held), (Some(60), Some(60), Some(2)));
        assert_eq!(beside(&WorkItem { quarantined: true, ..held.clone() }), (None, None, Some(1)));
        let completed = WorkItem { completed_at: Some(StoreTime::from_secs(1)), ..held };
        assert_eq!(beside(&completed), (None, None, Some(0)));
    }

    #[test]
    fn sums_are_read_whole() {
        assert_eq!(number(&serde_json::json!(1.234e4)), Some(12340));
        assert_eq!(number(&serde_json::json!(u64::MAX)), Some(u64::MAX));
        assert_eq!(number(&serde_json::json!(-1)), None);
    }
}
