//! The working state, as a worker sees it: other nodes' clocks, searches that are behind, reads that are old after a
//! failover.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;

use super::network::{Place, Port};
use super::scenario::Scenario;
use super::truth;
use super::world::{Belief, Machine, State, World};
use crate::Result;
use crate::cluster::Created;
use crate::coordination::totals::TotalsBuilder;
use crate::coordination::{
    CasOutcome, Enrollment, ItemPage, ItemTotals, Run, Session, StoreTime, Version, Versioned,
    WorkItem, WorkStore, WorkStoreCapability,
};

/// What the store's clock reads when the world begins.
const EPOCH: StoreTime = StoreTime(1_700_000_000_000);

/// Versions of an item that are kept for reads that are behind.
const KEPT_VERSIONS: usize = 12;

/// Nodes, each with a clock.
const NODES: usize = 3;

/// What the store's clock would read if it were right.
pub(super) fn true_time(now: Duration) -> StoreTime {
    EPOCH.plus(now)
}

pub(super) struct StoreState {
    pub(super) run: Option<Versioned<Run>>,
    pub(super) items: Vec<Stored>,
    by_id: BTreeMap<String, usize>,
    term: u64,
    writes: u64,
    /// How far each node's clock is off, in milliseconds from the most behind.
    skews: [u64; NODES],
    pub(super) away_until: Duration,
    /// Reads may be old until then.
    pub(super) stale_until: Duration,
}

/// An item and what it was.
pub(super) struct Stored {
    versions: VecDeque<(Duration, Versioned<WorkItem>)>,
    /// Holders that really died on it since it last came forward.
    pub(super) real_deaths: u32,
    /// Who last wrote it: a process of a machine; and when.
    pub(super) spoken: Option<(usize, u32, Duration)>,
}

impl Stored {
    pub(super) fn current(&self) -> &Versioned<WorkItem> {
        &self.versions.back().expect("an item has a version").1
    }

    fn as_of(&self, time: Duration) -> &Versioned<WorkItem> {
        let at = self.versions.iter().rev().find(|(written, _)| *written <= time);
        &at.or_else(|| self.versions.front()).expect("an item has a version").1
    }

    fn push(&mut self, now: Duration, version: Versioned<WorkItem>) {
        self.versions.push_back((now, version));
        if self.versions.len() > KEPT_VERSIONS {
            self.versions.pop_front();
        }
    }
}

impl StoreState {
    pub(super) fn new(scenario: &Scenario, random: &mut Rng) -> Self {
        Self {
            run: None,
            items: Vec::new(),
            by_id: BTreeMap::new(),
            term: 1,
            writes: 0,
            skews: skews(scenario, random),
            away_until: Duration::ZERO,
            stale_until: Duration::ZERO,
        }
    }

    fn version(&mut self) -> Version {
        self.writes += 1;
        Version { term: self.term, number: self.writes }
    }
}

fn skews(scenario: &Scenario, random: &mut Rng) -> [u64; NODES] {
    [(); NODES].map(|()| random.u64(..=2 * scenario.store.skew))
}

/// Another node leads: its clock differs, and for a while reads may be old.
pub(super) fn fail_over(world: &World, state: &mut State, stale: Duration) {
    state.store.term += 1;
    state.store.skews = skews(&world.scenario, &mut state.random);
    state.store.stale_until = world.now() + stale;
}

/// Whether the process that last wrote an item still runs.
pub(super) fn is_alive(item: &Stored, machines: &[Machine]) -> bool {
    item.spoken.is_some_and(|(machine, generation, _)| {
        machines[machine].is_running() && machines[machine].generation == generation
    })
}

/// The client of one process.
#[derive(Debug)]
pub(super) struct SimulatedStore {
    port: Port,
    session: Session,
    /// The last word of the store's clock, and the worker's clock when it was asked.
    asked: std::sync::Mutex<(Duration, StoreTime)>,
}

#[derive(Debug)]
struct Enrolled(String);

impl Enrollment for Enrolled {
    fn worker(&self) -> &str {
        &self.0
    }
}

impl SimulatedStore {
    pub(super) fn new(port: Port) -> Self {
        Self { port, session: Session::default(), asked: std::sync::Mutex::default() }
    }

