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
mod tests {
    use super::*;

    #[test]
    fn events_of_one_time_happen_in_the_order_of_scheduling() {
        let mut agenda = Agenda::default();
        let at = Duration::from_secs;
        for (time, name) in [(2, "c"), (1, "a"), (2, "d"), (1, "b")] {
            agenda.schedule(at(time), name);
        }
        let cancelled = agenda.schedule(at(1), "x");
        assert_eq!(agenda.cancel(cancelled), Some("x"));
        let all: Vec<_> = std::iter::from_fn(|| agenda.next()).collect();
        assert_eq!(all, ["a", "b", "c", "d"]);
        assert_eq!(agenda.now(), at(2));
    }

    #[test]
    fn the_clock_moves_to_the_given_time_after_all_events_that_are_due() {
        let mut agenda = Agenda::default();
        let at = Duration::from_secs;
        agenda.schedule(at(1), "due");
        agenda.schedule(at(3), "not due");
        assert_eq!(agenda.next_until(at(2)), Some("due"));
        assert_eq!(agenda.next_until(at(2)), None);
        assert_eq!(agenda.now(), at(2));
        assert_eq!(agenda.next_time(), Some(at(3)));
    }
}
