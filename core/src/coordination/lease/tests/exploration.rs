//! Every order of events there is: three workers, two items, one crash, one jump of the store's clock. Workers read, think,
//! compare-and-set and lose answers; each may be slower than all others, for any time.
//!
//! The state space is finite without a bound on its depth, because what can never matter again is not kept apart:
//! - Times are relative to the store's clock, and cut off where a longer time changes nothing.
//! - The version of a lease or a document is the current one or an old one, which never becomes current again. Whoever has an
//!   old one can do nothing but notice: it counts as a worker that holds nothing.
//! - What is counted of an item that has ended, since nothing changes it.
//! - Workers do the same things, and so do items: worlds that differ in names only are one world. A worker that died and was
//!   started again is one that holds nothing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::*;

const WORKERS: usize = 3;
const ITEMS: usize = 2;

/// All times are in seconds.
const LENGTH: i8 = 2;
const MARGIN: i8 = 1;

/// How far the store's clock may jump: back or ahead farther than any lease lasts, and ahead as far as clocks may be apart.
const JUMPS: [i8; 3] = [-4, MARGIN, 4];

/// The store's clock at every moment; the rest is relative to it.
const BASE: u64 = 1000;

/// The number of an item's last lease, whatever it was.
const CURRENT: u64 = 7;

/// Whoever acts, and whoever else may hold what it acts on.
const ACTOR: &str = "actor";
const OTHER: &str = "other";

/// Where the suite takes its time, failures are counted too; else the first one has the item given up.
fn small() -> LeaseRules {
    let takes_time = std::env::var("SNAPFILL_TEST_SERVERS").is_ok_and(|servers| servers == "all");
    LeaseRules {
        length: Duration::from_secs(LENGTH as u64),
        margin: Duration::from_secs(MARGIN as u64),
        max_attempts: if takes_time { 2 } else { 1 },
        max_deaths: 2,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Stage {
    Open,
    Completed,
    Quarantined,
}

/// Who holds an item, as the store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Holder {
    Nobody,
    /// A worker that knows.
    Worker,
    /// One that died, or that never heard that it was given the lease.
    Gone,
}

/// An item of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Item {
    stage: Stage,
    holder: Holder,
    /// Seconds until the lease ends; zero when nobody holds it.
    ends: i8,
    next: u8,
    attempts: u8,
    deaths: u8,
}

/// The last word about a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Word {
    Release,
    Complete,
    FailByItem,
    FailByOutside,
}

