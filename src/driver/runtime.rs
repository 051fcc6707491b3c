//! The runtime interface: everything that touches the operating system or waits. The driver is
//! written once, over [`Runtime`]; `blocking`, `tokio`, the simulation and the fuzzers implement it.
//!
//! A runtime supplies:
//!
//! | | by |
//! | --- | --- |
//! | the time, and random numbers | [`now`](Runtime::now), [`date`](Runtime::date), [`random`](Runtime::random) |
//! | addresses of a name | [`look_up`](Runtime::look_up), which answers through a [`Oneshot`] |
//! | one attempt to connect | [`connect`](Runtime::connect) |
//! | waiting for the first of several | [`any_of`](Runtime::any_of) |
//! | a connected socket | [`Stream`]: read, write, and a look at the input without waiting |
//! | sleeping, and being woken | [`Event`] |
//! | the caller's body | [`Source`](Runtime::Source) and [`read`](Runtime::read) |
//!
//! It decides nothing: which address is tried when, how long a wait may take, and what a failure
//! means are the driver's affair. Every method that waits is a future:
//!
//! - On an async runtime it is pending until the runtime wakes the task. A future may be dropped at
//!   any point; what it has not returned has not happened.
//! - On a runtime that blocks, it waits inside `poll` and is never pending. Then no future of the
//!   driver is ever pending, and [`run`] is a plain call.
//!
//! The shortest implementation is that of the fuzzers, `testing/harness/fuzzing/call.rs`; `blocking/runtime.rs`
//! is the one to read next. What must hold is checked by the simulation, which polls futures at
//! random and drops them (`tests/simulation/`), and by `tests/cancel.rs` and `tests/deadlines.rs`.
//!
//! # How a name lookup or a cancellation reaches a waiting call
//!
//! Two things end a wait from outside: an answer, through a [`Oneshot`], and a cancel token
//! (`base/cancel.rs`). Both set an [`Event`]. Waits on sockets are different, because a blocking
//! read cannot wait for an event too: a cancellation shuts the socket down instead
//! ([`Stream::interrupter`]), and the budget tells the driver that it was no end of the peer.
//!
//! | wait | ended by an answer | ended by a cancellation |
//! | --- | --- | --- |
//! | lookup, queue | `Oneshot::put` | `Event::set` |
//! | race of connects | an attempt that ended | `Event::set` on the stop event |
//! | read, write | the socket | `interrupter`: the socket is shut down |
//! | before a retry | the time | `Event::set` |
//!
//! # Writing a runtime
//!
//! The simulation and the fuzzers show that little is needed. What each part owes the driver, and
//! what breaks otherwise:
//!
//! | part | owes | else |
//! | --- | --- | --- |
//! | [`Runtime::now`] | never goes back | a limit ends too early |
//! | [`Runtime::connect`] | returns before the connection is made | the race of addresses is none |
//! | [`Runtime::any_of`] | with a time of zero asks the system, not a cache | a connection made in time is lost |
//! | [`Runtime::look_up`] | returns immediately; a dropped answer is fine | lookups block each other |
//! | [`Stream::read`] | 0 only at the end; at most the given time | a body looks complete; a limit is missed |
//! | [`Stream::write`] | 0 only if input arrived | the request is taken for refused |
//! | [`Stream::pending`] | never waits, and changes nothing | every reuse costs a wait |
//! | [`Stream::interrupter`] | ends the read that runs in another thread | a cancellation takes as long as the read |
//! | [`Event::set`] | may come before the wait, and wakes without a lock | a wakeup is lost; a waker deadlocks |
//! | each future | may be dropped, and what it has not returned has not happened | bytes are lost or sent twice |
//!
//! Defaults exist for what a runtime may lack: Unix domain sockets, half-closing, a look at the
//! input while a source is read.
//!
//! # Small tools for futures
//!
//! | function | for |
//! | --- | --- |
//! | [`run`] | a call on a runtime that blocks: the first poll is the last |
//! | [`ready`] | one poll where waiting is not allowed: draining in `Drop`, a flush of TLS |
//! | [`unless`] | a future and what ends it early; the future is polled first, so its result wins a tie |
//! | [`in_time`] | the same with a time and the cancel token of the call |
//! | [`Oneshot`] | a value from another thread or task, once |

