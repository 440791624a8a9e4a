//! Fleets: how many workers there are, and making it more or fewer.
//!
//! | file | subject |
//! |---|---|
//! | `local` | the workers of this machine: tasks or processes |
//! | `processes` | workers as processes of this machine, under a supervisor |
//! | `tasks` | workers as tasks of this process |

mod local;
mod processes;
mod tasks;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::controller::FleetCounts;
use crate::{Clock, Error, Result};

pub use local::LocalFleet;
pub use processes::{ProcessFleet, WorkerProgram, supervise};
pub use tasks::TaskFleet;

/// Between two looks whether a fleet is gone.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where the workers of a fleet are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FleetKind {
    /// Tasks of this process.
    Tasks,
    /// Processes of this machine.
    Processes,
    /// Tasks of a service of Amazon ECS.
    Ecs,
    /// Pods of a Kubernetes deployment.
    Kubernetes,
}

impl FleetKind {
    /// Whether its workers see the files of this machine. They end by themselves when nothing is left, and a fleet elsewhere
    /// stays.
    pub fn is_on_this_machine(self) -> bool {
        matches!(self, Self::Tasks | Self::Processes)
    }
}

impl fmt::Display for FleetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tasks => "of this process",
            Self::Processes => "of this machine",
            Self::Ecs => "on Amazon ECS",
            Self::Kubernetes => "on Kubernetes",
        })
    }
}

/// A number of workers that can be changed. Its size outlives whoever set it, but for tasks of a process.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Where its workers are.
    fn kind(&self) -> FleetKind;

    /// Makes it `workers`. Those that are too many finish what is in flight first.
    ///
    /// # Errors
    /// What the platform fails with.
    async fn desired(&self, workers: usize) -> Result<()>;

    /// How many there are.
    ///
    /// # Errors
    /// What the platform fails with.
    async fn counts(&self) -> Result<FleetCounts>;

    /// What it is, for people.
    fn describe(&self) -> String;

    /// What to tell people after its size was set to `workers`, in the words of its platform.
    fn change_line(&self, workers: usize, counts: &FleetCounts) -> String {
        let FleetCounts { running, pending, .. } = counts;
        format!(
            "Workers {} set to {workers} desired count. Currently {running} running and {pending} pending.",
            self.kind()
        )
    }

    /// Waits until no worker is left; the error that ended one, as far as that is known.
    ///
    /// # Errors
    /// What the platform fails with.
    async fn empty(&self, clock: &dyn Clock) -> Result<Option<Error>> {
        loop {
            let counts = self.counts().await?;
            if counts.running + counts.pending + counts.terminating == 0 {
                return Ok(None);
            }
            clock.sleep(LOOK_EVERY).await;
        }
    }
}