const WORDS: [Word; 4] = [Word::Release, Word::Complete, Word::FailByItem, Word::FailByOutside];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Worker {
    Idle,
    /// Has read a claimable item and the store's clock, and not yet written; nobody has written since.
    Looked {
        item: u8,
        /// How long ago, in truth and by the store's clock.
        ago: i8,
        clock_ago: i8,
        deceived: bool,
    },
    /// Has the last lease of an item.
    Holds {
        item: u8,
        /// What is acknowledged to it.
        next: u8,
        /// For how long it believes so.
        left: i8,
        /// The store's clock jumped farther than the margin since it was told.
        deceived: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct World {
    items: [Item; ITEMS],
    workers: [Worker; WORKERS],
    may_crash: bool,
    may_jump: bool,
}

/// What is asked of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Asked {
    Acquire { clock_ago: i8 },
    Renew { next: u8 },
    Last { next: u8, word: Word },
}

/// The rules, and what they said before.
struct Rules {
    rules: LeaseRules,
    known: HashMap<(Item, Asked), Option<Item>>,
}

impl Rules {
    /// What the rules make of an item; none for a refusal.
    fn apply(&mut self, item: Item, asked: Asked) -> Option<Item> {
        *self.known.entry((item, asked)).or_insert_with(|| {
            require_refusals(item, &self.rules);
            let is_mine = !matches!(asked, Asked::Acquire { .. });
            let before = item.concrete(is_mine);
            let clock_ago = if let Asked::Acquire { clock_ago } = asked { clock_ago } else { 0 };
            let now = StoreTime::from_secs(BASE.saturating_add_signed(-i64::from(clock_ago)));
            let after = apply(&before, now, &event(&before, asked, CURRENT), &self.rules).ok()?;
            judge(&before, &after, asked, &self.rules);
            if let Asked::Last { .. } = asked {
                // Its answer may get lost; then it is said again, which changes nothing.
                let again = apply(&after, now, &event(&after, asked, CURRENT), &self.rules);
                assert_eq!(again, Ok(after.clone()), "{asked:?}");
            }
            Some(Item::of(&after))
        })
    }
}

fn event(item: &WorkItem, asked: Asked, version: u64) -> LeaseEvent {
    let worker = ACTOR.to_owned();
    let (Asked::Renew { next } | Asked::Last { next, .. }) = asked else {
        return LeaseEvent::Acquire { worker };
    };
    let lease = LeaseToken { worker, version };
    let (progress, reason) = (at(item, u32::from(next)), "bad".to_owned());
    let Asked::Last { word, .. } = asked else { return LeaseEvent::Renew { lease, progress } };
    match word {
        Word::Release => LeaseEvent::Release { lease, progress },
        Word::Complete => LeaseEvent::Complete { lease, progress, live: 1 },
        Word::FailByItem => LeaseEvent::Fail { lease, cause: FailureCause::Item, reason, progress },
        Word::FailByOutside => {
            LeaseEvent::Fail { lease, cause: FailureCause::Outside, reason, progress }
        }
    }
}

/// An old lease is worth nothing, whoever has the item now.
fn require_refusals(item: Item, rules: &LeaseRules) {
    let words = WORDS.map(|word| Asked::Last { next: 1, word });
    for asked in words.into_iter().chain([Asked::Renew { next: 1 }]) {
        for is_mine in [true, false] {
            let item = item.concrete(is_mine);
            let event = event(&item, asked, CURRENT - 1);
            let now = StoreTime::from_secs(BASE);
            assert!(apply(&item, now, &event, rules).is_err(), "{item:?} heeds {event:?}");
        }
    }
}

/// What no event may do.
fn judge(before: &WorkItem, after: &WorkItem, asked: Asked, rules: &LeaseRules) {
    assert!(!before.is_completed() || after == before, "a completed item changed");
    assert!(!before.quarantined || after == before, "a quarantined item changed");
    assert!(after.checkpoint.next >= before.checkpoint.next, "a checkpoint went back");
    assert_eq!(after.books.accounted(), u64::from(after.checkpoint.next), "books of the prefix");
    assert!(
        !after.is_completed() || after.checkpoint.next == after.end,
        "completed before its end"
    );
    let by_item = matches!(asked, Asked::Last { word: Word::FailByItem, .. });
    assert!(after.attempts <= before.attempts || by_item, "an attempt for nothing");
    let is_taken = matches!(asked, Asked::Acquire { .. }) && before.lease_holder.is_some();
    assert!(after.deaths <= before.deaths || is_taken, "a death that nobody died");
    let had_enough = after.attempts >= rules.max_attempts || after.deaths >= rules.max_deaths;
    assert!(!after.quarantined || had_enough || before.quarantined, "given up too early");
}

impl Item {
    const NEW: Self = Self {
        stage: Stage::Open,
        holder: Holder::Nobody,
        ends: 0,
        next: 0,
        attempts: 0,
        deaths: 0,
    };

    /// The item; its last lease was that of whoever acts, or of another.
    fn concrete(self, is_mine: bool) -> WorkItem {
        let last = Some(if is_mine { ACTOR } else { OTHER }.to_owned());
        let mut item = WorkItem { sort_key: 0, ..WorkItem::new("x", 0, 0..1) };
        let progress = at(&item, u32::from(self.next));
        (item.checkpoint, item.books) = (progress.checkpoint, progress.books);
        (item.last_worker, item.lease_version) = (last.clone(), CURRENT);
        if self.holder != Holder::Nobody {
            let ends = BASE.saturating_add_signed(i64::from(self.ends));
            (item.lease_holder, item.expiration) = (last, StoreTime::from_secs(ends));
        }
        item.attempts = u32::from(self.attempts);
        item.deaths = u32::from(self.deaths);
        item.quarantined = self.stage == Stage::Quarantined;
        item.completed_at = (self.stage == Stage::Completed).then_some(StoreTime::ZERO);
        item
    }

    fn of(item: &WorkItem) -> Self {
        let is_held = item.lease_holder.is_some();
        let ends = item.expiration.as_secs() as i64 - BASE as i64;
        if item.is_completed() {
            return Self { stage: Stage::Completed, next: 1, ..Self::NEW };
        }
        if item.quarantined {
            return Self { stage: Stage::Quarantined, ..Self::NEW };
        }
        Self {
            stage: Stage::Open,
            holder: if is_held { Holder::Worker } else { Holder::Nobody },
            ends: if is_held { ends as i8 } else { 0 },
            next: item.checkpoint.next as u8,
            attempts: item.attempts as u8,
            deaths: item.deaths as u8,
        }
        .passes(0)
    }

    fn passes(mut self, seconds: i8) -> Self {
        let is_held = self.holder != Holder::Nobody;
        self.ends = if is_held { (self.ends - seconds).max(-MARGIN - 1) } else { 0 };
        self
    }
}

impl Worker {
    /// The worker after so many seconds in truth and by the store's clock.
    fn passes(mut self, seconds: i8, clock_seconds: i8) -> Self {
        match &mut self {
            Self::Looked { ago, clock_ago, .. } => {
                *ago = (*ago + seconds).min(LENGTH);
                // A lease that is over with its margin when it is written is over.
                *clock_ago = (*clock_ago + clock_seconds).min(LENGTH + MARGIN + 1);
            }
            Self::Holds { left, .. } => *left = (*left - seconds).max(0),
            Self::Idle => {}
        }
        self
    }

    fn deceive(mut self) -> Self {
        if let Self::Looked { deceived, .. } | Self::Holds { deceived, .. } = &mut self {
            *deceived = true;
        }
        self
    }

    fn item(self) -> Option<u8> {
        match self {
            Self::Idle => None,
            Self::Looked { item, .. } | Self::Holds { item, .. } => Some(item),
        }
    }

    /// Whether it is sure that it may send, and right to be.
    fn may_send(self) -> bool {
        matches!(self, Self::Holds { left, deceived: false, .. } if left >= MARGIN)
    }
}

/// A time of few seconds as four bits.
fn short(seconds: i8) -> u64 {
    u64::try_from(seconds + 5).expect("a short time")
}

impl World {
    const NEW: Self = Self {
        items: [Item::NEW; ITEMS],
        workers: [Worker::Idle; WORKERS],
        may_crash: true,
        may_jump: true,
    };

    /// Another number for every other world.
    fn key(&self) -> u64 {
        let items = self.items.iter().fold(0, |key, item| {
            let counts =
                u64::from(item.next) << 4 | u64::from(item.attempts) << 2 | u64::from(item.deaths);
            key << 13
                | (item.stage as u64) << 11
                | (item.holder as u64) << 9
                | short(item.ends) << 5
                | counts
        });
        let workers = self.workers.iter().fold(items, |key, worker| {
            key << 11
                | match *worker {
                    Worker::Idle => 0,
                    Worker::Looked { item, ago, clock_ago, deceived } => {
                        let times = short(ago) << 4 | short(clock_ago);
                        1 << 10 | u64::from(item) << 9 | u64::from(deceived) << 8 | times
                    }
                    Worker::Holds { item, next, left, deceived } => {
                        let rest = u64::from(next) << 4 | short(left);
                        // What another worker looked at was some time ago: no time is so long.
                        1 << 10 | u64::from(item) << 9 | u64::from(deceived) << 8 | 0xe0 | rest
                    }
                }
        });
        workers << 2 | u64::from(self.may_crash) << 1 | u64::from(self.may_jump)
    }

    fn is_over(&self) -> bool {
        self.items.iter().all(|item| item.stage != Stage::Open)
    }

    /// Whoever is sure that it may send holds the item, and is the only one.
    fn judge(&self) {
        for item in 0..ITEMS as u8 {
            let holders = self.workers.iter().filter(
                |worker| matches!(worker, Worker::Holds { item: held, .. } if *held == item),
            );
            assert!(holders.count() <= 1, "two workers have one lease: {self:?}");
            let senders = self
                .workers
                .iter()
                .filter(|worker| worker.item() == Some(item) && worker.may_send());
            let is_held = self.items[item as usize].holder == Holder::Worker;
            assert!(senders.count() == 0 || is_held, "sends without a lease: {self:?}");
        }
    }

    fn successors(&self, rules: &mut Rules) -> Vec<Self> {
        let mut worlds = vec![self.passes(1, 1)];
        if self.may_jump {
            worlds.extend(JUMPS.map(|jump| self.jumps(jump)));
        }
        for number in 0..WORKERS {
            let worker = self.workers[number];
            if self.may_crash {
                worlds.push(Self { may_crash: false, ..self.forgets(number) });
            }
            match worker {
                Worker::Idle => worlds.extend(self.looks(number)),
                Worker::Looked { .. } => worlds.extend(self.takes(number, rules)),
                Worker::Holds { .. } => worlds.extend(self.speaks(number, rules)),
            }
        }
        worlds
    }

    fn with(&self, number: usize, worker: Worker) -> Self {
        let mut world = *self;
        world.workers[number] = worker;
        world
    }

    /// The worker holds nothing any more; the store does not know.
    fn forgets(&self, number: usize) -> Self {
        let mut world = self.with(number, Worker::Idle);
        if let Worker::Holds { item, .. } = self.workers[number]
            && world.items[item as usize].holder == Holder::Worker
        {
            world.items[item as usize].holder = Holder::Gone;
        }
        world
    }

    fn passes(&self, seconds: i8, clock_seconds: i8) -> Self {
        Self {
            items: self.items.map(|item| item.passes(clock_seconds)),
            workers: self.workers.map(|worker| worker.passes(seconds, clock_seconds)),
            ..*self
        }
    }

    fn jumps(&self, jump: i8) -> Self {
        let mut world = self.passes(0, jump);
        world.may_jump = false;
        if jump > MARGIN {
            world.workers = world.workers.map(Worker::deceive);
        }
        world
    }

    /// The worker reads a claimable item, and the clock.
    fn looks(&self, number: usize) -> Vec<Self> {
        let end = StoreTime::from_secs(BASE - MARGIN as u64);
        (0..ITEMS)
            .filter(|item| self.items[*item].concrete(false).is_claimable(end))
            .map(|item| {
                let (item, deceived) = (item as u8, false);
                self.with(number, Worker::Looked { item, ago: 0, clock_ago: 0, deceived })
            })
            .collect()
    }

    /// The worker writes what it makes of what it read. Perhaps it never hears that it did.
    fn takes(&self, number: usize, rules: &mut Rules) -> Vec<Self> {
        let Worker::Looked { item, ago, clock_ago, deceived } = self.workers[number] else {
            return Vec::new();
        };
        let before = self.items[item as usize];
        let Some(after) = rules.apply(before, Asked::Acquire { clock_ago }) else {
            return vec![self.with(number, Worker::Idle)];
        };
        let mut world = self.with(number, Worker::Idle).written(item, after);
        for other in &mut world.workers {
            if matches!(other, Worker::Holds { item: held, .. } if *held == item) {
                assert!(!other.may_send(), "taken from one that may send: {self:?}");
                // Its lease is an old one now.
                *other = Worker::Idle;
            }
        }
        if after.holder == Holder::Nobody {
            return vec![world];
        }
        let mut unheard = world;
        unheard.items[item as usize].holder = Holder::Gone;
        let (next, left) = (before.next, LENGTH - ago);
        vec![unheard, world.with(number, Worker::Holds { item, next, left, deceived })]
    }

    /// An item is written: what others read of it is old.
    fn written(mut self, place: u8, after: Item) -> Self {
        self.items[place as usize] = after;
        for worker in &mut self.workers {
            if matches!(worker, Worker::Looked { item, .. } if *item == place) {
                *worker = Worker::Idle;
            }
        }
        self
    }

    /// The worker has a bulk acknowledged, renews, or says a last word; the answer to a renewal may get lost.
    fn speaks(&self, number: usize, rules: &mut Rules) -> Vec<Self> {
        let Worker::Holds { item, next, left, deceived } = self.workers[number] else {
            return Vec::new();
        };
        let mut worlds = Vec::new();
        let before = self.items[item as usize];
        if next == 0 && left >= MARGIN {
            let sent = Worker::Holds { item, next: 1, left, deceived };
            worlds.push(self.with(number, sent));
        }
        let renewed = rules.apply(before, Asked::Renew { next });
        let after = renewed.expect("a lease that nobody took is renewed");
        let (world, left) = (self.written(item, after), after.ends.min(LENGTH));
        let heard = Worker::Holds { item, next, left, deceived: false };
        worlds.extend([world, world.with(number, heard)]);
        for word in WORDS {
            let Some(after) = rules.apply(before, Asked::Last { next, word }) else {
                assert!(word == Word::Complete && next == 0, "{word:?} is refused: {self:?}");
                continue;
            };
            worlds.push(self.written(item, after).with(number, Worker::Idle));
        }
        worlds
    }

    /// The one that stands for all worlds that differ in names only.
    fn canonical(mut self) -> Self {
        self.workers.sort_unstable();
        let mut other = Self { items: [self.items[1], self.items[0]], ..self };
        for worker in &mut other.workers {
            if let Worker::Looked { item, .. } | Worker::Holds { item, .. } = worker {
                *item = 1 - *item;
            }
        }
        other.workers.sort_unstable();
        self.min(other)
    }
}

/// All worlds there are, and what follows each: the ends of slices of one list.
struct Explored {
    worlds: Vec<World>,
    following: Vec<u32>,
    ends: Vec<usize>,
}

fn explore() -> Explored {
    let mut rules = Rules { rules: small(), known: HashMap::new() };
    let mut known: HashMap<u64, u32, BuildHasherDefault<KeyHasher>> = HashMap::default();
    known.insert(World::NEW.key(), 0);
    let mut explored = Explored { worlds: vec![World::NEW], following: vec![], ends: vec![] };
    while explored.ends.len() < explored.worlds.len() {
        let world = explored.worlds[explored.ends.len()];
        world.judge();
        for successor in world.successors(&mut rules) {
            let successor = successor.canonical();
            let place = *known.entry(successor.key()).or_insert_with(|| {
                explored.worlds.push(successor);
                explored.worlds.len() as u32 - 1
            });
            explored.following.push(place);
        }
        explored.ends.push(explored.following.len());
    }
    explored
}

/// Keys are different by construction: they only need to be spread.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Explored {
    /// A world from which none can be reached that is over.
    fn stuck(&self) -> Option<&World> {
        let mut can_end: Vec<_> = self.worlds.iter().map(World::is_over).collect();
        let mut has_changed = true;
        while std::mem::take(&mut has_changed) {
            for place in
                (0..can_end.len()).rev().filter(|place| !can_end[*place]).collect::<Vec<_>>()
            {
                let begin = if place == 0 { 0 } else { self.ends[place - 1] };
                let following = &self.following[begin..self.ends[place]];
                if following.iter().any(|next| can_end[*next as usize]) {
                    (can_end[place], has_changed) = (true, true);
                }
            }
        }
        can_end.iter().position(|can_end| !can_end).map(|place| &self.worlds[place])
    }

    fn count(&self, is: impl Fn(&World) -> bool) -> usize {
        self.worlds.iter().filter(|world| is(world)).count()
    }
}

#[test]
fn no_order_of_events_breaks_a_rule_and_from_everywhere_there_is_an_end() {
    let explored = explore();
    assert_eq!(explored.stuck(), None, "no end can be reached from here");
    let is = |world: &World, stage| world.items.iter().all(|item| item.stage == stage);
    let completed = explored.count(|world| is(world, Stage::Completed));
    let given_up = explored.count(|world| is(world, Stage::Quarantined));
    let struck = explored.count(|world| !world.may_crash && !world.may_jump);
    let (worlds, steps) = (explored.worlds.len(), explored.following.len());
    println!(
        "{worlds} worlds, {steps} steps; {completed} all completed, {given_up} all given up, {struck} after crash and jump"
    );
    assert!(completed > 0 && given_up > 0 && struck > 0);
}
