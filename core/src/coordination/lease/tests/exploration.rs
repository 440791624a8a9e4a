//! Every order of events up to a depth, with a small model of workers that read, think and compare-and-set: two items,
//! three workers, a clock that ticks at any moment, a worker that dies at any moment.

use std::collections::{BTreeSet, VecDeque};

use super::*;

const DEPTH: usize = 9;
const WORKERS: [&str; 3] = ["a", "b", "c"];

/// A lease as its worker knows it: what it wrote last, and until when it may rely on it.
#[derive(Clone, Debug)]
struct Belief {
    item: usize,
    /// The item as the worker last saw it; with its version, what a compare-and-set would compare.
    seen: WorkItem,
    version: u64,
}

#[derive(Clone, Debug)]
struct World {
    now: StoreTime,
    items: Vec<(WorkItem, u64)>,
    workers: [Option<Belief>; 3],
    /// A worker that has read a free item and not yet written: the window in which others may come first.
    about_to: [Option<(usize, WorkItem, u64)>; 3],
}

fn small() -> LeaseRules {
    LeaseRules {
        length: Duration::from_secs(2),
        margin: Duration::from_secs(1),
        max_attempts: 1,
        max_deaths: 2,
    }
}

impl World {
    fn new() -> Self {
        let item =
            |shard| (WorkItem { sort_key: u64::from(shard), ..WorkItem::new("x", shard, 0..1) }, 0);
        Self {
            now: StoreTime::from_secs(10),
            items: vec![item(0), item(1)],
            workers: [None, None, None],
            about_to: [None, None, None],
        }
    }

    /// Workers do the same things: worlds that differ only in which one is about to do what are one world.
    fn key(&self) -> String {
        let mut workers: Vec<String> = (0..3)
            .map(|worker| {
                let text = format!("{:?}{:?}", self.workers[worker], self.about_to[worker]);
                text.replace(&format!("\"{}\"", WORKERS[worker]), "\"*\"")
            })
            .collect();
        workers.sort();
        format!("{:?}{:?}{workers:?}", self.now, self.items)
    }

    fn set(&mut self, place: usize, after: WorkItem, expected: u64) -> bool {
        let (item, version) = &mut self.items[place];
        if *version != expected {
            return false;
        }
        assert!(!item.is_completed() || *item == after, "a completed item changed");
        assert!(after.checkpoint.next >= item.checkpoint.next);
        (*item, *version) = (after, expected + 1);
        true
    }

    /// No worker relies on a lease that the store gave to another.
    fn check(&self) {
        for belief in self.workers.iter().flatten() {
            let (stored, _) = &self.items[belief.item];
            if belief.seen.expiration.plus(small().margin) >= self.now {
                assert_eq!(token(stored), token(&belief.seen), "two workers hold one item");
            }
        }
    }

    fn successors(&self) -> Vec<Self> {
        let mut worlds = vec![Self { now: self.now.plus(Duration::from_secs(2)), ..self.clone() }];
        for worker in 0..3 {
            match (&self.workers[worker], &self.about_to[worker]) {
                (Some(belief), _) => worlds.extend(self.speak(worker, belief)),
                (None, Some(read)) => worlds.push(self.write(worker, read.clone())),
                (None, None) => worlds.extend(self.look(worker)),
            }
        }
        worlds
    }

    /// The worker reads a claimable item.
    fn look(&self, worker: usize) -> Vec<Self> {
        let mut worlds = Vec::new();
        for (place, (item, version)) in self.items.iter().enumerate() {
            if item.is_claimable(self.now.minus(small().margin)) {
                let mut world = self.clone();
                world.about_to[worker] = Some((place, item.clone(), *version));
                worlds.push(world);
            }
        }
        worlds
    }

    /// The worker writes what it makes of what it read, if it is still the first.
    fn write(&self, worker: usize, (place, item, version): (usize, WorkItem, u64)) -> Self {
        let mut world = self.clone();
        world.about_to[worker] = None;
        let event = LeaseEvent::Acquire { worker: WORKERS[worker].into() };
        if let Ok(after) = apply(&item, self.now, &event, &small())
            && world.set(place, after.clone(), version)
            && after.lease_holder.is_some()
        {
            let belief = Belief { item: place, seen: after, version: version + 1 };
            world.workers[worker] = Some(belief);
        }
        world
    }

    /// The worker renews, completes, fails, or dies, with what it knows.
    fn speak(&self, worker: usize, belief: &Belief) -> Vec<Self> {
        let lease = token(&belief.seen);
        let same = Progress::of(&belief.seen);
        let words = [
            LeaseEvent::Renew { lease: lease.clone(), progress: same.clone() },
            LeaseEvent::Complete { lease: lease.clone(), progress: at(&belief.seen, 1), live: 1 },
            LeaseEvent::Fail {
                lease,
                cause: FailureCause::Item,
                reason: "bad".into(),
                progress: same,
            },
        ];
        let mut worlds: Vec<Self> = words
            .iter()
            .map(|event| {
                let mut world = self.clone();
                world.workers[worker] = None;
                if let Ok(after) = apply(&belief.seen, self.now, event, &small())
                    && world.set(belief.item, after.clone(), belief.version)
                    && after.lease_holder.is_some()
                {
                    let version = belief.version + 1;
                    world.workers[worker] = Some(Belief { seen: after, version, ..*belief });
                }
                world
            })
            .collect();
        let mut dead = self.clone();
        dead.workers[worker] = None;
        worlds.push(dead);
        worlds
    }
}

#[test]
fn no_order_of_events_gives_an_item_to_two_workers() {
    let mut known = BTreeSet::new();
    let mut queue = VecDeque::from([(World::new(), 0)]);
    let (mut finished, mut given_up) = (0, 0);
    while let Some((world, depth)) = queue.pop_front() {
        world.check();
        finished += usize::from(world.items.iter().all(|(item, _)| item.is_completed()));
        given_up += usize::from(world.items.iter().any(|(item, _)| item.quarantined));
        if depth == DEPTH {
            continue;
        }
        for next in world.successors() {
            if known.insert(next.key()) {
                queue.push_back((next, depth + 1));
            }
        }
    }
    assert!(known.len() > 10_000, "the exploration is too small: {}", known.len());
    assert!(finished > 0 && given_up > 0, "the exploration misses endings");
}
