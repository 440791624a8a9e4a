//! What happened, in order, for people and for comparison.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// How many of the last events a failure shows.
const SHOWN: usize = 80;

#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    events: Vec<(Duration, String)>,
}

impl Trace {
    pub(super) fn note(&mut self, at: Duration, event: String) {
        self.events.push((at, event));
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Equal for equal histories.
    pub(super) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.events.hash(&mut hasher);
        hasher.finish()
    }

    /// The last events, or all of them.
    pub(super) fn tail(&self, whole: bool) -> Tail<'_> {
        let skip = if whole { 0 } else { self.events.len().saturating_sub(SHOWN) };
        Tail(&self.events[skip..])
    }
}

pub(super) struct Tail<'a>(&'a [(Duration, String)]);

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, event) in self.0 {
            writeln!(f, "{:>10.3}  {event}", at.as_secs_f64())?;
        }
        Ok(())
    }
}
