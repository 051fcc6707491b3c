//! An open connection, and the loop that carries out what its machine asks for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;

use super::checkout::Permit;
use super::runtime::{Meanwhile, Pending, Runtime, SocketError, unless};
use super::socket::{Addresses, Socket};
use crate::base::buffer::BufferPool;
use crate::base::cancel::{Hook, Watch};
use crate::base::erased_box::ErasedBox;
use crate::body::{Body, Feed};
use crate::call::log;
use crate::call::{Call, Failure};
use crate::driver::link::{ConnectionMachine, ExchangeFailure};
use crate::error::Error;
use crate::http1::close::CloseReason;
use crate::http1::exchange::{BodyStep, SendStep, Step};
use crate::http1::field_lines::Fields as _;
use crate::http1::head::ResponseHead;
use crate::http1::keep_alive::{KEEP_ALIVE, Lifetime};
use crate::policy::deadline::budget::{Budget, Operation, Stage};
use crate::policy::early_closers::SOON;
use crate::policy::route::Route;
use crate::pool::permits::RouteId;
use crate::pool::{Closed, Pooled};
use crate::transport::tls::TlsInfo;

/// The maximum number of reads on an idle connection: TLS tickets arrive by twos or fours, in one
/// piece or two.
const IDLE_READS: usize = 4;

/// An open connection: a socket, and the machine that interprets its bytes.
#[derive(Debug)]
pub(crate) struct Connection<F: Runtime> {
    pub(crate) socket: Socket<F>,
    pub(crate) link: ConnectionMachine,
    opened: Instant,
    /// Keeps the cancel hook of the current call registered.
    watch: Option<Watch>,
    /// The time that the peer keeps the connection idle; `None` if it has not announced one.
    lifetime: Option<Box<Lifetime>>,
    /// True while it serves its second request, soon after the first: if it is dead now, its peer
    /// closes connections right after each response.
    is_just_reused: bool,
    /// The reason that is logged if it is dropped now.
    pub(super) closing: CloseReason,
    /// True if the next turn is a read: request and response are transferred in turns.
    reads_next: bool,
    /// Released after everything else is closed, unless another connection takes it.
    permit: Option<Permit<F>>,
}

/// The result of trying to put a piece of the request's body into the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filling {
    Done,
    /// There is something to read, and the source has returned nothing so far.
    Input,
    /// The source exceeded the patience of this call.
    Late,
}

/// The limit for each read of a source of unknown length once the response is complete. A caller
/// that converses with the server may wait for the end of the response before it ends the request.
const REST_PATIENCE: Duration = Duration::from_secs(1);

/// The wait for input while an unwanted body is drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Drains only what has already arrived.
    None,
    /// Waits until the budget expires.
    Budget,
}

/// Closes the connection. Over TLS it sends `close_notify` or the pending alert first, unless the
/// connection belongs to the parent process after a fork.
impl<F: Runtime> Drop for Connection<F> {
    fn drop(&mut self) {
        log::closed(self.link.route(), self.closing);
        self.socket.closing(self.closing);
        let may_speak = self.link.session.is_plain() || self.is_of(self.socket.process());
        let farewell = self.link.session.farewell();
        if may_speak {
            self.socket.say_farewell(farewell);
        }
    }
}

impl<F: Runtime> Pooled for ErasedBox<Connection<F>> {
    fn route(&self) -> &Route {
        self.link.route()
    }

    fn opened(&self) -> Instant {
        self.opened
    }

    fn kept_until(&self) -> Option<Instant> {
        self.lifetime.as_ref()?.until()
    }
}

impl<F: Runtime> Connection<F> {
    pub(crate) fn new(
        socket: Socket<F>,
        link: ConnectionMachine,
        permit: Permit<F>,
        now: Instant,
    ) -> Self {
        log::connected(link.route(), socket.addresses().remote);
        let closing = CloseReason::Abandoned;
        let (lifetime, permit) = (None, Some(permit));
        Self {
            socket,
            link,
            opened: now,
            watch: None,
            lifetime,
            is_just_reused: false,
            closing,
            reads_next: false,
            permit,
        }
    }