use std::fmt;
use std::future::{poll_fn, ready as completed};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use http::Method;

use crate::base::cancel::Hook;
use crate::body::{Body, Feed, Source};
use crate::config::SocketOptions;
use crate::config::dns::Resolver;
use crate::error::{Error, Result};
use crate::http1::close::CloseReason;
use crate::policy::Clock;
use crate::policy::deadline::{Budget, Expired, Wait};
use crate::url::Url;

/// A runtime that drives the client: `blocking`, `tokio`, or with the feature `runtime` one of your own,
/// which implements `AsyncRuntime`.
///
/// Sealed: it names the runtime that [`Client`](crate::client::Client),
/// [`Request`](crate::client::request::Request) and [`Body`] are generic over.
pub trait Runtime: sealed::Sealed + fmt::Debug + Clone + Default + Send + Sync + 'static {
    /// The source of a streamed request body.
    type Source: Source;
    /// A connected socket.
    #[doc(hidden)]
    type Stream: Stream;
    /// An attempt to connect, in progress. Dropping it closes its socket.
    #[doc(hidden)]
    type Connecting: Send;
    /// A one-shot signal, for waits that are not for a socket.
    #[doc(hidden)]
    type Event: Event;

    /// True if operations wait inside `poll`, so that no future of the driver is ever pending.
    #[doc(hidden)]
    const BLOCKS: bool = false;

    /// The default limit for the wait for the first byte of a response, unless the caller sets a total timeout.
    const FIRST_BYTE: Option<Duration> = Some(Duration::from_secs(30));

    /// Reads a source once; 0 means the end.
    fn read(
        source: &mut Self::Source,
        into: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// Finds out the length of each source in a body of unknown length, where that has to wait. Does nothing
    /// by default.
    #[doc(hidden)]
    fn measure(_: &mut Body<Self::Source>) -> impl Future<Output = ()> + Send {
        completed(())
    }

    /// Returns the monotonic time.
    #[doc(hidden)]
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Returns the wall-clock time.
    #[doc(hidden)]
    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Returns a non-cryptographic random number. By default each is the hash of nothing with new
    /// keys, which std derives from the randomness of the operating system.
    #[doc(hidden)]
    fn random(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }

    /// Returns the id of the process, which changes in a child of `fork`.
    #[doc(hidden)]
    fn process(&self) -> u32 {
        std::process::id()
    }

    /// Opens a socket with these options and begins to connect it to an address.
    #[doc(hidden)]
    fn connect(&self, address: SocketAddr, options: &SocketOptions)
    -> io::Result<Self::Connecting>;

    /// Removes an attempt that has ended, and returns its address and its result. Returns `None`
    /// after that time, or once the event is set. A runtime that cannot wait for both may return
    /// `None` earlier.
    ///
    /// A time of zero is a last look, whatever readiness the runtime has cached: its thread may have
    /// been busy and not polled its sockets for a while.
    #[doc(hidden)]
    fn any_of(
        &self,
        attempts: &mut Vec<Dial<Self::Connecting>>,
        at_most: Option<Duration>,
        stop: Option<&Self::Event>,
    ) -> impl Future<Output = Option<Dialled<Self::Stream>>> + Send;

    /// Connects to a Unix domain socket. A runtime that blocks observes the limit itself.
    #[doc(hidden)]
    fn connect_unix(
        &self,
        _: &Path,
        _: Wait,
    ) -> impl Future<Output = Result<Self::Stream, SocketError>> + Send {
        completed(Err(io::Error::from(io::ErrorKind::Unsupported).into()))
    }

    /// Waits for an event, for at most that time on the clock of this runtime.
    #[doc(hidden)]
    fn wait_for(
        &self,
        event: &Self::Event,
        at_most: Option<Duration>,
    ) -> impl Future<Output = ()> + Send {
        event.wait(at_most)
    }

    /// Returns whether connections lead to servers in this process, in a test: then they have no TLS.
    #[doc(hidden)]
    fn is_in_memory(&self) -> bool {
        false
    }

    /// Returns a value that is held while a call is in progress, for a runtime that has to know.
    #[doc(hidden)]
    fn enter(&self) -> impl Sized + Send + Sync {}

    /// Spawns a task, or drops it where that is not possible. It always is dropped by default.
    #[doc(hidden)]
    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}

    /// Starts a name lookup. The answer arrives later; the caller may be gone by then.
    #[doc(hidden)]
    fn look_up(&self, host: String, resolver: Resolver, answer: Arc<Oneshot<Found, Self::Event>>);

    /// Returns the reason why the lookup of that name has not begun, if other lookups delay it.
    #[doc(hidden)]
    fn lookup_obstacle(&self, _: &str) -> Option<String> {
        None
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

impl<F: Runtime> Clock for F {
    fn now(&self) -> Instant {
        Runtime::now(self)
    }

    fn date(&self) -> SystemTime {
        Runtime::date(self)
    }

    fn random(&self) -> u64 {
        Runtime::random(self)
    }
}

/// One of several concurrent attempts to connect.
#[derive(Debug)]
pub struct Dial<C> {
    pub(crate) address: SocketAddr,
    pub(crate) connecting: C,
}

/// An attempt that has ended.
pub(crate) type Dialled<S> = (SocketAddr, io::Result<S>);

/// Waits like [`Runtime::any_of`], where attempts are futures.
#[cfg(any(feature = "tokio", feature = "runtime"))]
pub(crate) async fn first_of<C, S, E: Event>(
    attempts: &mut Vec<Dial<C>>,
    at_most: Option<Duration>,
    stop: Option<&E>,
) -> Option<Dialled<S>>
where
    C: Future<Output = io::Result<S>> + Unpin,
{
    let ended = poll_fn(|cx| {
        let mut all = attempts.iter_mut().enumerate();
        let ended = all.find_map(|(at, attempt)| match pin!(&mut attempt.connecting).poll(cx) {
            Poll::Ready(outcome) => Some((at, outcome)),
            Poll::Pending => None,
        });
        let Some((at, outcome)) = ended else { return Poll::Pending };
        Poll::Ready((attempts.swap_remove(at).address, outcome))
    });
    let timer = E::default();
    unless(ended, stop.unwrap_or(&timer).wait(at_most)).await
}

/// A connected socket.
///
/// Required are reading, writing, a look at the input, and two ways to end: politely and at once. The rest
/// has defaults for streams without it.
///
/// # Contract
///
/// - Each wait lasts at most [`Wait::at_most`]; then the result is [`Wait::expired`]. The last thing that a wait does
///   is one more attempt, whatever readiness the runtime has cached: the thread may have been busy, and bytes that came
///   in time are not late.
/// - [`SocketError::Io`] means that the connection is of no use any more, except for
///   [`Interrupted`](io::ErrorKind::Interrupted), after which the operation is called again. `WouldBlock` is for the
///   runtime to wait out; it is never returned.
/// - A count is at most the length of the slice. A larger one is a bug of the stream, and may be a panic of the call.
/// - A future may be dropped while it waits; then no byte was read or written. The next one begins with a new
///   limit.
/// - Dropping the stream closes the connection, without waiting.
pub trait Stream: fmt::Debug + Send + Sync + 'static {
    /// Waits until a read will probably return something, for callers that hold no buffer
    /// meanwhile. The limit comes from a function, which is called only if there is a wait. An error of the
    /// connection is left to the read: a look by `peek` would take it away. Returns immediately by default; then
    /// reads do all the waiting.
    fn readable(
        &mut self,
        _: impl FnOnce() -> Result<Wait, Expired> + Send,
    ) -> impl Future<Output = Result<(), SocketError>> + Send {
        completed(Ok(()))
    }

    /// Reads at least one byte; 0 means that the peer has ended its half, and nothing else. `into` is not empty.
    fn read(
        &mut self,
        into: &mut [u8],
        wait: Wait,
    ) -> impl Future<Output = Result<usize, SocketError>> + Send;

    /// Writes at least one byte of `bytes`, which is not empty, and returns their number. Returns 0 if input
    /// arrives before the peer accepts a byte, but never for [`Meanwhile::Wait`]. If writes block, this is noticed
    /// after a delay.
    fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        wait: Wait,
    ) -> impl Future<Output = Result<usize, SocketError>> + Send;

    /// Waits until [`pending`](Self::pending) returns bytes or the end, while a source is waited for: a server may
    /// answer before it has the whole request. Never ready by default: then an early answer is noticed after
    /// the next piece of the source.
    fn input(&mut self, _: Wait) -> impl Future<Output = Result<(), SocketError>> + Send {
        std::future::pending()
    }

    /// Returns the state of the input. Asks the socket itself, takes nothing from it and never waits: an idle
    /// connection whose peer has closed it must not be used, nor one with bytes that no request asked for.
    fn pending(&self) -> Pending;

    /// Returns the local address, if there is one.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// Shuts down the sending half: the peer reads the end and may continue to send. Does nothing
    /// by default.
    fn end_writing(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Makes a best-effort write of the final bytes before the socket is closed, without waiting.
    fn say_farewell(&mut self, bytes: &[u8]);

    /// Returns a function that ends every read and write, current and later ones, from another
    /// thread: a cancel token calls it. It shuts the socket down in both directions.
    fn interrupter(&self) -> impl Fn() + Send + 'static;

    /// Reports the start of a request to observers.
    #[doc(hidden)]
    fn begin(&mut self, _: &Method, _: &Url) {}

    /// Forgets the start of an interrupted wait: another call begins, or other limits apply. Does nothing by default;
    /// it is for streams whose limits outlive a dropped future.
    fn forget_waits(&mut self) {}

    /// Reports to observers that the connection is about to be closed.
    #[doc(hidden)]
    fn closing(&mut self, _: CloseReason) {}
}

