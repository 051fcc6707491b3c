//! Connects to several addresses at the same time without threads: the system runs the attempts,
//! and this file polls them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use socket2::Socket as RawSocket;
#[cfg(unix)]
use socket2::{Domain, Type};

use super::stream::{Limit, Stream};
#[cfg(unix)]
use super::stream::{for_system, in_vain};
use crate::config::SocketOptions;
use crate::driver::system::Failures;
use crate::driver::{SocketError, connect::race};
use crate::os::{self, Connecting};
use crate::policy::deadline::Budget;
#[cfg(unix)]
use crate::policy::deadline::Operation;

/// The interval at which attempts are polled if there are several, or if the call can be canceled.
/// std has no way to wait for the first of several; they exist only after the first 0.25 s.
const TICK: Duration = Duration::from_millis(5);

/// Returns the first connection that succeeds; the other attempts are closed.
pub(super) async fn connect(
    addresses: Vec<SocketAddr>,
    options: &SocketOptions,
    budget: &Budget,
) -> Result<(Stream, SocketAddr), Failures> {
    let attempts = SocketAttempts { options, budget, running: Vec::new() };
    race::connect(addresses, attempts, budget, Instant::now).await
}

/// Connects to a Unix domain socket.
#[cfg(unix)]
pub(super) fn connect_unix(path: &Path, budget: &Budget) -> Result<Stream, SocketError> {
    let socket = RawSocket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = socket2::SockAddr::unix(path)?;
    loop {
        let limit = budget.wait(Operation::Connect, Instant::now)?;
        // While the listener's queue is full, Linux waits for at most the write timeout; a
        // non-blocking socket would get an error.
        socket.set_write_timeout(for_system(limit.at_most))?;
        match socket.connect(&address) {
            Ok(()) => return Ok(Stream::new(socket, Some(limit.at_most))),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(in_vain(error, limit)),
        }
    }
}

#[cfg(not(unix))]
pub(super) fn connect_unix(_: &Path, _: &Budget) -> Result<Stream, SocketError> {
    Err(io::Error::from(io::ErrorKind::Unsupported).into())
}

struct SocketAttempts<'a> {
    options: &'a SocketOptions,
    budget: &'a Budget,
    running: Vec<SocketAttempt>,
}

struct SocketAttempt {
    address: SocketAddr,
    socket: RawSocket,
    state: AttemptState,
    /// The write timeout that the socket was left with, if it is known.
    write_limit: Option<Limit>,
}

#[derive(PartialEq, Eq)]
enum AttemptState {
    /// Not yet started.
    New,
    /// In progress; the system continues by itself.
    Connecting,
}

/// An attempt that has ended.
type Ended = (SocketAddr, io::Result<Stream>);

impl race::Attempts for SocketAttempts<'_> {
    type Connection = Stream;

    fn start(&mut self, address: SocketAddr) -> io::Result<()> {
        let socket = os::socket(address, self.options)?;
        self.running.push(SocketAttempt {
            address,
            socket,
            state: AttemptState::New,
            write_limit: None,
        });
        Ok(())
    }

    async fn first(&mut self, at_most: Option<Duration>) -> Option<Ended> {
        let is_alone = self.running.len() == 1;
        let is_watched = self.budget.cancel_token().is_some();
        let tick = (is_watched || !is_alone).then_some(TICK);
        let limit = at_most.into_iter().chain(tick).min().unwrap_or(Duration::MAX);
        match self.running.iter().position(|attempt| attempt.state == AttemptState::New) {
            Some(new) => self.begin(new, limit),
            None => {
                thread::sleep(limit.min(TICK));
                self.look()
            }
        }
    }

    fn running(&self) -> impl Iterator<Item = SocketAddr> {
        self.running.iter().map(|attempt| attempt.address)
    }
}

impl SocketAttempts<'_> {
    /// Starts to connect, and waits for at most `limit`.
    fn begin(&mut self, new: usize, limit: Duration) -> Option<Ended> {
        let attempt = self.running.get_mut(new)?;
        attempt.state = AttemptState::Connecting;
        let limit = limit.max(SHORTEST);
        if os::CONNECT_SETS_WRITE_LIMIT {
            attempt.write_limit = Some(Some(limit));
        }
        match os::connect(&attempt.socket, attempt.address, limit) {
            Ok(Connecting::Done) => Some(self.ended(new, Ok(()))),
            Ok(Connecting::GoesOn) => self.look(),
            Err(error) => Some(self.ended(new, Err(error))),
        }
    }

    /// Checks all attempts without waiting. The system returns an error only once, so only one
    /// attempt is asked for its error.
    fn look(&mut self) -> Option<Ended> {
        if let Some(at) = self.running.iter().position(SocketAttempt::is_connected) {
            return Some(self.ended(at, Ok(())));
        }
        let mut attempts = self.running.iter().enumerate();
        let (at, error) = attempts.find_map(|(at, attempt)| Some((at, attempt.failure()?)))?;
        Some(self.ended(at, Err(error)))
    }

    fn ended(&mut self, at: usize, outcome: io::Result<()>) -> Ended {
        let SocketAttempt { address, socket, write_limit, .. } = self.running.swap_remove(at);
        (address, outcome.map(|()| Stream::new(socket, write_limit)))
    }
}

impl SocketAttempt {
    /// Returns whether the socket is connected, that is, has a peer.
    fn is_connected(&self) -> bool {
        self.socket.peer_addr().is_ok()
    }

    fn failure(&self) -> Option<io::Error> {
        self.socket.take_error().unwrap_or_else(Some)
    }
}

/// The shortest wait for the system to connect.
const SHORTEST: Duration = Duration::from_millis(1);

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::policy::deadline::Timeouts;

    fn budget(connect: Duration) -> Budget {
        let timeouts = Timeouts { connect: Some(connect), ..Timeouts::default() };
        let mut budget = Budget::start(timeouts, Instant::now());
        budget.start_connecting(Instant::now());
        budget
    }

    /// A full queue is waited for until the connect timeout.
    #[test]
    fn a_full_queue_of_a_unix_socket_is_waited_for() {
        let path = std::env::temp_dir().join(format!("leanhttp-{}-full.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = RawSocket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let first = UnixStream::connect(&path).unwrap();
        let limit = Duration::from_millis(200);
        let error = connect_unix(&path, &budget(limit)).unwrap_err();
        assert_eq!(error.to_string(), "no connection within 200ms (connect timeout)");
        let accepting = thread::spawn(move || {
            thread::sleep(limit);
            drop(first);
            [listener.accept().unwrap(), listener.accept().unwrap()]
        });
        connect_unix(&path, &budget(100 * limit)).unwrap();
        accepting.join().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}
