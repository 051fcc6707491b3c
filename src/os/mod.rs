//! The calls to the operating system that all runtimes share: sockets, connecting, name lookups.

mod connect;
pub(crate) mod lookups;
mod options;
mod probe;
mod site;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};

use socket2::{Domain, Socket, Type};

use crate::config::Resolver;
use crate::config::SocketOptions;
use crate::driver::system::Found;

#[cfg(any(feature = "blocking", test))]
pub(crate) use connect::{CONNECT_SETS_WRITE_LIMIT, Connecting, connect};
pub(crate) use probe::pending;

/// Creates a socket with the options set, ready to connect to this address.
pub(crate) fn socket(address: SocketAddr, options: &SocketOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    options::set(&socket, options)?;
    Ok(socket)
}

/// Writes once. A closed connection is an error and never a `SIGPIPE`.
pub(crate) fn send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL)
}

/// Writes as much as the socket accepts without blocking.
#[cfg(all(feature = "blocking", unix))]
pub(crate) fn try_send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL | libc::MSG_DONTWAIT)
}

/// Such platforms have no flag for it, so the socket is switched to non-blocking.
#[cfg(all(feature = "blocking", not(unix)))]
pub(crate) fn try_send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.set_nonblocking(true)?;
    let sent = send(socket, bytes);
    socket.set_nonblocking(false)?;
    sent
}

#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// Such platforms have an option on the socket instead, which is set, or no signals.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;

/// Looks a name up, without a time limit. A panic of the caller's resolver becomes an error for all
/// waiting calls.
pub(crate) fn look_up(resolver: &Resolver, host: &str) -> Found {
    let found = panic::catch_unwind(AssertUnwindSafe(|| resolver.0.resolve(host)));
    found.unwrap_or_else(|_| Err(io::Error::other("the lookup ended without an answer")))
}

/// Returns a random number: each hasher has other keys, derived from the operating system's
/// randomness.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn random_numbers_are_distinct_and_cover_both_halves() {
        let numbers: Vec<u64> = (0..1000).map(|_| random()).collect();
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
        let upper_half = numbers.iter().filter(|number| **number > u64::MAX / 2).count();
        assert!((350..650).contains(&upper_half), "{upper_half}");
    }
}
