//! Fleets: how many workers there are, and making it more or fewer.
//!
//! | file | subject |
//! |---|---|
//! | `local` | workers as tasks of this process |

#[cfg(feature = "local")]
mod local;

use std::fmt;

use async_trait::async_trait;

use crate::Result;
use crate::controller::FleetCounts;

#[cfg(feature = "local")]
pub(crate) use local::TaskFleet;

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
    /// Whether its workers see the files of this machine.
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

/// A number of workers that can be changed.
#[async_trait]
pub trait Fleet: Send + Sync {
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
}
