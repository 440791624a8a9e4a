//! What the target holds against what the books say.

use std::collections::{BTreeMap, BTreeSet};

use super::{PlanRecord, ReportedTarget, TargetCheck};
use crate::Books;

/// What the books of some indices say.
#[derive(Clone, Debug, Default)]
pub(super) struct Claim {
    pub(super) books: Books,
    /// Failures that still hold.
    pub(super) still_failed: u64,
    /// All shards are done.
    pub(super) is_done: bool,
    /// Some shard was given up.
    pub(super) given_up: bool,
}

/// What was counted of each index of the target, or why it could not be.
pub(crate) type Counted = BTreeMap<String, Result<u64, String>>;

/// What a comparison depends on beside the figures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// The failures that still hold are known.
    pub(super) knows_failures: bool,
    /// The target writes a document once, however often it is sent.
    pub(super) is_idempotent: bool,
}

/// Indices of snapshot and target that hang together: what one index of the snapshot was written to, and all that was written
/// there.
pub(super) fn families(record: &PlanRecord) -> Vec<(BTreeSet<String>, BTreeSet<String>)> {
    let mut families: Vec<(BTreeSet<String>, BTreeSet<String>)> = Vec::new();
    for (target, fill) in &record.targets {
        let mut joined = (BTreeSet::from([target.clone()]), fill.sources.clone());
        families.retain(|(targets, sources)| {
            let is_apart = sources.is_disjoint(&joined.1);
            if !is_apart {
                joined.0.extend(targets.iter().cloned());
                joined.1.extend(sources.iter().cloned());
            }
            is_apart
        });
        families.push(joined);
    }
    families.sort();
    families
}

/// Compares one family.
pub(super) fn check(
    (targets, sources): (BTreeSet<String>, BTreeSet<String>),
    claim: &Claim,
    record: &PlanRecord,
    counted: &Counted,
    circumstances: Circumstances,
) -> TargetCheck {
    let targets: Vec<_> = targets
        .into_iter()
        .map(|index| {
            let count = counted.get(&index);
            ReportedTarget {
                before: record.targets.get(&index).and_then(|fill| fill.before),
                documents: count.and_then(|count| count.as_ref().ok().copied()),
                error: count.and_then(|count| count.as_ref().err().cloned()),
                index,
            }
        })
        .collect();
    let sum = |figure: fn(&ReportedTarget) -> Option<u64>| {
        targets.iter().map(figure).try_fold(0_u64, |sum, figure| Some(sum.saturating_add(figure?)))
    };
    let (before, documents) = (sum(|target| target.before), sum(|target| target.documents));
    let books = &claim.books;
    let redriven = match circumstances.knows_failures {
        true => books.failed.saturating_sub(claim.still_failed),
        false => 0,
    };
    let new = (books.written + redriven).saturating_sub(books.overwritten + books.present);
    let is_settled = claim.is_done || claim.given_up;
    let expected = before.filter(|_| is_settled).map(|before| before + new);
    let difference = expected.zip(documents).map(|(expected, documents)| {
        let difference = i128::from(documents) - i128::from(expected);
        i64::try_from(difference).unwrap_or(i64::MAX)
    });
    let explanation = match (difference, documents) {
        (Some(difference), _) => explain(difference, claim, circumstances),
        (None, None) => "what is there could not be counted".to_owned(),
        (None, _) if !is_settled => "not compared before all shards are done".to_owned(),
        (None, _) => "how many documents were there before the run is not known".to_owned(),
    };
    let sources = sources.into_iter().collect();
    TargetCheck { targets, sources, redriven, expected, documents, difference, explanation }
}

fn explain(difference: i64, claim: &Claim, circumstances: Circumstances) -> String {
    let books = &claim.books;
    let amount = difference.unsigned_abs();
    let mut reasons = Vec::new();
    if difference > 0 {
        if !circumstances.is_idempotent {
            reasons
                .push("what was sent again is there twice, since the target gives ids of its own");
        }
        if claim.given_up {
            reasons
                .push("part of a shard that was given up was written behind its last checkpoint");
        }
        reasons.push("somebody else wrote there since the run began");
        return format!("{amount} more than the books explain: {}", reasons.join(", or "));
    }
    if difference < 0 {
        reasons.push("somebody else deleted or replaced documents since");
        if books.overwritten + books.present == 0 {
            reasons
                .push("documents were replaced by others of their id while they were sent again");
        }
        return format!("{amount} fewer than the books explain: {}", reasons.join(", or "));
    }
    let left = [
        (books.overwritten, "replaced documents of their id"),
        (books.present, "were there already"),
        (claim.still_failed, "were refused"),
        (books.skipped_total(), "were skipped"),
    ];
    let left: Vec<_> = left
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match left.is_empty() {
        true => "as the books say".to_owned(),
        false => format!("as the books say: {}", left.join(", ")),
    }
}
