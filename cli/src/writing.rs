//! How documents are written, and what becomes of those that the target refuses.

use clap::{Args, ValueEnum};
use snapfill::cluster::BulkOperation;
use snapfill::failed::FailureLimit;

/// What becomes of an id that is in the target already.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OperationWord {
    /// Its document is replaced, and counted as overwritten
    Index,
    /// Its document is left alone, and counted as present: for a target that is written to already
    Create,
}

impl From<OperationWord> for BulkOperation {
    fn from(word: OperationWord) -> Self {
        match word {
            OperationWord::Index => Self::Index,
            OperationWord::Create => Self::Create,
        }
    }
}

/// Documents that the target refuses.
#[derive(Debug, Args)]
#[command(next_help_heading = "Documents that the target refuses")]
pub(crate) struct Refusals {
    /// Where they are kept: a folder or s3://bucket/folder, reached as the repository's. Unless given, in the folder `failed` beside the working
    /// state
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) failed_store: Option<String>,
    /// Pause when more documents of one index have failed [default: 10000 or 1 % of the index, whichever is more]
    #[arg(long, value_name = "N")]
    pub(crate) max_failed: Option<u64>,
    #[command(flatten)]
    pub(crate) allowed: Allowed,
}

impl Refusals {
    pub(crate) fn limit(&self) -> FailureLimit {
        self.max_failed.map_or(FailureLimit::Usual, FailureLimit::Documents)
    }
}

/// Refusals that are none.
#[derive(Debug, Args)]
pub(crate) struct Allowed {
    /// A type of exception that counts as success, such as version_conflict_engine_exception: the document is counted as
    /// present (may be given several times; for targets that are clusters)
    #[arg(long = "allow-exception", value_name = "TYPE")]
    pub(crate) exceptions: Vec<String>,
}
