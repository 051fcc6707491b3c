//! A reader as a body of the asynchronous clients.

use std::convert::Infallible;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::{SPACE, source};
use crate::rows::Framing;

pub struct ReaderBody {
    reader: io::Take<io::Repeat>,
    framing: Framing,
}

impl ReaderBody {
    pub fn new(framing: Framing, size: u64) -> Self {
        Self { reader: source(size), framing }
    }
}

impl Body for ReaderBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut piece = Vec::with_capacity(SPACE);
        let read = self.reader.by_ref().take(SPACE as u64).read_to_end(&mut piece);
        Poll::Ready(match read {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(Ok(Frame::data(piece.into()))),
        })
    }

    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Sized => SizeHint::with_exact(self.reader.limit()),
            Framing::Chunked => SizeHint::new(),
        }
    }
}
