//! How many documents of a shard may be sent.

use crate::{Books, DocumentBatch, SkipReason};

/// A bound on the documents of one shard, kept in the order in which they are read: whoever goes on at a checkpoint comes
/// to the same documents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    limit: Option<u64>,
    /// Documents that were read to be sent, also where a transform left nothing of one.
    sent: u64,
    /// Documents that were read, nested children among them.
    seen: u64,
}

impl Quota {
    /// Goes on where `books` stand.
    pub(crate) fn resume(limit: Option<u64>, books: &Books) -> Self {
        let dropped = books.skipped.get(&SkipReason::Filtered).copied().unwrap_or(0);
        let sent = (books.written + books.failed + dropped).saturating_sub(books.added);
        Self { limit, sent, seen: books.accounted() + books.nested }
    }

    /// Leaves as many documents in a batch as may be sent, and books the others beside it.
    pub(crate) fn take(&mut self, documents: &mut DocumentBatch, aside: &mut Books) {
        let room = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.sent));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        if documents.len() > room {
            aside.skip(SkipReason::Limit, (documents.len() - room) as u64);
            *documents = documents.iter().take(room).collect();
        }
        self.sent += documents.len() as u64;
        self.seen += documents.len() as u64 + aside.accounted() + aside.nested;
    }

    /// Whether nothing more may be sent, so that there is no need to read on.
    pub(crate) fn is_used_up(&self) -> bool {
        self.limit.is_some_and(|limit| self.sent >= limit)
    }

    /// The books of what was not read. Nested children cannot be told from root documents there, and are counted with them.
    pub(crate) fn rest(&self, undeleted: u64) -> Books {
        let mut books = Books::default();
        books.skip(SkipReason::Limit, undeleted.saturating_sub(self.seen));
        books
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::samples::documents;

    #[test]
    fn a_batch_is_cut_and_the_rest_is_booked() {
        let mut quota =
            Quota::resume(Some(5), &Books { written: 1, nested: 2, ..Books::default() });
        let (mut batch, mut aside) = (documents(0..3), Books { nested: 1, ..Books::default() });
        quota.take(&mut batch, &mut aside);
        assert_eq!((batch.len(), aside.accounted(), quota.is_used_up()), (3, 0, false));
        let (mut batch, mut aside) = (documents(3..6), Books::default());
        quota.take(&mut batch, &mut aside);
        assert_eq!((batch.len(), aside.skipped[&SkipReason::Limit]), (1, 2));
        assert!(quota.is_used_up());
        // 1 and 2 before, 3 and 1, 3: 10 of 14.
        assert_eq!(quota.rest(14).skipped[&SkipReason::Limit], 4);
    }

    #[test]
    fn what_a_transform_drops_or_adds_changes_nothing_of_the_bound() {
        let mut books = Books { written: 7, failed: 1, added: 5, ..Books::default() };
        books.skip(SkipReason::Filtered, 1);
        let mut quota = Quota::resume(Some(5), &books);
        let (mut batch, mut aside) = (documents(4..9), Books::default());
        quota.take(&mut batch, &mut aside);
        assert_eq!((batch.len(), aside.skipped[&SkipReason::Limit]), (1, 4));
    }

    #[test]
    fn without_a_limit_everything_goes() {
        let mut quota = Quota::resume(None, &Books::default());
        let (mut batch, mut aside) = (documents(0..3), Books::default());
        quota.take(&mut batch, &mut aside);
        assert_eq!((batch.len(), aside.accounted(), quota.is_used_up()), (3, 0, false));
    }
}
