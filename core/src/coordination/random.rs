//! Random numbers for spreading workers. Nothing depends on their quality but how often two workers meet.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use fastrand::Rng;

thread_local! {
    // A `RandomState` has keys from the operating system's randomness: hosts that start at one moment differ too.
    static GENERATOR: RefCell<Rng> = RefCell::new(Rng::with_seed(RandomState::new().hash_one(0_u8)));
}

/// A number below 2^53, so that it survives JSON readers that know doubles only.
pub(crate) fn number() -> u64 {
    GENERATOR.with_borrow_mut(|generator| generator.u64(..1 << 53))
}

/// Has the numbers of this thread follow from a seed; those of other threads are not touched.
#[cfg(test)]
pub(crate) fn seed(seed: u64) {
    GENERATOR.with_borrow_mut(|generator| generator.seed(seed));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_differ_and_fit_a_double() {
        let numbers: BTreeSet<u64> = (0..100).map(|_| number()).collect();
        assert_eq!(numbers.len(), 100);
        assert!(numbers.iter().all(|number| *number < 1 << 53));
    }

    #[test]
    fn threads_have_numbers_of_their_own() {
        let numbers: BTreeSet<u64> =
            (0..20).map(|_| std::thread::spawn(number).join().unwrap()).collect();
        assert_eq!(numbers.len(), 20);
    }

    #[test]
    fn a_seed_gives_the_same_numbers_again() {
        let numbers = || -> Vec<u64> {
            seed(7);
            (0..10).map(|_| number()).collect()
        };
        assert_eq!(numbers(), numbers());
    }
}
