//! Whether to send at all: a pure rule over what the target's health says and what bulks were answered.
//!
//! | reason | pauses when | goes on when |
//! |---|---|---|
//! | red | the cluster is red, and so is an index that is being filled, or that cannot be told | that is over |
//! | writes blocked | the service says that the cluster takes no writes | that is over |
//! | write queue | on some node it is filled to 90 % or more, twice in a row | it is at most at 50 % |
//! | heap | on some node 92 % or more is in use, twice in a row | below 85 %, or after a minute for a trial |
//! | block | a bulk is answered with the flood-stage watermark's block | the watermark is no longer passed, for a trial |
//!
//! Sending goes on after two good looks in a row. A heap that nobody uses is not collected, hence the trial; so is a block
//! that health tells nothing about. A trial that meets the block again pauses for twice as long as the one before.
//!
//! The flood-stage watermark alone is no reason: the full node may hold nothing of ours. A look that fails is none either. One
//! that keeps failing ends a pause: the bulks' own errors say more then.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::cluster::{ClusterHealth, DiskWatermark, HealthStatus};

/// Between two looks while all is well.
const WELL: Duration = Duration::from_secs(5);

/// Before the first look, between two looks that matter, and the first wait of a pause.
const SOON: Duration = Duration::from_secs(1);

/// Between two looks of a long pause.
const SELDOM: Duration = Duration::from_secs(30);

/// Looks in a row that it takes to pause for what comes and goes by nature.
const BAD_LOOKS: u32 = 2;

/// Looks in a row that it takes to go on.
const GOOD_LOOKS: u32 = 2;

/// Looks in vain after which a pause ends.
const BLIND_LOOKS: u32 = 10;

const QUEUE_PAUSE: u8 = 90;
const QUEUE_RESUME: u8 = 50;
const HEAP_PAUSE: u8 = 92;
const HEAP_RESUME: u8 = 85;

/// A heap keeps a pause no longer than this.
const HEAP_TRIAL: Duration = Duration::from_secs(60);

/// The first pause for a block, and the longest.
const BLOCK_PAUSE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// Why nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PauseReason {
    Red,
    WritesBlocked,
    WriteQueue(u8),
    Heap(u8),
    Blocked(Arc<str>),
}

impl fmt::Display for PauseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Red => {
                f.write_str("the target is red: shards of an index that is filled are not there")
            }
            Self::WritesBlocked => f.write_str(
                "the target takes no writes, for want of disk or memory: free space or give it larger nodes",
            ),
            Self::WriteQueue(percent) => {
                write!(f, "the target's write queue is full ({percent} %)")
            }
            Self::Heap(percent) => {
                write!(f, "the target is short of memory ({percent} % of the heap in use)")
            }
            Self::Blocked(index) => write!(
                f,
                "the target takes no documents for {index}: a disk is past the flood-stage watermark; free space on it"
            ),
        }
    }
}

/// What a look at the target's health gave.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sight<'a> {
    /// Its health, and whether it concerns us if it is red.
    Seen { health: &'a ClusterHealth, concerns_us: bool },
    /// It cannot be told now.
    Blind,
    /// It will not be told.
    Denied,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing begins any more.
    Paused(PauseReason),
    /// Bulks may begin again.
    Resumed {
        /// How long none did.
        after: Duration,
    },
}

/// The rule and what it remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circuit {
    pause: Option<Pause>,
    looked: bool,
    bad_looks: u32,
    block: Option<Block>,
}

#[derive(Clone, Debug)]
struct Pause {
    reason: PauseReason,
    since: Duration,
    wait: Duration,
    good_looks: u32,
    blind_looks: u32,
}

/// An index that refused documents and has taken none since.
#[derive(Clone, Debug)]
struct Block {
    index: Arc<str>,
    pause: Duration,
    until: Duration,
}

impl Circuit {
    /// Why nothing is sent, if so.
    pub(crate) fn paused(&self) -> Option<&PauseReason> {
        self.pause.as_ref().map(|pause| &pause.reason)
    }

