//! One target's run: how often it was executed, and the most memory that an execution held at a time.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the executions of a target and holds each to a bound of memory.
///
/// When it ends it prints a line for whoever started the test, if `SNAPFILL_FUZZ_REPORT` is set.
#[derive(Debug)]
pub struct Trial {
    most_bytes: u64,
    executions: AtomicU64,
    accepted: AtomicU64,
    peak: AtomicU64,
}

impl Trial {
    /// A trial whose executions may each allocate up to `bytes` at a time.
    #[must_use]
    pub fn bounded(bytes: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self { most_bytes: bytes, executions: zero(), accepted: zero(), peak: zero() }
    }

    /// Runs a parser once. Whether it accepts its input is for the report only.
    ///
    /// # Panics
    /// When it allocates more than the bound.
    pub fn run<T, E>(&self, parse: impl FnOnce() -> Result<T, E>) {
        let mut accepted = 0;
        let used = allocation_counter::measure(|| accepted = u64::from(parse().is_ok()));
        assert!(
            used.bytes_max <= self.most_bytes,
            "{} bytes were allocated at a time; {} are allowed",
            used.bytes_max,
            self.most_bytes
        );
        self.peak.fetch_max(used.bytes_max, Ordering::Relaxed);
        self.accepted.fetch_add(accepted, Ordering::Relaxed);
        self.executions.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Trial {
    #[allow(clippy::print_stdout, reason = "the report is for the process that started this one")]
    fn drop(&mut self) {
        if std::env::var_os("SNAPFILL_FUZZ_REPORT").is_some() {
            let [executions, accepted, peak] =
                [&self.executions, &self.accepted, &self.peak].map(|n| n.load(Ordering::Relaxed));
            println!("\nfuzz-report executions={executions} accepted={accepted} peak={peak}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_within_the_bound_passes() {
        let trial = Trial::bounded(2000);
        trial.run(|| Ok::<_, ()>(vec![1_u8; 1000].len()));
        trial.run(|| Err::<(), _>(vec![1_u8; 1000].len()));
        assert_eq!(trial.executions.load(Ordering::Relaxed), 2);
        assert!(trial.peak.load(Ordering::Relaxed) >= 1000);
    }

    #[test]
    #[should_panic(expected = "2000 are allowed")]
    fn memory_beyond_it_does_not() {
        Trial::bounded(2000).run(|| Ok::<_, ()>(vec![1_u8; 3000].len()));
    }
}
