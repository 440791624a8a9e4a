//! When to try again, and how long to wait before.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::{Clock, Error, Result};

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
    pub async fn run<T, F, Fut>(&self, clock: &dyn Clock, mut operation: F) -> Result<T>
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
            match delays.next().filter(|_| error.is_retryable()) {
                Some(delay) => {
                    tracing::debug!(%error, ?delay, "trying again");
                    clock.sleep(delay).await;
                }
                None => return Err(error),
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
}
