//! Small conversions that several handles need.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use snapfill::{ErrorKind, SkipReason};

use crate::{Result, SnapfillError};

/// A value of ours as JSON text: its keys are text, so it has one.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Counts by the name of their reason.
pub(crate) fn counts_by_name(counts: &BTreeMap<SkipReason, u64>) -> HashMap<String, u64> {
    counts.iter().map(|(reason, count)| (reason.as_str().to_owned(), *count)).collect()
}

/// One of a few words as the value it stands for; the first where none is given.
pub(crate) fn choose<T: Copy>(option: &str, given: Option<&str>, words: &[(&str, T)]) -> Result<T> {
    let found = match given {
        None => words.first(),
        Some(given) => words.iter().find(|(word, _)| *word == given),
    };
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("{option} is one of {}", known.join(", "));
        SnapfillError::new(ErrorKind::Config, message)
    })
}

/// A size for this machine: one that is too large for it is as good as none.
pub(crate) fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
