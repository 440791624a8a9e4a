//! Seeds by the thousand, and defects that they must find.

use std::collections::BTreeMap;
use std::time::Duration;

use super::model::Habits;
use super::run::{Outcome, run};
use super::scenario::{FAULTS, Fault, Network, Scenario, Workforce};
use super::truth::Invariant;

/// How many seeds are run; `cargo xtask simulate --seeds N` sets it.
const SEEDS: &str = "SNAPFILL_SIMULATION_SEEDS";

/// The one seed that is run, with its whole trace; `cargo xtask simulate --seed N` sets it.
const SEED: &str = "SNAPFILL_SIMULATION_SEED";

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, it is `{text}`")))
}

fn require_sound(seed: u64, outcome: &Outcome) {
    let Some(broken) = &outcome.broken else { return };
    panic!(
        "seed {seed} breaks {:?}: {}\nreplay it: cargo xtask simulate --seed {seed}\n{}",
        broken.invariant,
        broken.what,
        outcome.trace.tail(false)
    );
}

#[test]
fn no_seed_breaks_an_invariant() {
    if let Some(seed) = number(SEED) {
        let scenario = Scenario::of(seed);
        println!("{scenario:#?}");
        let outcome = run(scenario);
        println!("{}", outcome.trace.tail(true));
        return require_sound(seed, &outcome);
    }
    let seeds = number(SEEDS).unwrap_or(1_500);
    let (mut events, mut virtual_time, mut repeated, mut arrived) = (0, 0, 0, 0);
    let (mut completed, mut quarantined, mut tally) = (0, 0, BTreeMap::<String, u64>::new());
    for seed in 0..seeds {
        let outcome = run(Scenario::of(seed));
        require_sound(seed, &outcome);
        events += outcome.trace.len();
        virtual_time += outcome.ended.as_secs();
        arrived += outcome.arrived.0;
        repeated += outcome.arrived.1;
        completed += outcome.completed;
        quarantined += outcome.quarantined;
        outcome
            .tally
            .into_iter()
            .for_each(|(what, count)| *tally.entry(what).or_default() += count);
    }
    println!(
        "{seeds} seeds, {events} events, {} hours of virtual time, {completed} items completed, {quarantined} quarantined, \
         {arrived} documents, {repeated} of them more than once\n{tally:#?}",
        virtual_time / 3600
    );
    // A simulation in which nothing happens proves nothing.
    for fault in FAULTS {
        assert!(seeds < 200 || tally.contains_key(&format!("{fault:?}")), "{fault:?} never struck");
    }
}

#[test]
fn the_model_with_good_habits_breaks_nothing() {
    for seed in 0..100 {
        require_sound(seed, &run(with_habits(Habits::GOOD)(Scenario::of(seed))));
    }
}

#[test]
fn the_same_seed_gives_the_same_history_and_another_one_does_not() {
    let mut hashes = BTreeMap::new();
    for seed in 0..20 {
        let (first, again) = (run(Scenario::of(seed)), run(Scenario::of(seed)));
        assert_eq!(first.trace.hash(), again.trace.hash(), "seed {seed}");
        hashes.insert(first.trace.hash(), seed);
    }
    assert_eq!(hashes.len(), 20);
}

/// How many of the first seeds find a defect, by what they find first.
fn found(defect: impl Fn(Scenario) -> Scenario) -> BTreeMap<Invariant, u32> {
    let mut found = BTreeMap::new();
    for seed in 0..120 {
        if let Some(broken) = run(defect(Scenario::of(seed))).broken {
            *found.entry(broken.invariant).or_default() += 1;
        }
    }
    println!("{found:?}");
    found
}

fn with_habits(habits: Habits) -> impl Fn(Scenario) -> Scenario {
    // The model does not write its first progress at once, so its processes are not to die young.
    move |scenario| Scenario { workforce: Workforce::Model(habits), lifetime: None, ..scenario }
}

#[test]
fn a_renewal_that_is_forgotten_is_found() {
    let forgets = with_habits(Habits { renews: false, ..Habits::GOOD });
    let found = found(|scenario| {
        let mut scenario = forgets(scenario);
        // Many an item takes longer than a lease, and nothing else happens.
        scenario.rules.length = Duration::from_secs(6);
        scenario.rules.margin = Duration::from_secs(1);
        scenario.bulk.timeout = Duration::from_secs(2);
        (scenario.bulk.documents, scenario.bulk.in_flight) = (1, 1);
        scenario.network = Network { latency: 50..100, lost: 0, doubled: 0, late: 0 };
        (scenario.store.skew, scenario.faults) = (0, Vec::new());
        scenario
    });
    assert!(found.contains_key(&Invariant::RenewedWhileWell), "{found:?}");
}

#[test]
fn a_margin_that_is_removed_is_found() {
    let found = found(|mut scenario| {
        // The margin is there for clocks that differ, and for holders that are cut off.
        scenario.store.skew = scenario.rules.margin.as_millis() as u64 * 2 / 5;
        scenario.store.whole_seconds = false;
        scenario.faults = vec![Fault::CutFromStore, Fault::Crash];
        scenario.fault_pause = scenario.rules.length / 4;
        scenario.rules.margin = Duration::ZERO;
        scenario
    });
    assert!(found.contains_key(&Invariant::TakenAfterItsEnd), "{found:?}");
}

#[test]
fn a_store_that_ignores_versions_is_found() {
    let found = found(|mut scenario| {
        scenario.store.ignores_versions = true;
        scenario
    });
    assert!(found.contains_key(&Invariant::NothingForgotten), "{found:?}");
}

#[test]
fn a_checkpoint_that_follows_the_last_bulk_to_finish_is_found() {
    let found = found(with_habits(Habits { waits_for_oldest: false, ..Habits::GOOD }));
    assert!(found.contains_key(&Invariant::CheckpointBehindAcknowledged), "{found:?}");
}

#[test]
fn a_gate_that_is_not_asked_is_found() {
    let found = found(with_habits(Habits { asks_gate: false, ..Habits::GOOD }));
    assert!(found.contains_key(&Invariant::BulkWithinLease), "{found:?}");
}
