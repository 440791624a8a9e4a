//! Whether items cover their shards without gap or overlap.

use std::collections::BTreeMap;

use super::WorkItem;
use crate::{Error, ErrorKind, Result};

/// Which documents each item of a plan holds, and nothing else about it: a plan may have very many.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Coverage {
    shards: BTreeMap<String, BTreeMap<u32, BTreeMap<u32, u32>>>,
    items: usize,
}

impl Coverage {
    /// The items of a plan.
    ///
    /// # Errors
    /// `Unexpected` when a shard's items leave a gap or overlap, or say another number of items than there are.
    pub(super) fn of_plan(items: &[WorkItem]) -> Result<Self> {
        let mut coverage = Self::default();
        for item in items {
            coverage.add(item);
        }
        if coverage.items != items.len() {
            return Err(broken("two items begin at the same document"));
        }
        for (index, shards) in &coverage.shards {
            for (shard, ranges) in shards {
                check(ranges).map_err(|error| {
                    error.with_context("index", index).with_context("shard", shard)
                })?;
            }
        }
        items.iter().try_for_each(|item| coverage.check_number(item))?;
        Ok(coverage)
    }

    /// Adds an item; one that begins at the same document is replaced.
    pub(super) fn add(&mut self, item: &WorkItem) {
        let shards = self.shards.entry(item.index.clone()).or_default();
        if shards.entry(item.shard).or_default().insert(item.first, item.end).is_none() {
            self.items += 1;
        }
    }

    /// Checks that the store has exactly the items of the plan.
    ///
    /// # Errors
    /// `State` when it has others, `Unavailable` when some are not there (yet).
    pub(super) fn check_stored(&self, stored: &Self) -> Result<()> {
        if self == stored {
            return Ok(());
        }
        if stored.is_within(self) {
            let message = format!(
                "{} of {} work items are there; plan again to add the rest",
                stored.items, self.items
            );
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        let message = format!(
            "the session has work items that this plan ({} items) does not make ({} items): \
             use another session name, or stop it (`backfill stop`) and begin anew with `--from-scratch`",
            self.items, stored.items
        );
        Err(Error::new(ErrorKind::State, message))
    }

    fn is_within(&self, other: &Self) -> bool {
        self.shards.iter().all(|(index, shards)| {
            shards.iter().all(|(shard, ranges)| {
                let of_other = other.shards.get(index).and_then(|shards| shards.get(shard));
                ranges
                    .iter()
                    .all(|(first, end)| of_other.and_then(|ranges| ranges.get(first)) == Some(end))
            })
        })
    }

    fn check_number(&self, item: &WorkItem) -> Result<()> {
        let ranges = self.shards.get(&item.index).and_then(|shards| shards.get(&item.shard));
        let count = ranges.map_or(0, BTreeMap::len);
        if usize::try_from(item.items_of_shard).is_ok_and(|expected| expected == count) {
            return Ok(());
        }
        let message =
            format!("an item says its shard has {} items, it has {count}", item.items_of_shard);
        Err(broken(message).with_context("item", item.id()))
    }
}

/// An empty shard is one empty item; otherwise no item is empty.
fn check(ranges: &BTreeMap<u32, u32>) -> Result<()> {
    let mut next = 0;
    for (&first, &end) in ranges {
        if first != next {
            return Err(broken(format!("documents {next} and {first} should be the same")));
        }
        if end < first || (end == first && ranges.len() > 1) {
            return Err(broken(format!("the item {first}..{end} is empty")));
        }
        next = end;
    }
    Ok(())
}

fn broken(what: impl std::fmt::Display) -> Error {
    let message =
        format!("the plan does not cover every document exactly once: {what}; please report it");
    Error::new(ErrorKind::Unexpected, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(ranges: &[std::ops::Range<u32>]) -> Vec<WorkItem> {
        let count = u32::try_from(ranges.len()).unwrap();
        ranges.iter().map(|range| WorkItem::new("a", 0, range.clone()).sized(0, count)).collect()
    }

    #[test]
    fn plans_that_cover_each_document_once_are_accepted() {
        for ranges in [vec![0..10, 10..20, 20..21], vec![0..20, 20..30], vec![10..20, 0..10]] {
            assert!(Coverage::of_plan(&items(&ranges)).is_ok(), "{ranges:?}");
        }
        assert!(Coverage::of_plan(&[WorkItem::new("a", 0, 0..0)]).is_ok());
    }

    #[test]
    fn gaps_and_overlaps_are_found() {
        let bad: [&[std::ops::Range<u32>]; 6] = [
            &[1..5, 5..6],
            &[0..5, 6..9],
            &[0..5, 4..9],
            &[0..5, 0..9],
            &[0..5, 5..5],
            &[0..0, 0..5],
        ];
        for ranges in bad {
            assert!(Coverage::of_plan(&items(ranges)).is_err(), "{ranges:?}");
        }
        assert!(Coverage::of_plan(&[WorkItem::new("a", 0, 0..5).sized(0, 2)]).is_err());
    }

    #[test]
    fn missing_items_may_come_yet_and_strange_ones_may_not_stay() {
        let plan = Coverage::of_plan(&items(&[0..5, 5..9])).unwrap();
        let mut stored = Coverage::default();
        stored.add(&WorkItem::new("a", 0, 0..5));
        assert_eq!(plan.check_stored(&stored).unwrap_err().kind(), ErrorKind::Unavailable);
        stored.add(&WorkItem::new("a", 0, 5..9));
        assert!(plan.check_stored(&stored).is_ok());
        stored.add(&WorkItem::new("b", 0, 0..9));
        assert_eq!(plan.check_stored(&stored).unwrap_err().kind(), ErrorKind::State);
    }
}
