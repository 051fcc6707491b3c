//! Async runtimes: the interface that tokio and a runtime of the user's implement, and what all of them
//! have in common.
//!
//! [`Runtime`] is what the driver asks of any runtime, also of one that blocks. An async one has a task to
//! wake and a timer, so events and the race of connects can be written once, here: [`AsyncRuntime`] asks
//! only for what differs, and each type that implements it is a `Runtime`.
//!
//! | the driver needs | an async runtime supplies |
//! | --- | --- |
//! | [`Event`] | [`sleep`](AsyncRuntime::sleep): [`Signal`] does the rest |
//! | [`Runtime::any_of`] | [`Connecting`](AsyncRuntime::Connecting), a future for each attempt |
//! | [`Runtime::look_up`] | [`look_up`](AsyncRuntime::look_up), which answers a [`NameLookup`] |
//! | [`Stream`], [`Runtime::read`] | the same |

use std::fmt;
use std::future::{poll_fn, ready as completed};
use std::io;
use std::marker::PhantomData;
use std::mem;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::runtime::{
    Dial, Dialled, Event, Found, Oneshot, Runtime, SocketError, Stream, first_of, sealed,
};
use crate::body::{Body, Source};
use crate::config::SocketOptions;
use crate::config::dns::{Resolve, Resolver};
use crate::policy::deadline::Wait;