    /// When to look next.
    pub(crate) fn next_look(&self) -> Duration {
        match &self.pause {
            Some(pause) => pause.wait,
            None if self.looked && self.bad_looks == 0 => WELL,
            None => SOON,
        }
    }

    /// Takes a look in.
    pub(crate) fn look(&mut self, sight: Sight<'_>, now: Duration) -> Option<Turn> {
        self.looked = true;
        let trouble = match sight {
            Sight::Seen { health, concerns_us } => self.trouble(health, concerns_us),
            Sight::Blind => return self.look_in_vain(now),
            Sight::Denied => None,
        };
        match (&mut self.pause, trouble) {
            (None, None) => self.bad_looks = 0,
            (None, Some(reason)) => {
                self.bad_looks += 1;
                let comes_and_goes =
                    matches!(reason, PauseReason::WriteQueue(_) | PauseReason::Heap(_));
                if !comes_and_goes || self.bad_looks >= BAD_LOOKS {
                    return Some(self.pause_for(reason, now));
                }
            }
            (Some(pause), Some(reason)) => {
                pause.blind_looks = 0;
                pause.good_looks = 0;
                pause.wait = (pause.wait * 2).min(SELDOM);
                let is_heap = matches!(reason, PauseReason::Heap(_));
                pause.reason = reason;
                if is_heap && now.saturating_sub(pause.since) >= HEAP_TRIAL {
                    return self.resume(now);
                }
            }
            (Some(pause), None) => {
                pause.blind_looks = 0;
                pause.good_looks += 1;
                pause.wait = SOON;
                let blocked = self.block.as_ref().is_some_and(|block| now < block.until);
                if pause.good_looks >= GOOD_LOOKS && !blocked {
                    return self.resume(now);
                }
            }
        }
        None
    }

    /// A bulk was answered with a block of `index`. What was out together with it says nothing new.
    pub(crate) fn blocked(&mut self, index: &Arc<str>, now: Duration) -> Option<Turn> {
        if self.pause.is_some() {
            return None;
        }
        let [first, longest] = BLOCK_PAUSE;
        let pause = self.block.as_ref().map_or(first, |block| (block.pause * 2).min(longest));
        let until = now.saturating_add(pause);
        self.block = Some(Block { index: Arc::clone(index), pause, until });
        Some(self.pause_for(PauseReason::Blocked(Arc::clone(index)), now))
    }

    /// A bulk for `index` was taken.
    pub(crate) fn accepted(&mut self, index: &str) {
        if self.block.as_ref().is_some_and(|block| &*block.index == index) && self.pause.is_none() {
            self.block = None;
        }
    }

    fn trouble(&self, health: &ClusterHealth, concerns_us: bool) -> Option<PauseReason> {
        let (queue, heap) = match self.pause {
            Some(_) => (QUEUE_RESUME + 1, HEAP_RESUME),
            None => (QUEUE_PAUSE, HEAP_PAUSE),
        };
        if health.status == HealthStatus::Red && concerns_us {
            return Some(PauseReason::Red);
        }
        if health.disk_watermark == Some(DiskWatermark::FloodStage)
            && let Some(block) = &self.block
        {
            return Some(PauseReason::Blocked(Arc::clone(&block.index)));
        }
        if health.writes_blocked == Some(true) {
            return Some(PauseReason::WritesBlocked);
        }
        if let Some(percent) = health.write_queue_percent.filter(|percent| *percent >= queue) {
            return Some(PauseReason::WriteQueue(percent));
        }
        health.heap_percent.filter(|percent| *percent >= heap).map(PauseReason::Heap)
    }

    fn look_in_vain(&mut self, now: Duration) -> Option<Turn> {
        let pause = self.pause.as_mut()?;
        pause.wait = (pause.wait * 2).min(SELDOM);
        pause.blind_looks += 1;
        if pause.blind_looks < BLIND_LOOKS {
            return None;
        }
        self.resume(now)
    }

    fn pause_for(&mut self, reason: PauseReason, now: Duration) -> Turn {
        self.bad_looks = 0;
        self.pause = Some(Pause {
            reason: reason.clone(),
            since: now,
            wait: SOON,
            good_looks: 0,
            blind_looks: 0,
        });
        Turn::Paused(reason)
    }

