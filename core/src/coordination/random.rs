//! Random numbers for spreading workers. Nothing depends on their quality but how often two workers meet.

use std::hash::{BuildHasher, RandomState};

/// A number below 2^53, so that it survives JSON readers that know doubles only.
pub(crate) fn number() -> u64 {
    // Each `RandomState` has keys of its own, from the operating system's randomness.
    RandomState::new().hash_one(0_u8) >> 11
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_differ_and_fit_a_double() {
        let numbers: std::collections::BTreeSet<u64> = (0..100).map(|_| super::number()).collect();
        assert_eq!(numbers.len(), 100);
        assert!(numbers.iter().all(|number| *number < 1 << 53));
    }
}
