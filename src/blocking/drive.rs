//! The driver: carries out what the machines ask for, on a real socket.

use std::io;
use std::io::Read;

use http::HeaderMap;

use super::Blocking;
use super::probe::Pending;
use super::socket::{Socket, SocketError};
use crate::body::{Body, Feed};
use crate::call::{Call, Failure, Loss};
use crate::error::{Error, Kind, Phase};
use crate::policy::budget::{Budget, Operation};
use crate::policy::retry::{Answered, Origin, Sent};
use crate::policy::route::Route;
use crate::pool::Pooled;
use crate::proto::close::CloseReason;
use crate::proto::exchange::{BodyStep, Step};
use crate::proto::head::ResponseHead;
use crate::wire::session::{Memory, Session, SessionError};

/// How much of a body that nobody wants is read away to save the connection.
const DRAIN_LIMIT: usize = 16 * 1024;

/// An open connection: a socket, and the machine that knows what its bytes mean.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    session: Session,
    route: Route,
    origin: Origin,
}

/// Why the machine cannot go on.
#[derive(Debug)]
enum Halt {
    Socket(SocketError),
    Session(SessionError),
    /// The request's body could not be produced.
    Body(Error),
}

/// Closes the connection; over TLS the peer is told so, or told what was wrong.
impl Drop for Connection {
    fn drop(&mut self) {
        self.socket.say_farewell(self.session.farewell());
    }
}

impl Pooled for Box<Connection> {
    fn route(&self) -> &Route {
        &self.route
    }
}

impl Connection {
    pub(crate) fn new(socket: Socket, session: Session, route: Route) -> Self {
        Self { socket, session, route, origin: Origin::Fresh }
    }

    pub(crate) fn peer(&self) -> std::net::SocketAddr {
        self.socket.peer()
    }

    /// Whether a connection that idled can be used: the peer has neither closed it nor spoken.
    pub(crate) fn is_alive(&self) -> bool {
        self.socket.pending() == Pending::Nothing
    }

    /// Back from the pool, with memory to work in.
    pub(crate) fn wake(&mut self, memory: Memory) {
        self.origin = Origin::Pooled;
        self.session.wake(memory);
    }

    /// Sends the call's current hop and waits for the head of its response.
    pub(crate) fn send(
        &mut self,
        call: &mut Call<'_, Blocking>,
    ) -> Result<Box<ResponseHead>, Failure> {
        let (method, outgoing) = (call.method().clone(), call.outgoing());
        self.session.start(method, outgoing, call.expectation(), |out| call.write_head(out));
        if call.says_close() {
            self.session.close_after(CloseReason::WeSaidClose);
        }
        let mut body = call.take_body();
        let head = self.run(&mut body, &mut call.budget);
        call.give_back(body);
        head.map_err(|halt| self.failure(halt))
    }

    /// The loop: step, and do what it asks for.
    fn run(
        &mut self,
        body: &mut Body<Blocking>,
        budget: &mut Budget,
    ) -> Result<Box<ResponseHead>, Halt> {
        let mut write_error = None;
        loop {
            if !self.session.is_handshaking() {
                budget.connected();
            }
            let progress = match self.session.step() {
                Err(error) => Err(error.into()),
                Ok(Step::Head(head)) => return Ok(head),
                Ok(Step::Fill) if self.is_answered() => self.read(budget),
                Ok(Step::Fill) => self.fill(body),
                Ok(Step::Read) => self.read(budget),
                Ok(Step::Await) => self.await_continue(budget),
                Ok(Step::Write) => match self.write(budget) {
                    Err(Halt::Socket(error)) if self.may_be_answered(&error) => {
                        write_error.get_or_insert(error);
                        self.session.write_failed();
                        Ok(())
                    }
                    written => written,
                },
            };
            if let Err(halt) = progress {
                // If there is no answer either, what went wrong first is told.
                let first = write_error.filter(|_| !self.session.has_heard());
                return Err(first.map_or(halt, Halt::Socket));
            }
        }
    }

    fn read(&mut self, budget: &Budget) -> Result<(), Halt> {
        match self.socket.read(self.session.read_space(), budget)? {
            0 => self.session.read_eof()?,
            count => self.session.read(count),
        }
        Ok(())
    }

