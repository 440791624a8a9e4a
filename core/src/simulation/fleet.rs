//! Processes that are started, killed, paused and asked to stop.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use super::clock::WorkerClock;
use super::model::ModelWorker;
use super::network::Port;
use super::scenario::Workforce;
use super::source::SimulatedSnapshot;
use super::store::SimulatedStore;
use super::target::SimulatedTarget;
use super::truth;
use super::world::World;
use crate::controller::EventSender;
use crate::coordination::Coordinator;
use crate::failed::{FailedStore, FailureBudget, FailureLimit};
use crate::pipeline::{Failures, Meter, Pressure, Worker, WorkerEnd};
use crate::retry::RetryPolicy;
use crate::{Clock, Result};

/// What all workers share and nobody judges.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) failed: FailedStore,
    pub(super) events: EventSender,
}

/// Runs one worker after another on a machine, as a fleet's manager would, until one has nothing left to do.
pub(super) async fn keep(world: Arc<World>, machine: usize, shared: Shared) {
    loop {
        let ended = run_process(&world, machine, &shared).await;
        world.note(|| format!("m{machine} ends: {ended:?}"));
        match ended {
            Some(Ok(WorkerEnd::NothingLeft)) => {
                truth::judge_leaving(&world, &mut world.lock(), machine);
                return;
            }
            Some(Ok(WorkerEnd::Stopped)) if world.lock().stopping => return,
            Some(Ok(WorkerEnd::Stopped) | Err(_)) | None => {}
        }
        let pause = world.lock().milliseconds(100..5_000);
        world.sleep(pause).await;
    }
}

/// How the worker ended; none if it was killed.
async fn run_process(
    world: &Arc<World>,
    number: usize,
    shared: &Shared,
) -> Option<Result<WorkerEnd>> {
    let stop = CancellationToken::new();
    let port = {
        let mut state = world.lock();
        let is_new_name = state.random.bool();
        let machine = &mut state.machines[number];
        machine.generation += 1;
        machine.stop = stop.clone();
        if is_new_name && machine.generation > 1 {
            machine.name = format!("w{number}.{}", machine.generation);
        }
        Port { world: Arc::clone(world), machine: number, generation: machine.generation }
    };
    let task = tokio::spawn(worker(port, stop, shared));
    world.lock().machines[number].process = Some(task.abort_handle());
    let ended = task.await;
    let mut state = world.lock();
    let machine = &mut state.machines[number];
    (machine.process, machine.belief) = (None, None);
    match ended {
        Ok(ended) => Some(ended),
        Err(error) if error.is_cancelled() => None,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn worker(
    port: Port,
    stop: CancellationToken,
    shared: &Shared,
) -> BoxFuture<'static, Result<WorkerEnd>> {
    let scenario = &port.world.scenario;
    let clock = Arc::new(WorkerClock(port.clone()));
    let store = Arc::new(SimulatedStore::new(port.clone()));
    let coordinator = Arc::new(Coordinator::new(store, clock.clone(), scenario.rules.clone()));
    let (name, bulk) = (port.name(), scenario.bulk.clone());
    let cluster = Arc::new(SimulatedTarget(port.clone()));
    let snapshot = SimulatedSnapshot(port.clone());
    match scenario.workforce {
        Workforce::Model(habits) => Box::pin(
            ModelWorker { name, coordinator, clock, cluster, snapshot, bulk, habits, stop }.run(),
        ),
        Workforce::Real => {
            let budget = FailureBudget::new(FailureLimit::Usual, Arc::clone(&coordinator));
            let pressure = Pressure::new(
                Arc::clone(&cluster) as _,
                Arc::clone(&coordinator),
                Arc::clone(&clock) as _,
                shared.events.clone(),
            );
            let worker = Worker {
                pressure: Arc::new(pressure),
                meter: std::sync::Mutex::new(Meter::new(clock.monotonic())),
                name,
                snapshot,
                cluster,
                coordinator,
                clock,
                retry: RetryPolicy::patient(),
                bulk,
                failures: Arc::new(Failures { log: shared.failed.session(""), budget }),
                events: shared.events.clone(),
                stop,
                selector: Arc::default(),
                transform: None,
                indices: Mutex::new(HashMap::new()),
                released: watch::Sender::default(),
            };
            Box::pin(async move { worker.run().await })
        }
    }
}

/// Kills a process, if it still runs.
pub(super) fn kill(port: &Port, why: &str) {
    let now = port.world.now();
    let mut state = port.world.lock();
    let machine = &mut state.machines[port.machine];
    if machine.generation != port.generation {
        return;
    }
    if let Some(process) = machine.process.take() {
        process.abort();
        machine.belief = None;
        state.trace.note(now, format!("m{} is killed: {why}", port.machine));
    }
}

/// Asks a process to stop, and kills it after its time of grace.
pub(super) async fn terminate(port: Port, grace: Duration) {
    port.world.note(|| format!("m{} is asked to stop", port.machine));
    let stop = port.world.lock().machines[port.machine].stop.clone();
    stop.cancel();
    port.world.sleep(grace).await;
    kill(&port, "its time of grace is over");
}
