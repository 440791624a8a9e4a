//! One change of one blob.

use std::fmt;

use crate::random::Random;

/// What happens to a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// One bit of the byte at this place is the other one.
    Flip {
        /// Which byte.
        at: usize,
        /// Which bit.
        bit: u8,
    },
    /// Nothing is left from this length on.
    Cut {
        /// The new length.
        length: usize,
    },
}

impl Damage {
    /// Every cut of a blob of this length, and a flip of each of its bytes. Which bit it is goes round.
    pub fn every(length: usize) -> impl Iterator<Item = Self> {
        let flips = (0..length).map(|at| Self::Flip { at, bit: (at % 8) as u8 });
        flips.chain((0..length).map(|length| Self::Cut { length }))
    }

    /// A flip or, one time in four, a cut.
    pub fn random(random: &mut Random, length: usize) -> Self {
        let at = random.below(length as u64) as usize;
        match random.below(4) {
            0 => Self::Cut { length: at },
            _ => Self::Flip { at, bit: random.below(8) as u8 },
        }
    }

    /// The blob after it.
    #[must_use]
    pub fn of(self, blob: &[u8]) -> Vec<u8> {
        let mut damaged = blob.to_vec();
        match self {
            Self::Flip { at, bit } => {
                if let Some(byte) = damaged.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Cut { length } => damaged.truncate(length),
        }
        damaged
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flip { at, bit } => write!(f, "bit {bit} of byte {at} flipped"),
            Self::Cut { length } => write!(f, "cut to {length} bytes"),
        }
    }
}
