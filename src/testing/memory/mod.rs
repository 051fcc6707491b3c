//! The in-memory runtime: sockets and waiting, on whatever simulated world lies behind them.
//!
//! ```text
//! driver ──Runtime, Stream──▶ this folder ──Sockets──▶ the state of a world, behind its lock
//!                                        │                    (`MemoryNetwork`, or that of the simulation)
//!                                        └── until: look; if there is nothing, keep the waker and the alarm
//! ```
//!
//! A world is a value with a clock ([`agenda`]) and connections ([`wire`]); nothing of it waits. What waits is
//! here, once: [`until`] looks at the world, and is pending until the world wakes it or the time is over. Who
//! moves the clock is the affair of the world's owner. Two worlds exist: that of a program's tests
//! (`testing/network.rs`), and that of the crate's own simulation (`tests/simulation/`).

pub(crate) mod agenda;
pub(crate) mod wire;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Poll, Waker};
use std::time::Duration;

use http::Method;

use self::agenda::EntryId;
use crate::driver::runtime::{self, Dial, Meanwhile, Pending, SocketError};
use crate::http1::close::CloseReason;
use crate::policy::deadline::Wait;
use crate::url::Url;

/// A handle to a simulated world.
pub(crate) trait World: Clone + fmt::Debug + Send + Sync + 'static {
    /// The state behind the lock.
    type State: Sockets;

    /// Reads or changes the state.
    fn with<T>(&self, act: impl FnOnce(&mut Self::State) -> T) -> T;

    /// Runs what follows from bytes that were written to this line, without the lock: the world may call code of
    /// the program.
    fn settle(&self, _line: usize) {}
}

/// The state of a simulated world: what the sockets of a client are connected to. Lines are connections.
pub(crate) trait Sockets {
    /// An attempt to connect.
    type Dial: Send;

    /// Returns the time since the start.
    fn now(&self) -> Duration;
    /// Wakes a task at that time.
    fn wake_at(&mut self, at: Duration, waker: &Waker) -> EntryId;
    /// Forgets such an alarm. Does nothing by default: a task may be woken for nothing.
    fn forget(&mut self, _: EntryId) {}
    /// Returns whether the first poll of a wait is pending, even if there is something already.
    fn stutters(&self) -> bool {
        false
    }

    /// Returns the outcome of an attempt to connect, or keeps the waker.
    fn dialled(&mut self, dial: &Self::Dial, waker: &Waker) -> Option<Result<(), io::ErrorKind>>;
    /// Opens a line to an address that has accepted the connection.
    fn open(&mut self, address: SocketAddr) -> usize;
    /// Reads, or keeps the waker.
    fn read(&mut self, line: usize, into: &mut [u8], waker: &Waker) -> Option<io::Result<usize>>;
    /// Writes, or keeps the waker.
    fn write(&mut self, line: usize, bytes: &[u8], waker: &Waker) -> Option<io::Result<usize>>;
    /// Returns whether there is input or the end, or keeps the waker.
    fn has_news(&mut self, line: usize, waker: &Waker) -> bool;
    /// Returns the state of the input.
    fn pending(&self, line: usize) -> Pending;
    /// Sends the final bytes.
    fn farewell(&mut self, line: usize, bytes: &[u8]);
    /// Ends every read and write.
    fn shut_down(&mut self, line: usize);
    /// Observes the start of a request.
    fn begin(&mut self, line: usize, method: &Method, url: &Url);
    /// Observes the reason why a line is about to be closed.
    fn closing(&mut self, _line: usize, _: CloseReason) {}
    /// Closes the client's end of a line.
    fn close(&mut self, line: usize);

    /// Observes a wait that begins.
    fn waits(&mut self, _: Awaited, _at_most: Option<Duration>) {}
}

/// The reason of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// One of several attempts to connect.
    Connection,
    /// A read of this line.
    Read(usize),
    /// A write to this line.
    Write(usize),
    /// Input, while the source of a body is waited for.
    Input,
}

/// Waits until `look` finds something in the world, at most that time. While it finds nothing, `look` has to
/// keep the waker.
pub(crate) async fn until<W: World, T>(
    world: &W,
    at_most: Option<Duration>,
    mut look: impl FnMut(&mut W::State, &Waker) -> Option<T>,
) -> Option<T> {
    let (mut stutters, end) = world
        .with(|state| (state.stutters(), at_most.and_then(|limit| state.now().checked_add(limit))));
    let mut alarm = AlarmOf { world, entry: None };
    poll_fn(|context| {
        if std::mem::take(&mut stutters) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        world.with(|state| {
            if let Some(found) = look(state, context.waker()) {
                return Poll::Ready(Some(found));
            }
            let Some(end) = end else { return Poll::Pending };
            if end <= state.now() {
                return Poll::Ready(None);
            }
            alarm.set(state, end, context.waker());
            Poll::Pending
        })
    })
    .await
}

