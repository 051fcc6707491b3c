//! A request body in pieces, as a form's stream and the bodies of the crate `http_body` have it.

use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::{Body, Tokio};
use crate::driver::runtime::read_body;
use crate::error::{Error, Result};

/// The size of the pieces of a body that is read from a source.
const PIECE: usize = 16 * 1024;

impl Body {
    /// Polls for the next piece: bytes in memory as they are, what is read in pieces of at most 16 KiB; `None`
    /// at the end.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if let Some(bytes) = self.take_segment() {
            return Poll::Ready(Some(Ok(bytes)));
        }
        let mut piece = [0; PIECE];
        let read = ready!(pin!(read_body::<Tokio>(self, &mut piece)).poll(cx));
        Poll::Ready(match read {
            Ok(0) => None,
            Ok(count) => Some(Ok(Bytes::copy_from_slice(piece.split_at(count).0))),
            Err(error) => Some(Err(Error::of_body(error))),
        })
    }
}
