//! What both fronts ask of the operating system in the same way.

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

use crate::config::connect::SocketOptions;
use crate::config::dns::Resolver;
use crate::driver::system::Found;

#[cfg(any(feature = "blocking", test))]
pub(crate) use connect::{CONNECT_SETS_WRITE_LIMIT, Connecting, connect};
pub(crate) use probe::pending;

/// A socket that is ready to connect to this address.
pub(crate) fn socket(address: SocketAddr, options: &SocketOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    options::set(&socket, options)?;
    Ok(socket)
}

/// Writes once. A peer that is gone is an error, never a signal to the whole program.
pub(crate) fn send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL)
}

/// Writes what the socket takes at once.
#[cfg(all(feature = "blocking", unix))]
pub(crate) fn try_send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL | libc::MSG_DONTWAIT)
}

/// There the socket has to be told not to block.
#[cfg(all(feature = "blocking", not(unix)))]
pub(crate) fn try_send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.set_nonblocking(true)?;
    let sent = send(socket, bytes);
    socket.set_nonblocking(false)?;
    sent
}

#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// There the socket has an option for it, which is set, or no signals.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;

/// Looks a name up, however long that takes. Should the caller's resolver panic, whoever waits is
/// told that there is no answer.
pub(crate) fn look_up(resolver: &Resolver, host: &str) -> Found {
    let found = panic::catch_unwind(AssertUnwindSafe(|| resolver.0.resolve(host)));
    found.unwrap_or_else(|_| Err(io::Error::other("the lookup ended without an answer")))
}

/// The keys of each hasher are other ones, and the first ones come from the operating system.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn chance_is_spread() {
        let numbers: Vec<u64> = (0..1000).map(|_| random()).collect();
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
        let upper_half = numbers.iter().filter(|number| **number > u64::MAX / 2).count();
        assert!((350..650).contains(&upper_half), "{upper_half}");
    }
}
