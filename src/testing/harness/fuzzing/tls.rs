//! The TLS stage of one connection.
//!
//! The target sends bytes that answer the `ClientHello`, or acts as a server of TLS 1.2 or 1.3
//! after an honest handshake. The stage is driven as the pipe drives it: space is taken, filled in
//! part, and everything is received; `idle` stands for a rest in the pool.

use std::sync::Arc;

use crate::base::buffer::BufferPool;
use crate::transport::tls;
use crate::transport::tls_info::RootSource;

/// The client's side of a connection.
#[derive(Debug)]
pub struct Tls {
    tls: tls::Tls,
    shelf: BufferPool,
}

/// The result of the ciphertext so far.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Received {
    /// The plaintext.
    pub plain: Vec<u8>,
    /// True if the peer has sent `close_notify`.
    pub is_closed: bool,
    /// The reason why the connection cannot continue.
    pub failure: Option<String>,
}

/// The maximum space for one read.
const LARGEST_SPACE: usize = 68 * 1024;

impl Tls {
    /// Begins a handshake for `localhost`, with the `ClientHello` as its output.
    pub fn new(config: Arc<rustls::ClientConfig>) -> Option<Self> {
        let mut tls = tls::Tls::new(config, "localhost", RootSource::Preconfigured).ok()?;
        tls.receive(|_| {}).ok()?;
        Some(Self { tls, shelf: BufferPool::default() })
    }

    /// Receives ciphertext, in pieces of these sizes.
    pub fn receive(
        &mut self,
        mut bytes: &[u8],
        mut sizes: impl Iterator<Item = usize>,
        received: &mut Received,
    ) {
        while !bytes.is_empty() && received.failure.is_none() {
            let size = sizes.next().unwrap_or(1);
            let space = self.tls.read_space();
            assert!((1..=LARGEST_SPACE).contains(&space.len()), "space for {}", space.len());
            let (piece, rest) = bytes.split_at(size.min(space.len()).min(bytes.len()));
            space.split_at_mut(piece.len()).0.copy_from_slice(piece);
            self.tls.read(piece.len());
            bytes = rest;
            self.take(received);
        }
    }

    /// Takes the plaintext. A failure is returned after the plaintext that precedes it.
    fn take(&mut self, received: &mut Received) {
        loop {
            match self.tls.receive(|plain| received.plain.extend_from_slice(plain)) {
                Ok(end) => received.is_closed = end == tls::Received::Closed,
                Err(error) => received.failure = Some(error.to_string()),
            }
            if received.failure.is_some() || !self.tls.has_failed() {
                return;
            }
        }
    }

    /// Encrypts the bytes, if that is allowed; `receive` has taken everything before.
    pub fn encrypt(&mut self, plain: &[u8]) -> Option<usize> {
        self.tls.encrypt(plain).ok()
    }

    /// Returns the output that waits to be written.
    pub fn take_output(&mut self) -> Vec<u8> {
        let output = self.tls.output().to_vec();
        self.tls.wrote(self.tls.output().len());
        output
    }

    /// Returns the number of ciphertext bytes that are buffered.
    pub fn pending(&self) -> usize {
        self.tls.pending()
    }

    /// Returns whether the handshake is not complete.
    pub fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Returns whether another exchange may begin.
    pub fn is_at_rest(&self) -> bool {
        self.tls.is_at_rest()
    }

    /// Makes the connection idle and active again.
    pub fn idle(&mut self) {
        self.tls.rest(&mut self.shelf);
        self.tls.wake(&mut self.shelf);
    }

    /// Returns the final bytes.
    pub fn farewell(&mut self) -> Vec<u8> {
        self.tls.farewell(b"last words").to_vec()
    }
}
