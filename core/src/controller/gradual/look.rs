//! What was seen of target, fleet and work at one moment, and what it means.

use std::fmt;
use std::time::Duration;

use super::GradualOptions;
use crate::cluster::{ClusterHealth, DiskWatermark, HealthStatus};
use crate::controller::DeepStatus;

/// Bulks that the target refuses within a minute, for each worker, from which on there are too many workers.
const MANY_REFUSALS: u64 = 3;

/// How many times the queue that is still well is too long.
const LONG_QUEUE: u64 = 5;

/// What the target says of itself.
#[derive(Clone, Debug)]
pub(super) enum Sight {
    /// How it fares.
    Seen(ClusterHealth),
    /// It does not answer now, or the working state does not.
    Blind(String),
    /// It will not be told.
    Denied,
}

/// What was seen at one moment.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// When.
    pub(super) at: Duration,
    /// Of the target.
    pub(super) sight: Sight,
    /// Of fleet and work.
    pub(super) fleet: FleetLook,
}

/// What was seen of fleet and work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FleetLook {
    /// Workers that are up.
    pub(super) running: usize,
    /// Workers that are on their way.
    pub(super) pending: usize,
    /// Work items that wait for a worker; none where planning is not done.
    pub(super) unclaimed: Option<u64>,
    /// Why the workers send nothing, if so.
    pub(super) paused: Option<String>,
    /// Every worker whose pace is known is down to one bulk at a time, and would have more.
    pub(super) throttled: bool,
    /// Bulks that the target refused in the last minute, as workers said.
    pub(super) refused: u64,
    /// Whether any document was settled in that minute.
    pub(super) moves: bool,
}

impl FleetLook {
    pub(super) fn of(status: &DeepStatus) -> Self {
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let (fleet, work, sending) = (&status.status.fleet, &status.work, &status.sending);
        let slowed = sending.workers.iter().all(|worker| worker.limit == 1 && worker.most > 1);
        Self {
            running: count(fleet.running),
            pending: count(fleet.pending),
            unclaimed: status.planned.then_some(work.items.unclaimed),
            paused: sending.paused.clone(),
            throttled: !sending.workers.is_empty() && slowed,
            refused: work.rate.rejected,
            moves: work.rate.documents > 0,
        }
    }
}

/// How the target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// It would take more.
    Well,
    /// It has enough to do.
    Busy,
    /// It has too much to do.
    Overloaded,
}

/// What a level is concluded from, or why nothing changes though the target is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Red,
    Yellow,
    WritesBlocked,
    Paused(String),
    Refused(u64),
    Throttled,
    QueuePercent(u8),
    QueueRequests(u64),
    Heap(u8),
    Cpu(u8),
    Watermark(DiskWatermark),
    FreeDisk(u64),
    NoAnswer(String),
    /// It is well and says how it fares, or not.
    Well {
        told: bool,
    },
    Settling,
    OnTheirWay(usize),
    NothingWaits,
    /// Fewer workers were asked for.
    Asked,
    /// The run has come to its end.
    Ended,
    /// Somebody else sent the workers away.
    Dismissed,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Red => f.write_str("the target is red"),
            Self::Yellow => f.write_str("the target is yellow: copies of shards are missing"),
            Self::WritesBlocked => f.write_str("the target takes no writes"),
            Self::Paused(reason) => write!(f, "the workers send nothing: {reason}"),
            Self::Refused(bulks) => {
                write!(f, "the target refused {bulks} bulk requests within the last minute")
            }
            Self::Throttled => f.write_str(
                "every worker is down to one bulk request at a time: the target is slow or refuses",
            ),
            Self::QueuePercent(percent) => {
                write!(f, "the target's write queue is filled to {percent} %")
            }
            Self::QueueRequests(requests) => {
                write!(f, "{requests} bulk requests wait in the target's write queue on each node")
            }
            Self::Heap(percent) => write!(f, "{percent} % of the target's heap are in use"),
            Self::Cpu(percent) => write!(f, "the target's processors are {percent} % busy"),
            Self::Watermark(DiskWatermark::FloodStage) => {
                f.write_str("a disk of the target is past the flood-stage watermark")
            }
            Self::Watermark(_) => f.write_str("a disk of the target is past the high watermark"),
            Self::FreeDisk(bytes) => {
                write!(f, "a node of the target has only {} MB of disk left", bytes >> 20)
            }
            Self::NoAnswer(error) => write!(f, "how the target fares cannot be told now: {error}"),
            Self::Well { told: true } => f.write_str("the target is well"),
            Self::Well { told: false } => f.write_str(
                "the workers meet no trouble (the target does not let us see how it fares)",
            ),
            Self::Settling => f.write_str("the target is well; watching whether it stays so"),
            Self::OnTheirWay(workers) => match workers {
                1 => f.write_str("a worker is still on its way"),
                _ => write!(f, "{workers} workers are still on their way"),
            },
            Self::Asked => f.write_str("that is what was asked for"),
            Self::Ended => f.write_str("nothing is left to be done"),
            Self::Dismissed => f.write_str("the backfill was paused or stopped meanwhile"),
            Self::NothingWaits => {
                f.write_str("no work waits for a worker: more of them would have nothing to do")
            }
        }
    }
}

