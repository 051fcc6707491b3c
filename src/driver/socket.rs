//! A socket whose every wait is bounded by the call's budget.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use http::Method;

use super::system::{Pending, Stream, System};
use crate::link::Halt;
use crate::policy::budget::{Budget, Expired, Operation};
use crate::url::Url;

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket<S: System> {
    stream: S::Stream,
    system: S,
    /// None for a Unix domain socket.
    peer: Option<SocketAddr>,
}

/// Why nothing was read or written.
#[derive(Debug)]
pub enum SocketError {
    Expired(Expired),
    Io(io::Error),
}

impl<S: System> Socket<S> {
    pub(crate) fn new(stream: S::Stream, system: &S, peer: Option<SocketAddr>) -> Self {
        Self { stream, system: system.clone(), peer }
    }

    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// What waits to be read, at no wait.
    pub(crate) fn pending(&self) -> Pending {
        self.stream.pending()
    }

    pub(crate) fn say_farewell(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.stream.say_farewell(bytes);
        }
    }

    pub(crate) fn begin(&mut self, method: &Method, url: &Url) {
        self.stream.begin(method, url);
    }

    /// Reads at least one byte; 0 is the end.
    pub(crate) async fn read(
        &mut self,
        into: &mut [u8],
        budget: &Budget,
    ) -> Result<usize, SocketError> {
        self.read_as(Operation::Read, into, budget).await
    }

    /// Reads at least one byte, with the patience of `operation`.
    pub(crate) async fn read_as(
        &mut self,
        operation: Operation,
        into: &mut [u8],
        budget: &Budget,
    ) -> Result<usize, SocketError> {
        loop {
            let wait = budget.wait(operation, || self.system.now())?;
            match self.stream.read(into, wait).await {
                Err(error) if error.is_interruption() => {}
                read => return read,
            }
        }
    }

    /// Writes at least one byte.
    pub(crate) async fn write(
        &mut self,
        bytes: &[u8],
        budget: &Budget,
    ) -> Result<usize, SocketError> {
        loop {
            let wait = budget.wait(Operation::Write, || self.system.now())?;
            match self.stream.write(bytes, wait).await {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Err(error) if error.is_interruption() => {}
                written => return written,
            }
        }
    }
}

impl SocketError {
    /// A signal came: nothing is wrong.
    fn is_interruption(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::Interrupted)
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(expired) => expired.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl From<Expired> for SocketError {
    fn from(expired: Expired) -> Self {
        Self::Expired(expired)
    }
}

impl From<io::Error> for SocketError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<SocketError> for Halt {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Expired(expired) => Self::Expired(expired),
            SocketError::Io(error) => Self::Io(error),
        }
    }
}