/// The alarm of one wait, which is forgotten at its end.
struct AlarmOf<'w, W: World> {
    world: &'w W,
    entry: Option<(EntryId, Waker)>,
}

impl<W: World> AlarmOf<'_, W> {
    /// Sets the alarm, again if another task waits now.
    fn set(&mut self, state: &mut W::State, end: Duration, waker: &Waker) {
        match &self.entry {
            Some((_, known)) if known.will_wake(waker) => {}
            _ => self.entry = Some((state.wake_at(end, waker), waker.clone())),
        }
    }
}

impl<W: World> Drop for AlarmOf<'_, W> {
    fn drop(&mut self) {
        if let Some((entry, _)) = self.entry.take() {
            self.world.with(|state| state.forget(entry));
        }
    }
}

/// Waits for the first of several attempts to connect, and removes it: [`Runtime::any_of`](runtime::Runtime::any_of).
pub(crate) async fn any_of<W: World, C>(
    world: &W,
    attempts: &mut Vec<Dial<C>>,
    dial: impl Fn(&C) -> Option<&<W::State as Sockets>::Dial> + Send,
    at_most: Option<Duration>,
    is_stopped: impl Fn(&Waker) -> bool + Send,
) -> Option<(SocketAddr, io::Result<MemoryStream<W>>)> {
    world.with(|state| state.waits(Awaited::Connection, at_most));
    let ended = until(world, at_most, |state, waker| {
        let ended = attempts.iter_mut().enumerate().find_map(|(at, attempt)| {
            Some((at, state.dialled(dial(&attempt.connecting)?, waker)?))
        });
        ended.map(Some).or_else(|| is_stopped(waker).then_some(None))
    });
    let (at, outcome) = ended.await.flatten()?;
    let Dial { address, .. } = attempts.swap_remove(at);
    let stream = |()| MemoryStream::open(world, address);
    Some((address, outcome.map(stream).map_err(io::Error::from)))
}

/// The client's end of a connection in memory.
#[derive(Debug)]
pub(crate) struct MemoryStream<W: World> {
    world: W,
    line: usize,
}

impl<W: World> MemoryStream<W> {
    fn open(world: &W, address: SocketAddr) -> Self {
        Self { world: world.clone(), line: world.with(|state| state.open(address)) }
    }

    /// Returns the world that the connection is in.
    #[cfg(feature = "testing")]
    pub(crate) fn world(&self) -> &W {
        &self.world
    }
}

impl<W: World> runtime::Stream for MemoryStream<W> {
    async fn read(&mut self, into: &mut [u8], wait: Wait) -> Result<usize, SocketError> {
        let line = self.line;
        self.world.with(|state| state.waits(Awaited::Read(line), wait.at_most));
        let read = |state: &mut W::State, waker: &Waker| state.read(line, into, waker);
        let read = until(&self.world, wait.at_most, read).await;
        Ok(read.ok_or(wait.expired)??)
    }

    async fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        wait: Wait,
    ) -> Result<usize, SocketError> {
        let line = self.line;
        self.world.with(|state| state.waits(Awaited::Write(line), wait.at_most));
        let write = |state: &mut W::State, waker: &Waker| {
            let written = state.write(line, bytes, waker);
            match meanwhile {
                Meanwhile::Wait => written,
                Meanwhile::Listen | Meanwhile::Converse => {
                    written.or_else(|| state.has_news(line, waker).then_some(Ok(0)))
                }
            }
        };
        let written = until(&self.world, wait.at_most, write).await;
        self.world.settle(line);
        Ok(written.ok_or(wait.expired)??)
    }

    async fn input(&mut self, wait: Wait) -> Result<(), SocketError> {
        let line = self.line;
        self.world.with(|state| state.waits(Awaited::Input, wait.at_most));
        let news = |state: &mut W::State, waker: &Waker| state.has_news(line, waker).then_some(());
        until(&self.world, wait.at_most, news).await.ok_or(wait.expired.into())
    }

    fn pending(&self) -> Pending {
        self.world.with(|state| state.pending(self.line))
    }

    fn say_farewell(&mut self, bytes: &[u8]) {
        self.world.with(|state| state.farewell(self.line, bytes));
    }

    /// Shuts the connection down from outside.
    fn interrupter(&self) -> impl Fn() + Send + 'static {
        let (world, line) = (self.world.clone(), self.line);
        move || world.with(|state| state.shut_down(line))
    }

    fn begin(&mut self, method: &Method, url: &Url) {
        self.world.with(|state| state.begin(self.line, method, url));
    }

    fn closing(&mut self, reason: CloseReason) {
        self.world.with(|state| state.closing(self.line, reason));
    }
}

impl<W: World> Drop for MemoryStream<W> {
    fn drop(&mut self) {
        self.world.with(|state| state.close(self.line));
    }
}
