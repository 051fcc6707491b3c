//! Connects a socket within a time limit.
#![cfg(any(feature = "blocking", test))]

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::Socket;

/// The state of a connection attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connecting {
    Done,
    /// The limit or a signal ended the wait; the system continues to connect.
    GoesOn,
}

/// True if [`connect`] leaves its limit set as the write timeout of the socket.
pub(crate) const CONNECT_SETS_WRITE_LIMIT: bool =
    cfg!(any(target_os = "linux", target_os = "android"));

/// Connects, and waits for at most `limit`.
///
/// On Linux the write timeout limits this wait (socket(7)). This saves five system calls: the four
/// that switch the socket to non-blocking and back, and the poll.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn connect(
    socket: &Socket,
    address: SocketAddr,
    limit: Duration,
) -> io::Result<Connecting> {
    socket.set_write_timeout(Some(limit))?;
    match socket.connect(&address.into()) {
        Ok(()) => Ok(Connecting::Done),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => {
            Ok(Connecting::GoesOn)
        }
        Err(error) => Err(error),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn connect(
    socket: &Socket,
    address: SocketAddr,
    limit: Duration,
) -> io::Result<Connecting> {
    match socket.connect_timeout(&address.into(), limit) {
        Ok(()) => Ok(Connecting::Done),
        Err(error) if is_impatience(&error) => Ok(Connecting::GoesOn),
        Err(error) => Err(error),
    }
}

/// Returns whether `connect_timeout` ended by its limit and not by the system's own timeout.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_impatience(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::config::SocketOptions;
    use crate::os;

    fn socket(address: SocketAddr) -> Socket {
        os::socket(address, &SocketOptions::default()).unwrap()
    }

    #[test]
    fn a_listener_accepts_and_a_closed_port_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let limit = Duration::from_secs(5);
        assert_eq!(connect(&socket(address), address, limit).unwrap(), Connecting::Done);
        drop(listener);
        let refused = connect(&socket(address), address, limit).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    /// A full accept queue does not answer; the client's system tries again after a second.
    #[test]
    fn the_wait_ends_and_the_system_continues_to_connect() {
        let listener = socket("127.0.0.1:0".parse().unwrap());
        listener.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let limit = Duration::from_millis(30);
        let begun = Instant::now();
        let attempts: Vec<_> = (0..4)
            .map(|_| {
                let socket = socket(address);
                let state = connect(&socket, address, limit).unwrap();
                (socket, state)
            })
            .collect();
        let waiting: Vec<_> =
            attempts.iter().filter(|(_, state)| *state == Connecting::GoesOn).collect();
        assert!(!waiting.is_empty() && begun.elapsed() >= limit);
        for _ in &attempts {
            listener.accept().unwrap(); // makes room in the queue
        }
        for (socket, _) in &waiting {
            assert!(socket.peer_addr().is_ok());
        }
    }
}
