//! Where the error that ended a transfer came from: only then its kind says whose fault it was.

use crate::coordination::FailureCause;
use crate::{Error, ErrorKind};

/// What ended a transfer before its time.
#[derive(Debug)]
pub(crate) enum TransferError {
    /// Reading the snapshot.
    Source(Error),
    /// Writing to the target.
    Target(Error),
    /// Calling the transform.
    Transform(Error),
    /// Speaking with the working state.
    Coordination(Error),
}

impl TransferError {
    /// Whose fault it is. One that would meet every other item too is nobody's but the outside's.
    pub(crate) fn cause(&self) -> FailureCause {
        let in_item = match self {
            // A file that is missing from the repository is missing for this item alone.
            Self::Source(error) => matches!(
                error.kind(),
                ErrorKind::Corrupt
                    | ErrorKind::Unsupported
                    | ErrorKind::Incomplete
                    | ErrorKind::NotFound
                    | ErrorKind::Unexpected
            ),
            // A panic or an answer without sense, met by these documents. Whatever else a target says, a missing index
            // among it, is no word about the item.
            Self::Target(error) => error.kind() == ErrorKind::Unexpected,
            // What it cannot do with one document it says of that document.
            Self::Transform(_) => false,
            // Books that do not balance, or that the lease rules refuse.
            Self::Coordination(error) => {
                matches!(error.kind(), ErrorKind::Incomplete | ErrorKind::Unexpected)
            }
        };
        if in_item { FailureCause::Item } else { FailureCause::Outside }
    }

    /// Whether the item went to somebody else, or its lease ran out.
    pub(crate) fn is_lease_lost(&self) -> bool {
        matches!(self, Self::Coordination(error) if error.kind() == ErrorKind::LeaseLost)
    }

    /// The error itself.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Source(error)
            | Self::Target(error)
            | Self::Transform(error)
            | Self::Coordination(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_kind_is_judged_by_where_it_came_from() {
        let absent = || Error::new(ErrorKind::NotFound, "not there");
        assert_eq!(TransferError::Source(absent()).cause(), FailureCause::Item);
        assert_eq!(TransferError::Target(absent()).cause(), FailureCause::Outside);
        assert_eq!(TransferError::Coordination(absent()).cause(), FailureCause::Outside);
    }

    #[test]
    fn outages_never_count_against_an_item() {
        for kind in [ErrorKind::Unavailable, ErrorKind::RateLimited, ErrorKind::Auth, ErrorKind::Io]
        {
            let error = || Error::new(kind, "away");
            assert_eq!(TransferError::Source(error()).cause(), FailureCause::Outside);
            assert_eq!(TransferError::Target(error()).cause(), FailureCause::Outside);
            assert_eq!(TransferError::Coordination(error()).cause(), FailureCause::Outside);
            assert_eq!(TransferError::Transform(error()).cause(), FailureCause::Outside);
        }
    }

    #[test]
    fn a_lost_lease_is_a_word_of_the_working_state_only() {
        let lost = || Error::new(ErrorKind::LeaseLost, "gone");
        assert!(TransferError::Coordination(lost()).is_lease_lost());
        assert!(!TransferError::Target(lost()).is_lease_lost());
    }
}
