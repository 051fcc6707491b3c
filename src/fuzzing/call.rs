//! Whole calls over a network that is not there: one more front, whose driver asks a fuzzer what
//! comes of every step. It has no clock: what takes too long is said by the network.

use std::io;
use std::time::Instant;

use http::Method;

use super::{Outcome, text};
use crate::body::{Body, Feed, SourceLength};
use crate::call::{Call, Failure, Next};
use crate::error::{Error, Result};
use crate::front::{Front, sealed::Sealed};
use crate::link::{Halt, Link};
use crate::policy::budget::Operation;
use crate::policy::route::Route;
use crate::pool::Pooled;
use crate::proto::close::CloseReason;
use crate::proto::exchange::{BodyStep, Step};
use crate::proto::head::ResponseHead;
use crate::url::Url;
use crate::wire::session::Session;

/// The front, as a type parameter.
#[derive(Debug, Clone, Copy)]
pub struct Simulated;

impl Sealed for Simulated {}

impl Front for Simulated {
    type Source = Box<dyn io::Read + Send>;
    type Connection = Connection;
    type Waiter = ();
}

/// A client of this front; what it sends goes through [`call`].
pub type Client = crate::client::Client<Simulated>;
/// A request of this front.
pub type Request = crate::request::Request<Simulated>;
/// A request's body of this front.
pub type RequestBody = Body<Simulated>;

/// A body that is read, of this length or of one that is not known.
pub fn reader(source: impl io::Read + Send + 'static, length: Option<u64>) -> RequestBody {
    let length = length.map_or(SourceLength::Unknown, SourceLength::Exactly);
    let source: Box<dyn io::Read + Send> = Box::new(source);
    Body::from_source(source, length)
}

/// An open connection: its number in the network, and its machine.
#[derive(Debug)]
pub struct Connection {
    number: usize,
    link: Link,
    opened: Instant,
}

impl Pooled for Connection {
    fn route(&self) -> &Route {
        self.link.route()
    }

    fn opened(&self) -> Instant {
        self.opened
    }
}

/// What a driver sees of the world. Connections have numbers, from 0 in the order of their dialling.
pub trait Network {
    /// Makes a connection to this host and port, or does not.
    fn dial(&mut self, stop: (&str, u16)) -> Option<usize>;
    /// The next hop, or the next attempt at it, is about to be sent.
    fn begin(&mut self, connection: usize, method: &Method, url: &Url);
    /// As a socket writes; `WouldBlock` is a deadline.
    fn write(&mut self, connection: usize, bytes: &[u8]) -> io::Result<usize>;
    /// As a socket reads; `WouldBlock` is a deadline.
    fn read(&mut self, connection: usize, into: &mut [u8], patience: Patience)
    -> io::Result<usize>;
    /// What can be read at once.
    fn pending(&self, connection: usize) -> Pending;
    /// The connection goes to the pool.
    fn keep(&mut self, connection: usize);
}

/// How long a read waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As long as the read timeout says.
    Read,
    /// As long as for `100 Continue`.
    Continue,
}

/// What waits to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// Nothing yet.
    Nothing,
    /// At least a byte.
    Bytes,
    /// The end of the connection, in whatever way.
    End,
}

/// How a caller reads a body.
#[derive(Debug, Clone, Copy)]
pub struct Reading<I> {
    /// The slices that are asked for.
    pub sizes: I,
    /// After so many bytes the caller lets go of the response.
    pub at_most: usize,
}

/// Sends a request and reads the response.
pub fn call(
    client: &Client,
    request: Request,
    network: &mut impl Network,
    reading: Reading<impl Iterator<Item = usize>>,
) -> Outcome {
    let mut outcome = Outcome {
        head: None,
        body: Vec::new(),
        trailers: None,
        end: Ok(()),
        reusable: Err("no connection".to_owned()),
    };
    let mut driver = Driver { client, network, steps: 0 };
    // Only the kind: what is shown of a peer's bytes depends on how they came.
    let shown = |error: Error| text(error.kind());
    outcome.end = match driver.run(request, &mut outcome, reading) {
        Ok(Read::ToItsEnd) => Ok(()),
        Ok(Read::InPart) => Err("the caller let go".to_owned()),
        Err(error) => Err(shown(error)),
    };
    outcome
}

/// How much of a body was read.
enum Read {
    ToItsEnd,
    InPart,
}

/// No input is so long that it takes more of them.
const MAX_STEPS: usize = 1 << 20;

struct Driver<'a, N> {
    client: &'a Client,
    network: &'a mut N,
    steps: usize,
}

