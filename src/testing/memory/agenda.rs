//! The future events and their times: the clock of a simulated world, which moves from event to event.

use std::collections::BTreeMap;
use std::time::Duration;

/// Scheduled events in the order of their times; those of the same time in the order of scheduling.
#[derive(Debug)]
pub(crate) struct Agenda<H> {
    /// The time since the start.
    now: Duration,
    entries: BTreeMap<(Duration, u64), H>,
    /// The number of events that were ever scheduled.
    count: u64,
}

/// Identifies a scheduled event.
pub(crate) type EntryId = (Duration, u64);

impl<H> Agenda<H> {
    /// Returns the time since the start.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// Schedules an event.
    pub(crate) fn schedule(&mut self, at: Duration, happening: H) -> EntryId {
        self.count += 1;
        let id = (at, self.count);
        self.entries.insert(id, happening);
        id
    }

    /// Removes an event that must not happen any more.
    pub(crate) fn cancel(&mut self, id: EntryId) -> Option<H> {
        self.entries.remove(&id)
    }

    /// Returns the time of the next event.
    pub(crate) fn next_time(&self) -> Option<Duration> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }

    /// Moves the clock to the next event, and returns the event.
    pub(crate) fn next(&mut self) -> Option<H> {
        let ((at, _), happening) = self.entries.pop_first()?;
        self.now = self.now.max(at);
        Some(happening)
    }

    /// Moves the clock to this time, and returns the first event that is due by then. Call it until it returns
    /// `None`.
    pub(crate) fn next_until(&mut self, time: Duration) -> Option<H> {
        if self.next_time().is_some_and(|at| at <= time) {
            return self.next();
        }
        self.now = self.now.max(time);
        None
    }
}

impl<H> Default for Agenda<H> {
    fn default() -> Self {
        Self { now: Duration::ZERO, entries: BTreeMap::new(), count: 0 }
    }
}

#[cfg(test)]
mod tests;
