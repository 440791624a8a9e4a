//! The rule: up, hold, down or done, and why.
//!
//! | the target | since | the fleet |
//! |---|---|---|
//! | well | as long as a step settles | is made larger by a step; at the goal it is done |
//! | well | not as long | holds |
//! | busy | | holds |
//! | overloaded | two looks in a row | is made smaller by a step: at once after a step up, else when the last step has settled |
//!
//! Between well and overloaded lies room, so that a fleet does not swing between two sizes. After a size that was too large,
//! doubling ends at half of it. A fleet is never made smaller than one worker: to send nothing at all is the workers' own
//! affair.

use std::collections::VecDeque;
use std::fmt;
use std::mem::discriminant;
use std::time::Duration;

use serde::Serialize;

use super::look::{Cause, Level, Look, Measure, Sight};
use super::{GradualOptions, StepSize};
use crate::cluster::HealthStatus;

/// Looks in a row that make an overload.
const BAD_LOOKS: u32 = 2;

/// From so many looks in a row on, one without an answer tells of an overload.
const BLIND_LOOKS: u32 = 2;

/// What the target refused is counted for so long.
const REFUSALS: Duration = Duration::from_secs(60);

/// What becomes of the number of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleAction {
    /// There are to be more of them.
    Up,
    /// It stays as it is for now.
    Hold,
    /// There are to be fewer of them.
    Down,
    /// The scaling is over.
    Done,
}

impl ScaleAction {
    /// The action as one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Hold => "hold",
            Self::Down => "down",
            Self::Done => "done",
        }
    }
}

/// A step of a gradual scaling, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GradualStep {
    /// What becomes of the number of workers.
    pub action: ScaleAction,
    /// How many there are to be now.
    pub workers: usize,
    /// Why.
    pub reason: String,
}

impl fmt::Display for GradualStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, workers, reason } = self;
        let count =
            if *workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") };
        match action {
            ScaleAction::Up => write!(f, "Up to {count}: {reason}"),
            ScaleAction::Hold => write!(f, "Hold at {count}: {reason}"),
            ScaleAction::Down => write!(f, "Down to {count}: {reason}"),
            ScaleAction::Done => write!(f, "Done with {count}: {reason}"),
        }
    }
}

/// What the rule says, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) action: ScaleAction,
    pub(super) workers: usize,
    pub(super) cause: Cause,
}

impl Verdict {
    /// Whether it says the same as `other`, figures aside.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.action == other.action
            && self.workers == other.workers
            && discriminant(&self.cause) == discriminant(&other.cause)
    }
}

impl From<Verdict> for GradualStep {
    fn from(verdict: Verdict) -> Self {
        let Verdict { action, workers, cause } = verdict;
        Self { action, workers, reason: cause.to_string() }
    }
}

/// The rule and what it remembers.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    options: GradualOptions,
    goal: usize,
    /// The last change, and whether it made the fleet larger.
    changed: Option<(Duration, bool)>,
    well_since: Option<Duration>,
    bad_looks: u32,
    blind_looks: u32,
    was_yellow: Option<bool>,
    /// A size that was too large.
    too_large: Option<usize>,
    /// What the target says it refused since its nodes started, at the looks of the last minute.
    refusals: VecDeque<(Duration, u64)>,
}

impl Gate {
    pub(super) fn new(goal: usize, options: GradualOptions) -> Self {
        Self {
            options,
            goal,
            changed: None,
            well_since: None,
            bad_looks: 0,
            blind_looks: 0,
            was_yellow: None,
            too_large: None,
            refusals: VecDeque::new(),
        }
    }

    /// Says what becomes of a fleet that is to have `workers` now. What it says is up or down is taken to be done.
    pub(super) fn decide(&mut self, look: &Look, workers: usize) -> Verdict {
        let (level, cause) = self.judge(look, workers);
        if workers > self.goal {
            return self.change(look.at, workers, self.goal, Cause::Asked);
        }
        if self.goal == 0 {
            return Verdict { action: ScaleAction::Done, workers, cause: Cause::Asked };
        }
        match level {
            Level::Overloaded if workers > 1 && self.may_shrink(look.at) => {
                self.too_large = Some(workers);
                self.change(look.at, workers, self.smaller(workers), cause)
            }
            Level::Overloaded | Level::Busy => {
                Verdict { action: ScaleAction::Hold, workers, cause }
            }
            Level::Well => self.when_well(look, workers, cause),
        }
    }