    /// Reads as a search does: behind by a refresh, or by more after a failover.
    async fn search<T: Send + 'static>(
        &self,
        read: impl Fn(&[&Versioned<WorkItem>]) -> T + Send + Sync + 'static,
    ) -> Result<T> {
        let serve = move |world: &World, state: &mut State| {
            let now = world.now();
            let most = match world.scenario.store.is_local {
                true => 1,
                false if now < state.store.stale_until => 30_000,
                false => 1_000,
            };
            let seen_at = now.saturating_sub(state.milliseconds(0..most));
            let seen: Vec<_> = state.store.items.iter().map(|item| item.as_of(seen_at)).collect();
            read(&seen)
        };
        self.port.call(Place::Store, serve).await
    }

    /// What the worker may believe now that its write is answered.
    fn believe(&self, item: &WorkItem) {
        let (monotonic, asked) = *self.asked.lock().expect("no panic");
        let length = self.port.world.scenario.rules.length;
        let deadline = monotonic + item.expiration.since(asked).min(length);
        let shard = item.shard as usize;
        let mut state = self.port.world.lock();
        let machine = &mut state.machines[self.port.machine];
        if machine.generation == self.port.generation && machine.is_running() {
            let held = item.lease_holder.is_some();
            machine.belief = held.then_some(Belief { shard, deadline });
        }
        truth::judge_beliefs(&self.port.world, &mut state, shard);
    }
}

/// Writes if the version is the expected one, and has the write judged.
fn set(
    port: &Port,
    world: &World,
    state: &mut State,
    (item, expected): (&WorkItem, Version),
) -> CasOutcome {
    let now = world.now();
    let Some(&place) = state.store.by_id.get(&item.id()) else { return CasOutcome::Conflict };
    let old = state.store.items[place].current().clone();
    if old.version != expected && !world.scenario.store.ignores_versions {
        state.count("conflicts");
        state.trace.note(now, format!("m{} conflict on {}", port.machine, item.shard));
        return CasOutcome::Conflict;
    }
    let version = state.store.version();
    state.trace.note(
        now,
        format!(
            "m{} writes {}: holder {} lease {} until {} next {} sent {} attempts {} deaths {}{}{}",
            port.machine,
            item.shard,
            item.lease_holder.as_deref().unwrap_or("-"),
            item.lease_version,
            item.expiration.since(EPOCH).as_secs(),
            item.checkpoint.next,
            item.checkpoint.sent,
            item.attempts,
            item.deaths,
            if item.is_completed() { " completed" } else { "" },
            if item.quarantined { " quarantined" } else { "" },
        ),
    );
    truth::judge_write(port, state, &old.value, item);
    let stored = &mut state.store.items[place];
    stored.push(now, Versioned { value: item.clone(), version });
    CasOutcome::Done(version)
}

