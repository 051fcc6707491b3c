//! A socket of the system, which is told how long each call may take.

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::Socket;

use crate::driver::SocketError;
use crate::driver::system::{self, Meanwhile, Pending};
use crate::os;
use crate::policy::deadline::budget::Wait;

/// What a wait ends after; never, if there is none.
pub(super) type Limit = Option<Duration>;

/// A connected socket.
#[derive(Debug)]
pub struct Stream {
    /// Shared with whoever may have to end a call.
    socket: Arc<Socket>,
    /// The limits that the system knows of, where that is known: telling it again costs a system
    /// call.
    read_limit: Option<Limit>,
    write_limit: Option<Limit>,
}

impl Stream {
    /// `write_limit` is what the system was told last, if anything.
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
            // There is nothing to look for: the limit that the system knows, from connecting, will do.
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
        move || drop(socket.shutdown(Shutdown::Both)) // what is closed already cannot be
    }

    fn say_farewell(&mut self, bytes: &[u8]) {
        if self.socket.set_write_timeout(Some(FAREWELL)).is_ok() {
            let _ = os::send(&self.socket, bytes);
        }
    }
}

/// After so long a write that waits looks whether the peer has answered, or is gone: its system may keep
/// that to itself while it takes no bytes. Windows loses count of what was sent when a write ends so.
const LONGEST_WRITE: Limit = if cfg!(unix) { Some(Duration::from_millis(250)) } else { None };

/// The same where both halves of an exchange move: the peer may write as soon as it has read.
const CONVERSING_WRITE: Limit = if cfg!(unix) { Some(Duration::from_millis(10)) } else { None };

fn shorter(one: Limit, other: Limit) -> Limit {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Whether a limit need not be changed: it is the same, or longer by so little that nobody who waits
/// to its end will mind. In a handshake each step has a little less time than the one before.
fn is_near(known: Limit, wanted: Limit) -> bool {
    match (known, wanted) {
        _ if known == wanted => true,
        (Some(known), Some(wanted)) => {
            known.checked_sub(wanted).is_some_and(|longer| longer <= wanted / 64)
        }
        _ => false,
    }
}

/// The system counts microseconds, and takes none of them for no limit.
pub(super) fn for_system(limit: Option<Duration>) -> Option<Duration> {
    limit.map(|limit| limit.max(Duration::from_micros(1)))
}

#[cfg(unix)]
fn pending(socket: &Socket) -> Pending {
    os::pending(socket)
}

/// There a look must be told not to block.
#[cfg(not(unix))]
fn pending(socket: &Socket) -> Pending {
    let looked = socket.set_nonblocking(true).map(|()| os::pending(socket));
    let restored = socket.set_nonblocking(false);
    looked.and_then(|pending| restored.map(|()| pending)).unwrap_or(Pending::End)
}

/// How long a farewell may take: nothing at all unless the system's buffers are full.
const FAREWELL: Duration = Duration::from_millis(1);

/// How the system says that a limit of ours has passed. On Unix `TimedOut` is something else: the
/// system has given the connection up.
const LIMIT_PASSED: io::ErrorKind =
    if cfg!(unix) { io::ErrorKind::WouldBlock } else { io::ErrorKind::TimedOut };

/// A system call failed: too late, or broken.
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
    use crate::policy::deadline::budget::{Budget, Operation, Timeouts};

    #[test]
    fn limits_are_told_anew_unless_they_are_nearly_the_same() {
        let millis = |millis: u64| Some(Duration::from_millis(millis));
        for (known, wanted, expected) in [
            (None, None, true),
            (None, millis(1), false),
            (millis(1), None, false),
            (millis(6400), millis(6400), true),
            (millis(6500), millis(6400), true),
            (millis(6501), millis(6400), false),
            (millis(6399), millis(6400), false), // it would end too early
        ] {
            assert_eq!(is_near(known, wanted), expected, "{known:?} for {wanted:?}");
        }
    }

    /// A connection that the system has given up (`TCP_USER_TIMEOUT`, keep-alive) is lost, and may be
    /// replaced by another one; a limit of ours is the end of the call.
    #[cfg(unix)]
    #[test]
    fn the_end_of_the_systems_patience_is_no_limit_of_ours() {
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
