//! Buffers that are used again: a body of 10 MiB is not allocated and faulted in anew each time.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Buffers kept at most.
const KEPT: usize = 8;

/// Larger ones, which the usual bulk does not need, are given back: large documents must not hold their memory for ever.
const LARGEST_KEPT: usize = 12 << 20;

/// Empty buffers to use again.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// An empty buffer.
    pub(super) fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Gives a buffer back.
    pub(super) fn give_back(&self, mut buffer: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT && buffer.capacity() <= LARGEST_KEPT {
            buffer.clear();
            kept.push(buffer);
        }
    }

    /// The buffer as bytes to send; it comes back when nobody holds them any more.
    pub(super) fn lend(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { buffer, home: self.clone() })
    }
}

struct Lent {
    buffer: Vec<u8>,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.give_back(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lent_buffer_comes_back_empty_when_the_last_holder_is_gone() {
        let buffers = Buffers::default();
        let lent = buffers.lend(b"body".to_vec());
        let second = lent.clone();
        drop(lent);
        assert_eq!(buffers.take().capacity(), 0, "still out");
        assert_eq!(&second[..], b"body");
        drop(second);
        let back = buffers.take();
        assert!(back.is_empty() && back.capacity() >= 4);
    }

    #[test]
    fn a_huge_buffer_is_not_kept() {
        let buffers = Buffers::default();
        buffers.give_back(Vec::with_capacity(LARGEST_KEPT + 1));
        assert_eq!(buffers.take().capacity(), 0);
    }
}
