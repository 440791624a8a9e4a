//! Which failures still hold: pure rules over what the objects say.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::FailedDocument;
use super::names::Void;

/// One failure among all of a session: names the document and the attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct FailureKey {
    pub(crate) source_index: String,
    pub(crate) shard: u32,
    pub(crate) number: u32,
    /// The document's id: a transform may have made several of one number.
    #[serde(default)]
    pub(crate) id: String,
    pub(crate) lease: u64,
}

impl FailureKey {
    pub(crate) fn of(document: &FailedDocument) -> Self {
        Self {
            source_index: document.source_index.clone(),
            shard: document.shard,
            number: document.number,
            id: document.id.clone(),
            lease: document.lease,
        }
    }
}

/// What outvotes failures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts {
    voids: HashMap<(String, u32), Vec<Void>>,
    redriven: HashSet<FailureKey>,
}

impl Verdicts {
    pub(crate) fn void(&mut self, source_index: &str, shard: u32, void: Void) {
        self.voids.entry((source_index.to_owned(), shard)).or_default().push(void);
    }

    pub(crate) fn redriven(&mut self, key: FailureKey) {
        self.redriven.insert(key);
    }

    /// Whether the failure of `key` still holds. A document whose range was sent anew under a later lease either failed
    /// again, which has a record of its own, or was taken.
    pub(crate) fn holds(&self, key: &FailureKey) -> bool {
        let voids = self.voids.get(&(key.source_index.clone(), key.shard));
        let is_void = voids
            .into_iter()
            .flatten()
            .any(|void| (void.first..void.end).contains(&key.number) && key.lease < void.lease);
        !is_void && !self.redriven.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32, lease: u64) -> FailureKey {
        FailureKey { source_index: "i".to_owned(), shard: 0, number, id: "d".to_owned(), lease }
    }

    #[test]
    fn a_later_lease_voids_what_it_sends_anew_and_nothing_else() {
        let mut verdicts = Verdicts::default();
        verdicts.void("i", 0, Void { first: 10, end: 20, lease: 3 });
        assert!(!verdicts.holds(&key(10, 2)));
        assert!(!verdicts.holds(&key(19, 1)), "however late it was written");
        assert!(verdicts.holds(&key(9, 2)), "before the range: the checkpoint had passed it");
        assert!(verdicts.holds(&key(20, 2)), "another item of the shard");
        assert!(verdicts.holds(&key(12, 3)), "it failed again");
        assert!(verdicts.holds(&FailureKey { shard: 1, ..key(12, 2) }));
    }

    #[test]
    fn what_was_redriven_holds_no_more() {
        let mut verdicts = Verdicts::default();
        verdicts.redriven(key(4, 1));
        assert!(!verdicts.holds(&key(4, 1)));
        assert!(verdicts.holds(&key(4, 2)) && verdicts.holds(&key(5, 1)));
        let sibling = FailureKey { id: "another of that number".to_owned(), ..key(4, 1) };
        assert!(verdicts.holds(&sibling));
    }
}