    pub(crate) fn addresses(&self) -> &Arc<Addresses> {
        self.socket.addresses()
    }

    /// Returns information about the TLS connection to the origin.
    pub(crate) fn tls_info(&mut self) -> Option<TlsInfo> {
        self.link.tls_info()
    }

    /// Returns whether that process opened the connection.
    pub(super) fn is_of(&self, process: u32) -> bool {
        self.permit.as_ref().is_none_or(|permit| permit.process() == process)
    }

    /// Returns the route under whose limit it is in the pool of that process.
    pub(super) fn limited_route(&self, process: u32) -> Option<RouteId> {
        self.permit.as_ref()?.limited_route(process)
    }

    /// Returns whether an idle connection can be used: the peer has neither closed it nor sent
    /// anything except TLS messages without data, such as session tickets.
    pub(crate) async fn is_alive(&mut self, budget: &mut Budget) -> bool {
        for _ in 0..IDLE_READS {
            match self.socket.pending() {
                Pending::Nothing => return true,
                Pending::End => return false,
                Pending::Bytes => {}
            }
            // Bytes have arrived, so this does not wait.
            if self.read(budget).await.is_err() || self.link.session.receive_idle().is_err() {
                return false;
            }
        }
        false
    }

    /// Prepares a connection that was just taken from the pool: gives it buffers.
    pub(crate) fn wake(&mut self, shelf: &mut BufferPool, idled: impl FnOnce() -> Duration) {
        self.is_just_reused = self.link.is_fresh() && idled() <= SOON;
        self.closing = CloseReason::Abandoned;
        self.link.wake(shelf);
    }

    /// Records how long the peer keeps the connection, if its `Keep-Alive` field says so.
    pub(crate) fn heed_keep_alive(&mut self, head: &ResponseHead) {
        if self.lifetime.is_some() || head.headers.has(&KEEP_ALIVE) {
            let lifetime = self.lifetime.get_or_insert_default();
            lifetime.answered(&head.headers, self.socket.now());
        }
    }

    /// Returns whether its peer closes connections right after each response; asked once it was
    /// found dead.
    pub(super) fn was_closed_early(&self) -> bool {
        self.is_just_reused
    }

    /// Sends the call's current hop and waits for the head of its response.
    pub(crate) async fn send(
        &mut self,
        call: &mut Call<'_, F::Source>,
    ) -> Result<Box<ResponseHead>, Failure> {
        self.socket.begin(call.method(), call.url());
        let interrupter = || Hook::Interrupt(Box::new(self.socket.interrupter()));
        self.watch = call.budget.cancel_token().map(|token| token.on_cancel(interrupter()));
        self.link.start(call).map_err(|halt| self.failure(halt))?;
        let mut body = call.take_body();
        // A connection from the pool has just been checked for early bytes.
        if self.link.is_fresh() || body.has_source() {
            self.link.session.look_first();
        }
        let head = self.run(&mut body, &mut call.budget).await;
        call.give_back(body);
        head.map_err(|halt| self.failure(halt))
    }

    fn failure(&mut self, halt: ExchangeFailure) -> Failure {
        self.closing = halt.close_reason();
        self.link.failure(halt)
    }

    /// Runs the exchange: takes a step and carries it out, until the final head.
    async fn run(
        &mut self,
        body: &mut Body<F::Source>,
        budget: &mut Budget,
    ) -> Result<Box<ResponseHead>, ExchangeFailure> {
        let mut write_error = None;
        let mut awaits_since = None;
        loop {
            let step = self.link.session.step();
            budget.enter(self.stage(), || self.socket.now());
            let progress = match step {
                Err(error) => Err(error.into()),
                Ok(Step::Head(head)) => {
                    budget.enter(Stage::Other, || self.socket.now());
                    return Ok(head);
                }
                Ok(Step::Look) => self.look(budget).await,
                Ok(Step::Fill) if self.may_have_answer() => self.read(budget).await,
                Ok(Step::Fill) => self.fill_or_read(body, budget).await,
                Ok(Step::Read) => self.read_answer(write_error.as_ref(), budget).await,
                Ok(Step::Await) => self.await_continue(&mut awaits_since, budget).await,
                Ok(Step::Write) => match self.write(budget).await {
                    Err(halt) if self.may_be_answered(&halt) => {
                        write_error.get_or_insert(halt);
                        self.link.session.write_failed();
                        Ok(())
                    }
                    written => written,
                },
            };
            if let Err(halt) = progress {
                return self.give_up(halt, write_error).await;
            }
        }
    }

