//! Some of the failed documents.

use super::{FailedDocument, FailureClass};

/// Which failed documents are meant. By default all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedFilter {
    /// Those of these indices, by their name in the snapshot or in the target; none: of all.
    pub indices: Vec<String>,
    /// Those of these classes; none: of all.
    pub classes: Vec<FailureClass>,
}

impl FailedFilter {
    /// Whether a document is meant.
    pub fn admits(&self, document: &FailedDocument) -> bool {
        let is_of = |name: &String| *name == document.index || *name == document.source_index;
        (self.indices.is_empty() || self.indices.iter().any(is_of))
            && (self.classes.is_empty() || self.classes.contains(&document.class))
    }
}
