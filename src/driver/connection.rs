//! An open connection, and the loop that sends a request on it and reads the head of the response.
//!
//! [`Connection::send`] starts the exchange, and [`Connection::run`] asks its machines for the next step and
//! carries it out on the socket, until the final head. The body is read by [`response_body`](super::response_body), which
//! continues to send the request if the server answered before its end.
//!
//! # The loop
//!
//! `run` is the heart of the client. Each turn asks the pipe for a step and carries it out:
//!
//! | step | what the loop does |
//! | --- | --- |
//! | `Look` | before the first byte is sent: has the peer sent something already? |
//! | `Fill` | reads a piece of the body from the caller's source, unless a response may have arrived |
//! | `Write` | writes; while the peer takes no byte, a response is read as soon as there may be one |
//! | `Read` | reads; the budget says how long |
//! | `Await` | reads for a short time: 100 (Continue), or the text of a proxy's refusal |
//! | `Head` | done: the final head |
//!
//! The stage for the clock of the budget is entered before each step, so that a stage has a limit
//! of its own (handshake, request, first byte, interim responses).
//!
//! # A response beats an error
//!
//! A server often answers and closes before it has read the request: 413, 401, a redirect. The
//! write then fails, or the body's source does, while the answer is in the socket. So after a
//! failure the loop asks whether an answer can still be there:
//!
//! | failure | then |
//! | --- | --- |
//! | a write failed | the request is abandoned, and reading continues |
//! | a write timed out | reads only what has arrived already |
//! | a limit of the peer passed | delivers a final head that has arrived |
//! | the caller's source failed | delivers a head that has arrived, unless it is a success |
//! | the call was cancelled | the error stands |
//!
//! A success is refused after a source failed, since the server cannot have had the whole body. Of
//! two errors the one from the peer explains more, else the first. `tests/dying_connections.rs`
//! (`refusals_are_delivered`, `a_close_without_a_response_is_an_error`), `tests/duplex.rs`
//! (`a_refusal_precedes_the_error_of_the_source`,
//! `s14_a_response_before_a_reset_is_seen`) and `tests/expect.rs` (`a_refusal_saves_the_upload`)
//! show them on the wire.
//!
//! # Idle connections
//!
//! `is_alive` looks at the socket without waiting. Nothing to read means that the connection can be
//! used. The end, or data, means that it cannot, with one exception: TLS sends tickets and key
//! updates whenever it likes, so up to four reads are given to the layers first (`tests/tls.rs`,
//! `late_tls_messages_keep_the_connection`, `unsolicited_plain_bytes_close_the_connection`).
//!
//! A look cannot see a close that is on its way. Such a connection is stale, and
//! [`policy::retry`](crate::policy::retry) decides whether the request is sent again on a new one.
//!
//! # Memory
//!
//! A connection that waits for a response holds no read buffer: [`Connection::read`] first waits
//! until the socket is readable. An idle one has given its buffers back ([`Connection::wake`] takes
//! new ones), so many idle connections cost little more than their sockets.
//!
//! # Filling the request
//!
//! `fill` puts one piece of the body into the output of the exchange. Where the piece comes from
//! decides whether it may wait:
//!
//! | next in the body | space | what happens |
//! | --- | --- | --- |
//! | bytes in memory | any | copied; no wait |
//! | a source of known length | any | read, behind bytes that are there already |
//! | a source of unknown length | empty | read; the chunk is what one read returned |
//! | a source of unknown length | holds bytes | not read: the bytes are sent first |
//! | the end | | trailers, and the end of the request |
//!
//! While a source waits, the socket is watched too, where the runtime can do both: a server that
//! answers, or closes, ends the wait (`tests/tokio/pending_uploads.rs`,
//! `s14_the_server_is_noticed_while_the_source_is_pending`). Where sources block, the input
//! is looked at between two pieces (`tests/duplex.rs`,
//! `s14_a_response_is_seen_between_the_chunks_of_an_endless_source`).
//!
//! # Stages
//!
//! The stage is derived from the machines before each step and never stored, so it cannot be out of
//! date:
//!
//! | stage | while |
//! | --- | --- |
//! | `Handshake` | a layer is not open yet |
//! | `Request` | some of the request is not written |
//! | `FirstByte` | all is written, and nothing of the answer to it has arrived |
//! | `Interim` | an interim response has arrived, and nothing of the next head |
//! | `Other` | a head is arriving |

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Version;