    /// Fails the attempt with `halt`, unless a response has arrived. Of several errors it returns
    /// the one that explains most: one that the peer sent, else the first.
    async fn give_up(
        &mut self,
        halt: ExchangeFailure,
        write_error: Option<ExchangeFailure>,
    ) -> Result<Box<ResponseHead>, ExchangeFailure> {
        if let Some(head) = self.answer_beside(&halt).await {
            return Ok(head);
        }
        let is_told = halt.is_word_of_peer() || self.link.session.is_answered();
        Err(write_error.filter(|_| !is_told).unwrap_or(halt))
    }

    /// Returns the final head if it has arrived although the client could not continue. A request
    /// whose body failed was not carried out, even if the response is a success.
    async fn answer_beside(&mut self, halt: &ExchangeFailure) -> Option<Box<ResponseHead>> {
        let takes_success = match halt {
            // The total limit ends the wait for a response. It must not lose one that arrived while
            // the request was being sent.
            ExchangeFailure::Expired(expired)
                if expired.is_of_peer() || !self.link.session.is_sent() =>
            {
                true
            }
            ExchangeFailure::Body(_) => false,
            ExchangeFailure::Expired(_) | ExchangeFailure::Io(_) | ExchangeFailure::Session(_) => {
                return None;
            }
        };
        if halt.is_cancelled() || !self.may_be_heard() {
            return None;
        }
        self.link.session.stop_sending();
        let mut unlimited = Budget::unlimited(self.socket.now()); // reads only what has arrived
        loop {
            match self.link.session.step().ok()? {
                Step::Head(head) => {
                    return (takes_success || !head.status.is_success()).then_some(head);
                }
                Step::Read | Step::Write if self.socket.pending() == Pending::Bytes => {}
                _ => return None,
            }
            self.read(&mut unlimited).await.ok()?;
        }
    }

    /// Checks whether the peer sent something before the request.
    async fn look(&mut self, budget: &mut Budget) -> Result<(), ExchangeFailure> {
        match self.socket.pending() {
            Pending::Bytes => self.read(budget).await,
            Pending::Nothing | Pending::End => {
                self.link.session.looked();
                Ok(())
            }
        }
    }

    async fn read(&mut self, budget: &mut Budget) -> Result<(), ExchangeFailure> {
        if !self.link.session.has_heard() {
            self.socket.readable(budget).await?; // a waiting connection holds no read buffer
        }
        match self.socket.read(self.link.session.read_space(), budget).await? {
            0 => self.link.session.read_eof()?,
            count => self.link.session.read(count),
        }
        Ok(())
    }

    /// Reads the response. After a write that timed out, reads only what has already arrived.
    async fn read_answer(
        &mut self,
        write_error: Option<&ExchangeFailure>,
        budget: &mut Budget,
    ) -> Result<(), ExchangeFailure> {
        match write_error {
            Some(ExchangeFailure::Expired(expired)) if self.socket.pending() != Pending::Bytes => {
                Err(ExchangeFailure::Expired(*expired))
            }
            _ => self.read(budget).await,
        }
    }

