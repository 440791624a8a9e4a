//! Whose ids documents get.

use std::sync::atomic::{AtomicBool, Ordering};

use super::refusal::Complaint;

/// Whether documents get ids from the server, in place of those that they have in the snapshot.
///
/// Collections of Amazon OpenSearch Serverless for time series and for vector search take no ids. There, a bulk that is sent
/// again writes its documents again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ServerIds {
    /// Where the target takes no others: known from the type of a Serverless collection where we may ask for it
    /// (`aoss:BatchGetCollection`), else from the target's first refusal, after which the documents are sent without ids.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never: a target that takes no ids is an error.
    Never,
}

/// What a service says that takes no ids.
const REFUSAL: &str = "Document ID is not supported";

/// Whose ids documents get, as far as it is known by now.
#[derive(Debug)]
pub(super) struct Ids {
    choice: ServerIds,
    is_given: AtomicBool,
}

impl Ids {
    pub(super) fn new(choice: ServerIds) -> Self {
        Self { choice, is_given: AtomicBool::new(choice == ServerIds::Always) }
    }

    /// Whether documents go without ids.
    pub(super) fn are_given(&self) -> bool {
        self.is_given.load(Ordering::Relaxed)
    }

    /// Whether it is still to be found out.
    pub(super) fn is_open(&self) -> bool {
        self.choice == ServerIds::Auto && !self.are_given()
    }

    /// The target takes no ids: from now on none are sent, if that was left to us.
    pub(super) fn refused(&self) -> bool {
        let may = self.choice == ServerIds::Auto;
        if may && !self.is_given.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the target takes no ids and gives documents its own: a bulk that is sent again writes its documents again"
            );
        }
        may
    }

    /// Whether a complaint is about ids.
    pub(super) fn is_refusal(complaint: &Complaint) -> bool {
        complaint.reason.contains(REFUSAL)
    }
}
