//! What may go wrong between a client and a server, and how often.

use std::time::Duration;

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request is passed on after so long.
    Late(Duration),
    /// The connection is reset; the server never sees the request.
    ResetBefore,
    /// The server carries the request out, and the connection is reset in place of the answer.
    ResetAfter,
    /// Nothing is passed on, nothing is answered, and the connection stays open.
    HalfOpen,
    /// The server carries the request out, and the answer never comes.
    Silence,
    /// 429 for the whole request, with that many seconds to wait if there are any.
    TooMany(Option<u32>),
    /// 503 from something that is no search server.
    Unavailable,
    /// The answer ends in the middle, with the connection.
    CutShort,
    /// A whole answer of HTTP whose JSON ends in the middle.
    HalfJson,
    /// An answer that is no HTTP.
    Nonsense,
}

/// Which requests go wrong: some, drawn by a seed, so that a run can be made again.
#[derive(Debug, Clone)]
pub struct Faults {
    seed: u64,
    kinds: Vec<Fault>,
    per_hundred: u64,
    /// How many requests in a row go wrong once one does.
    in_a_row: u32,
    left: u64,
    row: Option<(Fault, u32)>,
}

impl Faults {
    /// A third of the requests goes wrong in one of these ways, a hundred times at most.
    pub fn new(seed: u64, kinds: &[Fault]) -> Self {
        let kinds = kinds.to_vec();
        Self { seed, kinds, per_hundred: 33, in_a_row: 1, left: 100, row: None }
    }

    /// None goes wrong.
    pub fn none() -> Self {
        Self::new(0, &[])
    }

    /// Once one goes wrong, so do the next, as many in all.
    #[must_use]
    pub fn in_a_row(self, in_a_row: u32) -> Self {
        Self { in_a_row, ..self }
    }

    /// No more than that many go wrong.
    #[must_use]
    pub fn at_most(self, left: u64) -> Self {
        Self { left, ..self }
    }

    /// What happens to the next request.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        if self.left == 0 || self.kinds.is_empty() {
            return None;
        }
        let (fault, more) = match self.row.take() {
            Some(row) => row,
            None if self.draw() % 100 < self.per_hundred => {
                let choice = self.draw() % self.kinds.len().max(1) as u64;
                let fault = usize::try_from(choice).ok().and_then(|at| self.kinds.get(at))?;
                (*fault, self.in_a_row)
            }
            None => return None,
        };
        self.row = (more > 1).then_some((fault, more - 1));
        self.left -= 1;
        Some(fault)
    }

    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.seed;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(mut faults: Faults) -> Vec<Option<Fault>> {
        (0..300).map(|_| faults.next()).collect()
    }

    #[test]
    fn a_seed_draws_the_same_again() {
        let kinds = [Fault::HalfOpen, Fault::Nonsense];
        let faults = |seed| drawn(Faults::new(seed, &kinds));
        assert_eq!(faults(7), faults(7));
        assert_ne!(faults(7), faults(8));
        for kind in kinds {
            assert!(faults(7).contains(&Some(kind)), "{kind:?}");
        }
        let count = faults(7).iter().flatten().count();
        assert!((60..140).contains(&count), "{count}");
    }

    #[test]
    fn storms_last_and_everything_ends() {
        let storm = drawn(Faults::new(1, &[Fault::Unavailable]).in_a_row(4).at_most(8));
        let first = storm.iter().position(Option::is_some).unwrap();
        assert!(storm[first..first + 4].iter().all(Option::is_some));
        assert_eq!(storm.iter().flatten().count(), 8);
        assert_eq!(drawn(Faults::none()).iter().flatten().count(), 0);
    }
}
