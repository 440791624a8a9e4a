//! The verbs of a backfill.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{DeepStatus, EventStream, Plan, Report, RunEnd, Status};
use crate::Result;
use crate::cluster::ClusterHealth;

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

    /// Sends all workers away, writes the working state to a file in `folder` ([`archive_folder`](super::archive_folder)
    /// unless given), reads it back, and only then deletes it. Says where the file lies; none when there was no working state.
    /// A stopped backfill cannot be started again, only restored or begun from scratch; to be able to go on, pause it.
    ///
    /// # Errors
    /// What the working state fails with, `Io` when the file cannot be written; then nothing is deleted.
    async fn stop(&self, folder: Option<&Path>) -> Result<Option<PathBuf>>;

    /// The same for a backfill whose workers are gone.
    ///
    /// # Errors
    /// As [`BackfillController::stop`]; `State` while workers are at it.
    async fn archive(&self, folder: Option<&Path>) -> Result<Option<PathBuf>>;

    /// Brings a stopped backfill back to where it was: its items with their checkpoints and books. `start` then goes on. May
    /// be repeated when it was interrupted.
    ///
    /// # Errors
    /// `NotFound` when there is no such file, `Corrupt` when it is damaged, `Unsupported` when a newer release wrote it, `State`
    /// when it is of another session, target or run, or when the session has a working state already.
    async fn restore(&self, file: &Path) -> Result<()>;

    /// The same as [`BackfillController::stop`], and then the session may be begun anew.
    ///
    /// # Errors
    /// As [`BackfillController::stop`].
    async fn reset(&self, folder: Option<&Path>) -> Result<Option<PathBuf>>;

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

    /// How the target fares now, as far as it lets us see.
    ///
    /// # Errors
    /// What the target fails with.
    async fn target_health(&self) -> Result<ClusterHealth>;

    /// What was moved so far: of a run that is going on, has ended, or was stopped and archived. Counts the indices of the
    /// target.
    ///
    /// # Errors
    /// `NotFound` when nothing was begun under the session, or the archive is not where it was; what the working state fails
    /// with. What else cannot be found out is said in the report.
    async fn report(&self) -> Result<Report>;

    /// Waits for the end of the run.
    ///
    /// # Errors
    /// The error that ended a worker, when it left work undone; `Cancelled` when the backfill was paused or stopped.
    async fn wait(&self) -> Result<RunEnd>;

    /// What happens from now on.
    fn events(&self) -> EventStream;
}
