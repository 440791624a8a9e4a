//! Random sequences of events: whatever happens, in whatever order, the invariants hold.

use proptest::prelude::*;

use super::*;

const WORKERS: [&str; 3] = ["a", "b", "c"];

/// What a worker believes: its lease and how far it came. Kept when the lease is lost, to speak out of turn.
type Beliefs = [Option<(LeaseToken, u32)>; 3];

#[derive(Clone, Debug)]
enum Act {
    Wait(u64),
    ClockSetBack(u64),
    Acquire(usize),
    Speak { worker: usize, word: Word, ahead: u32 },
    Reap(usize),
    Reopen,
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Renew,
    Release,
    Complete,
    FailItem,
    FailOutside,
}

fn act() -> impl Strategy<Value = Act> {
    let word = prop_oneof![
        4 => Just(Word::Renew),
        1 => Just(Word::Release),
        2 => Just(Word::Complete),
        1 => Just(Word::FailItem),
        1 => Just(Word::FailOutside),
    ];
    prop_oneof![
        3 => (0..90_000_u64).prop_map(Act::Wait),
        1 => (0..9_000_u64).prop_map(Act::ClockSetBack),
        4 => (0..3_usize).prop_map(Act::Acquire),
        8 => (0..3_usize, word, 0..40_u32)
            .prop_map(|(worker, word, ahead)| Act::Speak { worker, word, ahead }),
        1 => (0..3_usize).prop_map(Act::Reap),
        1 => Just(Act::Reopen),
    ]
}

fn event(act: &Act, item: &WorkItem, beliefs: &Beliefs) -> Option<LeaseEvent> {
    Some(match act {
        Act::Wait(_) | Act::ClockSetBack(_) => return None,
        Act::Acquire(worker) => LeaseEvent::Acquire { worker: WORKERS[*worker].into() },
        Act::Reap(worker) => LeaseEvent::Reap { holder: WORKERS[*worker].into() },
        Act::Reopen => LeaseEvent::Reopen,
        Act::Speak { worker, word, ahead } => {
            let (lease, from) = beliefs[*worker].clone()?;
            let progress = at(item, (from + ahead).min(item.end + 1));
            let end = at(item, item.end);
            match word {
                Word::Renew => LeaseEvent::Renew { lease, progress },
                Word::Release => LeaseEvent::Release { lease, progress },
                Word::Complete => {
                    LeaseEvent::Complete { lease, progress: end, live: 100 + u64::from(ahead % 2) }
                }
                Word::FailItem | Word::FailOutside => LeaseEvent::Fail {
                    lease,
                    cause: match word {
                        Word::FailItem => FailureCause::Item,
                        _ => FailureCause::Outside,
                    },
                    reason: "bad".into(),
                    progress,
                },
            }
        }
    })
}

fn check(before: &WorkItem, after: &WorkItem, event: &LeaseEvent, now: StoreTime) {
    assert!(after.checkpoint.next >= before.checkpoint.next, "the checkpoint went back");
    assert!(after.checkpoint.sent >= before.checkpoint.sent, "what was sent was forgotten");
    assert!(after.checkpoint.next <= after.checkpoint.sent && after.checkpoint.sent <= after.end);
    let prefix = u64::from(after.checkpoint.next - after.first);
    assert!(after.books.accounted() <= prefix, "the books run ahead of the checkpoint");
    assert!(after.lease_version >= before.lease_version);
    assert_eq!(after.lease_holder.is_none(), after.expiration == StoreTime::ZERO);
    if before.is_completed() {
        assert_eq!(after, before, "a completed item changed");
    }
    if after.is_completed() {
        assert_eq!(after.checkpoint.next, after.end);
        assert_eq!(Some(after.books.accounted()), after.live);
        assert!(after.lease_holder.is_none() && !after.quarantined);
    }
    if after.quarantined {
        assert!(after.lease_holder.is_none() && after.last_error.is_some());
        assert!(after.attempts >= rules().max_attempts || after.deaths >= rules().max_deaths);
    }
    if after.lease_version > before.lease_version {
        let free = before.lease_holder.is_none() || now.minus(rules().margin) > before.expiration;
        assert!(free && matches!(event, LeaseEvent::Acquire { .. }), "a running lease was taken");
    } else if after.lease_holder.is_some() {
        assert_eq!(after.lease_holder, before.lease_holder, "a holder without a lease");
    }
    let json = after.to_json().unwrap();
    assert_eq!(&WorkItem::from_json(&json).unwrap(), after, "JSON loses something");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_invariants_hold(acts in prop::collection::vec(act(), 1..60)) {
        let mut item = item();
        let mut now = NOW;
        let mut beliefs = Beliefs::default();
        for act in acts {
            match act {
                Act::Wait(by) => now = StoreTime(now.0 + by),
                Act::ClockSetBack(by) => now = StoreTime(now.0 - by.min(now.0)),
                _ => {}
            }
            let Some(event) = event(&act, &item, &beliefs) else { continue };
            let Ok(after) = apply(&item, now, &event, &rules()) else { continue };
            check(&item, &after, &event, now);
            match act {
                Act::Acquire(worker) if after.lease_holder.is_some() => {
                    beliefs[worker] = Some((token(&after), after.checkpoint.next));
                }
                Act::Speak { worker, .. } => {
                    let next = after.checkpoint.next;
                    if let Some((_, from)) = &mut beliefs[worker] { *from = next; }
                }
                _ => {}
            }
            item = after;
        }
    }

    #[test]
    fn an_item_is_done_after_enough_honest_tenures(steps in prop::collection::vec(1..40_u32, 1..20)) {
        let mut item = item();
        for step in steps {
            item = acquired(&item, "w", NOW).unwrap();
            let next = (item.checkpoint.next + step).min(item.end);
            item = failed(&item, FailureCause::Item, next);
            prop_assert!(!item.quarantined || next == item.end, "progress was held against it");
            if next == item.end { break; }
        }
        if item.checkpoint.next < item.end || !item.quarantined {
            let item = acquired(&item, "w", NOW).unwrap();
            prop_assert!(completed(&item, &token(&item), 100).unwrap().is_completed());
        }
    }
}
