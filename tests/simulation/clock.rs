//! Waiting on the simulated clock. Nothing here sleeps in real time.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::ledger::Awaited;
use super::world::{Simulated, World, with};
use crate::driver::runtime;
use crate::testing::memory;

/// Waits until `look` finds something in the world; see [`memory::until`].
pub(super) async fn until<T>(
    at_most: Option<Duration>,
    look: impl FnMut(&mut World, &Waker) -> Option<T>,
) -> Option<T> {
    memory::until(&Simulated, at_most, look).await
}

pub(super) async fn sleep(time: Duration) {
    until(Some(time), |_, _| None::<()>).await;
}

/// An event that happens once.
#[derive(Debug, Default)]
pub(super) struct Event(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_set: bool,
    waker: Option<Waker>,
    /// The place in the queue, if the event is a turn.
    place: Option<usize>,
}

impl runtime::Event for Event {
    fn set(&self) {
        let mut state = self.0.lock().unwrap();
        state.is_set = true;
        if let Some(place) = state.place {
            with(|world| world.ledger.turn_came(place));
        }
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    fn poll_set(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.is_set(cx.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    async fn wait(&self, at_most: Option<Duration>) {
        if !self.0.lock().unwrap().is_set {
            self.0.lock().unwrap().place = with(|world| world.waits(at_most));
        }
        until(at_most, |_, waker| self.is_set(waker).then_some(())).await;
    }
}

impl Event {
    /// Returns whether it has happened; if not, the waker is stored.
    pub(super) fn is_set(&self, waker: &Waker) -> bool {
        let mut state = self.0.lock().unwrap();
        state.waker = Some(waker.clone());
        state.is_set
    }
}

impl World {
    /// Registers a wait for an event, and returns the place in the queue if it waits for its turn.
    fn waits(&mut self, at_most: Option<Duration>) -> Option<usize> {
        match self.ledger.task().map(|task| task.awaits())? {
            Awaited::Pause => None,
            Awaited::Name => {
                self.check_connecting(at_most);
                None
            }
            Awaited::Turn => {
                self.check_queueing(at_most);
                Some(self.ledger.queues())
            }
        }
    }
}
