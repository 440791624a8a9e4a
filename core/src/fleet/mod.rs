//! Fleets: how many workers there are, and making it more or fewer.
//!
//! | file | subject |
//! |---|---|
//! | `local` | the workers of this machine: tasks or processes |
//! | `processes` | workers as processes of this machine, under a supervisor |
//! | `tasks` | workers as tasks of this process |
//! | `ecs` | tasks of a service of Amazon ECS (feature `ecs`) |
//! | `kubernetes` | pods of a Kubernetes deployment (feature `kubernetes`) |
//! | `open` | the fleet that a configuration names |

#[cfg(feature = "ecs")]
mod ecs;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod local;
mod open;
mod processes;
mod tasks;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::controller::FleetCounts;
use crate::{Clock, Error, Result};

#[cfg(feature = "ecs")]
pub use ecs::EcsFleet;
#[cfg(feature = "kubernetes")]
pub use kubernetes::KubernetesFleet;
pub use local::LocalFleet;
pub use open::open;
pub use processes::{ProcessFleet, WorkerProgram, supervise};
pub use tasks::TaskFleet;

/// Between the first two looks at a fleet that changes.
const FIRST_LOOK: Duration = Duration::from_millis(250);

/// Between two looks at a fleet that takes its time.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// How long to wait between one look at a fleet and the next: those that change fast are not kept waiting, and the platforms
/// of others are not asked more often than they like.
fn looks() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(FIRST_LOOK), |wait| Some((*wait + *wait / 2).min(LAST_LOOK)))
}

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

    /// Whether its workers see the folders of this machine: repositories, and where failed documents are kept.
    fn sees_folders(&self) -> bool {
        self.kind().is_on_this_machine()
    }

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
        for wait in looks() {
            let counts = self.counts().await?;
            if counts.running + counts.pending + counts.terminating == 0 {
                break;
            }
            clock.sleep(wait).await;
        }
        Ok(None)
    }
}
