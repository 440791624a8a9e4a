//! [`IndexWorkStore`].

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use super::super::run::RUN_ID;
use super::super::totals::TotalsBuilder;
use super::super::{
    CasOutcome, Enrollment, ItemPage, ItemTotals, LeaseRules, Run, Session, StoreTime, Version,
    Versioned, WorkItem, WorkStore, WorkStoreCapability,
};
use super::access::{Access, Expected, Got, Written, require_room_in};
use super::answer::{Found, incarnation_of, parse, senseless};
use super::clock::ClusterTime;
use super::definition::Incarnation;
use super::dialect::IndexDialect;
use super::query::{self, LARGEST_PAGE};
use super::{document, totals};
use crate::cluster::{Created, HttpCluster};
use crate::{Clock, Error, ErrorKind, Result};

/// How often the cluster's clock is looked at before it is called too slow.
const LOOKS: usize = 32;

/// How often the making of the run is tried again when it comes to nothing by others' doing.
const TRIES: usize = 3;

/// Documents of a bulk request.
const BULK: usize = 1000;

/// Documents of a page that this store reads for itself.
const PAGE: usize = 2000;

/// The working state of a session in an index of an OpenSearch or Elasticsearch cluster, which need not be the target.
///
/// The document `shard_setup` holds the run, each other document an item. Writes are optimistic; none waits for a refresh.
/// They go through an alias whose name is no name of an index, so that one that comes after the session was deleted makes
/// nothing.
///
/// Its clock is the cluster's own, as `_cat/health` tells it: see [`CLOCK_ERROR`](super::CLOCK_ERROR). Workers' wall clocks
/// are not asked. Where several nodes answer, their clocks must not be further apart than the rest of the margin of the lease
/// rules.
#[derive(Debug)]
pub struct IndexWorkStore {
    access: Access,
    session: Session,
    clock: Arc<dyn Clock>,
    time: tokio::sync::Mutex<ClusterTime>,
    /// How many looks at the cluster's clock have failed.
    failed_looks: AtomicU64,
    /// Which incarnation of the index the run was last seen in.
    known: Mutex<Option<Incarnation>>,
}

impl IndexWorkStore {
    /// The working state of `session` in `cluster`. Nothing is asked or made yet. Of `clock` only the monotonic time is used,
    /// to carry the cluster's time forward.
    pub fn new(cluster: HttpCluster, session: Session, clock: Arc<dyn Clock>) -> Self {
        let access = Access::new(cluster, session.index_name());
        let time = tokio::sync::Mutex::default();
        let failed_looks = AtomicU64::new(0);
        Self { access, session, clock, time, failed_looks, known: Mutex::default() }
    }

    /// The working state of `session` in `cluster`, for leases of that length. Half of their margin is for the clocks of the
    /// cluster's nodes.
    ///
    /// # Errors
    /// As [`IndexWorkStore::require_room_in`].
    pub fn for_leases(
        cluster: HttpCluster,
        session: Session,
        clock: Arc<dyn Clock>,
        lease: Duration,
    ) -> Result<Self> {
        Self::require_room_in(&cluster)?;
        let precision = LeaseRules::for_length(lease).margin / 2;
        Ok(Self::new(cluster, session, clock).with_clock_precision(precision))
    }

    /// Refuses a cluster that cannot hold the working state, as far as that is known before anything is asked. The store itself
    /// refuses it, too, with the first thing that it is asked.
    ///
    /// # Errors
    /// `Config` with the ways out.
    pub fn require_room_in(cluster: &HttpCluster) -> Result<()> {
        require_room_in(cluster)
    }

    /// The same with a time that is never further behind the cluster's clock than `precision`, for leases whose margin is
    /// below [`CLOCK_ERROR`](super::CLOCK_ERROR). The first look at the clock then takes up to a second.
    #[must_use]
    pub fn with_clock_precision(mut self, precision: Duration) -> Self {
        self.time = tokio::sync::Mutex::new(ClusterTime::within(precision));
        self
    }

    /// The name of the index.
    pub fn index(&self) -> &str {
        self.access.index()
    }

    fn known(&self) -> Option<Incarnation> {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, incarnation: Option<Incarnation>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = incarnation;
    }