use super::checkout::Permit;
use super::failure::ExchangeFailure;
use super::runtime::{Meanwhile, Pending, Runtime, SocketError, Stream as _, unless};
use super::socket::{Addresses, Socket};
use crate::base::buffer::{BufferPool, ErasedBox};
use crate::base::cancel::{Hook, Watch};
use crate::body::{Body, Feed};
use crate::call::log;
use crate::call::wire::WireLog;
use crate::call::{Call, Failure};
use crate::error::{Error, Phase};
use crate::http1::close::CloseReason;
use crate::http1::close::{KEEP_ALIVE, Lifetime};
use crate::http1::exchange::{Exchange, Outgoing, Step};
use crate::http1::head::ResponseHead;
use crate::http1::header_section::Fields as _;
use crate::http1::limits::Limits;
use crate::policy::deadline::{Budget, Operation, Stage};
use crate::policy::route::{Route, SOON};
use crate::pool::permits::RouteId;
use crate::pool::{Closed, Pooled};
use crate::transport::pipe::{Pipe, Setup};
use crate::transport::tls::TlsInfo;

/// The maximum number of reads on an idle connection: TLS tickets arrive by twos or fours, in one
/// piece or two.
const IDLE_READS: usize = 4;

const TLS_PORT: &str = "servers usually speak TLS on this port: is it an https URL?";

/// An open connection: a socket, the layers over it, and the exchange that they carry.
#[derive(Debug)]
pub(crate) struct Connection<F: Runtime> {
    pub(crate) socket: Socket<F>,
    pub(super) pipe: Pipe,
    pub(super) exchange: Exchange,
    pub(super) route: Route,
    /// True if it was idle before this exchange, so that it may be stale.
    pub(super) is_pooled: bool,
    opened: Instant,
    /// Shows what is sent and received, if the program wants that.
    pub(super) wire: Option<WireLog>,
    /// Keeps the cancel hook of the current call registered.
    pub(super) watch: Option<Watch>,
    /// The time that the peer keeps the connection idle; `None` if it has not announced one.
    lifetime: Option<Box<Lifetime>>,
    /// True while it serves its second request, soon after the first: if it is dead now, its peer
    /// closes connections right after each response.
    is_just_reused: bool,
    /// The reason that is logged if it is dropped now.
    pub(super) closing: CloseReason,
    /// True if the next turn is a read: request and response are transferred in turns.
    pub(super) reads_next: bool,
    /// Released after everything else is closed, unless another connection takes it.
    permit: Option<Permit<F>>,
}

/// The result of trying to put a piece of the request's body into the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filling {
    Done,
    /// There is something to read, and the source has returned nothing so far.
    Input,
    /// The source exceeded the patience of this call.
    Late,
}

/// Closes the connection. Over TLS it sends `close_notify` or the pending alert first, unless the
/// connection belongs to the parent process after a fork.
impl<F: Runtime> Drop for Connection<F> {
    fn drop(&mut self) {
        log::closed(&self.route, self.closing);
        self.socket.stream.closing(self.closing);
        if !self.pipe.is_plain() && self.is_of(self.socket.runtime.process()) {
            self.socket.say_farewell(self.pipe.farewell());
        }
    }
}

impl<F: Runtime> Pooled for ErasedBox<Connection<F>> {
    fn route(&self) -> &Route {
        &self.route
    }

