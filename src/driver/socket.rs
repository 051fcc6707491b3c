//! A socket whose every wait is bounded by the call's budget.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use http::Method;

use super::system::{Pending, Stream, System};
use crate::link::Halt;
use crate::policy::budget::{Budget, Expired, Operation};
use crate::proto::close::CloseReason;
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

    /// None for a Unix domain socket.
    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        self.stream.local_addr()
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

    pub(crate) fn closing(&mut self, reason: CloseReason) {
        self.stream.closing(reason);
    }

    pub(crate) fn interrupter(&self) -> impl Fn() + Send + 'static {
        self.stream.interrupter()
    }

    pub(crate) fn now(&self) -> Instant {
        self.system.now()
    }

    /// Reads at least one byte; 0 is the end.
    pub(crate) async fn read(
        &mut self,
        into: &mut [u8],
        budget: &mut Budget,
    ) -> Result<usize, SocketError> {
        self.read_as(Operation::Read, into, budget).await
    }

    /// Reads at least one byte, with the patience of `operation`.
    pub(crate) async fn read_as(
        &mut self,
        operation: Operation,
        into: &mut [u8],
        budget: &mut Budget,
    ) -> Result<usize, SocketError> {
        loop {
            let wait = budget.wait(operation, || self.system.now())?;
            let began = budget.has_pace().then(|| self.system.now());
            let read = self.stream.read(into, wait).await;
            if let Some(count) = self.came(read, began, budget)? {
                return Ok(count);
            }
        }
    }

    /// Writes at least one byte.
    pub(crate) async fn write(
        &mut self,
        bytes: &[u8],
        budget: &mut Budget,
    ) -> Result<usize, SocketError> {
        loop {
            let wait = budget.wait(Operation::Write, || self.system.now())?;
            let began = budget.has_pace().then(|| self.system.now());
            let written = self.stream.write(bytes, wait).await;
            match self.came(written, began, budget)? {
                Some(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Some(count) => return Ok(count),
                None => {}
            }
        }
    }

    /// What came of it; nothing, if it has to be tried again.
    fn came(
        &self,
        outcome: Result<usize, SocketError>,
        began: Option<Instant>,
        budget: &mut Budget,
    ) -> Result<Option<usize>, SocketError> {
        let count = *outcome.as_ref().unwrap_or(&0);
        if count == 0 {
            budget.check()?; // an end that we have made is no end of the peer's
        }
        if let Some(began) = began {
            budget.moved(count, self.system.now().saturating_duration_since(began))?;
        }
        match outcome {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.is_for_now() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl SocketError {
    /// Nothing is wrong: a signal came, or a stretch of a body is over and was fast enough.
    fn is_for_now(&self) -> bool {
        match self {
            Self::Io(error) => error.kind() == io::ErrorKind::Interrupted,
            Self::Expired(expired) => expired.is_pace(),
        }
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
