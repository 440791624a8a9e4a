//! The driver: looks, asks the rule, changes the fleet.

use std::sync::Arc;
use std::time::Duration;

use super::gate::{Gate, Verdict};
use super::look::{Cause, FleetLook, Look, Sight};
use super::{GradualOptions, GradualStep, ScaleAction};
use crate::controller::{BackfillController, DeepStatus};
use crate::retry::RetryPolicy;
use crate::{Clock, Error, ErrorKind, Result, SystemClock};

/// How long an answer of the target or of the working state is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks in a row that show a fleet which somebody else sent away.
const DISMISSED_LOOKS: u32 = 2;

/// Makes a fleet larger step by step, as long as the target is well, and smaller while it has too much to do. Whatever fleet
/// the controller has is changed by its verb `scale`, and nothing else; dropped at any moment, this leaves the fleet as it is.
///
/// ```no_run
/// # async fn example(backfill: snapfill::controller::LocalBackfill) -> snapfill::Result<()> {
/// use std::sync::Arc;
/// use snapfill::controller::{GradualOptions, GradualScaling};
///
/// let mut scaling = GradualScaling::new(Arc::new(backfill), 10, GradualOptions::default())?;
/// while let Some(step) = scaling.next().await? {
///     println!("{step}"); // Up to 2 workers: the target is well
/// }
/// # Ok(())
/// # }
/// ```
pub struct GradualScaling {
    controller: Arc<dyn BackfillController>,
    clock: Arc<dyn Clock>,
    options: GradualOptions,
    gate: Gate,
    /// How many workers were asked for last, by this.
    asked: Option<usize>,
    /// What was decided and not yet done: whoever asked may have gone away in between.
    due: Option<Verdict>,
    told: Option<Verdict>,
    looked: bool,
    dismissed_looks: u32,
    is_over: bool,
}

impl GradualScaling {
    /// Makes the fleet of `controller` have `goal` workers in the end. Nothing happens before [`GradualScaling::next`].
    ///
    /// # Errors
    /// `Config` for options that make no sense.
    pub fn new(
        controller: Arc<dyn BackfillController>,
        goal: usize,
        options: GradualOptions,
    ) -> Result<Self> {
        options.require_sense()?;
        Ok(Self {
            controller,
            clock: Arc::new(SystemClock::new()),
            gate: Gate::new(goal, options.clone()),
            options,
            asked: None,
            due: None,
            told: None,
            looked: false,
            dismissed_looks: 0,
            is_over: false,
        })
    }

    /// Uses another clock than the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The next step, once it is made, or why there is none for now: that is told once, not at every look. None after the end:
    /// the goal is reached and the target still well, nothing is left to be done, or somebody else sent the workers away.
    ///
    /// # Errors
    /// What changing the fleet fails with, and what the working state fails with for good. It may be asked again.
    pub async fn next(&mut self) -> Result<Option<GradualStep>> {
        while !self.is_over {
            if let Some(verdict) = self.due.clone() {
                self.carry_out(&verdict).await?;
                self.due = None;
                self.asked = Some(verdict.workers);
                return Ok(Some(self.tell(verdict)));
            }
            if std::mem::replace(&mut self.looked, true) {
                self.clock.sleep(self.options.look_every()).await;
            }
            let verdict = self.look().await?;
            match verdict.action {
                ScaleAction::Up | ScaleAction::Down => self.due = Some(verdict),
                ScaleAction::Done => {
                    self.is_over = true;
                    return Ok(Some(self.tell(verdict)));
                }
                ScaleAction::Hold
                    if self.told.as_ref().is_some_and(|told| told.is_like(&verdict)) => {}
                ScaleAction::Hold => return Ok(Some(self.tell(verdict))),
            }
        }
        Ok(None)
    }

    fn tell(&mut self, verdict: Verdict) -> GradualStep {
        self.told = Some(verdict.clone());
        verdict.into()
    }

    async fn carry_out(&self, verdict: &Verdict) -> Result<()> {
        let scale = || self.controller.scale(verdict.workers);
        RetryPolicy::default().run(&*self.clock, scale).await
    }

    async fn look(&mut self) -> Result<Verdict> {
        let status = match self.in_time(self.controller.deep_status()).await {
            Ok(status) => Some(status),
            Err(error) if error.is_retryable() => None,
            Err(error) => return Err(error),
        };
        if let Some(over) = status.as_ref().and_then(|status| self.over(status)) {
            return Ok(over);
        }
        let sight = match (&status, self.in_time(self.controller.target_health()).await) {
            (None, Ok(_)) => Sight::Blind("the working state does not answer".to_owned()),
            (Some(_), Ok(health)) => Sight::Seen(health),
            (_, Err(error)) if error.is_retryable() => Sight::Blind(error.message().to_owned()),
            (_, Err(_)) => Sight::Denied,
        };
        let workers = match (self.asked, &status) {
            (Some(asked), _) => asked,
            (None, Some(status)) => {
                usize::try_from(status.status.fleet.desired).unwrap_or(usize::MAX)
            }
            (None, None) => {
                let message = "the working state does not answer; try again when it does";
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
        };
        let fleet = status.as_ref().map(FleetLook::of).unwrap_or_default();
        let look = Look { at: self.clock.monotonic(), sight, fleet };
        Ok(self.gate.decide(&look, workers))
    }

    /// Whether there is nothing left to scale: the run has ended, or somebody else sent away the workers that were there.
    fn over(&mut self, status: &DeepStatus) -> Option<Verdict> {
        let fleet = &status.status.fleet;
        let done = |workers, cause| Verdict { action: ScaleAction::Done, workers, cause };
        if status.end.is_some() {
            let left = usize::try_from(fleet.running).unwrap_or(usize::MAX);
            return Some(done(left, Cause::Ended));
        }
        let is_gone = self.asked.is_some_and(|asked| asked > 0)
            && fleet.desired == 0
            && fleet.running + fleet.pending == 0;
        self.dismissed_looks = if is_gone { self.dismissed_looks + 1 } else { 0 };
        (self.dismissed_looks >= DISMISSED_LOOKS).then(|| done(0, Cause::Dismissed))
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            answer = call => answer,
            () = self.clock.sleep(PATIENCE) => {
                let message = format!("no answer within {} s", PATIENCE.as_secs());
                Err(Error::new(ErrorKind::Unavailable, message))
            }
        }
    }
}

impl std::fmt::Debug for GradualScaling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GradualScaling")
            .field("gate", &self.gate)
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}
