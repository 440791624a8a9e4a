//! The rule by tables, and what holds whatever happens.

use proptest::prelude::*;

use super::super::look::FleetLook;
use super::*;
use crate::cluster::{ClusterHealth, DiskWatermark};

const SETTLE: u64 = 60;

fn health(change: impl FnOnce(&mut ClusterHealth)) -> ClusterHealth {
    let mut health = ClusterHealth::of(HealthStatus::Green);
    health.data_nodes = Some(3);
    change(&mut health);
    health
}

fn well() -> ClusterHealth {
    health(|_| {})
}

/// A fleet whose workers are all up and have work.
fn fleet(workers: usize) -> FleetLook {
    FleetLook { running: workers, unclaimed: Some(100), moves: true, ..FleetLook::default() }
}

fn look(seconds: u64, health: ClusterHealth, fleet: FleetLook) -> Look {
    Look { at: Duration::from_secs(seconds), sight: Sight::Seen(health), fleet }
}

/// A fleet that obeys, looked at every ten seconds.
struct Play {
    gate: Gate,
    seconds: u64,
    workers: usize,
}

impl Play {
    fn new(workers: usize, goal: usize, step: StepSize) -> Self {
        let options = GradualOptions {
            step,
            settle: Duration::from_secs(SETTLE),
            ..GradualOptions::default()
        };
        Self { gate: Gate::new(goal, options), seconds: 1000, workers }
    }

    fn look(&mut self, health: ClusterHealth) -> Verdict {
        self.look_with(health, |_| {})
    }

    fn look_with(&mut self, health: ClusterHealth, change: impl FnOnce(&mut FleetLook)) -> Verdict {
        let mut fleet = fleet(self.workers);
        change(&mut fleet);
        let verdict = self.gate.decide(&look(self.seconds, health, fleet), self.workers);
        self.seconds += 10;
        self.workers = verdict.workers;
        verdict
    }

    /// The sizes it takes within so many looks at a target whose health follows from the size.
    fn sizes(&mut self, looks: usize, health: impl Fn(usize) -> ClusterHealth) -> Vec<usize> {
        let mut sizes = vec![self.workers];
        for _ in 0..looks {
            let verdict = self.look(health(self.workers));
            if sizes.last() != Some(&verdict.workers) {
                sizes.push(verdict.workers);
            }
            if verdict.action == ScaleAction::Done {
                break;
            }
        }
        sizes
    }
}

#[test]
fn a_target_that_is_well_gets_the_goal_by_steps() {
    let cases: [(usize, usize, StepSize, &[usize]); 7] = [
        (0, 10, StepSize::Double, &[0, 1, 2, 4, 8, 10]),
        (3, 10, StepSize::Double, &[3, 6, 10]),
        (0, 3, StepSize::By(1), &[0, 1, 2, 3]),
        (1, 10, StepSize::By(4), &[1, 5, 9, 10]),
        (1, 3, StepSize::By(0), &[1, 2, 3]),
        (10, 3, StepSize::Double, &[10, 3]),
        (4, 0, StepSize::Double, &[4, 0]),
    ];
    for (from, goal, step, expected) in cases {
        let mut play = Play::new(from, goal, step);
        assert_eq!(play.sizes(100, |_| well()), expected, "{from} to {goal} by {step:?}");
        assert_eq!(play.look(well()).action, ScaleAction::Done);
    }
}

#[test]
fn a_step_settles_before_the_next_and_before_the_end() {
    let mut play = Play::new(1, 2, StepSize::Double);
    let mut actions = Vec::new();
    for _ in 0..14 {
        actions.push(play.look(well()).action);
    }
    let (up, done) = (6, 13);
    for (place, action) in actions.into_iter().enumerate() {
        let expected = match place {
            _ if place == up => ScaleAction::Up,
            _ if place == done => ScaleAction::Done,
            _ => ScaleAction::Hold,
        };
        assert_eq!(action, expected, "look {place}");
    }
}

