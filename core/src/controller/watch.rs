//! How a backfill stands, again and again until its end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{BackfillController, BackfillStatus, DeepStatus};
use crate::retry::RetryPolicy;
use crate::{Clock, Error, ErrorKind, Result, SystemClock};

/// Looks in a row without any worker after which nobody is believed to come. A worker is not seen while it holds nothing, and
/// somebody may be about to start.
const IDLE_LOOKS: u32 = 5;

/// Looks at a backfill until its end. All of it comes from the working state: workers of other processes and machines count.
/// Nothing is changed, and dropped at any moment, this leaves the backfill as it is.
///
/// ```no_run
/// # async fn example(backfill: snapfill::controller::LocalBackfill) -> snapfill::Result<()> {
/// use std::sync::Arc;
/// use std::time::Duration;
/// use snapfill::controller::Watch;
///
/// let mut watch = Watch::new(Arc::new(backfill), Duration::from_secs(2));
/// while let Some(status) = watch.next().await? {
///     println!("{} of {} documents", status.work.documents_done, status.work.documents_total);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Watch {
    controller: Arc<dyn BackfillController>,
    clock: Arc<dyn Clock>,
    every: Duration,
    looked: bool,
    /// Something was begun.
    seen: bool,
    idle_looks: u32,
    is_over: bool,
}

impl Watch {
    /// Looks `every` so often.
    pub fn new(controller: Arc<dyn BackfillController>, every: Duration) -> Self {
        Self {
            controller,
            clock: Arc::new(SystemClock::new()),
            every,
            looked: false,
            seen: false,
            idle_looks: 0,
            is_over: false,
        }
    }

    /// Uses another clock than the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How it stands now, then every so often; the last status has an `end`, and none comes after it.
    ///
    /// # Errors
    /// `NotFound` when nothing was begun under the session; `Cancelled` when the backfill was paused or stopped before its
    /// end; what the working state still fails with after some tries.
    pub async fn next(&mut self) -> Result<Option<DeepStatus>> {
        if self.is_over {
            return Ok(None);
        }
        if std::mem::replace(&mut self.looked, true) {
            self.clock.sleep(self.every).await;
        }
        let look = || self.controller.deep_status();
        let status = RetryPolicy::patient().run(&*self.clock, look).await?;
        self.require_somebody(&status)?;
        self.is_over = status.end.is_some();
        Ok(Some(status))
    }

    fn require_somebody(&mut self, status: &DeepStatus) -> Result<()> {
        let fleet = &status.status.fleet;
        let nobody = fleet.running + fleet.pending + fleet.desired + fleet.terminating == 0;
        if status.status.status == BackfillStatus::NotStarted && nobody {
            let (kind, message) = match self.seen {
                true => (
                    ErrorKind::Cancelled,
                    "the backfill was stopped before its end; restore its archive to go on where it stood",
                ),
                false => (ErrorKind::NotFound, "no backfill was begun under this session"),
            };
            return Err(Error::new(kind, message));
        }
        self.seen = true;
        let is_idle = nobody && status.end.is_none();
        self.idle_looks = if is_idle { self.idle_looks + 1 } else { 0 };
        if self.idle_looks < IDLE_LOOKS {
            return Ok(());
        }
        let message = "no worker is at the backfill, which is not done; start it again to go on where it stands";
        Err(Error::new(ErrorKind::Cancelled, message))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("every", &self.every).finish_non_exhaustive()
    }
}
