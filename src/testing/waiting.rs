//! Waiting on an in-memory network, and who moves its clock meanwhile.
//!
//! The operations of `memory/` are pending until the network wakes them. Here is what happens then:
//!
//! | clock | blocking client | async client |
//! | --- | --- | --- |
//! | `Jumps` | the last call to fall asleep moves the clock to the next event | each task that waits is polled again; after several turns in which nothing happened, one of them moves the clock |
//! | `Manual` | the thread sleeps until `advance` wakes it | pending |
//! | `OfRuntime` | the thread sleeps until the next event is due | the timer of the runtime ends the wait for it |

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use super::memory::World as _;
use super::network::{MemoryNetwork, NetworkClock};
use crate::driver::runtime::{Event as _, Runtime, unless};

/// The number of times in a row that an async task is polled without anything happening on the network before
/// the clock jumps: other tasks have as many turns to go on.
const TURNS: u32 = 16;

/// Waits for an operation on the network.
pub(super) async fn wait<R: Runtime, T>(
    network: &MemoryNetwork,
    system: &R,
    operation: impl Future<Output = T>,
) -> T {
    if R::BLOCKS {
        return block_on(network, system, operation);
    }
    let clock = network.lock().clock;
    match clock {
        NetworkClock::Jumps => take_turns(network, operation).await,
        NetworkClock::Manual => operation.await,
        NetworkClock::OfRuntime => follow(network, system, operation).await,
    }
}

/// Polls the operation, and lets the clock jump when nothing happens any more.
async fn take_turns<T>(network: &MemoryNetwork, operation: impl Future<Output = T>) -> T {
    let mut operation = pin!(operation);
    let (mut seen, mut turns) = (None, 0);
    poll_fn(|cx| {
        let polled = {
            let _polling = Polling::begin(network);
            operation.as_mut().poll(cx)
        };
        if polled.is_ready() {
            return polled;
        }
        let (activity, has_more) = network.with(|state| {
            turns = if seen == Some(state.activity) { turns + 1 } else { 0 };
            if turns >= TURNS && state.polled == 0 {
                turns = 0;
                state.happen(None);
            }
            (state.activity, state.next_time().is_some())
        });
        seen = Some(activity);
        if has_more {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}

/// Counts an operation that is polled: another thread may be in a handler of the program, and the clock does not
/// jump meanwhile.
struct Polling<'n>(&'n MemoryNetwork);

impl<'n> Polling<'n> {
    fn begin(network: &'n MemoryNetwork) -> Self {
        network.lock().polled += 1;
        Self(network)
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.lock().polled -= 1;
    }
}

/// Waits on the clock of the runtime.
async fn follow<R: Runtime, T>(
    network: &MemoryNetwork,
    system: &R,
    operation: impl Future<Output = T>,
) -> T {
    let mut operation = pin!(operation);
    loop {
        let now = Runtime::now(system);
        network.with(|state| state.follow(now));
        // The first poll sets its alarm, which the timer has to know.
        let polled = poll_fn(|cx| Poll::Ready(operation.as_mut().poll(cx)));
        if let Poll::Ready(done) = polled.await {
            return done;
        }
        let next = network.with(|state| state.next_moment());
        let left = next.map(|next| next.saturating_duration_since(now));
        let timer = R::Event::default();
        if let Some(done) = unless(operation.as_mut(), timer.wait(left)).await {
            return done;
        }
    }
}

/// Blocks the thread until the operation is done.
fn block_on<R: Runtime, T>(
    network: &MemoryNetwork,
    system: &R,
    operation: impl Future<Output = T>,
) -> T {
    let mut operation = pin!(operation);
    let sleeper = Arc::new(Sleeper { thread: thread::current(), is_woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&sleeper));
    loop {
        if let Poll::Ready(done) = operation.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        let is_in_call = CALLS.get() > 0;
        network.lock().falls_asleep(is_in_call);
        while !sleeper.is_woken.swap(false, Ordering::SeqCst) {
            sleep(network, system);
        }
        network.lock().wakes_up(is_in_call);
    }
}

/// Lets the next event happen, or sleeps until another thread does something; perhaps for nothing.
fn sleep<R: Runtime>(network: &MemoryNetwork, system: &R) {
    let clock = network.lock().clock;
    let longest = match clock {
        NetworkClock::Jumps => {
            if network.with(|state| state.is_asleep() && state.happen(None)) {
                return;
            }
            None
        }
        NetworkClock::Manual => None,
        NetworkClock::OfRuntime => {
            let now = Runtime::now(system);
            let next = network.with(|state| {
                state.follow(now);
                state.next_moment()
            });
            next.map(|next| next.saturating_duration_since(now))
        }
    };
    match longest {
        None => thread::park(),
        Some(Duration::ZERO) => {}
        Some(longest) => thread::park_timeout(longest),
    }
}

struct Sleeper {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

thread_local! {
    /// The number of blocking calls that this thread is in: one may read the body of another.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Counts a thread of a blocking client as working, as long as it is in a call: the clock does not jump meanwhile.
#[derive(Debug)]
pub(super) struct InCall {
    /// `None` if the thread was in a call already.
    network: Option<MemoryNetwork>,
}

impl InCall {
    pub(super) fn enter(network: &MemoryNetwork) -> Self {
        let is_first = CALLS.replace(CALLS.get() + 1) == 0;
        if is_first {
            network.lock().calls += 1;
        }
        Self { network: is_first.then(|| network.clone()) }
    }
}

/// The threads that wait may be the only ones left: they look at the clock again.
impl Drop for InCall {
    fn drop(&mut self) {
        CALLS.set(CALLS.get().saturating_sub(1));
        if let Some(network) = &self.network {
            let sleepers = {
                let mut state = network.lock();
                state.calls -= 1;
                state.sleepers.clone()
            };
            sleepers.iter().for_each(Thread::unpark);
        }
    }
}
