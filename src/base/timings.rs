//! Where the time of a call went.

use std::time::{Duration, Instant};

/// Where the time of a call went, until the head of its response was there or it failed: hop by hop,
/// and phase by phase.
///
/// [`Response::timings`](crate::client::response::Response::timings) has them, and so has an
/// [`Error`](crate::error::Error::timings). A hop is one attempt to send a request: a redirect, a
/// challenge and a request that is sent again make one more each.
///
/// ```no_run
/// let response = leanhttp::get("https://example.org/")?;
/// if let Some(timings) = response.timings() {
///     for hop in timings.hops() {
///         println!("connected in {:?}, answered in {:?}", hop.connect(), hop.first_byte());
///     }
///     println!("{:?} in all", timings.total());
/// }
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Timings {
    started: Instant,
    /// The end of the phase that was over last.
    last: Instant,
    previous: Vec<Hop>,
    current: Hop,
}

/// What one hop took. A phase that did not take place has no time: a connection that is used again
/// needs no lookup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hop {
    queue: Option<Duration>,
    resolve: Option<Duration>,
    connect: Option<Duration>,
    handshake: Option<Duration>,
    request: Option<Duration>,
    first_byte: Option<Duration>,
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lap {
    Queue,
    Resolve,
    Connect,
    Handshake,
    Request,
    FirstByte,
}

impl Timings {
    pub(crate) fn start(now: Instant) -> Self {
        Self { started: now, last: now, previous: Vec::new(), current: Hop::default() }
    }

    /// A phase is over. It began where the one before ended.
    pub(crate) fn lap(&mut self, lap: Lap, now: Instant) {
        let time = now.saturating_duration_since(self.last);
        let sum = self.current.time(lap);
        *sum = Some(sum.unwrap_or_default().saturating_add(time));
        self.last = now;
    }

    /// Another hop begins.
    pub(crate) fn next_hop(&mut self, now: Instant) {
        self.previous.push(std::mem::take(&mut self.current));
        self.last = now;
    }

    /// When the phase that was over last ended.
    pub(crate) fn last(&self) -> Instant {
        self.last
    }

    /// The hops, in their order: at least one.
    pub fn hops(&self) -> impl Iterator<Item = &Hop> {
        self.previous.iter().chain([&self.current])
    }

    /// From `send` until the last phase was over, with what lies between: cheap work of the client,
    /// rests of bodies that were read away, waits before a retry.
    pub fn total(&self) -> Duration {
        self.last.saturating_duration_since(self.started)
    }
}

impl Hop {
    /// Waiting for one's turn, where a host takes only so many connections.
    pub fn queue(&self) -> Option<Duration> {
        self.queue
    }

    /// Looking up the name, of the origin or of the proxy; no time at all where the host is an
    /// address already. None if a connection was used again.
    pub fn resolve(&self) -> Option<Duration> {
        self.resolve
    }

    /// Connecting. None if a connection was used again.
    pub fn connect(&self) -> Option<Duration> {
        self.connect
    }

    /// TLS, and a tunnel through a proxy.
    pub fn handshake(&self) -> Option<Duration> {
        self.handshake
    }

    /// Sending the request, from the connection being there to the last byte being taken by the
    /// system. Over TLS the last words of the handshake leave together with it.
    pub fn request(&self) -> Option<Duration> {
        self.request
    }

    /// Waiting for the response, from then to its head being there.
    pub fn first_byte(&self) -> Option<Duration> {
        self.first_byte
    }

    fn time(&mut self, lap: Lap) -> &mut Option<Duration> {
        match lap {
            Lap::Queue => &mut self.queue,
            Lap::Resolve => &mut self.resolve,
            Lap::Connect => &mut self.connect,
            Lap::Handshake => &mut self.handshake,
            Lap::Request => &mut self.request,
            Lap::FirstByte => &mut self.first_byte,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laps_follow_each_other_and_hops_add_up() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut timings = Timings::start(start);
        for (lap, now) in [
            (Lap::Queue, 1),
            (Lap::Resolve, 3),
            (Lap::Connect, 6),
            (Lap::Handshake, 10),
            (Lap::Request, 15),
            (Lap::FirstByte, 21),
        ] {
            timings.lap(lap, at(now));
        }
        timings.next_hop(at(100));
        timings.lap(Lap::Request, at(101));
        // A clock of the system that goes back is no reason to panic, nor is a phase that comes twice.
        timings.lap(Lap::Request, at(90));
        timings.lap(Lap::Request, at(92));
        let millis = |time: Option<Duration>| time.map(|time| time.as_millis());
        let hops: Vec<_> = timings
            .hops()
            .map(|hop| {
                [
                    hop.queue(),
                    hop.resolve(),
                    hop.connect(),
                    hop.handshake(),
                    hop.request(),
                    hop.first_byte(),
                ]
                .map(millis)
            })
            .collect();
        let first = [1, 2, 3, 4, 5, 6].map(Some);
        assert_eq!(hops, [first, [None, None, None, None, Some(3), None]]);
        assert_eq!(timings.total(), Duration::from_millis(92));
    }
}
