//! What a seed stands for.

use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;

use super::model::Habits;
use crate::coordination::LeaseRules;
use crate::settings::BulkSettings;

/// One shard, which is one item.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// Which document numbers are live documents.
    pub(super) live: Vec<bool>,
    /// Which the target refuses for good.
    pub(super) refused: Vec<bool>,
    pub(super) poison: Option<(u32, Poison)>,
}

/// What happens to whoever reads a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Poison {
    /// It cannot be decoded.
    Corrupt,
    /// The process dies.
    Kills,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Crash,
    CutFromStore,
    CutFromTarget,
    CutFromAll,
    Pause,
    WallClockJump,
    StoreOutage,
    TargetOutage,
    StoreFailover,
    TargetBusy,
    Terminate,
    SourceOutage,
}

pub(super) const FAULTS: [Fault; 12] = [
    Fault::Crash,
    Fault::CutFromStore,
    Fault::CutFromTarget,
    Fault::CutFromAll,
    Fault::Pause,
    Fault::WallClockJump,
    Fault::StoreOutage,
    Fault::TargetOutage,
    Fault::StoreFailover,
    Fault::TargetBusy,
    Fault::Terminate,
    Fault::SourceOutage,
];

/// What can go wrong on one machine.
const LOCAL_FAULTS: [Fault; 8] = [
    Fault::Crash,
    Fault::CutFromTarget,
    Fault::Pause,
    Fault::WallClockJump,
    Fault::TargetOutage,
    Fault::TargetBusy,
    Fault::Terminate,
    Fault::SourceOutage,
];

/// How messages fare. Chances are per thousand.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) latency: Range<u64>,
    pub(super) lost: u32,
    pub(super) doubled: u32,
    /// Bulks that take so long that nobody waits for their answer.
    pub(super) late: u32,
}

/// How the store differs from a perfect one.
#[derive(Clone, Debug)]
pub(super) struct StoreHabits {
    /// Its nodes' clocks are off by at most so many milliseconds.
    pub(super) skew: u64,
    /// It tells whole seconds only.
    pub(super) whole_seconds: bool,
    /// It is on the workers' machine: it is never behind, and knows who is dead.
    pub(super) is_local: bool,
    /// A defect: every compare-and-set succeeds.
    pub(super) ignores_versions: bool,
}

/// Who works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workforce {
    /// The worker of the pipeline.
    Real,
    /// The model, with these habits.
    Model(Habits),
}

#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) seed: u64,
    pub(super) workforce: Workforce,
    pub(super) workers: usize,
    pub(super) items: Vec<Content>,
    pub(super) rules: LeaseRules,
    pub(super) bulk: BulkSettings,
    pub(super) network: Network,
    pub(super) store: StoreHabits,
    /// Workers' clocks run fast or slow by at most so many parts in a million.
    pub(super) drift: u64,
    /// Which faults strike, and how long on average between two.
    pub(super) faults: Vec<Fault>,
    pub(super) fault_pause: Duration,
    /// After this nothing goes wrong any more.
    pub(super) faults_end: Duration,
    /// Every process dies after about so long, to the end.
    pub(super) lifetime: Option<Duration>,
    /// Somebody stops the run.
    pub(super) stops_at: Option<Duration>,
}

