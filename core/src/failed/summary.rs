//! How many documents failed, by index and reason.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{FailedDocument, FailedLog, FailureClass};
use crate::Result;

/// Ids that are named of each group.
const EXAMPLES: usize = 5;

/// How many documents failed, and why.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FailedSummary {
    /// All of them.
    pub total: u64,
    /// By index, class and the target's word; the most frequent first.
    pub groups: Vec<FailureGroup>,
}

/// Failures of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct FailureGroup {
    /// The index that was to receive them.
    pub index: String,
    /// What kind of failure it was.
    pub class: FailureClass,
    /// The target's word for it.
    pub error_type: String,
    /// How many.
    pub documents: u64,
    /// The id of one of them.
    pub example_id: String,
    /// The ids of the first of them.
    pub example_ids: Vec<String>,
    /// The target's explanation for that one.
    pub example_reason: String,
    /// What may help.
    pub remedy: &'static str,
}

impl FailedLog {
    /// Counts the failures that still hold.
    ///
    /// # Errors
    /// As [`FailedLog::documents`].
    pub async fn summary(&self) -> Result<FailedSummary> {
        let mut groups: BTreeMap<(String, FailureClass, String), FailureGroup> = BTreeMap::new();
        let mut total = 0;
        let mut documents = self.documents().await?;
        while let Some(failed) = documents.next().await {
            for document in failed? {
                total += 1;
                let key = (document.index.clone(), document.class, document.error_type.clone());
                let group = groups.entry(key).or_insert_with(|| FailureGroup::of(&document));
                group.documents += 1;
                if group.example_ids.len() < EXAMPLES {
                    group.example_ids.push(document.id);
                }
            }
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.documents));
        Ok(FailedSummary { total, groups })
    }
}

impl FailureGroup {
    fn of(document: &FailedDocument) -> Self {
        Self {
            index: document.index.clone(),
            class: document.class,
            error_type: document.error_type.clone(),
            documents: 0,
            example_id: document.id.clone(),
            example_ids: Vec::new(),
            example_reason: document.reason.clone(),
            remedy: document.class.remedy(),
        }
    }
}
