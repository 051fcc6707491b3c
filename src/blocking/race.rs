//! Connecting to the first of several addresses that answers (Happy Eyeballs, RFC 8305), without a
//! thread: the attempts run in the system, and are looked at in turn.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use socket2::Socket as RawSocket;
#[cfg(unix)]
use socket2::{Domain, Type};

use super::stream::Stream;
use crate::dialling::SocketOptions;
use crate::driver::SocketError;
use crate::driver::system::Failures;
use crate::os::{self, Connecting};
use crate::policy::budget::{Budget, Expired, Operation};
use crate::policy::eyeballs::{Move, Race};

/// How often attempts are looked at when there are several, or somebody may end the call. std has no
/// way to wait for the first of them; when there are several, a quarter of a second has passed.
const TICK: Duration = Duration::from_millis(5);

/// The connection that is made first; the other attempts are closed.
pub(super) fn connect(
    addresses: Vec<SocketAddr>,
    options: &SocketOptions,
    budget: &Budget,
) -> Result<(Stream, SocketAddr), Failures> {
    let race = Race::new(addresses);
    Attempts { race, options, budget, running: Vec::new(), failures: Vec::new() }.run()
}

/// The one address of a Unix domain socket.
#[cfg(unix)]
pub(super) fn connect_unix(path: &Path, budget: &Budget) -> Result<Stream, SocketError> {
    let limit = budget.wait(Operation::Connect, Instant::now)?;
    let socket = RawSocket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = socket2::SockAddr::unix(path)?;
    match socket.connect_timeout(&address, limit.at_most.unwrap_or(Duration::MAX)) {
        Ok(()) => Ok(Stream::new(socket)),
        Err(error) if os::is_impatience(&error) => Err(limit.expired.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
pub(super) fn connect_unix(_: &Path, _: &Budget) -> Result<Stream, SocketError> {
    Err(io::Error::from(io::ErrorKind::Unsupported).into())
}

type Won = (Stream, SocketAddr);

struct Attempts<'a> {
    race: Race,
    options: &'a SocketOptions,
    budget: &'a Budget,
    running: Vec<Attempt>,
    failures: Failures,
}

struct Attempt {
    address: SocketAddr,
    socket: RawSocket,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    /// Nothing was sent yet.
    New,
    /// The system goes on with it by itself.
    Connecting,
}

impl Attempts<'_> {
    fn run(mut self) -> Result<(Stream, SocketAddr), Failures> {
        loop {
            match self.race.step(Instant::now()) {
                Move::Start(address) => self.start(address),
                Move::Lost => return Err(self.failures),
                Move::Wait(limit) => match self.wait(limit) {
                    Ok(Some(won)) => return Ok(won),
                    Ok(None) => {}
                    Err(expired) => return Err(self.expired(expired)),
                },
            }
        }
    }

    fn start(&mut self, address: SocketAddr) {
        match os::socket(address, self.options) {
            Ok(socket) => self.running.push(Attempt { address, socket, state: State::New }),
            Err(error) => self.failed(address, error),
        }
    }

    /// Waits until an attempt ends, for a while.
    fn wait(&mut self, limit: Option<Duration>) -> Result<Option<Won>, Expired> {
        let budget = self.budget.wait(Operation::Connect, Instant::now)?;
        let is_alone = self.running.len() == 1;
        let is_watched = self.budget.cancel_token().is_some();
        let tick = (is_watched || !is_alone).then_some(TICK);
        let limits = [limit, budget.at_most, tick];
        let limit = limits.into_iter().flatten().min().unwrap_or(Duration::MAX);
        match self.running.iter().position(|attempt| attempt.state == State::New) {
            Some(new) => Ok(self.begin(new, limit)),
            None => {
                thread::sleep(limit.min(TICK));
                Ok(self.look())
            }
        }
    }

    /// Begins to connect, and waits for that as long as `limit`.
    fn begin(&mut self, new: usize, limit: Duration) -> Option<Won> {
        let attempt = self.running.get_mut(new)?;
        attempt.state = State::Connecting;
        match os::connect(&attempt.socket, attempt.address, limit.max(SHORTEST)) {
            Ok(Connecting::Done) => Some(self.won(new)),
            Ok(Connecting::GoesOn) => self.look(),
            Err(error) => {
                self.lost(new, error);
                None
            }
        }
    }

    /// Looks at all attempts, without waiting.
    fn look(&mut self) -> Option<Won> {
        let mut at = 0;
        while let Some(attempt) = self.running.get(at) {
            match attempt.outcome() {
                Some(Ok(())) => return Some(self.won(at)),
                Some(Err(error)) => self.lost(at, error),
                None => at += 1,
            }
        }
        None
    }

    fn won(&mut self, at: usize) -> Won {
        let Attempt { address, socket, .. } = self.running.swap_remove(at);
        (Stream::new(socket), address)
    }

    fn lost(&mut self, at: usize, error: io::Error) {
        let Attempt { address, .. } = self.running.swap_remove(at);
        self.failed(address, error);
    }

    fn failed(&mut self, address: SocketAddr, error: io::Error) {
        self.failures.push((address, error.into()));
        self.race.failed(Instant::now());
    }

    /// The time is over for all of them.
    fn expired(self, expired: Expired) -> Failures {
        let running = self.running.iter().map(|attempt| (attempt.address, expired.into()));
        self.failures.into_iter().chain(running).collect()
    }
}

impl Attempt {
    fn outcome(&self) -> Option<io::Result<()>> {
        match self.socket.take_error() {
            Ok(Some(error)) | Err(error) => Some(Err(error)),
            // It has a peer as soon as it is connected.
            Ok(None) => self.socket.peer_addr().is_ok().then_some(Ok(())),
        }
    }
}

/// The system waits for at least as long.
const SHORTEST: Duration = Duration::from_millis(1);