/// What a look finds after the target was seen well for long: hold, or step back after the second such look.
#[test]
fn every_sign_holds_or_steps_back_and_says_why() {
    type Change = fn(&mut ClusterHealth);
    let cases: [(Change, ScaleAction, &str); 20] = [
        (|health| health.status = HealthStatus::Red, ScaleAction::Down, "red"),
        (|health| health.status = HealthStatus::Yellow, ScaleAction::Hold, "yellow"),
        (|health| health.writes_blocked = Some(true), ScaleAction::Down, "no writes"),
        (
            |health| health.write_queue_percent = Some(51),
            ScaleAction::Hold,
            "queue is filled to 51 %",
        ),
        (
            |health| health.write_queue_percent = Some(75),
            ScaleAction::Down,
            "queue is filled to 75 %",
        ),
        (|health| health.write_queue = Some(303), ScaleAction::Hold, "101 bulk requests wait"),
        (|health| health.write_queue = Some(1500), ScaleAction::Down, "500 bulk requests wait"),
        (|health| health.heap_percent = Some(86), ScaleAction::Hold, "86 % of the target's heap"),
        (|health| health.heap_percent = Some(93), ScaleAction::Down, "93 % of the target's heap"),
        (|health| health.cpu_percent = Some(81), ScaleAction::Hold, "81 % busy"),
        (|health| health.cpu_percent = Some(90), ScaleAction::Down, "90 % busy"),
        (|health| health.disk_watermark = Some(DiskWatermark::High), ScaleAction::Hold, "high"),
        (
            |health| health.disk_watermark = Some(DiskWatermark::FloodStage),
            ScaleAction::Down,
            "flood-stage",
        ),
        (|health| health.free_disk_bytes = Some(9 << 30), ScaleAction::Hold, "9216 MB"),
        (|health| health.free_disk_bytes = Some(1 << 30), ScaleAction::Down, "1024 MB"),
        (|health| health.write_rejections = Some(11), ScaleAction::Hold, "refused 1 bulk"),
        (|health| health.write_rejections = Some(22), ScaleAction::Down, "refused 12 bulk"),
        // These are well.
        (|health| health.disk_watermark = Some(DiskWatermark::Low), ScaleAction::Up, "well"),
        (|health| health.write_queue_percent = Some(50), ScaleAction::Up, "well"),
        (
            |health| (health.disk_percent, health.free_disk_bytes) = (Some(80), Some(1 << 30)),
            ScaleAction::Up,
            "well",
        ),
    ];
    for (change, action, reason) in cases {
        let mut play = Play::new(4, 8, StepSize::Double);
        for _ in 0..5 {
            play.look(health(|health| health.write_rejections = Some(10)));
        }
        let sick = health(|health| {
            health.write_rejections = Some(10);
            change(health);
        });
        let first = play.look(sick.clone());
        assert_eq!(first.action, ScaleAction::Hold, "{reason}");
        let verdict = play.look(sick);
        assert_eq!(verdict.action, action, "{reason}");
        assert!(verdict.cause.to_string().contains(reason), "{reason}: {}", verdict.cause);
        let workers = match action {
            ScaleAction::Down => 2,
            ScaleAction::Up => 8,
            _ => 4,
        };
        assert_eq!(verdict.workers, workers, "{reason}");
    }
}

#[test]
fn what_the_workers_say_counts_also_where_the_target_says_nothing() {
    type Change = fn(&mut FleetLook);
    let cases: [(Change, ScaleAction, &str); 6] = [
        (|fleet| fleet.paused = Some("red".into()), ScaleAction::Down, "send nothing: red"),
        (|fleet| fleet.refused = 5, ScaleAction::Hold, "refused 5 bulk"),
        (|fleet| fleet.refused = 12, ScaleAction::Down, "refused 12 bulk"),
        (|fleet| (fleet.refused, fleet.moves) = (1, false), ScaleAction::Down, "refused 1 bulk"),
        (|fleet| fleet.throttled = true, ScaleAction::Hold, "one bulk request at a time"),
        (|_| {}, ScaleAction::Up, "meet no trouble"),
    ];
    for (change, action, reason) in cases {
        let mut play = Play::new(4, 8, StepSize::Double);
        let mut decide = |change: Change| {
            let mut fleet = fleet(4);
            change(&mut fleet);
            let look = Look { sight: Sight::Denied, ..look(play.seconds, well(), fleet) };
            play.seconds += 10;
            play.gate.decide(&look, 4)
        };
        for _ in 0..5 {
            decide(|_| {});
        }
        decide(change);
        let verdict = decide(change);
        assert_eq!(verdict.action, action, "{reason}");
        assert!(verdict.cause.to_string().contains(reason), "{reason}: {}", verdict.cause);
    }
}

#[test]
fn yellow_is_no_reason_where_it_was_so_before_on_a_single_node_or_when_allowed() {
    let yellow = |nodes| {
        health(|health| {
            (health.status, health.data_nodes) = (HealthStatus::Yellow, nodes);
        })
    };
    let mut before = Play::new(1, 4, StepSize::Double);
    assert_eq!(before.sizes(100, |_| yellow(Some(3))), [1, 2, 4]);
    let mut single = Play::new(1, 4, StepSize::Double);
    single.look(well());
    assert_eq!(single.sizes(100, |_| yellow(Some(1))), [1, 2, 4]);
    let mut allowed = Play::new(1, 4, StepSize::Double);
    allowed.gate.options.worst_status = HealthStatus::Yellow;
    allowed.look(well());
    assert_eq!(allowed.sizes(100, |_| yellow(Some(3))), [1, 2, 4]);
    let mut minded = Play::new(1, 4, StepSize::Double);
    minded.look(well());
    assert_eq!(minded.sizes(100, |_| yellow(Some(3))), [1]);
}

#[test]
fn a_target_that_keeps_silent_is_taken_to_be_overloaded() {
    let mut gate = Gate::new(8, GradualOptions::default());
    let actions: Vec<_> = (0..4_u64)
        .map(|place| {
            let sight = Sight::Blind("no answer".into());
            let look = Look { sight, ..look(place * 10, well(), fleet(4)) };
            gate.decide(&look, 4).action
        })
        .collect();
    let (hold, down) = (ScaleAction::Hold, ScaleAction::Down);
    assert_eq!(actions, [hold, hold, down, hold]);
}