    /// How the target is, all looks considered.
    fn judge(&mut self, look: &Look, workers: usize) -> (Level, Cause) {
        self.blind_looks = match &look.sight {
            Sight::Blind(_) => self.blind_looks.saturating_add(1),
            _ => 0,
        };
        if let Sight::Seen(health) = &look.sight {
            self.was_yellow.get_or_insert(health.status == HealthStatus::Yellow);
            self.note_refusals(look.at, health.write_rejections);
        }
        let measure = Measure {
            options: &self.options,
            was_yellow: self.was_yellow.unwrap_or_default(),
            refused: self.refused(),
            workers,
        };
        let (mut level, cause) = measure.judge(look);
        if matches!(cause, Cause::NoAnswer(_)) && self.blind_looks >= BLIND_LOOKS {
            level = Level::Overloaded;
        }
        self.bad_looks = match level {
            Level::Overloaded => self.bad_looks.saturating_add(1),
            _ => 0,
        };
        if level != Level::Well {
            self.well_since = None;
        }
        (level, cause)
    }

    fn when_well(&mut self, look: &Look, workers: usize, cause: Cause) -> Verdict {
        let hold = |cause| Verdict { action: ScaleAction::Hold, workers, cause };
        let nothing_waits = look.fleet.unclaimed == Some(0);
        let missing = look.fleet.pending.max(workers.saturating_sub(look.fleet.running));
        if missing > 0 && !nothing_waits {
            self.well_since = None;
            return hold(Cause::OnTheirWay(missing));
        }
        let since = *self.well_since.get_or_insert(look.at);
        let is_settled = look.at.saturating_sub(since) >= self.options.settle;
        if workers >= self.goal {
            // A size that nothing was added for needs no watching.
            let was_added = matches!(self.changed, Some((_, true)));
            return match is_settled || !was_added {
                true => Verdict { action: ScaleAction::Done, workers, cause },
                false => hold(Cause::Settling),
            };
        }
        if workers > 0 && !is_settled {
            return hold(Cause::Settling);
        }
        if nothing_waits {
            return hold(Cause::NothingWaits);
        }
        self.change(look.at, workers, self.larger(workers), cause)
    }

    fn change(&mut self, at: Duration, from: usize, to: usize, cause: Cause) -> Verdict {
        let is_larger = to > from;
        self.changed = Some((at, is_larger));
        self.well_since = None;
        self.bad_looks = 0;
        self.refusals.clear();
        let action = if is_larger { ScaleAction::Up } else { ScaleAction::Down };
        Verdict { action, workers: to, cause }
    }

    /// A step up that is not taken well is undone soon; a step back is given time to help.
    fn may_shrink(&self, now: Duration) -> bool {
        self.bad_looks >= BAD_LOOKS
            && match self.changed {
                Some((when, false)) => now.saturating_sub(when) >= self.options.settle,
                _ => true,
            }
    }

    fn larger(&self, workers: usize) -> usize {
        let larger = match self.options.step {
            StepSize::By(step) => workers.saturating_add(step),
            StepSize::Double => {
                let doubled = workers.saturating_mul(2);
                self.too_large.map_or(doubled, |too_large| doubled.min(too_large / 2))
            }
        };
        larger.max(workers + 1).min(self.goal)
    }

    fn smaller(&self, workers: usize) -> usize {
        let smaller = match self.options.step {
            StepSize::By(step) => workers.saturating_sub(step.max(1)),
            StepSize::Double => workers / 2,
        };
        smaller.max(1)
    }

    fn note_refusals(&mut self, at: Duration, refusals: Option<u64>) {
        let Some(refusals) = refusals else { return };
        if self.refusals.back().is_some_and(|(_, before)| *before > refusals) {
            // A node began to count anew.
            self.refusals.clear();
        }
        self.refusals.push_back((at, refusals));
        while self.refusals.get(1).is_some_and(|(then, _)| at.saturating_sub(*then) >= REFUSALS) {
            self.refusals.pop_front();
        }
    }

    /// What the target says it refused since the last step, at most within a minute.
    fn refused(&self) -> u64 {
        let ends = self.refusals.front().zip(self.refusals.back());
        ends.map_or(0, |((_, first), (_, last))| last.saturating_sub(*first))
    }
}

#[cfg(test)]
mod tests;