    /// Reads, or sends the body if `100 Continue` does not arrive in time; other bytes that arrive
    /// do not extend the wait.
    async fn await_continue(
        &mut self,
        since: &mut Option<Instant>,
        budget: &mut Budget,
    ) -> Result<(), ExchangeFailure> {
        let since = *since.get_or_insert_with(|| self.socket.now());
        let space = self.link.session.read_space();
        match self.socket.read_as(Operation::Continue, space, Some(since), budget).await {
            Ok(0) => self.link.session.read_eof()?,
            Ok(count) => self.link.session.read(count),
            Err(SocketError::Expired(expired)) if expired.is_patience() => {
                self.link.session.go_ahead()?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn fill_or_read(
        &mut self,
        body: &mut Body<F::Source>,
        budget: &mut Budget,
    ) -> Result<(), ExchangeFailure> {
        match self.fill(body, None, budget).await? {
            Filling::Input => self.read(budget).await,
            Filling::Done | Filling::Late => Ok(()),
        }
    }

    async fn write(&mut self, budget: &mut Budget) -> Result<(), ExchangeFailure> {
        let meanwhile = match self.may_be_heard() {
            true => Meanwhile::Listen,
            false => Meanwhile::Wait,
        };
        match self.socket.write(self.link.session.output(), meanwhile, budget).await? {
            0 => self.read(budget).await,
            count => {
                self.link.session.wrote(count);
                Ok(())
            }
        }
    }

    /// Writes like [`write`](Self::write) while the response is read: reads instead if input
    /// arrives before the peer accepts a byte (RFC 9112 §9.5). It is a separate function so that
    /// the compiler inlines `write`, which every request uses, into its caller: 0.4 % of a GET's
    /// instructions.
    async fn write_or_read(
        &mut self,
        meanwhile: Meanwhile,
        budget: &mut Budget,
    ) -> Result<(), ExchangeFailure> {
        match self.socket.write(self.link.session.output(), meanwhile, budget).await? {
            0 => self.read(budget).await,
            count => {
                self.link.session.wrote(count);
                Ok(())
            }
        }
    }

    /// Puts the next piece of the request's body into the machine, unless input arrives before the
    /// source returns anything: the peer may have answered or closed the connection.
    async fn fill(
        &mut self,
        body: &mut Body<F::Source>,
        patience: Option<Duration>,
        budget: &Budget,
    ) -> Result<Filling, ExchangeFailure> {
        let Self { socket, link, .. } = self;
        let space = link.session.body_space();
        loop {
            let (source, into, holds_bytes) = match body.feed(space) {
                Feed::Filled(0) => {
                    let trailers = body.trailers().map_err(ExchangeFailure::body)?;
                    link.session.body_end(&trailers)?;
                    return Ok(Filling::Done);
                }
                Feed::Filled(count) => {
                    link.session.body_filled(count);
                    return Ok(Filling::Done);
                }
                Feed::Read { source, into, holds_bytes } => (source, into, holds_bytes),
            };
            // Without a limit here a source could outlast all limits before anything is written.
            let wait = budget
                .wait(Operation::Source, || socket.now())
                .map_err(ExchangeFailure::Expired)?;
            let (wait, is_patience) = wait.no_longer_than(patience);
            let mut input = Ok(());
            let read = unless(F::read(source, into), async {
                if !holds_bytes {
                    input = socket.input(wait).await;
                }
            });
            match (read.await, input) {
                (Some(count), _) => {
                    socket.forget_waits();
                    body.fed(count.map_err(ExchangeFailure::body)?)
                        .map_err(ExchangeFailure::body)?;
                }
                (None, _) if holds_bytes => {
                    link.session.body_filled(body.take_filled());
                    return Ok(Filling::Done);
                }
                (None, Ok(())) => return Ok(Filling::Input),
                (None, Err(SocketError::Expired(_))) if is_patience && budget.check().is_ok() => {
                    return Ok(Filling::Late);
                }
                (None, Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Returns the stage that the time is counted for.
    fn stage(&self) -> Stage {
        let session = &self.link.session;
        match session.setup() {
            Some(_) => Stage::Handshake,
            None if !session.is_sent() => Stage::Request,
            None if !session.is_being_answered() => Stage::FirstByte,
            None if session.is_between_heads() => Stage::Interim,
            None => Stage::Other,
        }
    }

    /// Returns whether input may hold a response, or the end of the connection, before the request
    /// is sent. Once the head has arrived, no more is read until the caller reads the body, because
    /// unread data would fill the memory.
    fn may_have_answer(&self) -> bool {
        self.may_be_heard() && self.socket.pending() != Pending::Nothing
    }

    fn may_be_heard(&self) -> bool {
        self.link.session.has_sent() && self.link.session.may_be_answered()
    }

    /// Returns whether the response may still arrive after a failed write: a broken connection may
    /// already hold it, and so may one whose peer accepts no more bytes.
    fn may_be_answered(&self, halt: &ExchangeFailure) -> bool {
        match halt {
            ExchangeFailure::Io(_) => true,
            ExchangeFailure::Expired(_) => {
                !self.link.session.awaits_head() || self.socket.pending() == Pending::Bytes
            }
            ExchangeFailure::Session(_) | ExchangeFailure::Body(_) => false,
        }
    }

    // The response's body.

    /// Reads the next bytes of the body; 0 means the end. `into` is not empty.
    pub(crate) async fn read_body(
        &mut self,
        into: &mut [u8],
        budget: &mut Budget,
    ) -> Result<usize, Error> {
        self.next_bytes(into, budget).await.map_err(|halt| self.link.body_error(halt))
    }

    pub(crate) async fn next_bytes(
        &mut self,
        into: &mut [u8],
        budget: &mut Budget,
    ) -> Result<usize, ExchangeFailure> {
        loop {
            match self.link.session.read_body(into)? {
                BodyStep::Data(count) => return Ok(count),
                BodyStep::End => return Ok(0),
                BodyStep::Read => self.read(budget).await?,
                BodyStep::Direct(room) => {
                    let into = into.get_mut(..room).unwrap_or_default();
                    match self.socket.read(into, budget).await? {
                        0 => self.link.session.read_eof()?,
                        count => {
                            self.link.session.read_direct(count);
                            return Ok(count);
                        }
                    }
                }
            }
        }
    }

    /// Reads like [`read_body`](Self::read_body), while the rest of the request is sent.
    pub(crate) async fn read_while_sending(
        &mut self,
        into: &mut [u8],
        body: &mut Body<F::Source>,
        budget: &mut Budget,
    ) -> Result<usize, Error> {
        let read = self.next_bytes_while_sending(into, body, budget).await;
        read.map_err(|halt| self.link.body_error(halt))
    }

    /// Reads and sends in turns: neither half may starve the other, nor use more memory than a
    /// piece of its body.
    async fn next_bytes_while_sending(
        &mut self,
        into: &mut [u8],
        body: &mut Body<F::Source>,
        budget: &mut Budget,
    ) -> Result<usize, ExchangeFailure> {
        loop {
            match self.link.session.read_body(into)? {
                BodyStep::Data(count) => return Ok(count),
                BodyStep::End => return self.send_rest(body, budget).await.map(|()| 0),
                BodyStep::Read | BodyStep::Direct(_) => {}
            }
            let step = self.link.session.send_step()?;
            let reads = std::mem::replace(&mut self.reads_next, false);
            if step == SendStep::Done || (reads && self.socket.pending() != Pending::Nothing) {
                self.read(budget).await?;
                continue;
            }
            self.reads_next = true;
            match step {
                SendStep::Fill => self.fill_or_read(body, budget).await?,
                // A peer that accepts no more bytes, or not in time, may still send more of the
                // response.
                _ => match self.write_or_read(Meanwhile::Converse, budget).await {
                    Err(ExchangeFailure::Io(_)) => self.link.session.write_failed(),
                    Err(ExchangeFailure::Expired(_)) => self.link.session.stop_sending(),
                    written => written?,
                },
            }
        }
    }

    /// Sends the rest of the request after the response is complete, as far as the peer accepts it.
    /// The peer does not want the part that it does not accept.
    async fn send_rest(
        &mut self,
        body: &mut Body<F::Source>,
        budget: &mut Budget,
    ) -> Result<(), ExchangeFailure> {
        // A body of known length was announced, so its source has the usual time limits.
        let patience = body.length().is_none().then_some(REST_PATIENCE);
        loop {
            let sent = match self.link.session.send_step() {
                Err(error) => Err(error.into()),
                Ok(SendStep::Done) => return Ok(()),
                Ok(SendStep::Write) => self.write_or_read(Meanwhile::Listen, budget).await,
                Ok(SendStep::Fill) => match self.fill(body, patience, budget).await {
                    Ok(Filling::Done) => Ok(()),
                    Ok(Filling::Input) => self.read(budget).await,
                    Ok(Filling::Late) => break,
                    Err(halt) => Err(halt),
                },
            };
            match sent {
                Err(halt) if halt.is_cancelled() || matches!(halt, ExchangeFailure::Body(_)) => {
                    return Err(halt);
                }
                Ok(()) if !self.link.session.has_leftover() => {}
                Ok(()) | Err(_) => break,
            }
        }
        self.link.session.stop_sending();
        Ok(())
    }

    /// Returns whether more of the request is to be sent.
    pub(crate) fn is_sending(&self) -> bool {
        self.link.session.is_sending()
    }

    pub(crate) fn body_left(&self) -> Option<u64> {
        self.link.session.body_left()
    }

    pub(crate) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.link.session.take_trailers()
    }

    /// Releases the connection from a call that is over.
    pub(crate) fn let_go(&mut self) {
        self.watch = None;
        self.closing = CloseReason::LetGo;
    }

    /// Returns its buffers before it becomes idle.
    pub(crate) fn rest(&mut self, shelf: &mut BufferPool) {
        self.link.session.rest(shelf);
    }

    /// Reads and discards the rest of the body, if it has at most `limit` bytes and arrives in
    /// time.
    pub(crate) async fn drain(
        &mut self,
        limit: usize,
        patience: Patience,
        budget: &mut Budget,
    ) -> Result<(), CloseReason> {
        self.link.session.may_be_reused()?;
        if self.is_sending() {
            return Err(CloseReason::RequestIncomplete);
        }
        if patience == Patience::None {
            // The reason that remains if this future is dropped while it is pending.
            self.closing = CloseReason::BodyUnread;
        }
        match self.body_left() {
            Some(0) => return self.link.session.reusable(),
            Some(left) if left > limit as u64 => return Err(CloseReason::BodyUnread),
            _ => {}
        }
        let mut scratch = vec![0; 2048]; // an array would be part of every future
        let mut left = limit;
        loop {
            let step = self
                .link
                .session
                .read_body(&mut scratch)
                .map_err(|_| CloseReason::ProtocolError)?;
            let count = match step {
                BodyStep::End => return self.link.session.reusable(),
                BodyStep::Data(count) => count,
                _ if patience == Patience::None && self.socket.pending() != Pending::Bytes => {
                    return Err(CloseReason::BodyUnread);
                }
                BodyStep::Read => {
                    self.read(budget).await.map_err(|_| CloseReason::Io)?;
                    0
                }
                BodyStep::Direct(room) => {
                    let into = scratch.get_mut(..room).unwrap_or_default();
                    let count =
                        self.socket.read(into, budget).await.map_err(|_| CloseReason::Io)?;
                    if count == 0 {
                        return Err(CloseReason::EarlyEof);
                    }
                    self.link.session.read_direct(count);
                    count
                }
            };
            left = left.checked_sub(count).ok_or(CloseReason::BodyUnread)?;
        }
    }
}

impl<F: Runtime> ErasedBox<Connection<F>> {
    pub(crate) fn close(mut self, reason: CloseReason) {
        self.closing = reason;
    }

    /// Closes a dead connection and returns its permit for another one.
    pub(super) fn into_permit(mut self) -> Option<Permit<F>> {
        self.closing = CloseReason::NotAlive;
        self.permit.take()
    }
}

/// Closes the connections that the pool returned.
pub(super) fn close<F: Runtime>(
    closed: impl IntoIterator<Item = Closed<ErasedBox<Connection<F>>>>,
) {
    for Closed { connection, reason } in closed {
        connection.close(reason);
    }
}