/// What is compared with: options, and what was so before anything was changed.
#[derive(Clone, Debug)]
pub(super) struct Measure<'a> {
    pub(super) options: &'a GradualOptions,
    /// The target was yellow from the beginning.
    pub(super) was_yellow: bool,
    /// Bulks that the target itself says it refused in the last minute.
    pub(super) refused: u64,
    /// Workers there are to be now.
    pub(super) workers: usize,
}

impl Measure<'_> {
    /// The worst that a look tells.
    pub(super) fn judge(&self, look: &Look) -> (Level, Cause) {
        let mut found = Vec::new();
        if let Some(reason) = &look.fleet.paused {
            found.push((Level::Overloaded, Cause::Paused(reason.clone())));
        }
        let told = match &look.sight {
            Sight::Seen(health) => {
                self.judge_health(health, &mut found);
                true
            }
            Sight::Blind(error) => {
                found.push((Level::Busy, Cause::NoAnswer(error.clone())));
                false
            }
            Sight::Denied => false,
        };
        self.judge_workers(&look.fleet, &mut found);
        // The first of the worst.
        let worst = found.into_iter().rev().max_by_key(|(level, _)| *level);
        worst.unwrap_or((Level::Well, Cause::Well { told }))
    }

    fn judge_workers(&self, fleet: &FleetLook, found: &mut Vec<(Level, Cause)>) {
        let refused = fleet.refused.max(self.refused);
        let many =
            MANY_REFUSALS.saturating_mul(u64::try_from(self.workers.max(1)).unwrap_or(u64::MAX));
        if refused > 0 {
            let level = match refused >= many || !fleet.moves {
                true => Level::Overloaded,
                false => Level::Busy,
            };
            found.push((level, Cause::Refused(refused)));
        }
        if fleet.throttled {
            found.push((Level::Busy, Cause::Throttled));
        }
    }

    fn judge_health(&self, health: &ClusterHealth, found: &mut Vec<(Level, Cause)>) {
        let options = self.options;
        let mut find = |level: Option<Level>, cause: Cause| {
            found.extend(level.map(|level| (level, cause)));
        };
        let blocked = health.writes_blocked == Some(true);
        find(blocked.then_some(Level::Overloaded), Cause::WritesBlocked);
        match health.status {
            HealthStatus::Red if options.worst_status < HealthStatus::Red => {
                find(Some(Level::Overloaded), Cause::Red);
            }
            HealthStatus::Yellow if self.minds_yellow(health) => {
                find(Some(Level::Busy), Cause::Yellow)
            }
            _ => {}
        }
        if let Some(percent) = health.write_queue_percent {
            find(above(percent, options.max_queue_percent), Cause::QueuePercent(percent));
        } else if let Some(queue) = health.write_queue {
            let each = queue / u64::from(health.data_nodes.unwrap_or(1).max(1));
            find(longer(each, options.max_queue_requests), Cause::QueueRequests(each));
        }
        if let Some(percent) = health.heap_percent {
            find(above(percent, options.max_heap_percent), Cause::Heap(percent));
        }
        if let Some(percent) = health.cpu_percent {
            find(above(percent, options.max_cpu_percent), Cause::Cpu(percent));
        }
        match (health.disk_watermark, health.free_disk_bytes) {
            (Some(mark @ DiskWatermark::FloodStage), _) => {
                find(Some(Level::Overloaded), Cause::Watermark(mark));
            }
            (Some(mark @ DiskWatermark::High), _) => {
                find(Some(Level::Busy), Cause::Watermark(mark))
            }
            // Who tells how full its disks are, tells of a watermark that is passed.
            (None, Some(free)) if health.disk_percent.is_none() => {
                find(scarcer(free, options.min_free_disk_bytes), Cause::FreeDisk(free));
            }
            _ => {}
        }
    }

    fn minds_yellow(&self, health: &ClusterHealth) -> bool {
        self.options.worst_status == HealthStatus::Green
            && !self.was_yellow
            && health.data_nodes != Some(1)
    }
}

/// Busy above a limit in percent, overloaded from halfway between it and 100 on.
fn above(percent: u8, limit: u8) -> Option<Level> {
    let halfway = limit + 100_u8.saturating_sub(limit).div_ceil(2);
    match percent {
        _ if percent <= limit => None,
        _ if percent < halfway => Some(Level::Busy),
        _ => Some(Level::Overloaded),
    }
}

fn longer(queue: u64, limit: u64) -> Option<Level> {
    match queue {
        _ if queue <= limit => None,
        _ if queue < limit.saturating_mul(LONG_QUEUE) => Some(Level::Busy),
        _ => Some(Level::Overloaded),
    }
}

fn scarcer(free: u64, least: u64) -> Option<Level> {
    match free {
        _ if free >= least => None,
        _ if free >= least / 2 => Some(Level::Busy),
        _ => Some(Level::Overloaded),
    }
}