#[test]
fn nothing_is_added_while_workers_are_on_their_way_or_nothing_waits_for_them() {
    let mut play = Play::new(2, 8, StepSize::Double);
    for _ in 0..20 {
        let verdict = play.look_with(well(), |fleet| (fleet.running, fleet.pending) = (1, 1));
        assert_eq!((verdict.action, verdict.cause), (ScaleAction::Hold, Cause::OnTheirWay(1)));
    }
    let verdicts: Vec<_> =
        (0..20).map(|_| play.look_with(well(), |fleet| fleet.unclaimed = Some(0))).collect();
    assert_eq!(verdicts.last().map(|verdict| &verdict.cause), Some(&Cause::NothingWaits));
    assert!(verdicts.iter().all(|verdict| verdict.action == ScaleAction::Hold));
    assert_eq!(play.look(well()).workers, 4, "work that waits again is reason enough");
}

#[test]
fn it_steps_back_as_long_as_it_must_and_recovers_with_the_target() {
    let mut play = Play::new(1, 10, StepSize::Double);
    assert_eq!(play.sizes(22, |_| well()), [1, 2, 4, 8]);
    let red = || health(|health| health.status = HealthStatus::Red);
    assert_eq!(play.sizes(60, |_| red()), [8, 4, 2, 1], "and never to nothing");
    let recovered = play.sizes(100, |_| well());
    assert_eq!(
        recovered,
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "one at a time towards what was too much"
    );
}

proptest! {
    /// Whatever is seen: the size stays between one and the goal, changes come one at a time, nothing is added unless the
    /// target was well for as long as a step settles, and no step is larger than was asked for.
    #[test]
    fn the_rule_keeps_its_promises(
        from in 1_usize..12,
        goal in 1_usize..40,
        by in 0_usize..6,
        levels in prop::collection::vec((0_u8..=100, 1_u64..30, 0_u64..3, any::<bool>()), 1..200),
    ) {
        let step = if by == 0 { StepSize::Double } else { StepSize::By(by) };
        let mut play = Play::new(from.min(goal), goal, step);
        let (mut last_change, mut well_since) = (None::<(u64, ScaleAction)>, None::<u64>);
        for (cpu, passed, refused, up) in levels {
            // Mostly well, or nothing would ever be added.
            let cpu = if up { cpu / 2 } else { cpu };
            let (now, before) = (play.seconds, play.workers);
            let verdict = play.look_with(
                health(|health| health.cpu_percent = Some(cpu)),
                |fleet| fleet.refused = if up { 0 } else { refused },
            );
            play.seconds = now + passed;
            let is_well = cpu <= 80 && (up || refused == 0);
            well_since = if is_well { well_since.or(Some(now)) } else { None };
            prop_assert!((1..=goal).contains(&verdict.workers));
            match verdict.action {
                ScaleAction::Up => {
                    prop_assert!(well_since.is_some_and(|since| now - since >= SETTLE));
                    prop_assert!(last_change.is_none_or(|(when, _)| now - when >= SETTLE));
                    let most = if by == 0 { before * 2 } else { before + by };
                    prop_assert!(verdict.workers > before && verdict.workers <= most);
                }
                ScaleAction::Down => {
                    prop_assert!(!is_well && verdict.workers < before);
                    let again = matches!(last_change, Some((when, ScaleAction::Down)) if now - when < SETTLE);
                    prop_assert!(!again, "two steps back within the time a step settles");
                }
                ScaleAction::Hold => prop_assert_eq!(verdict.workers, before),
                ScaleAction::Done => {
                    prop_assert!(is_well && before == goal);
                    break;
                }
            }
            if matches!(verdict.action, ScaleAction::Up | ScaleAction::Down) {
                last_change = Some((now, verdict.action));
                well_since = None;
            }
        }
    }

    /// A target that is overloaded by more than `capacity` workers: the fleet finds it and stays about there.
    #[test]
    fn it_settles_around_what_the_target_takes(capacity in 1_usize..20, goal in 1_usize..40) {
        let mut play = Play::new(0, goal, StepSize::Double);
        let mut sum = 0;
        const LOOKS: usize = 1500;
        for place in 0..LOOKS {
            let cpu = if play.workers > capacity { 99 } else { 30 };
            let verdict = play.look(health(|health| health.cpu_percent = Some(cpu)));
            prop_assert!(verdict.workers <= (capacity * 2).max(1));
            prop_assert!(place < 300 || verdict.workers <= capacity + 1);
            if verdict.action == ScaleAction::Done {
                prop_assert!(goal <= capacity);
                return Ok(());
            }
            sum += verdict.workers;
        }
        prop_assert!(goal > capacity, "a goal that the target takes is reached");
        prop_assert!(sum * 2 >= LOOKS * capacity, "{sum} in {LOOKS} looks at {capacity}");
    }
}