    /// Reads, but sends the body if there is nothing to read for a while.
    fn await_continue(&mut self, budget: &Budget) -> Result<(), Halt> {
        let space = self.session.read_space();
        match self.socket.read_as(Operation::Continue, space, budget) {
            Ok(0) => self.session.read_eof()?,
            Ok(count) => self.session.read(count),
            Err(SocketError::Expired(expired)) if expired.is_patience() => self.session.go_ahead(),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn write(&mut self, budget: &Budget) -> Result<(), Halt> {
        let count = self.socket.write(self.session.output(), budget)?;
        self.session.wrote(count);
        Ok(())
    }

    /// Puts the next piece of the request's body into the machine.
    fn fill(&mut self, body: &mut Body<Blocking>) -> Result<(), Halt> {
        let space = self.session.body_space();
        loop {
            let (source, into) = match body.feed(space) {
                Feed::Filled(0) => return self.session.body_end().map_err(Halt::missing),
                Feed::Filled(count) => {
                    self.session.body_filled(count);
                    return Ok(());
                }
                Feed::Read(source, into) => (source, into),
            };
            let count = read_source(source, into).map_err(Halt::body)?;
            body.fed(count).map_err(Halt::body)?;
        }
    }

    /// A server may answer before it has read the whole request. Once the head is there, no more is
    /// read until the request is sent: the body would fill the memory.
    fn is_answered(&self) -> bool {
        self.session.has_sent()
            && self.session.awaits_head()
            && self.socket.pending() == Pending::Bytes
    }

    /// A broken connection may still hold the answer, and so may one that takes nothing more.
    fn may_be_answered(&self, error: &SocketError) -> bool {
        match error {
            SocketError::Io(_) => true,
            SocketError::Expired(_) => {
                !self.session.awaits_head() || self.socket.pending() == Pending::Bytes
            }
        }
    }

    /// What is known about an attempt that brought no response.
    fn failure(&self, halt: Halt) -> Failure {
        let loss = match &halt {
            Halt::Socket(SocketError::Io(_)) => Loss::Connection,
            Halt::Session(error) if error.is_loss() => Loss::Connection,
            _ => Loss::Other,
        };
        Failure {
            error: self.error(halt, self.phase()),
            loss,
            connection: self.origin,
            sent: if self.session.has_sent() { Sent::Something } else { Sent::Nothing },
            answered: if self.session.has_heard() {
                Answered::Something
            } else {
                Answered::Nothing
            },
        }
    }

    /// What is being done until the response has begun.
    fn phase(&self) -> Phase {
        if self.session.is_handshaking() {
            Phase::Handshake
        } else if self.session.is_sent() || self.session.has_heard() {
            Phase::Head
        } else {
            Phase::Send
        }
    }

    fn error(&self, halt: Halt, phase: Phase) -> Error {
        let error = match halt {
            Halt::Body(error) => return error,
            Halt::Session(error) => error.into_error(phase),
            Halt::Socket(SocketError::Expired(expired)) => {
                Error::new(Kind::Timeout, phase).cause(expired)
            }
            Halt::Socket(SocketError::Io(error)) => Error::new(Kind::Io, phase).cause(error),
        };
        error.peer(self.route.authority())
    }

    // The response's body.

    /// The next bytes of the body; 0 is its end. `into` is not empty.
    pub(crate) fn read_body(&mut self, into: &mut [u8], budget: &Budget) -> Result<usize, Error> {
        self.next_bytes(into, budget).map_err(|halt| {
            self.session.close_after(CloseReason::Io);
            self.error(halt, Phase::Body)
        })
    }

    fn next_bytes(&mut self, into: &mut [u8], budget: &Budget) -> Result<usize, Halt> {
        loop {
            match self.session.read_body(into)? {
                BodyStep::Data(count) => return Ok(count),
                BodyStep::End => return Ok(0),
                BodyStep::Read => self.read(budget)?,
                BodyStep::Direct(room) => {
                    let into = into.get_mut(..room).unwrap_or_default();
                    match self.socket.read(into, budget)? {
                        0 => self.session.read_eof()?,
                        count => {
                            self.session.read_direct(count);
                            return Ok(count);
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn body_left(&self) -> Option<u64> {
        self.session.body_left()
    }

    pub(crate) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.session.take_trailers()
    }

    /// Gives its memory away before it idles.
    pub(crate) fn rest(&mut self) -> Memory {
        self.session.rest()
    }

    /// Reads away what is left of the body, if it is little and already there: saving the
    /// connection is not worth a wait.
    pub(crate) fn drain(&mut self, budget: &Budget) -> Result<(), CloseReason> {
        self.session.may_be_reused()?;
        let mut scratch = [0; 2048];
        let mut left = DRAIN_LIMIT;
        loop {
            let step =
                self.session.read_body(&mut scratch).map_err(|_| CloseReason::ProtocolError)?;
            let count = match step {
                BodyStep::End => return self.session.reusable(),
                BodyStep::Data(count) => count,
                _ if self.socket.pending() != Pending::Bytes => {
                    return Err(CloseReason::BodyUnread);
                }
                BodyStep::Read => {
                    self.read(budget).map_err(|_| CloseReason::Io)?;
                    0
                }
                BodyStep::Direct(room) => {
                    let into = scratch.get_mut(..room).unwrap_or_default();
                    let count = self.socket.read(into, budget).map_err(|_| CloseReason::Io)?;
                    self.session.read_direct(count);
                    count
                }
            };
            left = left.checked_sub(count).ok_or(CloseReason::BodyUnread)?;
        }
    }
}

/// Reads what the caller gave as a part of a body.
pub(super) fn read_source(source: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Anyone can implement `Read`; what was never written must not be sent.
            Ok(count) if count > into.len() => {
                return Err(io::Error::other("a reader claimed more bytes than it had room for"));
            }
            read => return read,
        }
    }
}

impl Halt {
    /// What the caller's reader did.
    fn body(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Body(Error::new(Kind::Body, Phase::Send).detail("request body").cause(cause))
    }

    fn missing(missing: crate::proto::exchange::Missing) -> Self {
        Self::body(crate::body::BodyError::TooShort { missing: missing.0 })
    }
}

impl From<SocketError> for Halt {
    fn from(error: SocketError) -> Self {
        Self::Socket(error)
    }
}

impl From<SessionError> for Halt {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}
