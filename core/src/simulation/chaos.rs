//! When which fault strikes.

use std::sync::Arc;
use std::time::Duration;

use super::fleet;
use super::network::Port;
use super::scenario::Fault;
use super::store;
use super::world::World;

/// Lets the scenario's faults strike, each over by the scenario's end of faults.
pub(super) async fn strike(world: Arc<World>) {
    let (faults, end) = (world.scenario.faults.clone(), world.scenario.faults_end);
    let most = world.scenario.fault_pause.as_millis() as u64 * 2 + 1;
    while !faults.is_empty() {
        let (pause, fault) = {
            let mut state = world.lock();
            (state.milliseconds(0..most), faults[state.random.usize(..faults.len())])
        };
        if world.now() + pause >= end {
            return;
        }
        world.sleep(pause).await;
        inflict(&world, fault);
    }
}

/// Has every process of a machine die after a while, for ever.
pub(super) async fn wear_out(world: Arc<World>, machine: usize, lifetime: Duration) {
    let most = lifetime.as_millis() as u64 * 2 + 1;
    loop {
        let pause = world.lock().milliseconds(most / 4..most);
        world.sleep(pause).await;
        let generation = world.lock().machines[machine].generation;
        fleet::kill(&Port { world: Arc::clone(&world), machine, generation }, "worn out");
    }
}

fn inflict(world: &Arc<World>, fault: Fault) {
    let mut state = world.lock();
    let (now, length) = (world.now(), world.scenario.rules.length.as_millis() as u64);
    let until =
        (now + state.milliseconds(length / 20..length * 5 / 2)).min(world.scenario.faults_end);
    let machine = state.random.usize(..world.scenario.workers);
    let jump = state.random.i64(-48..48) * 3_600_000;
    let hit = &mut state.machines[machine];
    let port = Port { world: Arc::clone(world), machine, generation: hit.generation };
    match fault {
        Fault::Crash => {
            state.count("Crash");
            drop(state);
            return fleet::kill(&port, "kill -9");
        }
        Fault::Terminate => {
            let grace = Duration::from_millis(length / 6);
            tokio::spawn(fleet::terminate(port, grace));
        }
        Fault::CutFromStore => hit.cut_from_store_until = until,
        Fault::CutFromTarget => hit.cut_from_target_until = until,
        Fault::CutFromAll => (hit.cut_from_store_until, hit.cut_from_target_until) = (until, until),
        Fault::Pause => hit.paused_until = until,
        Fault::WallClockJump => hit.wall_jump = jump,
        Fault::StoreOutage => state.store.away_until = until,
        Fault::TargetOutage => state.target.away_until = until,
        Fault::TargetBusy => state.target.busy_until = until,
        Fault::SourceOutage => state.source_away_until = until,
        Fault::StoreFailover => {
            let stale = state.milliseconds(5_000..60_000).min(until - now);
            state.store.away_until = now + state.milliseconds(0..5_000).min(until - now);
            store::fail_over(world, &mut state, stale);
        }
    }
    match fault {
        // Old reads are trouble a while longer: what was read is used later.
        Fault::StoreOutage | Fault::StoreFailover => {
            state.machines.iter_mut().for_each(|machine| machine.troubled_at = until);
        }
        Fault::CutFromStore | Fault::CutFromAll | Fault::Pause => {
            state.machines[machine].troubled_at = until;
        }
        _ => {}
    }
    state.count(format!("{fault:?}"));
    let until = until.as_secs_f64();
    state.trace.note(now, format!("FAULT {fault:?} of m{machine} until {until:.3}"));
}
