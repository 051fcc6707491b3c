//! Connecting, with an end to the wait.
#![cfg(any(feature = "blocking", test))]

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::Socket;

/// How far it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connecting {
    Done,
    /// It has been waited for long enough, or a signal came; the system goes on with it.
    GoesOn,
}

/// Whether [`connect`] leaves the socket with its limit as the one for writing.
pub(crate) const CONNECT_SETS_WRITE_LIMIT: bool =
    cfg!(any(target_os = "linux", target_os = "android"));

/// Connects, and waits for that as long as `limit`.
///
/// Linux ends this wait with the limit for writing (socket(7)), which saves the four system calls
/// that let the socket block again, and the one that waits.
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

/// Whether it was our patience that ended in `connect_timeout`, and not the system's.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_impatience(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::config::connect::SocketOptions;
    use crate::os;

    fn socket(address: SocketAddr) -> Socket {
        os::socket(address, &SocketOptions::default()).unwrap()
    }

    #[test]
    fn a_listener_is_connected_to_and_a_closed_port_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let limit = Duration::from_secs(5);
        assert_eq!(connect(&socket(address), address, limit).unwrap(), Connecting::Done);
        drop(listener);
        let refused = connect(&socket(address), address, limit).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    /// A queue that is full does not answer, and is asked again after a second.
    #[test]
    fn the_wait_ends_and_the_system_goes_on() {
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
            listener.accept().unwrap(); // makes room
        }
        for (socket, _) in &waiting {
            assert!(socket.peer_addr().is_ok());
        }
    }
}
