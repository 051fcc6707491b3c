//! A blocking socket, whose timeouts are set before each call.

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::Socket;

use crate::driver::SocketError;
use crate::driver::system::{self, Meanwhile, Pending};
use crate::os;
use crate::policy::deadline::Wait;

/// The limit of a wait; `None` waits without limit.
pub(super) type Limit = Option<Duration>;

/// A connected socket.
#[derive(Debug)]
pub struct Stream {
    /// Shared with cancel hooks, which shut the socket down.
    socket: Arc<Socket>,
    /// The timeouts that are set on the socket, if they are known: setting one costs a system call.
    read_limit: Option<Limit>,
    write_limit: Option<Limit>,
}

impl Stream {
    /// Creates a stream. `write_limit` is the write timeout that is set on the socket, if it is
    /// known.
    pub(super) fn new(socket: Socket, write_limit: Option<Limit>) -> Self {
        Self { socket: Arc::new(socket), read_limit: None, write_limit }
    }

    #[inline]
    fn write_for(&mut self, bytes: &[u8], limit: Limit) -> io::Result<usize> {
        if !self.write_limit.is_some_and(|known| is_near(known, limit)) {
            self.socket.set_write_timeout(for_system(limit))?;
            self.write_limit = Some(limit);
        }
        os::send(&self.socket, bytes)
    }
}

impl system::Stream for Stream {
    async fn read(&mut self, into: &mut [u8], wait: Wait) -> Result<usize, SocketError> {
        if !self.read_limit.is_some_and(|known| is_near(known, wait.at_most)) {
            self.socket.set_read_timeout(for_system(wait.at_most))?;
            self.read_limit = Some(wait.at_most);
        }
        (&*self.socket).read(into).map_err(|error| in_vain(error, wait))
    }

    async fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        wait: Wait,
    ) -> Result<usize, SocketError> {
        let mut left = wait.at_most;
        if meanwhile == Meanwhile::Converse {
            match os::try_send(&self.socket, bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Ok(sent?),
            }
            if self.pending() != Pending::Nothing {
                return Ok(0);
            }
        }
        let longest = match meanwhile {
            Meanwhile::Converse => CONVERSING_WRITE,
            Meanwhile::Listen => LONGEST_WRITE,
            // Nothing else is watched, so the timeout that connecting has left on the socket is
            // good enough.
            Meanwhile::Wait => self.write_limit.flatten().or(LONGEST_WRITE),
        };
        while left != Some(Duration::ZERO) {
            let now = shorter(left, longest);
            match self.write_for(bytes, now) {
                Err(error) if now.is_some() && error.kind() == LIMIT_PASSED => {}
                sent => return Ok(sent?),
            }
            if meanwhile != Meanwhile::Wait && self.pending() != Pending::Nothing {
                return Ok(0);
            }
            left = left.map(|left| left.saturating_sub(now.unwrap_or(left)));
        }
        Err(wait.expired.into())
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()?.as_socket()
    }

    fn pending(&self) -> Pending {
        pending(&self.socket)
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }

    fn interrupter(&self) -> impl Fn() + Send + 'static {
        let socket = Arc::clone(&self.socket);
        move || drop(socket.shutdown(Shutdown::Both)) // fails if it is already closed
    }

    fn say_farewell(&mut self, bytes: &[u8]) {
        if self.socket.set_write_timeout(Some(FAREWELL)).is_ok() {
            let _ = os::send(&self.socket, bytes);
        }
    }
}

/// The interval after which a blocked write checks whether the peer has answered or is gone; the
/// system may not report either while the peer accepts no bytes. Not on Windows, which loses the
/// count of sent bytes when a write times out.
const LONGEST_WRITE: Limit = if cfg!(unix) { Some(Duration::from_millis(250)) } else { None };

/// The interval while both halves of the exchange move: the peer may answer as soon as it has read.
const CONVERSING_WRITE: Limit = if cfg!(unix) { Some(Duration::from_millis(10)) } else { None };

fn shorter(one: Limit, other: Limit) -> Limit {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Returns whether a timeout can stay as it is: it is equal, or longer by at most 1/64. In a
/// handshake each step has slightly less time than the one before.
fn is_near(known: Limit, wanted: Limit) -> bool {
    match (known, wanted) {
        _ if known == wanted => true,
        (Some(known), Some(wanted)) => {
            known.checked_sub(wanted).is_some_and(|longer| longer <= wanted / 64)
        }
        _ => false,
    }
}

/// Returns the limit as a socket timeout, which has microseconds, with 0 for no limit.
pub(super) fn for_system(limit: Option<Duration>) -> Option<Duration> {
    limit.map(|limit| limit.max(Duration::from_micros(1)))
}

#[cfg(unix)]
fn pending(socket: &Socket) -> Pending {
    os::pending(socket)
}

/// Such platforms have no flag for a non-blocking peek.
#[cfg(not(unix))]
fn pending(socket: &Socket) -> Pending {
    let looked = socket.set_nonblocking(true).map(|()| os::pending(socket));
    let restored = socket.set_nonblocking(false);
    looked.and_then(|pending| restored.map(|()| pending)).unwrap_or(Pending::End)
}

/// The time limit for the final bytes: they need none unless the system's buffers are full.
const FAREWELL: Duration = Duration::from_millis(1);

/// The error kind of an expired socket timeout. On Unix `TimedOut` has another meaning: the system
/// has given the connection up.
const LIMIT_PASSED: io::ErrorKind =
    if cfg!(unix) { io::ErrorKind::WouldBlock } else { io::ErrorKind::TimedOut };

/// Maps the error of a system call to an expired limit or an I/O error.
pub(super) fn in_vain(error: io::Error, wait: Wait) -> SocketError {
    if error.kind() == LIMIT_PASSED && wait.at_most.is_some() {
        return wait.expired.into();
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::policy::deadline::{Budget, Operation, Timeouts};

    #[test]
    fn socket_timeouts_are_set_again_unless_nearly_equal() {
        let millis = |millis: u64| Some(Duration::from_millis(millis));
        for (known, wanted, expected) in [
            (None, None, true),
            (None, millis(1), false),
            (millis(1), None, false),
            (millis(6400), millis(6400), true),
            (millis(6500), millis(6400), true),
            (millis(6501), millis(6400), false),
            (millis(6399), millis(6400), false), // would end too early
        ] {
            assert_eq!(is_near(known, wanted), expected, "{known:?} for {wanted:?}");
        }
    }

    /// A connection that the system gave up (`TCP_USER_TIMEOUT`, keep-alive) is lost, and may be
    /// replaced by another one; an expired limit ends the call.
    #[cfg(unix)]
    #[test]
    fn a_timeout_of_the_system_is_an_io_error() {
        let second = Some(Duration::from_secs(1));
        for (read, kind, is_ours) in [
            (second, io::ErrorKind::WouldBlock, true),
            (second, io::ErrorKind::TimedOut, false),
            (None, io::ErrorKind::WouldBlock, false),
            (None, io::ErrorKind::TimedOut, false),
        ] {
            let timeouts = Timeouts { read, ..Timeouts::default() };
            let budget = Budget::start(timeouts, Instant::now());
            let wait = budget.wait(Operation::Read, Instant::now).unwrap();
            let error = in_vain(kind.into(), wait);
            assert_eq!(matches!(error, SocketError::Expired(_)), is_ours, "{error}");
        }
    }
}
