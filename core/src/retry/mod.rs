//! When to try again, and how long to wait before.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

use crate::{Clock, Error, Result};

/// The longest that the other side may ask us to wait; one that asks for more is asked again all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// How long to wait before the try after `trouble`: `delay`, or longer where the other side asked for that.
pub(crate) fn wait_after(trouble: &Error, delay: Duration) -> Duration {
    delay.max(trouble.retry_after().unwrap_or_default().min(LONGEST_WAIT))
}

/// How often a call that failed for a passing reason is made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub retries: usize,
    /// The wait before the first retry; it doubles each time.
    pub first_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 5,
            first_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// For calls that a run stands and falls with: outlasts the restart of a node, about a minute.
    pub fn patient() -> Self {
        Self { retries: 12, ..Self::default() }
    }

    /// The waits between tries, with jitter so that many workers do not come back at once.
    pub fn delays(&self) -> impl Iterator<Item = Duration> {
        ExponentialBuilder::default()
            .with_min_delay(self.first_delay)
            .with_max_delay(self.max_delay)
            .with_max_times(self.retries)
            .with_jitter()
            .build()
    }

    /// Calls `operation` until it succeeds, fails for good ([`Error::is_retryable`] is false) or the tries are used up.
    ///
    /// # Errors
    /// The last error of `operation`.
    pub async fn run<T, F, Fut>(&self, clock: &dyn Clock, operation: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        self.run_unless(&CancellationToken::new(), clock, operation).await
    }

    /// As [`RetryPolicy::run`], but once `halt` is cancelled no call is made again. One that is under way is waited for.
    pub(crate) async fn run_unless<T, F, Fut>(
        &self,
        halt: &CancellationToken,
        clock: &dyn Clock,
        mut operation: F,
    ) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        let mut delays = self.delays();
        loop {
            let error = match operation().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(delay) = delays.next().filter(|_| error.is_retryable()) else {
                return Err(error);
            };
            let delay = wait_after(&error, delay);
            tracing::debug!(%error, ?delay, "trying again");
            tokio::select! {
                biased;
                () = halt.cancelled() => return Err(error),
                () = clock.sleep(delay) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, ManualClock};
    use std::cell::Cell;

    async fn tries_of(kind: ErrorKind) -> (usize, Result<()>) {
        let calls = Cell::new(0);
        let policy = RetryPolicy { retries: 3, ..RetryPolicy::default() };
        let result = policy
            .run(&ManualClock::default(), || {
                calls.set(calls.get() + 1);
                async { Err(Error::new(kind, "no")) }
            })
            .await;
        (calls.get(), result)
    }

    #[tokio::test]
    async fn passing_troubles_are_tried_again_and_lasting_ones_not() {
        assert_eq!(tries_of(ErrorKind::Unavailable).await.0, 4);
        assert_eq!(tries_of(ErrorKind::Corrupt).await.0, 1);
    }

    #[tokio::test]
    async fn a_halt_ends_the_tries_with_the_last_error() {
        let (halt, calls) = (CancellationToken::new(), Cell::new(0));
        let result: Result<()> = RetryPolicy::patient()
            .run_unless(&halt, &ManualClock::default(), || {
                calls.set(calls.get() + 1);
                if calls.get() == 2 {
                    halt.cancel();
                }
                async { Err(Error::new(ErrorKind::Unavailable, "away")) }
            })
            .await;
        assert_eq!((calls.get(), result.unwrap_err().kind()), (2, ErrorKind::Unavailable));
    }

    #[test]
    fn a_patient_policy_outlasts_the_restart_of_a_node() {
        let whole: Duration = RetryPolicy::patient().delays().sum();
        assert!((45..180).contains(&whole.as_secs()), "{whole:?}");
    }
}
