//! Fleets: how many workers there are, and making it more or fewer.
//!
//! | file | subject |
//! |---|---|
//! | `local` | workers as tasks of this process |

#[cfg(feature = "local")]
mod local;

use async_trait::async_trait;

use crate::Result;
use crate::controller::FleetCounts;

#[cfg(feature = "local")]
pub(crate) use local::TaskFleet;

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
