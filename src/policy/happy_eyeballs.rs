//! Happy Eyeballs (RFC 8305): the order of the addresses, and the time at which the next attempt
//! starts.
//!
//! ```text
//! addresses ─▶ families take turns ─▶ start ─▶ wait 250 ms ─▶ start the next, beside the first ─▶ ...
//!                                       └ failed ─▶ start the next now
//! ```
//!
//! An unresponsive address, typically broken IPv6, must cost a quarter of a second and not the
//! whole time limit; if the limit is short, only its share of it. `driver/connect.rs` carries the
//! moves out.
//!
//! An example, with a time limit of 10 s; `A` addresses are IPv6, `B` IPv4, and the resolver
//! prefers IPv6:
//!
//! ```text
//! resolver's order    A1 A2 A3 B1 B2
//! order of attempts   A1 B1 A2 B2 A3
//! 0 ms                A1 starts
//! 250 ms              no answer: B1 starts beside A1
//! 310 ms              B1 connects: it is used, A1 is closed
//! ```
//!
//! If A1 refuses at 20 ms, B1 starts at 20 ms. With a limit of 600 ms the delay shrinks to a share
//! of what is left, so that the addresses behind a silent one still get their turn
//! (`attempts_share_the_remaining_time`, `tests/hostile_time.rs`,
//! `t04_one_limit_covers_many_silent_addresses`).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// RFC 8305 §5, "Connection Attempt Delay": the recommended value.
const DELAY: Duration = Duration::from_millis(250);

/// RFC 8305 §5: the minimum delay.
const SHORTEST_DELAY: Duration = Duration::from_millis(10);

/// The most addresses among which the remaining time is divided: a name may have thousands, and
/// each pending attempt uses a file descriptor.
const MOST_SHARES: u32 = 16;

/// The addresses not yet tried, and the time of the next attempt.
#[derive(Debug)]
pub(crate) struct Race {
    /// In reverse order: the next address is last.
    waiting: Vec<SocketAddr>,
    running: usize,
    /// The start of the next attempt, unless one ends before.
    next: Option<Instant>,
}

/// The next action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Start to connect to this address.
    Start(SocketAddr),
    /// Wait for an attempt to end, but no longer than this.
    Wait(Option<Duration>),
    /// All attempts have failed.
    Lost,
}

impl Race {
    /// Creates a race of these addresses, in the resolver's order (RFC 6724), with the two families
    /// interleaved (RFC 8305 §4).
    pub(crate) fn new(addresses: &[SocketAddr]) -> Self {
        let mut waiting = interleave(addresses);
        waiting.reverse();
        Self { waiting, running: 0, next: None }
    }

    /// Returns the next action. `left` returns the time that all attempts together have left; it is
    /// called only when needed.
    pub(crate) fn step(&mut self, now: Instant, left: impl FnOnce() -> Option<Duration>) -> Move {
        let is_due = self.running == 0 || self.next.is_some_and(|next| next <= now);
        if is_due {
            if let Some(address) = self.waiting.pop() {
                self.running += 1;
                self.next = match self.waiting.len() {
                    0 => None,
                    others => now.checked_add(delay(others, left())),
                };
                return Move::Start(address);
            }
        }
        if self.running == 0 {
            return Move::Lost;
        }
        Move::Wait(self.next.map(|next| next.saturating_duration_since(now)))
    }

    /// Records that an attempt has failed: the next one starts immediately.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.running = self.running.saturating_sub(1);
        self.next = Some(now).filter(|_| !self.waiting.is_empty());
    }
}

/// Returns the delay before the next attempt if this many addresses are waiting: the recommended
/// delay, or a share of the remaining time.
fn delay(others: usize, left: Option<Duration>) -> Duration {
    let shares = u32::try_from(others).unwrap_or(MOST_SHARES).min(MOST_SHARES - 1) + 1;
    let share = left.map_or(DELAY, |left| left / shares);
    share.clamp(SHORTEST_DELAY, DELAY)
}

fn interleave(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let family = |ipv6| addresses.iter().filter(move |address| address.is_ipv6() == ipv6);
    let (mut these, mut others) = (family(first), family(!first));
    let mut mixed = Vec::with_capacity(addresses.len());
    while mixed.len() < addresses.len() {
        mixed.extend(these.next());
        mixed.extend(others.next());
    }
    mixed
}

#[cfg(test)]
mod tests;