    fn opened(&self) -> Instant {
        self.opened
    }

    fn kept_until(&self) -> Option<Instant> {
        self.lifetime.as_ref()?.until()
    }
}

impl<F: Runtime> Connection<F> {
    pub(super) fn new(
        socket: Socket<F>,
        pipe: Pipe,
        limits: &Limits,
        route: Route,
        permit: Permit<F>,
        now: Instant,
    ) -> Self {
        log::connected(&route, socket.addresses.remote);
        Self {
            pipe,
            exchange: Exchange::new(limits),
            route,
            is_pooled: false,
            opened: now,
            wire: None,
            watch: None,
            lifetime: None,
            is_just_reused: false,
            closing: CloseReason::Abandoned,
            reads_next: false,
            permit: Some(permit),
            socket,
        }
    }

    /// Shows what is sent and received from now on, if the client is verbose.
    #[cfg(feature = "log")]
    pub(super) fn show_wire(&mut self, is_verbose: bool) {
        self.wire = WireLog::open(is_verbose, &self.route);
    }

    pub(crate) fn addresses(&self) -> &Arc<Addresses> {
        &self.socket.addresses
    }

    /// Returns information about the TLS connection to the origin.
    pub(crate) fn tls_info(&mut self) -> Option<TlsInfo> {
        match self.route {
            Route::Direct(_) | Route::Tunnel(..) => self.pipe.tls_info(),
            Route::Forward(_) => None, // its TLS is the proxy's
        }
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
            if self.read(budget).await.is_err() {
                return false;
            }
            if let Err(reason) = self.pipe.receive_idle() {
                // A peer that still sends is not one that closes after each response.
                self.is_just_reused &= reason != CloseReason::LeftoverBytes;
                return false;
            }
        }
        false
    }

    /// Prepares a connection that was just taken from the pool: gives it buffers for a request with this framing.
    pub(crate) fn wake(
        &mut self,
        shelf: &mut BufferPool,
        outgoing: Outgoing,
        idled: impl FnOnce() -> Duration,
    ) {
        self.is_just_reused = !self.is_pooled && idled() <= SOON;
        self.is_pooled = true;
        self.closing = CloseReason::Abandoned;
        self.pipe.wake(shelf);
        self.exchange.wake(shelf, outgoing);
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
    ///
    /// One such event is enough for [`learn`](super::checkout::learn): a server that announces
    /// keep-alive and closes after each response would otherwise cost every second request a failed
    /// attempt (`tests/keep_alive.rs`, `a_peer_that_closes_after_each_response_is_remembered`).
    pub(super) fn was_closed_early(&self) -> bool {
        self.is_just_reused
    }

    /// Sends the call's current hop and waits for the head of its response.
    pub(crate) async fn send(
        &mut self,
        call: &mut Call<'_, F::Source>,
    ) -> Result<Box<ResponseHead>, Failure> {
        self.socket.begin(call.method(), call.url());
        let interrupter = || Hook::Interrupt(Box::new(self.socket.stream.interrupter()));
        self.watch = call.budget.cancel_token().map(|token| token.on_cancel(interrupter()));
        self.start(call).map_err(|failure| self.failure(failure))?;
        let mut body = call.take_body();
        // A connection from the pool has just been checked for early bytes.
        if !self.is_pooled || body.has_source() {
            self.exchange.look_first();
        }
        let head = self.run(&mut body, call).await;
        call.give_back(body);
        if let (Some(wire), Ok(head)) = (&self.wire, &head) {
            wire.received_head(head);
        }
        head.map_err(|failure| self.failure(failure))
    }

    /// Starts the exchange of the call's current hop: its head is written into the output, and the
    /// machine learns what it cannot know: whether the body may stall, whether the request says
    /// `close`, and which protocols it offers. Nothing is sent here.
    fn start(&mut self, call: &mut Call<'_, F::Source>) -> Result<(), ExchangeFailure> {
        call.begin_attempt(self.is_pooled).map_err(ExchangeFailure::Body)?;
        let outgoing = call.outgoing();
        // RFC 9112 §6.1: no chunked coding for a peer that is known to be older than HTTP/1.1.
        if outgoing == Outgoing::Chunked && self.exchange.peer_version() < Version::HTTP_11 {
            return Err(ExchangeFailure::body(
                "the server speaks HTTP/1.0, which requires a body of known length",
            ));
        }
        self.pipe.start();
        let (method, expectation) = (call.method().clone(), call.expectation());
        self.exchange.start(method, outgoing, expectation, |out| call.write_head(out));
        #[cfg(feature = "export")]
        call.keep_head(self.exchange.output());
        if let Some(wire) = &self.wire {
            wire.sent_head(self.exchange.output(), call.marked_values());
        }
        if call.body_may_stall() {
            self.exchange.send_head_first();
        }
        if call.says_close() {
            self.exchange.close_after(CloseReason::WeSaidClose);
        }
        if let Some(offer) = call.offer() {
            self.exchange.offer(offer);
        }
        if call.observer().is_some() || self.wire.is_some() {
            self.exchange.report_interim();
        }
        Ok(())
    }

    /// Runs the exchange: takes a step and carries it out, until the final head.
    async fn run(
        &mut self,
        body: &mut Body<F::Source>,
        call: &mut Call<'_, F::Source>,
    ) -> Result<Box<ResponseHead>, ExchangeFailure> {
        let mut write_error = None;
        let mut awaits_since = None;
        loop {
            let step = self.pipe.step(&mut self.exchange);
            let budget = &mut call.budget;
            budget.enter(self.stage(), &|| self.socket.now());
            let progress = match step {
                Err(error) => Err(error.into()),
                Ok(Step::Head(head)) => {
                    budget.enter(Stage::Other, &|| self.socket.now());
                    return Ok(head);
                }
                Ok(Step::Interim(head)) => {
                    if let Some(wire) = &self.wire {
                        wire.received_head(&head);
                    }
                    call.observe(head);
                    Ok(())
                }
                Ok(Step::Look) => self.look(budget).await,
                Ok(Step::Fill) if self.may_have_answer() => self.read(budget).await,
                Ok(Step::Fill) => self.fill_or_read(body, budget).await,
                Ok(Step::Read) => self.read_answer(write_error.as_ref(), budget).await,
                Ok(Step::Await) => self.await_continue(&mut awaits_since, budget).await,
                Ok(Step::Write) => match self.write(self.listening(), budget).await {
                    Err(failure) if self.may_be_answered(&failure) => {
                        write_error.get_or_insert(failure);
                        self.pipe.write_failed(&mut self.exchange);
                        Ok(())
                    }
                    written => written,
                },
            };
            if let Err(failure) = progress {
                return self.give_up(failure, write_error).await;
            }
        }
    }

    /// Fails the attempt with `failure`, unless a response has arrived. Of several errors it returns
    /// the one that explains most: one that the peer sent, else the first.
    async fn give_up(
        &mut self,
        failure: ExchangeFailure,
        write_error: Option<ExchangeFailure>,
    ) -> Result<Box<ResponseHead>, ExchangeFailure> {
        if let Some(head) = self.answer_beside(&failure).await {
            return Ok(head);
        }
        let is_told_by_peer = failure.is_word_of_peer() || self.exchange.is_answered();
        Err(write_error.filter(|_| !is_told_by_peer).unwrap_or(failure))
    }

    /// Returns the final head if it has arrived although the client could not continue. A request
    /// whose body failed was not carried out, even if the response is a success.
    async fn answer_beside(&mut self, failure: &ExchangeFailure) -> Option<Box<ResponseHead>> {
        let takes_success = match failure {
            // The total limit ends the wait for a response. It must not lose one that arrived while
            // the request was being sent.
            ExchangeFailure::Expired(expired)
                if expired.is_of_peer() || !self.pipe.is_sent(&self.exchange) =>
            {
                true
            }
            ExchangeFailure::Body(_) => false,
            #[cfg(feature = "testing")]
            ExchangeFailure::Forced(_) => return None,
            ExchangeFailure::Expired(_) | ExchangeFailure::Io(_) | ExchangeFailure::Pipe(_) => {
                return None;
            }
        };
        if failure.is_cancelled() || !self.may_be_heard() {
            return None;
        }
        self.pipe.stop_sending(&mut self.exchange);
        let mut unlimited = Budget::unlimited(self.socket.now()); // reads only what has arrived
        loop {
            match self.pipe.step(&mut self.exchange).ok()? {
                Step::Interim(_) => continue,
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
                self.exchange.looked();
                Ok(())
            }
        }
    }

    /// Reads once, through the lowest layer. Before the first byte of a response it waits without a
    /// buffer: a client that waits for a thousand responses holds no memory for their bytes.
    pub(super) async fn read(&mut self, budget: &mut Budget) -> Result<(), ExchangeFailure> {
        if !self.exchange.has_heard() {
            self.socket.readable(budget).await?; // a waiting connection holds no read buffer
        }
        let space = self.pipe.read_space(&mut self.exchange);
        let count = self.socket.read(space, budget).await?;
        Ok(self.pipe.read(&mut self.exchange, count)?)
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
        let space = self.pipe.read_space(&mut self.exchange);
        match self.socket.read_as(Operation::Continue, space, Some(since), budget).await {
            Ok(count) => Ok(self.pipe.read(&mut self.exchange, count)?),
            Err(SocketError::Expired(expired)) if expired.is_patience() => {
                Ok(self.pipe.go_ahead(&mut self.exchange)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Fills without a limit of its own, and reads if there is input before the source has returned
    /// anything.
    pub(super) async fn fill_or_read(
        &mut self,
        body: &mut Body<F::Source>,
        budget: &mut Budget,
    ) -> Result<(), ExchangeFailure> {
        match self.fill(body, None, budget).await? {
            Filling::Input => self.read(budget).await,
            Filling::Done | Filling::Late => Ok(()),
        }
    }

    /// Writes, unless input arrives before the peer accepts a byte: then it reads (RFC 9112 §9.5).
    pub(super) async fn write(
        &mut self,
        meanwhile: Meanwhile,
        budget: &mut Budget,
    ) -> Result<(), ExchangeFailure> {
        let output = self.pipe.output(&self.exchange);
        match self.socket.write(output, meanwhile, budget).await? {
            0 => self.read(budget).await,
            count => {
                self.pipe.wrote(&mut self.exchange, count);
                Ok(())
            }
        }
    }

    /// A blocked write listens for a response as soon as the server may send one.
    fn listening(&self) -> Meanwhile {
        if self.may_be_heard() { Meanwhile::Listen } else { Meanwhile::Wait }
    }

    /// Puts the next piece of the request's body into the machine, unless input arrives before the
    /// source returns anything: the peer may have answered or closed the connection.
    pub(super) async fn fill(
        &mut self,
        body: &mut Body<F::Source>,
        patience: Option<Duration>,
        budget: &Budget,
    ) -> Result<Filling, ExchangeFailure> {
        let Self { socket, exchange, wire, .. } = self;
        let wire = *wire;
        let filled = |exchange: &mut Exchange, count| {
            exchange.body_filled(count);
            if let Some(wire) = wire {
                wire.sent(count);
            }
        };
        let space = exchange.body_space();
        loop {
            // Bytes in memory are copied here and now. A source is read below, where it may wait.
            let (source, into, holds_bytes) = match body.feed(space) {
                Feed::Filled(0) => {
                    let trailers = body.trailers().map_err(ExchangeFailure::body)?;
                    exchange.body_end(&trailers)?;
                    return Ok(Filling::Done);
                }
                Feed::Filled(count) => {
                    filled(exchange, count);
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
                    input = socket.stream.input(wait).await;
                }
            });
            match (read.await, input) {
                (Some(count), _) => {
                    socket.forget_waits();
                    body.fed(count.map_err(ExchangeFailure::body)?)
                        .map_err(ExchangeFailure::body)?;
                }
                // The source waits, and bytes from before it are in the space: they are sent first,
                // since the peer may need them to answer.
                (None, _) if holds_bytes => {
                    filled(exchange, body.take_filled());
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
        if self.pipe.setup().is_some() {
            Stage::Handshake
        } else if !self.pipe.is_sent(&self.exchange) {
            Stage::Request
        } else if !self.exchange.is_being_answered() {
            Stage::FirstByte
        } else if self.exchange.is_between_heads() {
            Stage::Interim
        } else {
            Stage::Other
        }
    }

    /// Returns whether input may hold a response, or the end of the connection, before the request
    /// is sent. Once the head has arrived, no more is read until the caller reads the body, because
    /// unread data would fill the memory.
    fn may_have_answer(&self) -> bool {
        self.may_be_heard() && self.socket.pending() != Pending::Nothing
    }

    fn may_be_heard(&self) -> bool {
        self.pipe.has_sent(&self.exchange) && self.exchange.may_be_answered()
    }

    /// Returns whether the response may still arrive after a failed write: a broken connection may
    /// already hold it, and so may one whose peer accepts no more bytes.
    fn may_be_answered(&self, failure: &ExchangeFailure) -> bool {
        match failure {
            ExchangeFailure::Io(_) => true,
            ExchangeFailure::Expired(_) => {
                !self.exchange.awaits_head() || self.socket.pending() == Pending::Bytes
            }
            ExchangeFailure::Pipe(_) | ExchangeFailure::Body(_) => false,
            #[cfg(feature = "testing")]
            ExchangeFailure::Forced(_) => false,
        }
    }

    /// Returns the failure of an attempt that got no response. The connection is not reused.
    pub(super) fn failure(&mut self, failure: ExchangeFailure) -> Failure {
        self.closing = failure.close_reason();
        // The proxy's refusal explains more than the error that followed it.
        let failure = match self.pipe.refusal() {
            Some(refusal) if !failure.is_cancelled() => ExchangeFailure::Pipe(refusal),
            _ => failure,
        };
        let lost_connection = match &failure {
            ExchangeFailure::Io(_) => true,
            ExchangeFailure::Pipe(error) => error.is_loss(),
            _ => false,
        };
        let has_sent = self.pipe.has_sent(&self.exchange);
        let phase = match self.pipe.setup() {
            Some(Setup::Tunnel) => Phase::Proxy,
            Some(Setup::Tls | Setup::ProxyTls) => Phase::Handshake,
            None if has_sent
                && (self.pipe.is_sent(&self.exchange) || self.exchange.is_answered()) =>
            {
                Phase::Head
            }
            None => Phase::Send,
        };
        let has_heard = self.exchange.has_heard();
        let error = self.error(failure, phase);
        let error = match has_sent && lost_connection && !has_heard && !self.is_pooled {
            true if self.route.is_plain_to_tls_port() => error.note(TLS_PORT),
            _ => error,
        };
        Failure { error, lost_connection, is_pooled: self.is_pooled, has_sent, has_heard }
    }

    /// Returns the error for a body that cannot be read further. The connection is not reused.
    pub(super) fn body_error(&mut self, failure: ExchangeFailure) -> Error {
        self.exchange.close_after(failure.close_reason());
        self.error(failure, Phase::Body)
    }

    pub(crate) fn error(&self, failure: ExchangeFailure, phase: Phase) -> Error {
        failure.into_error(phase, &self.route, self.pipe.setup())
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
