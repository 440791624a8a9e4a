//! What a `WorkStore` must do with very many items.

use std::collections::BTreeSet;

use super::{WorkStoreFixture, create, held};
use crate::coordination::totals::TotalsBuilder;
use crate::coordination::{ItemTotals, StoreTime, WorkItem, WorkStore};
use crate::{Books, SkipReason};

/// More than searches count by themselves, and than servers give in a page. They are of 1300 indices, and of more than 1700
/// shards with several items.
const MANY: u32 = 12_000;

/// `count` items of as many shards in three indices.
fn items_of_shards(count: u32) -> Vec<WorkItem> {
    (0..count).map(|shard| WorkItem::new(format!("i-{}", shard % 3), shard, 0..10)).collect()
}

/// All items, in pages of `limit`.
async fn all(store: &dyn WorkStore, limit: usize) -> Vec<WorkItem> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = store.items(after.as_deref(), limit).await.unwrap();
        all.extend(page.items.into_iter().map(|item| item.value));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// Many pages show each item once, whatever comes in between.
pub async fn work_store_keeps_pages_apart_while_items_come(fixture: &impl WorkStoreFixture) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    let plan = items_of_shards(2500);
    create(&*store, &plan[..2000]).await;
    let first = store.items(None, 700).await.unwrap();
    assert_eq!(other.create_items(&plan[2000..]).await.unwrap(), 500);
    let mut seen: Vec<String> = first.items.iter().map(|item| item.value.id()).collect();
    let mut after = first.next;
    while let Some(place) = after {
        let page = store.items(Some(&place), 700).await.unwrap();
        seen.extend(page.items.iter().map(|item| item.value.id()));
        after = page.next;
    }
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "an item was shown twice");
    assert!(plan[..2000].iter().all(|item| distinct.contains(&item.id())), "one was left out");
    assert_eq!(all(&*store, 700).await.len(), 2500);
}

fn books(seed: u64) -> Books {
    let mut books = Books {
        written: seed,
        failed: 1,
        nested: 2,
        present: 3,
        overwritten: 4,
        bytes: seed * 1_000_003,
        converted: 5,
        recovered: 6,
        unrecovered: 7,
        added: 1,
        ..Books::default()
    };
    for (count, reason) in (0..).zip(SkipReason::ALL) {
        books.skip(*reason, (seed + count) % 3);
    }
    books
}

/// The `place`th item: every fifth shard has three items; all states occur, in every mixture within a shard.
fn item(place: u32, now: StoreTime) -> WorkItem {
    let (group, part) = (place / 7, place % 7);
    let (shard, documents, parts) = match part {
        0..4 => (group * 5 + part, 0..1000, 1),
        part => (group * 5 + 4, (part - 4) * 1000..(part - 3) * 1000, 3),
    };
    let mut item = WorkItem::new(format!("i-{:04}", group % 1300), shard, documents);
    item = item.sized(1_000_000_007 + u64::from(place), parts);
    item.books = books(u64::from(place % 100));
    item.checkpoint.next = item.first + place % 900;
    item.started_at = Some(StoreTime::from_secs(1_000_000 + u64::from(place)));
    match (place.wrapping_mul(2_654_435_761) >> 16) % 11 {
        0..5 => {
            item.checkpoint.next = item.end;
            item.completed_at = Some(StoreTime::from_secs(2_000_000 + u64::from(place)));
            item.live = Some(u64::from(place % 900));
        }
        5..7 => {
            item.quarantined = true;
            item.last_error = Some(format!("because of {place}"));
        }
        7 => item = held(item, "ran out", StoreTime::from_secs(now.as_secs() - 3600)),
        8 => item = held(item, "works", StoreTime::from_secs(now.as_secs() + 3600)),
        _ => {}
    }
    item
}

/// The sums agree with the items, beyond any page, with shards of several items, and for every number there is.
pub async fn work_store_sums_up_very_many(fixture: &impl WorkStoreFixture) {
    let store = fixture.open().await;
    let now = store.now().await.unwrap();
    let items: Vec<WorkItem> = (0..MANY).map(|place| item(place, now)).collect();
    create(&*store, &items[..1]).await;
    for batch in items[1..].chunks(1000) {
        assert_eq!(store.create_items(batch).await.unwrap(), batch.len());
    }
    let totals = store.totals().await.unwrap();
    let mut builder = TotalsBuilder::new(totals.at);
    items.iter().for_each(|item| builder.add(item));
    let expected = builder.finish();
    assert!(expected.items.quarantined > 1000 && expected.shards.in_progress > 100);
    assert_eq!(totals.failed.len(), 1000);
    let reason = |place: usize| items[place].last_error.as_deref();
    let reasons: BTreeSet<&str> = (0..items.len()).filter_map(reason).collect();
    assert!(totals.failed.iter().all(|failed| reasons.contains(failed.reason.as_str())));
    let until = |totals: &ItemTotals| totals.oldest_lease.as_ref().map(|(_, until)| *until);
    assert_eq!(until(&totals), until(&expected));
    let rest = |totals| ItemTotals { failed: Vec::new(), oldest_lease: None, ..totals };
    assert_eq!(rest(totals), rest(expected));
    assert_eq!(all(&*store, usize::MAX).await.len(), items.len());
}
