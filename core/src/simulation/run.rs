//! One seed from its beginning to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::clock::WorkerClock;
use super::network::Port;
use super::scenario::Scenario;
use super::source::INDEX;
use super::store::SimulatedStore;
use super::trace::Trace;
use super::truth::{self, Broken};
use super::world::World;
use super::{chaos, fleet};
use crate::controller::EventSender;
use crate::coordination::{Coordinator, Run, Session, SnapshotName, WorkItem, random};
use crate::failed::FailedStore;

/// How long messages may still be on their way when all have left.
const LATE_MESSAGES: Duration = Duration::from_secs(120);

pub(super) struct Outcome {
    pub(super) trace: Trace,
    pub(super) broken: Option<Broken>,
    /// Virtual time.
    pub(super) ended: Duration,
    /// Documents that arrived, and how many of them more than once.
    pub(super) arrived: (u64, u64),
    pub(super) completed: usize,
    pub(super) quarantined: usize,
    pub(super) tally: BTreeMap<String, u64>,
}

/// Runs a scenario.
pub(super) fn run(scenario: Scenario) -> Outcome {
    // Both are of this thread alone: the one for sort keys and searches, the other for the jitter between tries.
    random::seed(scenario.seed);
    fastrand::seed(scenario.seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(live(scenario))
}

async fn live(scenario: Scenario) -> Outcome {
    let world = World::new(scenario);
    let failed = FailedStore::over(Arc::new(InMemory::new()), Path::default());
    let shared = fleet::Shared { failed, events: EventSender::new() };
    plan(&world).await;
    tokio::spawn(chaos::strike(Arc::clone(&world)));
    for machine in 0..world.scenario.workers {
        if let Some(lifetime) = world.scenario.lifetime {
            tokio::spawn(chaos::wear_out(Arc::clone(&world), machine, lifetime));
        }
    }
    if let Some(time) = world.scenario.stops_at {
        tokio::spawn(stop(Arc::clone(&world), time));
    }
    let managers = (0..world.scenario.workers)
        .map(|machine| fleet::keep(Arc::clone(&world), machine, shared.clone()));
    let mut alarm = world.alarm.subscribe();
    let patience = world.scenario.faults_end + world.scenario.patience();
    let all_left = tokio::select! {
        biased;
        _ = alarm.wait_for(|rung| *rung) => false,
        _ = join_all(managers) => true,
        () = world.sleep_until(patience) => false,
    };
    let ended = world.now();
    if world.lock().broken.is_none() {
        truth::judge_end(&world, &mut world.lock(), all_left);
        world.sleep(LATE_MESSAGES).await;
        truth::judge_end(&world, &mut world.lock(), all_left);
    }
    conclude(&world, ended)
}

fn conclude(world: &World, ended: Duration) -> Outcome {
    let state = world.lock();
    let cells = || state.target.shards.iter().flatten();
    let items = || state.store.items.iter().map(|item| &item.current().value);
    Outcome {
        trace: state.trace.clone(),
        broken: state.broken.clone(),
        tally: state.tally.clone(),
        ended,
        arrived: (
            cells().filter(|cell| cell.written).count() as u64,
            cells().filter(|cell| cell.times > 1).count() as u64,
        ),
        completed: items().filter(|item| item.is_completed()).count(),
        quarantined: items().filter(|item| item.quarantined).count(),
    }
}

fn coordinator(world: &Arc<World>) -> Coordinator {
    let port = Port { world: Arc::clone(world), machine: 0, generation: 0 };
    let clock = Arc::new(WorkerClock(port.clone()));
    Coordinator::new(Arc::new(SimulatedStore::new(port)), clock, world.scenario.rules.clone())
}

/// Several workers find no plan and make it, at one time; one of them may be killed.
async fn plan(world: &Arc<World>) {
    let (planners, killed_after) = {
        let mut state = world.lock();
        let most = world.scenario.workers.min(3);
        (state.random.usize(1..=most), state.milliseconds(0..2_000))
    };
    let mut tasks: Vec<_> =
        (0..planners).map(|_| tokio::spawn(plan_alone(Arc::clone(world)))).collect();
    if planners > 1 {
        let killed = tasks.swap_remove(0);
        world.sleep(killed_after).await;
        killed.abort();
    }
    join_all(tasks).await.into_iter().for_each(|planned| planned.expect("a plan"));
    let items = world.lock().store.items.len();
    assert_eq!(items, world.scenario.items.len(), "the plan is made once");
}

async fn plan_alone(world: Arc<World>) {
    let items: Vec<_> = (0..)
        .zip(&world.scenario.items)
        .map(|(shard, content)| WorkItem::new(INDEX, shard, 0..content.live.len() as u32))
        .collect();
    let name = SnapshotName { name: "snap".into(), uuid: "u".into() };
    let run = Run::new(Session::default(), name, "memory", "simulated", serde_json::Value::Null);
    while let Err(error) = coordinator(&world).plan(&run, &items).await {
        assert!(error.is_retryable(), "{error}");
        world.sleep(Duration::from_millis(500)).await;
    }
}

async fn stop(world: Arc<World>, time: Duration) {
    world.sleep_until(time).await;
    while coordinator(&world).stop().await.is_err() {
        world.sleep(Duration::from_secs(1)).await;
    }
    world.note(|| "the run is stopping".to_owned());
}
