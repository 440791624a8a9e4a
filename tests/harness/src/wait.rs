//! Waiting for something outside this process: the one place of the harness that knows the time.
#![expect(
    clippy::disallowed_methods,
    reason = "a server's start can only be waited for in real time"
)]

use std::thread;
use std::time::{Duration, Instant};

/// Waits, as something on the way to a server may have one wait.
pub(crate) fn pause(time: Duration) {
    thread::sleep(time);
}

/// Asks `probe` again and again until it gives a value, at most for `limit`.
pub(crate) fn until<T, E>(
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let start = Instant::now();
    loop {
        if let Some(value) = probe()? {
            return Ok(Some(value));
        }
        if start.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(50));
    }
}