/// An async runtime that drives a client: tokio, or one of your own.
///
/// [The guide](crate::runtime) begins with a whole one. A value of this type belongs to one client; it is
/// made by `Default`, cloned freely, and holds what its calls share, such as [`NameLookups`].
///
/// The client decides everything: which address is tried when, how long a wait may take, and what a failure
/// means. The runtime carries it out:
///
/// | | by |
/// | --- | --- |
/// | time | [`sleep`](Self::sleep), [`now`](Self::now) |
/// | connections | [`connect`](Self::connect), [`Stream`](Self::Stream) |
/// | addresses of a name | [`look_up`](Self::look_up) |
/// | streamed request bodies | [`Source`](Self::Source), [`read`](Self::read) |
///
/// # Contract
///
/// - Futures are polled only by the task that awaits a call, and only while the call is awaited. Nothing has to be
///   spawned.
/// - Every future may be dropped at any point. What it has not returned has not happened: a dropped read has taken no
///   byte, and a dropped write has sent none.
/// - A future that is dropped need not wake its task later.
/// - A panic in one of these methods is a panic of the call. The client stays usable.
///
/// [`NameLookups`]: crate::runtime::NameLookups
pub trait AsyncRuntime: fmt::Debug + Clone + Default + Send + Sync + 'static {
    /// The source of a streamed request body, such as a boxed reader. [`Infallible`](std::convert::Infallible)
    /// if bodies in memory are enough.
    type Source: Source;
    /// A connected socket. Dropping it closes the connection.
    type Stream: Stream;
    /// An attempt to connect, in progress. Dropping it closes its socket: of several addresses only one wins.
    ///
    /// A poll must look at the socket itself and not only at readiness that the runtime has cached, because the last
    /// poll before the limit decides.
    type Connecting: Future<Output = io::Result<Self::Stream>> + Send + Unpin;

    /// Sleeps for at least this time, which can be `Duration::MAX`.
    ///
    /// It gets no `self`: the timers are those of the thread or the program, as in tokio and async-io.
    fn sleep(time: Duration) -> impl Future<Output = ()> + Send;

    /// Opens a socket with these options and begins to connect it to an address. Does not wait.
    /// [`SocketOptions::start_connect`] does this for a socket of the operating system.
    ///
    /// # Errors
    ///
    /// If no attempt can be made. The client tries the next address.
    fn connect(&self, address: SocketAddr, options: &SocketOptions)
    -> io::Result<Self::Connecting>;

    /// Begins the lookup of a name and returns immediately; [`NameLookup::answer`] ends it.
    /// [`NameLookups`](crate::runtime::NameLookups) does this on threads of its own, with the limits that the
    /// blocking client has.
    fn look_up(&self, lookup: NameLookup<Self>);

    /// Reads a source once; 0 means the end. `into` is not empty. An error ends the call, and so does a count above
    /// the length of `into`.
    fn read(
        source: &mut Self::Source,
        into: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// Returns the monotonic time, which never goes back. The clock of the system by default.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Lets the runtime poll its sockets before the last look at attempts to connect. By default the
    /// task is woken once.
    fn yield_now() -> impl Future<Output = ()> + Send {
        let mut has_yielded = false;
        poll_fn(move |cx| {
            if has_yielded {
                return Poll::Ready(());
            }
            has_yielded = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Returns an error where no call can be made, such as outside of the runtime. Checked at the start of
    /// each call, whose error it becomes.
    ///
    /// # Errors
    ///
    /// The reason why no call can be made. There is none by default.
    fn check() -> io::Result<()> {
        Ok(())
    }

    /// Connects to a Unix domain socket. By default this is an error.
    fn connect_unix(&self, _: &Path) -> impl Future<Output = io::Result<Self::Stream>> + Send {
        completed(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Returns the reason why the lookup of that name has not begun, if other lookups delay it, for the
    /// error of a call that timed out. `None` by default.
    fn lookup_obstacle(&self, _: &str) -> Option<String> {
        None
    }

    /// Spawns a task, or drops it where that is not possible.
    #[doc(hidden)]
    fn spawn(_: impl Future<Output = ()> + Send + 'static) {}

    /// Finds out the length of each source in a body of unknown length, where that has to wait.
    #[doc(hidden)]
    fn measure(_: &mut Body<Self::Source>) -> impl Future<Output = ()> + Send {
        completed(())
    }
}

/// A runtime whose operations wait as tasks: a client on it has `send().await`. Every [`AsyncRuntime`] is one, and
/// `blocking` is none.
pub trait Asynchronous: Runtime {
    /// Returns an error where no call can be made; see [`AsyncRuntime::check`].
    ///
    /// # Errors
    ///
    /// The reason why no call can be made.
    fn check(&self) -> io::Result<()>;
}

impl<R: AsyncRuntime> Asynchronous for R {
    fn check(&self) -> io::Result<()> {
        <R as AsyncRuntime>::check()
    }
}

impl<R: AsyncRuntime> sealed::Sealed for R {}

impl<R: AsyncRuntime> Runtime for R {
    type Source = R::Source;
    type Stream = R::Stream;
    type Connecting = R::Connecting;
    type Event = Signal<R>;

    /// A waiting task costs no thread, and long polling, reports and language models take long.
    const FIRST_BYTE: Option<Duration> = None;

    async fn read(source: &mut Self::Source, into: &mut [u8]) -> io::Result<usize> {
        let room = into.len();
        match <R as AsyncRuntime>::read(source, into).await {
            // Bytes that were never written must not be sent.
            Ok(count) if count > room => {
                Err(io::Error::other("a reader claimed more bytes than it had room for"))
            }
            read => read,
        }
    }

    fn measure(body: &mut Body<Self::Source>) -> impl Future<Output = ()> + Send {
        <R as AsyncRuntime>::measure(body)
    }

    fn now(&self) -> Instant {
        AsyncRuntime::now(self)
    }

    fn connect(&self, to: SocketAddr, options: &SocketOptions) -> io::Result<Self::Connecting> {
        AsyncRuntime::connect(self, to, options)
    }

    async fn any_of(
        &self,
        attempts: &mut Vec<Dial<Self::Connecting>>,
        at_most: Option<Duration>,
        stop: Option<&Signal<R>>,
    ) -> Option<Dialled<Self::Stream>> {
        if at_most == Some(Duration::ZERO) {
            R::yield_now().await;
        }
        first_of(attempts, at_most, stop).await
    }

    async fn connect_unix(&self, path: &Path, _: Wait) -> Result<Self::Stream, SocketError> {
        Ok(AsyncRuntime::connect_unix(self, path).await?)
    }

    fn look_up(&self, host: String, resolver: Resolver, answer: Arc<Oneshot<Found, Signal<R>>>) {
        AsyncRuntime::look_up(self, NameLookup { host, resolver, answer: Some(answer) });
    }

    fn lookup_obstacle(&self, host: &str) -> Option<String> {
        AsyncRuntime::lookup_obstacle(self, host)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        <R as AsyncRuntime>::spawn(task);
    }
}

/// A name lookup that a call waits for.
///
/// A call that stops waiting leaves its lookup behind, and the answer has no effect. Dropping it without an answer
/// is an error of the call.
pub struct NameLookup<R: AsyncRuntime> {
    host: String,
    resolver: Resolver,
    /// `None` once it is answered.
    answer: Option<Arc<Oneshot<Found, Signal<R>>>>,
}

impl<R: AsyncRuntime> NameLookup<R> {
    /// Returns the name, which is never an IP address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the resolver of the client's settings; by default that of the system. Its
    /// [`resolve`](Resolve::resolve) may block.
    pub fn resolver(&self) -> Arc<dyn Resolve> {
        Arc::clone(&self.resolver.0)
    }

    /// Ends the lookup with the addresses of the name, in the order of preference. A port of 0 stands for that of
    /// the URL.
    pub fn answer(mut self, found: io::Result<Vec<SocketAddr>>) {
        if let Some(answer) = self.answer.take() {
            answer.put(found);
        }
    }

    /// Returns the name, the resolver and what the call waits on, for a lookup that is shared with other calls.
    pub(crate) fn into_parts(mut self) -> Option<NameLookupParts<R>> {
        let answer = self.answer.take()?;
        Some((mem::take(&mut self.host), self.resolver.clone(), answer))
    }
}

type NameLookupParts<R> = (String, Resolver, Arc<Oneshot<Found, Signal<R>>>);

impl<R: AsyncRuntime> Drop for NameLookup<R> {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            answer.put(Err(io::Error::other("the runtime dropped the lookup without an answer")));
        }
    }
}

impl<R: AsyncRuntime> fmt::Debug for NameLookup<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameLookup").field("host", &self.host).finish_non_exhaustive()
    }
}

/// A flag that one task waits for.
#[derive(Debug)]
pub struct Signal<R> {
    flag: Mutex<Flag>,
    timer: PhantomData<fn() -> R>,
}

#[derive(Debug, Default)]
struct Flag {
    is_set: bool,
    waiter: Option<Waker>,
}

impl<R> Default for Signal<R> {
    fn default() -> Self {
        Self { flag: Mutex::default(), timer: PhantomData }
    }
}

impl<R> Signal<R> {
    /// Polls the flag. Cloning, dropping and waking a waker runs foreign code, so none of it
    /// happens under the lock.
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        {
            let flag = self.lock();
            if flag.is_set {
                return Poll::Ready(());
            }
            if flag.waiter.as_ref().is_some_and(|waiter| waiter.will_wake(cx.waker())) {
                return Poll::Pending;
            }
        }
        let waiter = cx.waker().clone();
        let (old, poll) = {
            let mut flag = self.lock();
            match flag.is_set {
                true => (Some(waiter), Poll::Ready(())),
                false => (flag.waiter.replace(waiter), Poll::Pending),
            }
        };
        drop(old);
        poll
    }

    fn lock(&self) -> MutexGuard<'_, Flag> {
        self.flag.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: AsyncRuntime> Event for Signal<R> {
    fn poll_set(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx)
    }

    fn set(&self) {
        let waiter = {
            let mut flag = self.lock();
            flag.is_set = true;
            flag.waiter.take()
        };
        if let Some(waiter) = waiter {
            // Events are set where permits are released and connections closed, perhaps while a
            // panic unwinds. A panic of the waker is caught here after the panic hook has reported
            // it.
            drop(panic::catch_unwind(AssertUnwindSafe(|| waiter.wake())));
        }
    }

    async fn wait(&self, at_most: Option<Duration>) {
        let Some(limit) = at_most else { return poll_fn(|cx| self.poll(cx)).await };
        let mut sleep = pin!(R::sleep(limit));
        poll_fn(|cx| match self.poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => sleep.as_mut().poll(cx),
        })
        .await;
    }
}

#[cfg(test)]
mod tests;
