//! How long something took: the one place of this crate that knows the time.
#![expect(clippy::disallowed_methods, reason = "steps of a build take real time")]

use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Lets somebody else have the processor.
pub(crate) fn pause(duration: Duration) {
    thread::sleep(duration);
}