/// A one-shot event that one task waits for.
pub trait Event: fmt::Debug + Default + Send + Sync + 'static {
    /// Signals the event. It wakes the waiter without holding a lock, and a panic of the waker does
    /// not reach the caller.
    fn set(&self);
    /// Returns whether it was set; if not, the task is woken then.
    fn poll_set(&self, cx: &mut Context<'_>) -> Poll<()>;
    /// Waits for the event, for at most that time.
    fn wait(&self, at_most: Option<Duration>) -> impl Future<Output = ()> + Send;
}

/// The input that a blocked write watches for. Async streams need not tell `Listen` and `Converse` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// None: the peer will accept the bytes.
    Wait,
    /// A response or the end: the peer may have answered or be gone, and never accept a byte again.
    Listen,
    /// The response: the peer answers while it reads, so input is read whenever it accepts no byte
    /// immediately.
    Converse,
}

/// The state of a socket's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// Nothing yet.
    Nothing,
    /// At least one byte.
    Bytes,
    /// The peer has closed the connection, or it is broken.
    End,
}

/// The reason why nothing was read or written.
#[derive(Debug)]
pub enum SocketError {
    /// The wait has reached its limit.
    Expired(Expired),
    /// The operation failed.
    Io(io::Error),
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(expired) => expired.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl From<Expired> for SocketError {
    fn from(expired: Expired) -> Self {
        Self::Expired(expired)
    }
}

impl From<io::Error> for SocketError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The result of a lookup: the addresses of a name.
pub(crate) type Found = std::io::Result<Vec<SocketAddr>>;

/// A one-shot channel.
#[derive(Debug)]
pub struct Oneshot<T, E> {
    thing: Mutex<Option<T>>,
    event: E,
}

impl<T, E: Event> Default for Oneshot<T, E> {
    fn default() -> Self {
        Self { thing: Mutex::new(None), event: E::default() }
    }
}

impl<T, E: Event> Oneshot<T, E> {
    pub(crate) fn put(&self, thing: T) {
        let old = self.thing.lock().unwrap_or_else(PoisonError::into_inner).replace(thing);
        drop(old); // dropped without the lock
        self.event.set();
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.thing.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T: Send + 'static, E: Event> Oneshot<T, E> {
    /// Waits for a value, for at most that time and until the call is canceled.
    pub(crate) async fn wait<F: Runtime<Event = E>>(
        self: &Arc<Self>,
        runtime: &F,
        at_most: Option<Duration>,
        budget: &Budget,
    ) -> Option<T> {
        let wake = || {
            let desk = Arc::clone(self);
            Hook::Wake(Arc::new(move || desk.event.set()))
        };
        let _watch = budget.cancel_token().map(|token| token.on_cancel(wake()));
        runtime.wait_for(&self.event, at_most).await;
        self.take()
    }
}

/// Returns the output of `future`, or `None` after that time or once the call is canceled.
pub(crate) async fn in_time<F: Runtime, T>(
    runtime: &F,
    future: impl Future<Output = T>,
    at_most: Option<Duration>,
    budget: &Budget,
) -> Option<T> {
    let nothing = Arc::new(Oneshot::<(), F::Event>::default());
    unless(future, async { nothing.wait(runtime, at_most, budget).await.unwrap_or_default() }).await
}

/// Polls once; returns `None` if the future is pending.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// Returns the output of `future`, or `None` if `end` completes first.
pub(crate) async fn unless<T>(
    future: impl Future<Output = T>,
    end: impl Future<Output = ()>,
) -> Option<T> {
    let (mut future, mut end) = (pin!(future), pin!(end));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Runs a future to completion where the runtime's operations block, so that the first poll is the
/// last.
#[cfg(any(feature = "blocking", test, fuzzing))]
#[inline]
pub(crate) fn run<T, F: Future<Output = T>>(make: impl FnOnce() -> F) -> T {
    // Created in place, because it is large and would be copied.
    let mut future = pin!(make());
    loop {
        if let Some(done) = ready(future.as_mut()) {
            return done;
        }
    }
}

/// The size of the pieces in which a body is read into memory.
const PIECE: usize = 16 * 1024;

/// Reads the next bytes of a request's body; 0 means the end. A dropped future loses no bytes.
pub(crate) async fn read_body<F: Runtime>(
    body: &mut Body<F::Source>,
    into: &mut [u8],
) -> io::Result<usize> {
    loop {
        let copied = body.take_bytes(into);
        if copied > 0 {
            return Ok(copied);
        }
        let Feed::Read { source, into, .. } = body.feed(into) else { return Ok(0) };
        let count = F::read(source, into).await?;
        body.fed(count).map_err(io::Error::other)?;
        if count > 0 {
            return Ok(body.take_filled());
        }
    }
}

/// Reads all of a request's body into memory, where it stays.
pub(crate) async fn buffer<F: Runtime>(body: &mut Body<F::Source>) -> Result<&[u8]> {
    if body.as_bytes().is_none() {
        body.rewind().map_err(|reason| Error::builder(reason.to_string()))?;
        let (mut bytes, mut piece) = (Vec::new(), vec![0; PIECE]);
        loop {
            let count = read_body::<F>(body, &mut piece).await.map_err(Error::of_body)?;
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(piece.split_at(count).0);
        }
        body.set_bytes(bytes.into());
    }
    Ok(body.as_bytes().unwrap_or_default())
}

#[cfg(test)]
#[cfg(feature = "blocking")]
mod tests;