#[async_trait]
impl WorkStore for SimulatedStore {
    fn capability(&self) -> WorkStoreCapability {
        let is_local = self.port.world.scenario.store.is_local;
        WorkStoreCapability { knows_the_dead: is_local, remote: !is_local }
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn now(&self) -> Result<StoreTime> {
        let world = &self.port.world;
        let monotonic = {
            let now = world.now();
            world.lock().machines[self.port.machine].monotonic(now)
        };
        let serve = |world: &World, state: &mut State| {
            let node = state.random.usize(..NODES);
            let skew = Duration::from_millis(state.store.skews[node]);
            let most = Duration::from_millis(world.scenario.store.skew);
            let time = true_time(world.now()).plus(skew).minus(most);
            if world.scenario.store.whole_seconds { time.floor() } else { time }
        };
        let time = self.port.call(Place::Store, serve).await?;
        *self.asked.lock().expect("no panic") = (monotonic, time);
        Ok(time)
    }

    async fn run(&self) -> Result<Option<Versioned<Run>>> {
        self.port.call(Place::Store, |_, state| state.store.run.clone()).await
    }

    async fn create_run(&self, run: &Run) -> Result<Created> {
        let run = run.clone();
        let serve = move |_: &World, state: &mut State| {
            if state.store.run.is_some() {
                return Created::AlreadyThere;
            }
            let version = state.store.version();
            state.store.run = Some(Versioned { value: run.clone(), version });
            Created::Created
        };
        self.port.call(Place::Store, serve).await
    }

    async fn set_run(&self, run: &Run, expected: Version) -> Result<CasOutcome> {
        let run = run.clone();
        let serve = move |_: &World, state: &mut State| {
            if state.store.run.as_ref().map(|run| run.version) != Some(expected) {
                return CasOutcome::Conflict;
            }
            let version = state.store.version();
            state.stopping |= run.stopping;
            state.store.run = Some(Versioned { value: run.clone(), version });
            CasOutcome::Done(version)
        };
        self.port.call(Place::Store, serve).await
    }

    async fn create_items(&self, items: &[WorkItem]) -> Result<usize> {
        let items = items.to_vec();
        let serve = move |world: &World, state: &mut State| {
            let before = state.store.items.len();
            for item in &items {
                if state.store.by_id.contains_key(&item.id()) {
                    continue;
                }
                let (version, now) = (state.store.version(), world.now());
                let versions = [(now, Versioned { value: item.clone(), version })].into();
                state.store.by_id.insert(item.id(), state.store.items.len());
                state.store.items.push(Stored { versions, real_deaths: 0, spoken: None });
            }
            state.store.items.len() - before
        };
        self.port.call(Place::Store, serve).await
    }

    async fn item(&self, id: &str) -> Result<Option<Versioned<WorkItem>>> {
        let id = id.to_owned();
        let serve = move |world: &World, state: &mut State| {
            let place = *state.store.by_id.get(&id)?;
            let now = world.now();
            let is_old = now < state.store.stale_until && state.chance(900);
            if is_old {
                state.count("items read as they were");
            }
            let behind = if is_old { state.milliseconds(0..10_000) } else { Duration::ZERO };
            Some(state.store.items[place].as_of(now.saturating_sub(behind)).clone())
        };
        self.port.call(Place::Store, serve).await
    }

    async fn compare_and_set(&self, item: &WorkItem, expected: Version) -> Result<CasOutcome> {
        let (port, written) = (self.port.clone(), item.clone());
        if item.lease_holder.is_none() {
            // Whoever says a last word sends nothing more, heard or not.
            port.world.lock().machines[port.machine].belief = None;
        }
        let serve =
            move |world: &World, state: &mut State| set(&port, world, state, (&written, expected));
        let outcome = self.port.call(Place::Store, serve).await?;
        if let CasOutcome::Done(_) = outcome {
            self.believe(item);
        }
        Ok(outcome)
    }

    async fn open_items(
        &self,
        expired_before: StoreTime,
        from_sort_key: u64,
        limit: usize,
    ) -> Result<Vec<Versioned<WorkItem>>> {
        self.search(move |items| {
            let mut open: Vec<_> = items
                .iter()
                .filter(|item| item.value.is_claimable(expired_before))
                .map(|item| Versioned::clone(item))
                .collect();
            open.sort_by_key(|item| (item.value.sort_key < from_sort_key, item.value.sort_key));
            open.truncate(limit);
            open
        })
        .await
    }

    async fn items(&self, after: Option<&str>, limit: usize) -> Result<ItemPage> {
        let after = after.map(str::to_owned);
        let serve = move |_: &World, state: &mut State| {
            let rest = state.store.by_id.iter().filter(|(id, _)| after.as_ref() < Some(id));
            let page: Vec<_> = rest.take(limit + 1).collect();
            let next = (page.len() > limit).then(|| page[limit - 1].0.clone());
            let items = page.iter().take(limit);
            let items =
                items.map(|(_, place)| state.store.items[**place].current().clone()).collect();
            ItemPage { items, next }
        };
        self.port.call(Place::Store, serve).await
    }

    async fn unfinished(&self) -> Result<u64> {
        self.search(|items| {
            let open =
                items.iter().filter(|item| !item.value.is_completed() && !item.value.quarantined);
            open.count() as u64
        })
        .await
    }

    async fn totals(&self) -> Result<ItemTotals> {
        let at = self.now().await?;
        self.search(move |items| {
            let mut totals = TotalsBuilder::new(at);
            items.iter().for_each(|item| totals.add(&item.value));
            totals.finish()
        })
        .await
    }

    async fn enroll(&self, worker: &str) -> Result<Box<dyn Enrollment>> {
        Ok(Box::new(Enrolled(worker.to_owned())))
    }

    async fn workers(&self) -> Result<u64> {
        let now = self.now().await?;
        self.search(move |items| {
            let running = items.iter().filter(|item| item.value.is_held(now));
            let holders: BTreeSet<_> =
                running.filter_map(|item| item.value.lease_holder.clone()).collect();
            holders.len() as u64
        })
        .await
    }

    async fn held_by(&self, worker: &str) -> Result<Vec<Versioned<WorkItem>>> {
        let worker = worker.to_owned();
        self.search(move |items| {
            let held =
                items.iter().filter(|item| item.value.lease_holder.as_ref() == Some(&worker));
            held.map(|item| Versioned::clone(item)).collect()
        })
        .await
    }

    async fn departed(&self) -> Result<Vec<Versioned<WorkItem>>> {
        if !self.capability().knows_the_dead {
            return Ok(Vec::new());
        }
        let serve = |_: &World, state: &mut State| {
            let is_dead = |item: &&Stored| {
                item.current().value.lease_holder.is_some() && !is_alive(item, &state.machines)
            };
            state.store.items.iter().filter(is_dead).map(|item| item.current().clone()).collect()
        };
        self.port.call(Place::Store, serve).await
    }

    async fn drop_session(&self) -> Result<()> {
        Ok(())
    }
}
