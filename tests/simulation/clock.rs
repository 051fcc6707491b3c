//! Waiting on the simulated clock. Nothing here sleeps in real time.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::ledger::Awaited;
use super::world::{Happening, World, with};
use crate::driver::runtime;

/// Waits until `look` finds something in the world, at most `at_most`. While it finds nothing,
/// `look` has to store the waker. If the plan says so, the first poll is pending even if there is
/// something already: a driver must not rely on the number of polls.
pub(super) async fn until<T>(
    at_most: Option<Duration>,
    mut look: impl FnMut(&mut World, &Waker) -> Option<T>,
) -> Option<T> {
    let (mut stutters, end) =
        with(|world| (world.plan.stutters, at_most.and_then(|limit| world.now.checked_add(limit))));
    let mut alarm = end;
    poll_fn(move |context| {
        if std::mem::take(&mut stutters) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        with(|world| {
            if let Some(found) = look(world, context.waker()) {
                return Poll::Ready(Some(found));
            }
            if end.is_some_and(|end| end <= world.now) {
                return Poll::Ready(None);
            }
            if let Some(end) = alarm.take() {
                world.schedule_at(end, Happening::Wake(context.waker().clone()));
            }
            Poll::Pending
        })
    })
    .await
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

    async fn wait(&self, at_most: Option<Duration>) {
        if !self.0.lock().unwrap().is_set {
            self.0.lock().unwrap().place = with(|world| world.waits(at_most));
        }
        until(at_most, |_, waker| self.is_set(waker).then_some(())).await;
    }
}

impl Event {
    /// Whether it has happened; if not, the waker is stored.
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
