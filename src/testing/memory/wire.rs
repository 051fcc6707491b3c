//! The client's end of a connection in memory: what has arrived, whether it has ended, and how much the peer
//! still accepts.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::task::Waker;

use crate::driver::runtime::Pending;

/// The buffers of a connection, as the client's socket sees them.
#[derive(Debug)]
pub(crate) struct Wire {
    /// Bytes that have arrived and that the client has not read.
    inbox: VecDeque<u8>,
    end: Option<WireEnd>,
    /// The number of bytes that the client has sent and the peer has not read.
    held: usize,
    /// The number of bytes that may be on their way to the peer.
    window: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The end of what the peer sends.
#[derive(Debug)]
pub(crate) enum WireEnd {
    /// The peer has closed its sending half.
    Fin,
    /// The connection was reset.
    Reset,
    /// It was reset, and a read or write has reported that. As on real systems, later reads see an orderly end.
    ToldReset,
    /// The client itself has shut the connection down.
    Shutdown,
    /// The next read fails with this error; later ones see an orderly end.
    #[cfg(feature = "testing")]
    Failure(Option<io::Error>),
}

impl Wire {
    /// Creates a connection to a peer that accepts so many bytes before it reads.
    pub(crate) fn new(window: usize) -> Self {
        Self { inbox: VecDeque::new(), end: None, held: 0, window, reader: None, writer: None }
    }

    /// Returns the number of bytes that can be read immediately, at most `most`; 0 after the end. If there is
    /// nothing yet, the waker is kept.
    pub(crate) fn available(&mut self, most: usize, waker: &Waker) -> Option<io::Result<usize>> {
        let count = self.inbox.len().min(most);
        if count > 0 {
            return Some(Ok(count));
        }
        match &mut self.end {
            None => {
                self.reader = Some(waker.clone());
                None
            }
            Some(end @ WireEnd::Reset) => {
                *end = WireEnd::ToldReset;
                Some(Err(ErrorKind::ConnectionReset.into()))
            }
            #[cfg(feature = "testing")]
            Some(WireEnd::Failure(failure)) => Some(failure.take().map_or(Ok(0), Err)),
            Some(WireEnd::Fin | WireEnd::ToldReset | WireEnd::Shutdown) => Some(Ok(0)),
        }
    }

    /// Reads as many bytes as there are, at most so many.
    pub(crate) fn read(&mut self, count: usize, into: &mut [u8]) {
        let count = count.min(self.inbox.len());
        for (byte, place) in self.inbox.drain(..count).zip(into) {
            *place = byte;
        }
    }

    /// Returns how many of `wanted` bytes the peer accepts. If it accepts none, the waker is kept.
    pub(crate) fn room(&mut self, wanted: usize, waker: &Waker) -> Option<io::Result<usize>> {
        match &mut self.end {
            None | Some(WireEnd::Fin) => {}
            #[cfg(feature = "testing")]
            Some(WireEnd::Failure(_)) => {}
            Some(end) => {
                if matches!(end, WireEnd::Reset) {
                    *end = WireEnd::ToldReset;
                }
                return Some(Err(ErrorKind::BrokenPipe.into()));
            }
        }
        let room = wanted.min(self.window.saturating_sub(self.held));
        if room == 0 {
            self.writer = Some(waker.clone());
            return None;
        }
        Some(Ok(room))
    }

    /// Counts bytes that are on their way to the peer.
    pub(crate) fn hold(&mut self, count: usize) {
        self.held += count;
    }

    /// Counts bytes that the peer has read, and returns the waker of a write that waits for it.
    #[cfg(test)]
    pub(crate) fn accept(&mut self, count: usize) -> Option<Waker> {
        self.held = self.held.saturating_sub(count);
        self.writer.take()
    }

    /// Returns whether there is input or the end; if not, the waker is kept.
    pub(crate) fn has_news(&mut self, waker: &Waker) -> bool {
        let has_news = self.pending() != Pending::Nothing;
        if !has_news {
            self.reader = Some(waker.clone());
        }
        has_news
    }

    /// Returns the state of the input.
    pub(crate) fn pending(&self) -> Pending {
        match self.inbox.is_empty() {
            false => Pending::Bytes,
            true if self.end.is_some() => Pending::End,
            true => Pending::Nothing,
        }
    }

    /// Adds bytes that have arrived.
    pub(crate) fn arrive(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.inbox.extend(bytes);
    }

    /// Discards what has arrived and was not read, as some systems do after a reset.
    #[cfg(test)]
    pub(crate) fn discard(&mut self) {
        self.inbox.clear();
    }

    /// Ends the connection, and returns the wakers of those who wait for it.
    pub(crate) fn finish(&mut self, end: WireEnd) -> impl Iterator<Item = Waker> + use<> {
        self.end = Some(end);
        [self.reader.take(), self.writer.take()].into_iter().flatten()
    }

    /// Returns the waker of a read that waits for what has just arrived.
    pub(crate) fn take_reader(&mut self) -> Option<Waker> {
        self.reader.take()
    }

    /// Returns the number of bytes that have arrived and were not read.
    #[cfg(test)]
    pub(crate) fn unread(&self) -> usize {
        self.inbox.len()
    }

    /// Returns the end, if there is one.
    pub(crate) fn end(&self) -> Option<&WireEnd> {
        self.end.as_ref()
    }

    /// Returns whether the peer can still send and be sent to, or has only closed its sending half.
    pub(crate) fn is_usable(&self) -> bool {
        matches!(self.end, None | Some(WireEnd::Fin))
    }
}
