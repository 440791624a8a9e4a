//! A body in parts, some of which are nobody's copy: a large source is sent from where it was read to.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Bytes handed over at a time: where the connection must copy them, as for TLS, it copies no more than these.
const FRAME: usize = 256 << 10;

/// Bytes to send, one part after another. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts(Vec<Bytes>);

impl Parts {
    /// Adds bytes at the end.
    pub(super) fn push(&mut self, part: Bytes) {
        if !part.is_empty() {
            self.0.push(part);
        }
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        self.0.iter()
    }

    /// All of them together.
    pub(super) fn length(&self) -> u64 {
        self.0.iter().map(|part| part.len() as u64).sum()
    }

    /// In one piece, as a signature needs it; only a body of several parts is copied.
    pub(super) fn whole(&self) -> Bytes {
        match self.0.as_slice() {
            [] => Bytes::new(),
            [only] => only.clone(),
            several => several.concat().into(),
        }
    }

    /// As the client sends them. The length is known, so that no server has to take them in chunks.
    pub(super) fn into_body(self) -> reqwest::Body {
        match self.0.as_slice() {
            [] | [_] => self.whole().into(),
            _ => {
                let left = self.length();
                reqwest::Body::wrap(Outgoing { parts: self.0.into(), left })
            }
        }
    }
}

impl From<Bytes> for Parts {
    fn from(bytes: Bytes) -> Self {
        Self(vec![bytes])
    }
}

/// What is not sent yet.
#[derive(Debug)]
struct Outgoing {
    parts: VecDeque<Bytes>,
    left: u64,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(part) = self.parts.front_mut() else { return Poll::Ready(None) };
        let frame = part.split_to(part.len().min(FRAME));
        if part.is_empty() {
            self.parts.pop_front();
        }
        self.left = self.left.saturating_sub(frame.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_out_is_what_was_put_in_and_as_long_as_it_says() {
        let mut parts = Parts::default();
        let large = Bytes::from(vec![b'x'; FRAME * 2 + 1]);
        for part in [Bytes::from_static(b"a"), Bytes::new(), large, Bytes::from_static(b"z")] {
            parts.push(part);
        }
        let mut outgoing = Outgoing { left: parts.length(), parts: parts.0.clone().into() };
        let mut sent = Vec::new();
        let mut context = Context::from_waker(std::task::Waker::noop());
        while !outgoing.is_end_stream() {
            let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut outgoing).poll_frame(&mut context)
            else {
                panic!("a part is always ready");
            };
            let data = frame.into_data().unwrap();
            assert!(data.len() <= FRAME);
            sent.extend_from_slice(&data);
            let left = (parts.length() as usize - sent.len()) as u64;
            assert_eq!(outgoing.size_hint().exact(), Some(left));
        }
        assert_eq!(sent, parts.whole());
    }
}
