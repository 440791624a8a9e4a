//! What must hold, judged from outside with everything known.

use std::time::Duration;

use super::network::Port;
use super::scenario::Poison;
use super::store::{is_alive, true_time};
use super::world::{State, World};
use crate::Books;
use crate::coordination::WorkItem;

/// What must hold after every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Invariant {
    /// No bulk is started that could end after its holder's lease.
    BulkWithinLease,
    /// At most one worker believes that it may send for an item.
    OneSender,
    /// The checkpoint is at most the contiguous acknowledged prefix.
    CheckpointBehindAcknowledged,
    /// What was checkpointed is never forgotten.
    NothingForgotten,
    /// The books account for exactly the prefix.
    BooksOfPrefix,
    /// Completed is only what is in the target to the last document.
    CompletedIsThere,
    /// A lease is taken over only when it has run out.
    TakenAfterItsEnd,
    /// A worker that nothing happens to never loses its lease.
    RenewedWhileWell,
    /// Attempts count for causes in the item only.
    AttemptsByItem,
    /// Only an item that fails or kills is given up.
    QuarantinedWithCause,
    /// Every item ends, every worker ends, and none leaves before.
    Ends,
}

/// What was found.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) invariant: Invariant,
    pub(super) what: String,
}

/// Judges what a machine makes of an item.
pub(super) fn judge_write(port: &Port, state: &mut State, old: &WorkItem, new: &WorkItem) {
    let (world, machine) = (&*port.world, port.machine);
    let mut found = Vec::new();
    found.extend(judge_progress(world, state, old, new));
    found.extend(judge_books(world, new));
    found.extend(judge_end_of_item(world, state, old, new));
    found.extend(judge_counts(world, state, old, new));
    found.extend(judge_taking(world, state, old, new));
    if new.deaths > old.deaths {
        state.count("leases taken over");
    }
    let stored = &mut state.store.items[new.shard as usize];
    if new.checkpoint.next > old.checkpoint.next {
        stored.real_deaths = 0;
    }
    stored.spoken = Some((machine, port.generation, world.now()));
    for (invariant, what) in found {
        world.accuse(state, invariant, format!("m{machine} on item {}: {what}", new.shard));
    }
}

type Finding = Option<(Invariant, String)>;

fn judge_progress(world: &World, state: &State, old: &WorkItem, new: &WorkItem) -> Finding {
    let (from, to) = (old.checkpoint.next, new.checkpoint.next);
    if to < from || new.checkpoint.sent < old.checkpoint.sent {
        let what = format!("the checkpoint goes back from {from} to {to}");
        return Some((Invariant::NothingForgotten, what));
    }
    if new.lease_version < old.lease_version {
        let what = format!("lease {} is forgotten", old.lease_version);
        return Some((Invariant::NothingForgotten, what));
    }
    let cells = &state.target.shards[new.shard as usize];
    let live = &world.scenario.items[new.shard as usize].live;
    let hole = (from as usize..to as usize)
        .find(|number| live[*number] && !cells[*number].acknowledged)?;
    let what = format!("the checkpoint goes to {to}, document {hole} is not acknowledged");
    Some((Invariant::CheckpointBehindAcknowledged, what))
}

/// The books of the documents before `end`.
fn books_until(world: &World, shard: usize, end: u32) -> Books {
    let content = &world.scenario.items[shard];
    let mut books = Books::default();
    for number in (0..end as usize).filter(|number| content.live[*number]) {
        if content.refused[number] {
            books.failed += 1;
        } else {
            books.written += 1;
            books.bytes += super::source::content_of(number).len() as u64;
        }
    }
    books
}

fn judge_books(world: &World, new: &WorkItem) -> Finding {
    let mut expected = books_until(world, new.shard as usize, new.checkpoint.next);
    if world.scenario.network.doubled > 0 {
        // A bulk that was refused may arrive once more and be taken then: what is sent again replaces it.
        expected.overwritten = new.books.overwritten;
    }
    (new.books != expected).then(|| {
        let what = format!("the books are {:?} and should be {expected:?}", new.books);
        (Invariant::BooksOfPrefix, what)
    })
}

fn judge_end_of_item(world: &World, state: &State, old: &WorkItem, new: &WorkItem) -> Finding {
    if old.is_completed() && old != new {
        return Some((Invariant::NothingForgotten, "it was completed already".to_owned()));
    }
    if !new.is_completed() {
        return None;
    }
    let content = &world.scenario.items[new.shard as usize];
    let cells = &state.target.shards[new.shard as usize];
    let lacking = (0..content.live.len()).find(|number| {
        content.live[*number] && !content.refused[*number] && !cells[*number].written
    });
    let what = format!("completed, and document {} is not in the target", lacking?);
    Some((Invariant::CompletedIsThere, what))
}

fn judge_counts(world: &World, state: &mut State, old: &WorkItem, new: &WorkItem) -> Finding {
    let poison = world.scenario.items[new.shard as usize].poison.map(|(_, poison)| poison);
    if new.attempts > old.attempts && poison != Some(Poison::Corrupt) {
        let why = new.last_error.as_deref().unwrap_or_default();
        return Some((Invariant::AttemptsByItem, format!("an attempt is counted: {why}")));
    }
    let stored = &mut state.store.items[new.shard as usize];
    if new.deaths > old.deaths {
        stored.real_deaths += u32::from(!is_alive(stored, &state.machines));
    }
    let is_innocent = poison.is_none() && new.quarantined && !old.quarantined;
    is_innocent.then(|| {
        let what = format!(
            "given up without fault, after {} deaths of which {} were real",
            new.deaths, stored.real_deaths
        );
        (Invariant::QuarantinedWithCause, what)
    })
}