    fn resume(&mut self, now: Duration) -> Option<Turn> {
        let pause = self.pause.take()?;
        Some(Turn::Resumed { after: now.saturating_sub(pause.since) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn health(change: impl FnOnce(&mut ClusterHealth)) -> ClusterHealth {
        let mut health = ClusterHealth::of(HealthStatus::Green);
        change(&mut health);
        health
    }

    /// A circuit and the time, which passes as the circuit wants it.
    #[derive(Default)]
    struct Watch {
        circuit: Circuit,
        now: Duration,
    }

    impl Watch {
        fn see(&mut self, health: &ClusterHealth) -> Option<Turn> {
            self.look(Sight::Seen { health, concerns_us: true })
        }

        fn look(&mut self, sight: Sight<'_>) -> Option<Turn> {
            self.now += self.circuit.next_look();
            self.circuit.look(sight, self.now)
        }

        fn is_paused(&self) -> bool {
            self.circuit.paused().is_some()
        }

        /// Looks at the same health until there is a turn; says after how long.
        fn until_turn(&mut self, health: &ClusterHealth) -> Duration {
            let start = self.now;
            for _ in 0..1000 {
                if self.see(health).is_some() {
                    return self.now - start;
                }
            }
            panic!("no turn with {health:?}")
        }
    }

    #[test]
    fn red_pauses_at_once_where_it_concerns_us_and_two_good_looks_go_on() {
        let (red, green) =
            (ClusterHealth::of(HealthStatus::Red), ClusterHealth::of(HealthStatus::Green));
        let mut watch = Watch::default();
        assert_eq!(watch.look(Sight::Seen { health: &red, concerns_us: false }), None);
        assert_eq!(watch.see(&red), Some(Turn::Paused(PauseReason::Red)));
        assert_eq!(watch.see(&red), None);
        assert_eq!(watch.see(&green), None);
        assert_eq!(watch.see(&red), None, "the good looks are to be in a row");
        assert_eq!(watch.see(&green), None);
        assert!(matches!(watch.see(&green), Some(Turn::Resumed { .. })));
        assert!(!watch.is_paused());
    }

    #[test]
    fn a_full_queue_pauses_when_it_stays_full_and_goes_on_when_it_is_half_empty() {
        let queue = |percent| health(|health| health.write_queue_percent = Some(percent));
        let mut watch = Watch::default();
        for percent in [95, 20, 95, 20] {
            assert_eq!(watch.see(&queue(percent)), None, "a spike");
        }
        assert_eq!(watch.see(&queue(95)), None);
        assert_eq!(watch.see(&queue(90)), Some(Turn::Paused(PauseReason::WriteQueue(90))));
        for _ in 0..5 {
            assert_eq!(watch.see(&queue(60)), None, "not yet: it would fill at once");
        }
        watch.until_turn(&queue(50));
        assert_eq!(watch.see(&queue(60)), None);
        assert!(!watch.is_paused());
    }

    #[test]
    fn a_heap_that_nobody_collects_gets_a_trial_after_a_minute() {
        let heap = |percent| health(|health| health.heap_percent = Some(percent));
        let mut watch = Watch::default();
        watch.see(&heap(95));
        assert!(matches!(watch.see(&heap(95)), Some(Turn::Paused(PauseReason::Heap(95)))));
        let paused = watch.until_turn(&heap(95));
        assert!(paused >= HEAP_TRIAL && paused < HEAP_TRIAL * 2, "{paused:?}");
        assert!(watch.until_turn(&heap(95)) > Duration::ZERO, "and pauses again");
        assert!(watch.until_turn(&heap(80)) <= SOON * 3);
    }

    #[test]
    fn a_block_waits_for_the_watermark_and_then_tries() {
        let full = health(|health| health.disk_watermark = Some(DiskWatermark::FloodStage));
        let high = health(|health| health.disk_watermark = Some(DiskWatermark::High));
        let mut watch = Watch::default();
        assert_eq!(watch.see(&full), None, "the full node may hold nothing of ours");
        let index: Arc<str> = "books".into();
        assert!(matches!(watch.circuit.blocked(&index, watch.now), Some(Turn::Paused(_))));
        assert_eq!(watch.circuit.blocked(&index, watch.now), None, "of the same burst");
        for _ in 0..50 {
            assert_eq!(watch.see(&full), None);
        }
        watch.until_turn(&high);
        watch.circuit.accepted("other");
        assert!(watch.circuit.block.is_some());
        watch.circuit.accepted("books");
        assert_eq!(watch.see(&full), None, "over and forgotten");
    }

    #[test]
    fn a_cluster_that_says_it_takes_no_writes_gets_none_until_it_says_that_it_does() {
        let blocked = |is| health(|health| health.writes_blocked = is);
        for over in [Some(false), None] {
            let mut watch = Watch::default();
            assert_eq!(watch.see(&blocked(over)), None);
            let turn = watch.see(&blocked(Some(true)));
            assert_eq!(turn, Some(Turn::Paused(PauseReason::WritesBlocked)), "at once");
            for _ in 0..50 {
                assert_eq!(watch.see(&blocked(Some(true))), None);
            }
            let reason = watch.circuit.paused().map(ToString::to_string);
            assert!(reason.is_some_and(|reason| reason.contains("takes no writes")));
            assert_eq!(watch.see(&blocked(over)), None);
            assert!(matches!(watch.see(&blocked(over)), Some(Turn::Resumed { .. })));
        }
    }

    #[test]
    fn a_block_that_health_does_not_tell_of_is_tried_after_longer_and_longer_waits() {
        let well = ClusterHealth::of(HealthStatus::Green);
        let mut watch = Watch::default();
        let mut pauses = Vec::new();
        for _ in 0..6 {
            watch.circuit.blocked(&"books".into(), watch.now);
            pauses.push(watch.until_turn(&well).as_secs());
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn looks_that_fail_neither_pause_nor_keep_a_pause_for_ever() {
        let red = ClusterHealth::of(HealthStatus::Red);
        let mut watch = Watch::default();
        for _ in 0..100 {
            assert_eq!(watch.look(Sight::Blind), None);
        }
        watch.see(&red);
        let turns = (0..BLIND_LOOKS).filter_map(|_| watch.look(Sight::Blind)).count();
        assert_eq!((turns, watch.is_paused()), (1, false));
        watch.see(&red);
        assert!(watch.look(Sight::Denied).is_none() && watch.look(Sight::Denied).is_some());
    }

    #[test]
    fn waits_grow_while_it_is_not_well() {
        let red = ClusterHealth::of(HealthStatus::Red);
        let mut watch = Watch::default();
        let waits: Vec<u64> = (0..8)
            .map(|_| {
                watch.see(&red);
                watch.circuit.next_look().as_secs()
            })
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    proptest! {
        /// Whatever is seen: every pause has an end once the target is well, turns alternate, and a figure between the two
        /// limits never makes one.
        #[test]
        fn it_always_comes_back_and_does_not_flap(seen in prop::collection::vec((0_u8..=100, 0_u8..=100, any::<bool>(), any::<bool>()), 0..80)) {
            let mut watch = Watch::default();
            for (queue, heap, red, blocked) in seen {
                let status = if red { HealthStatus::Red } else { HealthStatus::Yellow };
                let mut health = ClusterHealth::of(status);
                (health.write_queue_percent, health.heap_percent) = (Some(queue), Some(heap));
                let before = watch.is_paused();
                if blocked {
                    let turn = watch.circuit.blocked(&"a".into(), watch.now);
                    prop_assert_eq!(turn.is_some(), !before);
                }
                let before = watch.is_paused();
                let turn = watch.see(&health);
                prop_assert_eq!(turn.is_some(), before != watch.is_paused());
                if !red && (QUEUE_RESUME + 1..QUEUE_PAUSE).contains(&queue) && heap < HEAP_RESUME {
                    prop_assert!(turn.is_none());
                }
            }
            if watch.is_paused() {
                let well = ClusterHealth::of(HealthStatus::Green);
                prop_assert!(watch.until_turn(&well) <= BLOCK_PAUSE[1] + SELDOM * 3);
            }
        }
    }
}
