//! One aggregated search becomes sums.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::totals::{NAMED_FAILURES, ShardState, failed};
use super::super::{IndexTotals, ItemTotals, Part, Rate, StoreTime, Tally, WorkItem};
use super::access::Access;
use super::answer::{Found, parse, senseless};
use super::document::{RATES, Rank, number, second_at_or_after, sum_names};
use super::query;
use crate::{Books, Error, ErrorKind, Result, SkipReason};

/// Indices of one search. Servers limit the buckets of a search, to 10 000 at the least.
const INDICES: usize = 1000;

/// Shards of several items of one search.
const SHARDS: usize = 1000;

/// Reads the sums: one search, and more only where there are more than 1000 indices, or shards of several items.
pub(super) async fn read(access: &Access, now: StoreTime) -> Result<ItemTotals> {
    let mut totals = ItemTotals { at: now, ..ItemTotals::default() };
    let mut after = None;
    let mut is_first = true;
    let mut has_split_shards = false;
    loop {
        let body = body(now, after.as_ref(), is_first);
        let Some(answer) = access.search("", &body).await? else { return Ok(totals) };
        let answer: Answer<'_> = parse(&answer)?;
        if is_first {
            answer.add_facts(&mut totals)?;
        }
        for bucket in &answer.aggregations.indices.buckets {
            has_split_shards |= add_index(&mut totals, bucket)?;
        }
        let buckets = answer.aggregations.indices;
        after = buckets.after_key.filter(|_| buckets.buckets.len() == INDICES);
        is_first = false;
        if after.is_none() {
            break;
        }
    }
    if has_split_shards {
        add_split_shards(access, now, &mut totals).await?;
    }
    if totals.items.completed < totals.items.total {
        totals.finished_at = None;
    }
    Ok(totals)
}

fn body(now: StoreTime, after: Option<&Value>, is_first: bool) -> Value {
    let mut indices =
        json!({"size": INDICES, "sources": [{"index": {"terms": {"field": "index"}}}]});
    if let Some(after) = after {
        indices["after"] = after.clone();
    }
    let held = json!({"filter": query::held(now), "aggs": {"whole": {"sum": {"field": "store.sums.whole"}}}});
    let mut sums = Map::from_iter([("held".to_owned(), held)]);
    for name in sum_names() {
        sums.insert(name.to_owned(), json!({"sum": {"field": format!("store.sums.{name}")}}));
    }
    for reason in SkipReason::ALL {
        let field = format!("store.skipped.{reason}");
        sums.insert(format!("skipped.{reason}"), json!({"sum": {"field": field}}));
    }
    let mut body = json!({
        "size": 0,
        "query": query::items(),
        "aggs": {"indices": {"composite": indices, "aggs": sums}},
    });
    if is_first {
        body["size"] = NAMED_FAILURES.into();
        body["post_filter"] = query::rank(Rank::Quarantined);
        body["sort"] = query::order();
        body["aggs"]["started"] = json!({"min": {"field": "startedAt"}});
        body["aggs"]["finished"] = json!({"max": {"field": "completedAt"}});
        let mut leases = json!({"oldest": {"top_hits": {"size": 1, "sort": [{"expiration": "asc"}, {"index": "asc"},
            {"shard": "asc"}, {"first": "asc"}]}}});
        for rate in RATES {
            leases[rate] = json!({"sum": {"field": format!("store.rates.{rate}")}});
        }
        body["aggs"]["leases"] = json!({"filter": query::held(now), "aggs": leases});
    }
    body
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    hits: Hits<'a>,
    #[serde(borrow)]
    aggregations: Aggregations<'a>,
}

#[derive(Deserialize)]
struct Hits<'a> {
    #[serde(borrow, default)]
    hits: Vec<Found<'a>>,
}

#[derive(Deserialize)]
struct Aggregations<'a> {
    indices: Buckets,
    #[serde(default)]
    started: Figure,
    #[serde(default)]
    finished: Figure,
    #[serde(borrow, default)]
    leases: Option<Leases<'a>>,
}

#[derive(Deserialize)]
struct Leases<'a> {
    #[serde(borrow)]
    oldest: Oldest<'a>,
    documents: Figure,
    bytes: Figure,
    stored: Figure,
    /// Absent where an earlier build made the index.
    #[serde(default)]
    rejected: Figure,
}

impl Leases<'_> {
    fn rate(&self) -> Rate {
        let figure = |figure: &Figure| number(&figure.value).unwrap_or_default();
        Rate {
            documents: figure(&self.documents),
            bytes: figure(&self.bytes),
            stored: figure(&self.stored),
            rejected: figure(&self.rejected),
        }
    }
}

#[derive(Deserialize)]
struct Oldest<'a> {
    #[serde(borrow)]
    hits: Hits<'a>,
}

#[derive(Deserialize)]
struct Buckets {
    #[serde(default)]
    after_key: Option<Value>,
    buckets: Vec<Bucket>,
}

#[derive(Deserialize)]
struct Bucket {
    key: Key,
    doc_count: u64,
    #[serde(flatten)]
    figures: BTreeMap<String, Figure>,
}

#[derive(Deserialize)]
struct Key {
    index: String,
}

/// What an aggregation found: a number, or how many documents, and numbers about these.
#[derive(Default, Deserialize)]
struct Figure {
    #[serde(default)]
    value: Value,
    #[serde(default)]
    doc_count: u64,
    #[serde(default)]
    whole: Option<Box<Figure>>,
}

impl Bucket {
    fn figure(&self, name: &str) -> Result<u64> {
        let figure = self.figures.get(name).and_then(|figure| number(&figure.value));
        figure.ok_or_else(|| senseless(&format!("lacks the sum `{name}`")))
    }
}

