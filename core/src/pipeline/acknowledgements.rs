//! The contiguous acknowledged prefix: how far everything is done, whatever order bulks finish in.

use std::collections::VecDeque;

use crate::Books;
use crate::snapshot::ReadPoint;

/// Names a batch that is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ticket(u64);

#[derive(Debug)]
struct Pending {
    end: ReadPoint,
    books: Option<Books>,
}

/// Batches that are out, in the order of their documents, and what is settled before the oldest of them.
#[derive(Debug)]
pub(crate) struct Acknowledgements {
    pending: VecDeque<Pending>,
    /// The ticket of the oldest pending batch.
    oldest: u64,
    settled: ReadPoint,
    books: Books,
}

impl Acknowledgements {
    /// Begins where an earlier worker's checkpoint stands, with its books.
    pub(crate) fn new(settled: ReadPoint, books: Books) -> Self {
        Self { pending: VecDeque::new(), oldest: 0, settled, books }
    }

    /// Notes that the next batch is out; `end` is where its range ends.
    pub(crate) fn sent(&mut self, end: ReadPoint) -> Ticket {
        let ticket = Ticket(self.oldest + self.pending.len() as u64);
        self.pending.push_back(Pending { end, books: None });
        ticket
    }

    /// Notes what became of a batch. A ticket that is not out is ignored.
    pub(crate) fn acknowledged(&mut self, ticket: Ticket, books: Books) {
        let place = ticket.0.checked_sub(self.oldest).and_then(|place| usize::try_from(place).ok());
        if let Some(pending) = place.and_then(|place| self.pending.get_mut(place)) {
            pending.books.get_or_insert(books);
        }
        while let Some(Pending { books: Some(_), .. }) = self.pending.front() {
            let Some(Pending { end, books: Some(books) }) = self.pending.pop_front() else { break };
            self.oldest += 1;
            self.settled = end;
            self.books.add(&books);
        }
    }

    /// Batches that are out, and those settled behind the oldest of them.
    pub(crate) fn outstanding(&self) -> usize {
        self.pending.len()
    }

    /// Everything before this point is done.
    pub(crate) fn settled(&self) -> ReadPoint {
        self.settled
    }

    /// The books of exactly the documents before [`Acknowledgements::settled`].
    pub(crate) fn books(&self) -> &Books {
        &self.books
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn until(next: u32) -> ReadPoint {
        ReadPoint { next, ..ReadPoint::default() }
    }

    fn written(count: u64) -> Books {
        Books { written: count, ..Books::default() }
    }

    #[test]
    fn the_prefix_waits_for_the_oldest_batch() {
        let mut acks = Acknowledgements::new(until(0), Books::default());
        let (first, second) = (acks.sent(until(100)), acks.sent(until(200)));
        acks.acknowledged(second, written(100));
        assert_eq!((acks.settled().next, acks.books().written), (0, 0));
        acks.acknowledged(first, written(100));
        assert_eq!((acks.settled().next, acks.books().written), (200, 200));
    }

    #[test]
    fn an_acknowledgement_counts_once() {
        let mut acks = Acknowledgements::new(until(0), Books::default());
        let first = acks.sent(until(10));
        acks.acknowledged(first, written(10));
        acks.acknowledged(first, written(10));
        assert_eq!(acks.books().written, 10);
    }

    proptest! {
        /// Batches of one document each are acknowledged in any order, some never: the prefix is always the longest
        /// run without a hole, and the books are those of that run.
        #[test]
        fn the_prefix_never_passes_a_hole(order in Just((0_usize..40).collect::<Vec<_>>()).prop_shuffle(), kept in 0_usize..40) {
            let mut acks = Acknowledgements::new(until(0), Books::default());
            let tickets: Vec<_> = (0..40).map(|n| acks.sent(until(n + 1))).collect();
            let mut done = [false; 41];
            for place in order.into_iter().take(kept) {
                acks.acknowledged(tickets[place], written(1));
                done[place] = true;
                let prefix = done.iter().take_while(|done| **done).count();
                prop_assert_eq!(acks.settled().next as usize, prefix);
                prop_assert_eq!(acks.books().written as usize, prefix);
            }
        }
    }
}