impl<N: Network> Driver<'_, N> {
    fn run(
        &mut self,
        request: Request,
        outcome: &mut Outcome,
        reading: Reading<impl Iterator<Item = usize>>,
    ) -> Result<Read> {
        let shared = self.client.shared();
        let mut call = Call::new(&shared.config, request, Instant::now())?;
        loop {
            let mut connection = self.connection(&mut call)?;
            let head = match self.send(&mut connection, &mut call) {
                Ok(head) => head,
                Err(failure) => {
                    call.failed(failure)?;
                    continue;
                }
            };
            let next = call.answered(&head);
            if let Ok(Next::Deliver) = next {
                let decoder = match connection.link.session.body_left() {
                    Some(0) => Ok(None),
                    _ => call.decoder(&head),
                };
                outcome.head = Some((*head).into());
                let read = |_| self.deliver(&mut connection, &call, outcome, reading);
                let end = decoder.and_then(read);
                outcome.reusable = self.end(connection, &call, Wait::Never).map_err(text);
                return end;
            }
            let wait = if next.is_ok() { Wait::Budget } else { Wait::Never };
            outcome.reusable = self.end(connection, &call, wait).map_err(text);
            next?;
        }
    }

    fn connection(&mut self, call: &mut Call<'_, Simulated>) -> Result<Connection> {
        while let Some(mut connection) = self.idle(call) {
            if self.network.pending(connection.number) == Pending::Nothing {
                let memory = self.client.shared().idle().shelf.take();
                connection.link.wake(memory);
                return Ok(connection);
            }
        }
        let refused = || Error::builder("refused").for_url(call.url());
        let route = call.route();
        let number = self.network.dial(route.next_stop()).ok_or_else(refused)?;
        let session = Session::new(&call.config().limits, None);
        Ok(Connection { number, link: Link::over(session, route), opened: Instant::now() })
    }

    fn idle(&mut self, call: &Call<'_, Simulated>) -> Option<Connection> {
        if call.is_resent() {
            return None;
        }
        let mut idle = self.client.shared().idle();
        idle.pool.take(call.url(), call.proxy())
    }

    fn send(
        &mut self,
        connection: &mut Connection,
        call: &mut Call<'_, Simulated>,
    ) -> Result<Box<ResponseHead>, Failure> {
        self.network.begin(connection.number, call.method(), call.url());
        connection.link.start(call).map_err(|halt| connection.link.failure(halt))?;
        let mut body = call.take_body();
        let head = self.exchange(connection, &mut body, call);
        call.give_back(body);
        head.map_err(|halt| connection.link.failure(halt))
    }

    fn exchange(
        &mut self,
        connection: &mut Connection,
        body: &mut Body<Simulated>,
        call: &Call<'_, Simulated>,
    ) -> Result<Box<ResponseHead>, Halt> {
        let mut write_error: Option<Halt> = None;
        loop {
            self.step();
            let progress = match connection.link.session.step() {
                Err(error) => Err(error.into()),
                Ok(Step::Head(head)) => return Ok(head),
                Ok(Step::Fill) if self.may_have_answer(connection) => {
                    self.read(connection, call, Patience::Read)
                }
                Ok(Step::Fill) => fill(connection, body),
                Ok(Step::Read) => match write_error {
                    Some(Halt::Expired(expired)) if !self.has_bytes(connection) => {
                        Err(Halt::Expired(expired))
                    }
                    _ => self.read(connection, call, Patience::Read),
                },
                Ok(Step::Await) => self.read(connection, call, Patience::Continue),
                Ok(Step::Write) => match self.write(connection, call) {
                    Err(halt) if self.may_be_answered(connection, &halt) => {
                        write_error.get_or_insert(halt);
                        connection.link.session.write_failed();
                        Ok(())
                    }
                    written => written,
                },
            };
            if let Err(halt) = progress {
                let first = write_error.filter(|_| !connection.link.session.is_answered());
                return Err(first.unwrap_or(halt));
            }
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        assert!(self.steps < MAX_STEPS, "steps without end");
    }

    fn has_bytes(&self, connection: &Connection) -> bool {
        self.network.pending(connection.number) == Pending::Bytes
    }

    fn may_have_answer(&self, connection: &Connection) -> bool {
        let session = &connection.link.session;
        session.has_sent() && session.awaits_head() && self.has_bytes(connection)
    }

    fn may_be_answered(&self, connection: &Connection, halt: &Halt) -> bool {
        match halt {
            Halt::Io(_) => true,
            Halt::Expired(_) => {
                !connection.link.session.awaits_head() || self.has_bytes(connection)
            }
            Halt::Session(_) | Halt::Body(_) => false,
        }
    }

    fn write(
        &mut self,
        connection: &mut Connection,
        call: &Call<'_, Simulated>,
    ) -> Result<(), Halt> {
        let written = self.network.write(connection.number, connection.link.session.output());
        let count = written.map_err(|error| halt(error, call, Operation::Write))?;
        connection.link.session.wrote(count);
        Ok(())
    }

    fn read(
        &mut self,
        connection: &mut Connection,
        call: &Call<'_, Simulated>,
        patience: Patience,
    ) -> Result<(), Halt> {
        let session = &mut connection.link.session;
        match self.network.read(connection.number, session.read_space(), patience) {
            Ok(0) => session.read_eof()?,
            Ok(count) => session.read(count),
            Err(error) if is_deadline(&error) && patience == Patience::Continue => {
                session.go_ahead()?;
            }
            Err(error) => return Err(halt(error, call, Operation::Read)),
        }
        Ok(())
    }

    fn deliver(
        &mut self,
        connection: &mut Connection,
        call: &Call<'_, Simulated>,
        outcome: &mut Outcome,
        reading: Reading<impl Iterator<Item = usize>>,
    ) -> Result<Read> {
        let mut memory = [0; 16 * 1024];
        for size in reading.sizes {
            let left = reading.at_most.saturating_sub(outcome.body.len());
            if left == 0 {
                break;
            }
            let size = size.clamp(1, memory.len()).min(left);
            let slice = memory.get_mut(..size).unwrap_or_default();
            let count = match self.next_bytes(connection, call, slice) {
                Ok(count) => count,
                Err(halt) => return Err(connection.link.body_error(halt)),
            };
            if count == 0 {
                outcome.trailers = connection.link.session.take_trailers();
                return Ok(Read::ToItsEnd);
            }
            outcome.body.extend_from_slice(slice.get(..count).unwrap_or_default());
        }
        Ok(Read::InPart)
    }

    fn next_bytes(
        &mut self,
        connection: &mut Connection,
        call: &Call<'_, Simulated>,
        into: &mut [u8],
    ) -> Result<usize, Halt> {
        loop {
            self.step();
            match connection.link.session.read_body(into)? {
                BodyStep::Data(count) => return Ok(count),
                BodyStep::End => return Ok(0),
                BodyStep::Read => self.read(connection, call, Patience::Read)?,
                BodyStep::Direct(room) => {
                    let into = into.get_mut(..room).unwrap_or_default();
                    if let Some(count) = self.read_direct(connection, call, into)? {
                        return Ok(count);
                    }
                }
            }
        }
    }

    fn read_direct(
        &mut self,
        connection: &mut Connection,
        call: &Call<'_, Simulated>,
        into: &mut [u8],
    ) -> Result<Option<usize>, Halt> {
        let read = self.network.read(connection.number, into, Patience::Read);
        match read.map_err(|error| halt(error, call, Operation::Read))? {
            0 => connection.link.session.read_eof()?,
            count => {
                connection.link.session.read_direct(count);
                return Ok(Some(count));
            }
        }
        Ok(None)
    }

    /// To the pool with it, if it is clean.
    fn end(
        &mut self,
        mut connection: Connection,
        call: &Call<'_, Simulated>,
        wait: Wait,
    ) -> Result<(), CloseReason> {
        self.drain(&mut connection, call, wait)?;
        self.network.keep(connection.number);
        let memory = connection.link.session.rest();
        let mut idle = self.client.shared().idle();
        idle.shelf.put(memory);
        drop(idle.pool.put(connection, Instant::now()));
        Ok(())
    }

    fn drain(
        &mut self,
        connection: &mut Connection,
        call: &Call<'_, Simulated>,
        wait: Wait,
    ) -> Result<(), CloseReason> {
        let limit = call.config().limits.drained_bytes;
        connection.link.session.may_be_reused()?;
        if connection.link.session.body_left().is_some_and(|left| left > limit as u64) {
            return Err(CloseReason::BodyUnread);
        }
        let mut scratch = [0; 2048];
        let mut left = limit;
        loop {
            self.step();
            let step = connection.link.session.read_body(&mut scratch);
            let count = match step.map_err(|_| CloseReason::ProtocolError)? {
                BodyStep::End => return connection.link.session.reusable(),
                BodyStep::Data(count) => count,
                _ if wait == Wait::Never && !self.has_bytes(connection) => {
                    return Err(CloseReason::BodyUnread);
                }
                BodyStep::Read => {
                    let read = self.read(connection, call, Patience::Read);
                    read.map_err(|_| CloseReason::Io)?;
                    0
                }
                BodyStep::Direct(room) => {
                    let into = scratch.get_mut(..room).unwrap_or_default();
                    let read = self.read_direct(connection, call, into);
                    read.map_err(|_| CloseReason::Io)?.ok_or(CloseReason::EarlyEof)?
                }
            };
            left = left.checked_sub(count).ok_or(CloseReason::BodyUnread)?;
        }
    }
}

/// Whether what has not come yet is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Never,
    Budget,
}

fn is_deadline(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

fn halt(error: io::Error, call: &Call<'_, Simulated>, operation: Operation) -> Halt {
    if !is_deadline(&error) {
        return Halt::Io(error);
    }
    Halt::Expired(match call.budget.wait(operation, Instant::now) {
        Ok(wait) => wait.expired,
        Err(expired) => expired,
    })
}

fn fill(connection: &mut Connection, body: &mut Body<Simulated>) -> Result<(), Halt> {
    let session = &mut connection.link.session;
    let space = session.body_space();
    loop {
        let (source, into) = match body.feed(space) {
            Feed::Filled(0) => {
                let trailers = body.trailers().map_err(Halt::body)?;
                return Ok(session.body_end(&trailers)?);
            }
            Feed::Filled(count) => {
                session.body_filled(count);
                return Ok(());
            }
            Feed::Read(source, into) => (source, into),
        };
        let count = io::Read::read(source, into).map_err(Halt::body)?;
        body.fed(count).map_err(Halt::body)?;
    }
}
