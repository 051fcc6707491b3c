//! A socket whose every wait is bounded by the call's budget.

use std::fmt;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::probe::{self, Pending};
use crate::link::Halt;
use crate::policy::budget::{Budget, Expired, Operation, Wait};

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: socket2::Socket,
    /// None for a Unix domain socket.
    peer: Option<SocketAddr>,
    /// The limits that the system knows of: telling it again costs a system call.
    read_limit: Option<Duration>,
    write_limit: Option<Duration>,
}

/// Why nothing was read or written.
#[derive(Debug)]
pub(crate) enum SocketError {
    Expired(Expired),
    Io(io::Error),
}

impl Socket {
    pub(crate) fn new(stream: socket2::Socket, peer: Option<SocketAddr>) -> Self {
        Self { stream, peer, read_limit: None, write_limit: None }
    }

    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// What waits to be read, at no wait.
    pub(crate) fn pending(&self) -> Pending {
        probe::pending(&self.stream)
    }

    /// Last words before the socket is closed. Nobody waits for them to arrive.
    pub(crate) fn say_farewell(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() && self.stream.set_write_timeout(Some(FAREWELL)).is_ok() {
            let _ = self.stream.send_with_flags(bytes, NO_SIGNAL);
        }
    }

    /// Reads at least one byte; 0 is the end.
    pub(crate) fn read(&mut self, into: &mut [u8], budget: &Budget) -> Result<usize, SocketError> {
        self.read_as(Operation::Read, into, budget)
    }

    /// Reads at least one byte, with the patience of `operation`.
    pub(crate) fn read_as(
        &mut self,
        operation: Operation,
        into: &mut [u8],
        budget: &Budget,
    ) -> Result<usize, SocketError> {
        loop {
            let wait = budget.wait(operation, Instant::now)?;
            if self.read_limit != wait.at_most {
                self.stream.set_read_timeout(for_system(wait.at_most))?;
                self.read_limit = wait.at_most;
            }
            match self.stream.read(into) {
                Ok(count) => return Ok(count),
                Err(error) => in_vain(error, wait)?,
            }
        }
    }

    /// Writes at least one byte.
    pub(crate) fn write(&mut self, bytes: &[u8], budget: &Budget) -> Result<usize, SocketError> {
        loop {
            let wait = budget.wait(Operation::Write, Instant::now)?;
            if self.write_limit != wait.at_most {
                self.stream.set_write_timeout(for_system(wait.at_most))?;
                self.write_limit = wait.at_most;
            }
            match self.stream.send_with_flags(bytes, NO_SIGNAL) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(count) => return Ok(count),
                Err(error) => in_vain(error, wait)?,
            }
        }
    }
}

/// The system counts microseconds, and takes none of them for no limit.
fn for_system(limit: Option<Duration>) -> Option<Duration> {
    limit.map(|limit| limit.max(Duration::from_micros(1)))
}

/// A peer that is gone is an error of the write, never a signal to the whole program.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// There the socket has an option for it, which is set, or no signals.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;

/// How long a farewell may take: nothing at all unless the system's buffers are full.
const FAREWELL: Duration = Duration::from_millis(1);

/// A system call failed: again (a signal came), too late, or broken. Where there is no limit of
/// ours, the system has given the connection up.
fn in_vain(error: io::Error, wait: Wait) -> Result<(), SocketError> {
    match error.kind() {
        io::ErrorKind::Interrupted => Ok(()),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut if wait.at_most.is_some() => {
            Err(wait.expired.into())
        }
        _ => Err(error.into()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::budget::Timeouts;

    /// Linux reports a connection that it has given up as it does a limit that has passed.
    #[test]
    fn the_end_of_the_systems_patience_is_no_limit_of_ours() {
        for (read, is_ours) in [(Some(Duration::from_secs(1)), true), (None, false)] {
            let timeouts = Timeouts { read, ..Timeouts::default() };
            let budget = Budget::start(timeouts, Instant::now());
            let wait = budget.wait(Operation::Read, Instant::now).unwrap();
            let error = in_vain(io::ErrorKind::TimedOut.into(), wait).unwrap_err();
            assert_eq!(matches!(error, SocketError::Expired(_)), is_ours, "{error}");
        }
    }
}
