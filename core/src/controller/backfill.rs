//! The verbs of a backfill.

use async_trait::async_trait;

use super::{DeepStatus, EventStream, Plan, RunEnd, Status};
use crate::Result;

/// Controls a backfill: the same verbs whatever the fleet. Every verb may be repeated, and in any order; what is not
/// allowed now is refused with `State`.
#[async_trait]
pub trait BackfillController: Send + Sync {
    /// What a run would do. Changes nothing.
    ///
    /// # Errors
    /// What reading the snapshot's metadata fails with.
    async fn plan(&self) -> Result<Plan>;

    /// Plans, makes the indices, and brings up as many workers as are configured. A fleet that is larger is not shrunk.
    ///
    /// # Errors
    /// As [`BackfillController::plan`]; `NotFound` when the selection matches nothing; `State` when the session is about
    /// another run; what the target fails with.
    async fn start(&self) -> Result<()>;

    /// Sets the number of workers. From 0 it starts the backfill.
    ///
    /// # Errors
    /// As [`BackfillController::start`].
    async fn scale(&self, workers: usize) -> Result<()>;

    /// Sends all workers away and waits until they are gone. What they had done is kept; `start` goes on there.
    ///
    /// # Errors
    /// What the working state fails with.
    async fn pause(&self) -> Result<()>;

    /// Sends all workers away, writes the working state to `archive`, and deletes it. A stopped backfill cannot be
    /// started again; to be able to go on, pause it.
    ///
    /// # Errors
    /// What the working state fails with; then nothing is deleted.
    async fn stop(&self, archive: &std::path::Path) -> Result<()>;

    /// Whether workers are at it.
    ///
    /// # Errors
    /// What the working state fails with.
    async fn status(&self) -> Result<Status>;

    /// Whether workers are at it, and how far the work is.
    ///
    /// # Errors
    /// What the working state fails with.
    async fn deep_status(&self) -> Result<DeepStatus>;

    /// Waits for the end of the run.
    ///
    /// # Errors
    /// The error that ended a worker, when it left work undone; `Cancelled` when the backfill was paused or stopped.
    async fn wait(&self) -> Result<RunEnd>;

    /// What happens from now on.
    fn events(&self) -> EventStream;
}