    /// Asks the cluster for the time.
    async fn look(&self, time: &mut ClusterTime) -> Result<StoreTime> {
        for look in 0..LOOKS {
            if look > 0 {
                self.clock.sleep(time.pause()).await;
            }
            let asked = self.clock.monotonic();
            let seconds = self.access.seconds().await?;
            time.learn(seconds, asked, self.clock.monotonic());
            if let Some(now) = time.at(self.clock.monotonic()) {
                return Ok(now);
            }
        }
        let message = "the cluster answers too slowly to tell the time by it";
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    /// The incarnation of a new index, or of one of ours that has no run yet; none when it went away again.
    async fn make_index(&self) -> Result<Option<Incarnation>> {
        let new = Incarnation::random();
        if self.access.make(new).await? == Created::Created {
            return Ok(Some(new));
        }
        if !self.access.require_ours().await? {
            return Ok(None);
        }
        self.access.incarnation().await
    }

    /// Replaces a document of the incarnation that `expected` is of.
    async fn replace(&self, id: &str, document: String, expected: Version) -> Result<CasOutcome> {
        let run = incarnation_of(expected);
        Ok(match self.access.put(run, id, Expected::At(expected), document).await? {
            Written::Done(version) => CasOutcome::Done(version),
            Written::Conflict | Written::Gone => CasOutcome::Conflict,
        })
    }

    /// What a search finds, read by `read`.
    async fn found<T>(
        &self,
        body: Value,
        mut read: impl FnMut(&Found<'_>, IndexDialect) -> Result<T>,
    ) -> Result<Vec<T>> {
        let dialect = self.access.dialect().await?;
        let body = query::with_versions(body, dialect);
        let Some(answer) = self.access.search("", &body).await? else { return Ok(Vec::new()) };
        let hits: Hits<'_> = parse(&answer)?;
        hits.hits.hits.iter().map(|found| read(found, dialect)).collect()
    }

    /// All that `query` finds, page by page.
    async fn all_found<T>(
        &self,
        query: Value,
        mut read: impl FnMut(&Found<'_>, IndexDialect) -> Result<T>,
        mut each: impl FnMut(T),
    ) -> Result<()> {
        self.access.refresh().await?;
        let mut after = None;
        loop {
            let body = query::page(&query, after.as_ref(), PAGE);
            let page = self
                .found(body, |found, dialect| {
                    Ok((Value::Array(found.sort.clone()), read(found, dialect)?))
                })
                .await?;
            let is_last = page.len() < PAGE;
            for (sort, value) in page {
                after = Some(sort);
                each(value);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// The sums where a server cannot page through buckets: by reading every item.
    async fn totals_by_reading(&self, now: StoreTime) -> Result<ItemTotals> {
        let mut builder = TotalsBuilder::new(now);
        let read = |found: &Found<'_>, _| WorkItem::from_json(found.source()?);
        self.all_found(query::items(), read, |item| builder.add(&item)).await?;
        Ok(builder.finish())
    }
}

#[derive(Deserialize)]
struct Hits<'a> {
    #[serde(borrow)]
    hits: HitList<'a>,
}

#[derive(Deserialize)]
struct HitList<'a> {
    #[serde(borrow)]
    hits: Vec<Found<'a>>,
}

fn item_of(found: &Found<'_>, dialect: IndexDialect) -> Result<Versioned<WorkItem>> {
    let source = found.source()?;
    let value = WorkItem::from_json(source)?;
    let version = found.version(document::incarnation(source)?, dialect);
    Ok(Versioned { value, version })
}

fn run_of(found: &Found<'_>, dialect: IndexDialect) -> Result<(Versioned<Run>, Incarnation)> {
    let source = found.source()?;
    let value = Run::from_json(source)?;
    let incarnation = document::incarnation(source)?;
    Ok((Versioned { value, version: found.version(incarnation, dialect) }, incarnation))
}

/// A worker of whose life nobody is told but by its leases.
#[derive(Debug)]
struct Named(String);

impl Enrollment for Named {
    fn worker(&self) -> &str {
        &self.0
    }
}

#[async_trait]
impl WorkStore for IndexWorkStore {
    fn capability(&self) -> WorkStoreCapability {
        WorkStoreCapability { knows_the_dead: false, remote: true }
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn now(&self) -> Result<StoreTime> {
        let failed_before = self.failed_looks.load(Ordering::SeqCst);
        // Held while the cluster is asked: whoever else needs the time waits for that answer and asks nothing.
        let mut time = self.time.lock().await;
        if let Some(now) = time.at(self.clock.monotonic()) {
            return Ok(now);
        }
        if self.failed_looks.load(Ordering::SeqCst) > failed_before {
            // Many that wait for a cluster that does not answer are not to wait one after another.
            return Err(Error::new(ErrorKind::Unavailable, "the cluster did not tell the time"));
        }
        let looked = self.look(&mut time).await;
        if looked.is_err() {
            self.failed_looks.fetch_add(1, Ordering::SeqCst);
        }
        looked
    }

    async fn run(&self) -> Result<Option<Versioned<Run>>> {
        match self.access.get(RUN_ID, run_of).await? {
            Got::Document((run, incarnation)) => {
                self.remember(Some(incarnation));
                return Ok(Some(run));
            }
            Got::NoDocument => {
                self.access.require_ours().await?;
            }
            Got::NoIndex => {}
        }
        self.remember(None);
        Ok(None)
    }

    async fn create_run(&self, run: &Run) -> Result<Created> {
        for _ in 0..TRIES {
            if self.run().await?.is_some() {
                return Ok(Created::AlreadyThere);
            }
            let Some(incarnation) = self.make_index().await? else { continue };
            let document = document::of_run(run, incarnation)?;
            let created =
                match self.access.put(incarnation, RUN_ID, Expected::Absent, document).await? {
                    Written::Done(_) => Created::Created,
                    Written::Conflict => Created::AlreadyThere,
                    Written::Gone => continue,
                };
            self.remember(Some(incarnation));
            return Ok(created);
        }
        let message = format!(
            "the index `{}` goes away as soon as it is made, or has lost its alias",
            self.index()
        );
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    async fn set_run(&self, run: &Run, expected: Version) -> Result<CasOutcome> {
        let document = document::of_run(run, incarnation_of(expected))?;
        self.replace(RUN_ID, document, expected).await
    }

    async fn create_items(&self, items: &[WorkItem]) -> Result<usize> {
        if items.is_empty() {
            return Ok(0);
        }
        if self.known().is_none() {
            self.run().await?;
        }
        let mut created = 0;
        for batch in items.chunks(BULK) {
            let incarnation = self.known().ok_or_else(|| nothing_planned(&self.session))?;
            let documents =
                batch.iter().map(|item| Ok((item.id(), document::of_item(item, incarnation)?)));
            let written = self.access.create(incarnation, documents).await?;
            created += written.ok_or_else(|| nothing_planned(&self.session))?;
        }
        Ok(created)
    }

    async fn item(&self, id: &str) -> Result<Option<Versioned<WorkItem>>> {
        // The run is no item.
        if id == RUN_ID {
            return Ok(None);
        }
        match self.access.get(id, item_of).await? {
            Got::Document(item) => Ok(Some(item)),
            Got::NoDocument | Got::NoIndex => Ok(None),
        }
    }

    async fn compare_and_set(&self, item: &WorkItem, expected: Version) -> Result<CasOutcome> {
        let document = document::of_item(item, incarnation_of(expected))?;
        self.replace(&item.id(), document, expected).await
    }

    async fn open_items(
        &self,
        expired_before: StoreTime,
        from_sort_key: u64,
        limit: usize,
    ) -> Result<Vec<Versioned<WorkItem>>> {
        self.found(query::open(expired_before, from_sort_key, limit), item_of).await
    }

    async fn items(&self, after: Option<&str>, limit: usize) -> Result<ItemPage> {
        let after = match after {
            None => {
                self.access.refresh().await?;
                None
            }
            Some(after) => Some(serde_json::from_str(after).map_err(|_| {
                Error::new(ErrorKind::Config, format!("`{after}` is no place among the items"))
            })?),
        };
        let limit = limit.min(LARGEST_PAGE);
        let body = query::page(&query::items(), after.as_ref(), limit);
        let read = |found: &Found<'_>, dialect| Ok((found.sort.clone(), item_of(found, dialect)?));
        let (sorts, items): (Vec<_>, Vec<_>) = self.found(body, read).await?.into_iter().unzip();
        let last = sorts.into_iter().last().filter(|_| items.len() == limit);
        Ok(ItemPage { items, next: last.map(|sort| Value::Array(sort).to_string()) })
    }

    async fn unfinished(&self) -> Result<u64> {
        self.access.refresh().await?;
        self.access.count(&query::unfinished()).await
    }

    async fn totals(&self) -> Result<ItemTotals> {
        let now = self.now().await?;
        if !self.access.dialect().await?.has_composites {
            return self.totals_by_reading(now).await;
        }
        self.access.refresh().await?;
        totals::read(&self.access, now).await
    }

    async fn enroll(&self, worker: &str) -> Result<Box<dyn Enrollment>> {
        Ok(Box::new(Named(worker.to_owned())))
    }

    async fn held_by(&self, worker: &str) -> Result<Vec<Versioned<WorkItem>>> {
        let mut held = Vec::new();
        self.all_found(query::held_by(worker), item_of, |item| held.push(item)).await?;
        Ok(held)
    }

    async fn departed(&self) -> Result<Vec<Versioned<WorkItem>>> {
        Ok(Vec::new())
    }

    async fn workers(&self) -> Result<u64> {
        let now = self.now().await?;
        let mut holders = HashSet::new();
        let holder = |found: &Found<'_>, _| Ok(WorkItem::from_json(found.source()?)?.lease_holder);
        self.all_found(query::held(now), holder, |holder| {
            holders.extend(holder);
        })
        .await?;
        u64::try_from(holders.len()).map_err(|_| senseless("holds too many workers"))
    }

    async fn drop_session(&self) -> Result<()> {
        self.remember(None);
        if self.access.require_ours().await? { self.access.delete().await } else { Ok(()) }
    }
}

fn nothing_planned(session: &Session) -> Error {
    let message = format!(
        "nothing is planned under session {session}, or it was stopped meanwhile: plan a run first"
    );
    Error::new(ErrorKind::State, message)
}
