//! What of the plan is kept with the run, for a report that is made when the snapshot may be gone and the target is another.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::controller::Plan;
use crate::preparation::section;

/// More warnings would make the run too long a document.
const MOST_WARNINGS: usize = 500;

/// What is to be known of an index before its documents are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanWarning {
    /// The index, of the snapshot or of the target.
    pub index: String,
    /// What is to be known.
    pub warning: String,
}

/// An index of the target, as it was before the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedFill {
    /// The indices of the snapshot that go there.
    pub(crate) sources: BTreeSet<String>,
    /// Its documents, where that is known.
    pub(crate) before: Option<u64>,
}

/// What is kept of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanRecord {
    /// The indices of the target.
    pub(crate) targets: BTreeMap<String, PlannedFill>,
    /// As many as have room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<PlanWarning>,
    /// How many have not.
    #[serde(default)]
    pub(crate) more_warnings: usize,
}

impl PlanRecord {
    const KEY: &'static str = "planned";

    /// What is to be kept of a plan. The documents of indices that are there already are the caller's to count: what a
    /// plan says of them counts parts of documents, too.
    pub(crate) fn of(plan: &Plan) -> Self {
        let targets = plan.targets.iter().map(|target| {
            // A type of an index is written as `index/type`.
            let name = |source: &String| source.split('/').next().unwrap_or_default().to_owned();
            let sources = target.sources.iter().map(name).collect();
            let before = target.existing.is_none().then_some(0);
            (target.name.clone(), PlannedFill { sources, before })
        });
        let mut warnings = plan.warnings();
        let more_warnings = warnings.len().saturating_sub(MOST_WARNINGS);
        warnings.truncate(MOST_WARNINGS);
        Self { targets: targets.collect(), warnings, more_warnings }
    }

    /// The record among the settings of a run; an empty one where there is none.
    pub(crate) fn of_run(settings: &Value) -> Self {
        section::read(settings, Self::KEY)
    }

    /// Writes it among the settings of a run.
    pub(crate) fn write(&self, settings: &mut Value) {
        section::write(settings, Self::KEY, self);
    }
}
