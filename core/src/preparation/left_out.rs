//! What does not go along into the target, and why.

use std::collections::BTreeMap;

use serde::Serialize;

/// Something of an index that the target's index does not get, or gets otherwise. None of it changes a document or where
/// it is routed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What: a setting's or a mapping parameter's name, an alias.
    pub what: String,
    /// Why.
    pub why: String,
    /// The fields it was said of, for a mapping parameter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// Collects what is left out; the same thing said of many fields becomes one entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    entries: BTreeMap<(String, String), Vec<String>>,
}

impl Notes {
    pub(super) fn add(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.entries.entry((what.into(), why.into())).or_default();
    }

    pub(super) fn add_field(
        &mut self,
        field: &str,
        what: impl Into<String>,
        why: impl Into<String>,
    ) {
        let fields = self.entries.entry((what.into(), why.into())).or_default();
        if !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
    }

    pub(super) fn finish(self) -> Vec<LeftOut> {
        self.entries
            .into_iter()
            .map(|((what, why), fields)| LeftOut { what, why, fields })
            .collect()
    }
}