impl Answer<'_> {
    /// What is not about one index.
    fn add_facts(&self, totals: &mut ItemTotals) -> Result<()> {
        for found in &self.hits.hits {
            totals.failed.push(failed(&WorkItem::from_json(found.source()?)?));
        }
        let seconds = |figure: &Figure| number(&figure.value).map(StoreTime::from_secs);
        totals.started_at = seconds(&self.aggregations.started);
        totals.finished_at = seconds(&self.aggregations.finished);
        let leases = self.aggregations.leases.as_ref();
        totals.rate = leases.map(Leases::rate).unwrap_or_default();
        if let Some(found) = leases.and_then(|leases| leases.oldest.hits.hits.first()) {
            let item = WorkItem::from_json(found.source()?)?;
            totals.oldest_lease = Some((item.id(), item.expiration));
        }
        Ok(())
    }
}

/// Adds what a bucket says of an index. Says whether there are shards with several items, which it does not count.
fn add_index(totals: &mut ItemTotals, bucket: &Bucket) -> Result<bool> {
    let sum = |name: &str| bucket.figure(name);
    let held = bucket.figures.get("held").ok_or_else(|| senseless("lacks the held items"))?;
    let held_whole = held.whole.as_ref().and_then(|figure| number(&figure.value)).unwrap_or(0);
    let items = tally(bucket.doc_count, sum("completed")?, sum("quarantined")?, held.doc_count);
    let whole = sum("whole")?;
    let shards = tally(whole, sum("wholeCompleted")?, sum("wholeQuarantined")?, held_whole);
    let mut skipped = BTreeMap::new();
    for reason in SkipReason::ALL {
        skipped.insert(*reason, sum(&format!("skipped.{reason}"))?);
    }
    if skipped.values().sum::<u64>() != sum("skipped")? {
        let message = "items hold skips for reasons that this release does not know: update";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    skipped.retain(|_, count| *count > 0);
    let books = Books {
        written: sum("written")?,
        failed: sum("failed")?,
        skipped,
        nested: sum("nested")?,
        present: sum("present")?,
        overwritten: sum("overwritten")?,
        bytes: sum("bytes")?,
        converted: sum("converted")?,
        recovered: sum("recovered")?,
        unrecovered: sum("unrecovered")?,
        added: sum("added")?,
    };
    let documents = Part { done: sum("documentsDone")?, total: sum("documents")? };
    let bytes = Part { done: sum("storedDone")?, total: sum("stored")? };
    totals.books.add(&books);
    add_part(&mut totals.documents, documents);
    add_part(&mut totals.bytes, bytes);
    totals.items.add(items);
    totals.shards.add(shards);
    let of_index = IndexTotals { items, shards, documents, bytes, books, live: sum("live")? };
    totals.indices.insert(bucket.key.index.clone(), of_index);
    Ok(whole < bucket.doc_count)
}

fn tally(total: u64, completed: u64, quarantined: u64, in_progress: u64) -> Tally {
    let others = completed + quarantined + in_progress;
    let unclaimed = total.saturating_sub(others);
    Tally { total, completed, in_progress, unclaimed, quarantined }
}

fn add_part(sum: &mut Part, part: Part) {
    sum.done += part.done;
    sum.total += part.total;
}

#[derive(Deserialize)]
struct SplitAnswer {
    aggregations: SplitAggregations,
}

#[derive(Deserialize)]
struct SplitAggregations {
    shards: ShardBuckets,
}

#[derive(Deserialize)]
struct ShardBuckets {
    #[serde(default)]
    after_key: Option<Value>,
    buckets: Vec<ShardBucket>,
}

#[derive(Deserialize)]
struct ShardBucket {
    key: Key,
    rank: Figure,
    held: Figure,
}

impl ShardBucket {
    fn state(&self, now: StoreTime) -> Result<ShardState> {
        let held = self.held.value.as_f64().unwrap_or_default();
        #[allow(clippy::cast_precision_loss)]
        if held >= second_at_or_after(now) as f64 {
            return Ok(ShardState::Held);
        }
        match number(&self.rank.value) {
            Some(2) => Ok(ShardState::Unclaimed),
            Some(1) => Ok(ShardState::Quarantined),
            Some(0) => Ok(ShardState::Completed),
            _ => Err(senseless("lacks the state of a shard")),
        }
    }
}

/// Shards of several items, each judged by all of them.
async fn add_split_shards(access: &Access, now: StoreTime, totals: &mut ItemTotals) -> Result<()> {
    let sources =
        json!([{"index": {"terms": {"field": "index"}}}, {"shard": {"terms": {"field": "shard"}}}]);
    let mut composite = json!({"size": SHARDS, "sources": sources});
    loop {
        let body = json!({
            "size": 0,
            "query": {"bool": {"filter": [{"term": {"store.split": true}}, query::items()]}},
            "aggs": {"shards": {"composite": composite, "aggs": {
                "rank": {"max": {"field": "store.rank"}},
                "held": {"max": {"field": "store.heldUntil"}},
            }}},
        });
        let Some(answer) = access.search("", &body).await? else { return Ok(()) };
        let SplitAnswer { aggregations: SplitAggregations { shards } } = parse(&answer)?;
        let is_last = shards.buckets.len() < SHARDS;
        for bucket in shards.buckets {
            let state = bucket.state(now)?;
            totals.shards.count(state);
            totals.indices.entry(bucket.key.index).or_default().shards.count(state);
        }
        match shards.after_key {
            Some(after) if !is_last => composite["after"] = after,
            _ => return Ok(()),
        }
    }
}
