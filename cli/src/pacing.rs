//! How fast a run may send.

use std::num::{NonZeroU16, NonZeroU64};

use clap::Args;
use snapfill::settings::RateLimits;

use crate::backfill::attach::OfRun;

/// How fast documents are sent at most.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sparing the target")]
pub(crate) struct Pacing {
    /// Bulk requests of one worker that may be out at a time, at most: it begins with two, and sends as many as the target
    /// takes well. A worker holds the bytes of so many bulks, and of two more
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) bulks_in_flight: NonZeroU16,
    /// Send no more documents a second, all workers of this command together; `backfill limit` changes it while it runs
    #[arg(long, value_name = "N")]
    pub(crate) max_docs_per_second: Option<NonZeroU64>,
    /// Send no more bytes of documents a second, before compression
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_bytes_per_second: Option<NonZeroU64>,
}

impl Pacing {
    pub(crate) fn limits(&self) -> RateLimits {
        RateLimits {
            documents_per_second: self.max_docs_per_second,
            bytes_per_second: self.max_bytes_per_second,
        }
    }
}

/// `snapfill backfill limit`.
#[derive(Debug, Args)]
pub(crate) struct Limit {
    #[command(flatten)]
    pub(crate) run: OfRun,
    /// Documents a second that each process working on the run may send, or none for no ceiling
    #[arg(long, value_name = "N|none")]
    pub(crate) docs_per_second: Option<Ceiling>,
    /// Bytes of documents a second, before compression, or none for no ceiling
    #[arg(long, value_name = "N|none")]
    pub(crate) bytes_per_second: Option<Ceiling>,
}

impl Limit {
    /// What was not said stays.
    pub(crate) fn change(&self, limits: RateLimits) -> RateLimits {
        let said = |ceiling: Option<Ceiling>, old| ceiling.map_or(old, |Ceiling(new)| new);
        RateLimits {
            documents_per_second: said(self.docs_per_second, limits.documents_per_second),
            bytes_per_second: said(self.bytes_per_second, limits.bytes_per_second),
        }
    }
}

/// A ceiling, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ceiling(Option<NonZeroU64>);

impl std::str::FromStr for Ceiling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let number = text.parse().map(|number| Self(Some(number)));
        number.map_err(|_| "give a number above 0, or none".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_is_a_number_or_none() {
        assert_eq!("none".parse(), Ok(Ceiling(None)));
        assert_eq!("500".parse(), Ok(Ceiling(NonZeroU64::new(500))));
        for wrong in ["0", "-1", "fast", ""] {
            assert!(wrong.parse::<Ceiling>().is_err(), "{wrong}");
        }
    }
}