impl Scenario {
    /// The same for the same seed.
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let workers = match random.u32(..20) {
            0 => random.usize(20..=50),
            1..5 => random.usize(8..20),
            _ => random.usize(2..8),
        };
        let rules = rules(&mut random);
        let margin = rules.margin.as_millis() as u64;
        let calm = random.u32(..10) == 0;
        let whole_seconds = margin >= 3000 && random.bool();
        let skew = random.u64(..=margin * if whole_seconds { 25 } else { 40 } / 100);
        let count = random.usize(1..=(2 * workers).clamp(3, 30));
        let items = (0..count).map(|_| content(&mut random)).collect();
        let is_local = random.u32(..6) == 0;
        let can_strike: &[Fault] = if is_local { &LOCAL_FAULTS } else { &FAULTS };
        let faults = if calm { Vec::new() } else { some_of(can_strike, &mut random) };
        let network = network(calm, &rules, &mut random);
        let mut scenario = Self {
            seed,
            workforce: Workforce::Real,
            workers,
            items,
            bulk: bulk(&rules, &mut random),
            network,
            store: StoreHabits { skew, whole_seconds, is_local, ignores_versions: false },
            drift: random.u64(..=5_000),
            faults,
            fault_pause: rules.length * random.u32(5..200) / 100,
            faults_end: if calm { Duration::ZERO } else { rules.length * random.u32(1..12) },
            lifetime: None,
            stops_at: (random.u32(..12) == 0).then(|| rules.length * random.u32(0..400) / 100),
            rules,
        };
        if random.u32(..6) == 0 {
            scenario.wear_out(&mut random);
        }
        scenario
    }

    /// Every process dies, again and again, after just the time that it takes to lease an item and have a bulk acknowledged
    /// or after some more. Outages that last longer than that would be the item's death.
    fn wear_out(&mut self, random: &mut Rng) {
        let least = Duration::from_millis(1_000 + self.network.latency.end * 40);
        self.lifetime = Some(least + self.rules.length * random.u32(..150) / 100);
        self.bulk.documents = self.bulk.documents.max(4);
        self.network.late = 0;
        self.faults = match self.store.is_local {
            true => vec![Fault::Crash, Fault::WallClockJump],
            false => vec![Fault::Crash, Fault::WallClockJump, Fault::StoreFailover],
        };
    }

    /// By when all must be done after the faults, generously: what is left to send, one bulk after another, the waits for
    /// leases to run out, and the longest waits between tries.
    pub(super) fn patience(&self) -> Duration {
        let bulks: usize = self.items.iter().map(|item| item.live.len() + 2).sum();
        let failures = u32::try_from(self.items.len()).unwrap_or(1) * self.rules.max_attempts;
        // Each death costs a lease, and what was acknowledged before it may be done again.
        let kills = |item: &Content| item.poison.is_some_and(|(_, poison)| poison == Poison::Kills);
        let deadly = self.lifetime.is_some() || self.items.iter().any(kills);
        let wearing = (self.rules.length + self.rules.margin) * if deadly { 100 } else { 0 };
        Duration::from_secs(120)
            + wearing
            + (self.rules.length + self.rules.margin) * (self.rules.max_deaths + 4)
            + Duration::from_millis(self.network.latency.end * 6)
                * u32::try_from(bulks).unwrap_or(1)
            + Duration::from_secs(10) * failures
    }
}

fn rules(random: &mut Rng) -> LeaseRules {
    let (length, margin) =
        [(60_000, 5_000), (60_000, 5_000), (20_000, 3_000), (6_000, 1_000)][random.usize(..4)];
    LeaseRules {
        length: Duration::from_millis(length),
        margin: Duration::from_millis(margin),
        ..LeaseRules::default()
    }
}

fn bulk(rules: &LeaseRules, random: &mut Rng) -> BulkSettings {
    BulkSettings {
        documents: random.usize(1..=8),
        in_flight: random.usize(1..=4),
        timeout: rules.length * random.u32(15..60) / 100,
        checkpoint_bytes: [0, 30, 200, 1 << 20][random.usize(..4)],
        ..BulkSettings::default()
    }
}

fn network(calm: bool, rules: &LeaseRules, random: &mut Rng) -> Network {
    let slowest = [20, 200, 1000][random.usize(..3)].min(rules.length.as_millis() as u64 / 60);
    let chance = |random: &mut Rng, most: u32| {
        if calm || random.bool() { 0 } else { random.u32(..most) }
    };
    Network {
        latency: 1..slowest,
        lost: chance(random, 60),
        doubled: chance(random, 60),
        late: chance(random, 100),
    }
}

fn content(random: &mut Rng) -> Content {
    let documents = if random.u32(..12) == 0 { 0 } else { random.u32(1..60) };
    let (deleted, refused) = (random.u32(..3) * 10, random.u32(..4).saturating_sub(2) * 5);
    let poison = match random.u32(..16) {
        0 => Some(Poison::Corrupt),
        1 => Some(Poison::Kills),
        _ => None,
    };
    Content {
        live: (0..documents).map(|_| random.u32(..100) >= deleted).collect(),
        refused: (0..documents).map(|_| random.u32(..100) < refused).collect(),
        poison: poison.filter(|_| documents > 0).map(|poison| (random.u32(..documents), poison)),
    }
}

fn some_of(faults: &[Fault], random: &mut Rng) -> Vec<Fault> {
    let most = random.usize(1..=faults.len());
    (0..most).map(|_| faults[random.usize(..faults.len())]).collect()
}