fn judge_taking(world: &World, state: &State, old: &WorkItem, new: &WorkItem) -> Finding {
    let holder = old.lease_holder.as_ref()?;
    let is_taken = new.lease_version != old.lease_version || new.deaths > old.deaths;
    let has_run_out = true_time(world.now()) >= old.expiration;
    let stored = &state.store.items[new.shard as usize];
    let is_gone = !is_alive(stored, &state.machines);
    let knows_the_dead = world.scenario.store.is_local && is_gone;
    if is_taken && !has_run_out && !knows_the_dead {
        let what = format!("taken from `{holder}` before its lease ended");
        return Some((Invariant::TakenAfterItsEnd, what));
    }
    let (machine, _, spoken) = stored.spoken?;
    let machine = &state.machines[machine];
    // What happened just before may have kept it from hearing that it was heard.
    let slack = world.scenario.rules.length / 3;
    let is_excused = machine.troubled_at + slack >= spoken || machine.stop.is_cancelled();
    if !has_run_out || is_gone || is_excused {
        return None;
    }
    let what = format!(
        "`{holder}` let its lease run out, and nothing had happened to it since {spoken:?}"
    );
    Some((Invariant::RenewedWhileWell, what))
}

/// Judges a bulk that starts.
pub(super) fn judge_bulk(port: &Port, shard: usize, numbers: &[u32]) {
    let world = &port.world;
    let (now, timeout) = (world.now(), world.scenario.bulk.timeout);
    let mut state = world.lock();
    let name = state.machines[port.machine].name.clone();
    state.trace.note(now, format!("m{} sends {shard}: {numbers:?}", port.machine));
    let item = &state.store.items[shard].current().value;
    let ends = true_time(now).plus(timeout);
    if item.lease_holder.as_ref() != Some(&name) || ends > item.expiration {
        let what = format!(
            "`{name}` sends for item {shard}, held by {:?} for {:?} more, a bulk that may take {timeout:?}",
            item.lease_holder,
            item.expiration.since(true_time(now)),
        );
        world.accuse(&mut state, Invariant::BulkWithinLease, what);
    }
    judge_beliefs(world, &mut state, shard);
}

/// Judges who believes that it may send for an item.
pub(super) fn judge_beliefs(world: &World, state: &mut State, shard: usize) {
    let (now, rules) = (world.now(), &world.scenario.rules);
    let needs = world.scenario.bulk.timeout + rules.margin;
    let senders: Vec<_> = state
        .machines
        .iter()
        .filter(|machine| {
            machine.belief.is_some_and(|belief| {
                belief.shard == shard && machine.monotonic(now) + needs <= belief.deadline
            })
        })
        .map(|machine| machine.name.clone())
        .collect();
    if senders.len() > 1 {
        let what = format!("{senders:?} all believe that they may send for item {shard}");
        world.accuse(state, Invariant::OneSender, what);
    }
}

/// Judges a worker that says that nothing is left.
pub(super) fn judge_leaving(world: &World, state: &mut State, machine: usize) {
    let open = state.store.items.iter().map(|item| &item.current().value);
    let open: Vec<_> = open
        .filter(|item| !item.is_completed() && !item.quarantined)
        .map(|item| item.shard)
        .collect();
    if !open.is_empty() {
        let what = format!("m{machine} leaves, and items {open:?} are open");
        world.accuse(state, Invariant::Ends, what);
    }
}

/// Judges how all ended, after everybody has left or nobody waits any longer.
pub(super) fn judge_end(world: &World, state: &mut State, all_left: bool) {
    let now: Duration = world.now();
    let working: Vec<_> = state.machines.iter().filter(|machine| machine.is_running()).collect();
    if !all_left {
        let names: Vec<_> = working.iter().map(|machine| machine.name.clone()).collect();
        let open: Vec<_> = state
            .store
            .items
            .iter()
            .map(|item| &item.current().value)
            .filter(|item| !item.is_completed() && !item.quarantined)
            .map(|item| (item.shard, item.lease_holder.clone(), item.checkpoint.next))
            .collect();
        let what = format!("at {now:?} {names:?} still work; open: {open:?}");
        world.accuse(state, Invariant::Ends, what);
        return;
    }
    for (content, stored) in world.scenario.items.iter().zip(0..) {
        let item = state.store.items[stored].current().value.clone();
        let must_fail = content.poison.is_some_and(|(number, _)| number < item.end);
        if item.is_completed()
            && must_fail
            && content.poison.is_some_and(|(_, what)| what == Poison::Corrupt)
        {
            let what = format!("item {stored} is completed, and cannot be read");
            world.accuse(state, Invariant::CompletedIsThere, what);
        }
        if !state.stopping && !item.is_completed() && !item.quarantined {
            let what = format!("item {stored} never ended");
            world.accuse(state, Invariant::Ends, what);
        }
    }
}
