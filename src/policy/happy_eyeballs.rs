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
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<SocketAddr> {
        let one = |name: &str| match name.strip_prefix('4') {
            Some(last) => format!("10.0.0.{last}:80").parse().unwrap(),
            None => format!("[fd00::{}]:80", &name[1..]).parse().unwrap(),
        };
        text.split_whitespace().map(one).collect()
    }

    #[test]
    fn families_take_turns() {
        let rows = [
            ("", ""),
            ("41", "41"),
            ("41 42 43", "41 42 43"),
            ("61 62 41 42", "61 41 62 42"),
            ("41 61 62 63", "41 61 62 63"),
            ("61 62 63 41", "61 41 62 63"),
            ("41 42 61", "41 61 42"),
        ];
        for (given, expected) in rows {
            assert_eq!(interleave(&addresses(given)), addresses(expected), "{given}");
        }
    }

    fn none() -> Option<Duration> {
        None
    }

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn attempts_start_250_ms_apart() {
        let all = addresses("61 41 62");
        let start = Instant::now();
        let mut race = Race::new(&all);
        assert_eq!(race.step(start, none), Move::Start(all[0]));
        assert_eq!(race.step(start, none), Move::Wait(Some(ms(250))));
        assert_eq!(race.step(start + ms(100), none), Move::Wait(Some(ms(150))));
        assert_eq!(race.step(start + ms(250), none), Move::Start(all[1]));
        assert_eq!(race.step(start + ms(250), none), Move::Wait(Some(ms(250))));
        assert_eq!(race.step(start + ms(600), none), Move::Start(all[2]));
        assert_eq!(race.step(start + ms(600), none), Move::Wait(None), "there is no other");
    }

    /// With an unresponsive first address, each of the others is tried within the limit.
    #[test]
    fn attempts_share_the_remaining_time() {
        let cases = [
            // (addresses, limit, start times)
            (2, 100, vec![0, 50]),
            (2, 20, vec![0, 10]),
            (4, 400, vec![0, 100, 200, 300]),
            (8, 1000, vec![0, 125, 250, 375, 500, 625, 750, 875]),
            (2, 10_000, vec![0, 250]),
            (3, 700, vec![0, 233, 466]),
            // The minimum delay of the RFC takes precedence.
            (4, 20, vec![0, 10]),
            (2, 5, vec![0]),
        ];
        for (count, limit, expected) in cases {
            let start = Instant::now();
            let names: Vec<_> = (1..=count).map(|last| format!("4{last}")).collect();
            let mut race = Race::new(&addresses(&names.join(" ")));
            let mut started = Vec::new();
            for at in 0..limit {
                let left = || Some(ms(limit - at));
                while let Move::Start(_) = race.step(start + ms(at), left) {
                    started.push(at);
                }
            }
            let is_near = |(at, wanted): (&u64, &u64)| at.abs_diff(*wanted) <= 2;
            let is_near = started.iter().zip(&expected).all(is_near);
            assert!(is_near && started.len() == expected.len(), "{count} in {limit}: {started:?}");
        }
    }

    /// Each pending attempt uses a file descriptor.
    #[test]
    fn thousands_of_addresses_are_not_all_tried() {
        let start = Instant::now();
        let names: Vec<_> = (0..4000).map(|n: u16| format!("6{n:x}")).collect();
        let mut race = Race::new(&addresses(&names.join(" ")));
        let started = (0..10_000).filter(|at| {
            let left = || Some(ms(10_000 - at));
            matches!(race.step(start + ms(*at), left), Move::Start(_))
        });
        let started = started.count();
        assert!((40..120).contains(&started), "{started}");
    }

    #[test]
    fn a_failure_starts_the_next_attempt_immediately() {
        let all = addresses("41 42 43");
        let start = Instant::now();
        let mut race = Race::new(&all);
        assert_eq!(race.step(start, none), Move::Start(all[0]));
        race.failed(start + ms(10));
        assert_eq!(race.step(start + ms(10), none), Move::Start(all[1]));
        assert_eq!(race.step(start + ms(260), none), Move::Start(all[2]));
        race.failed(start + ms(300));
        assert_eq!(race.step(start + ms(300), none), Move::Wait(None), "one is still running");
        race.failed(start + ms(301));
        assert_eq!(race.step(start + ms(301), none), Move::Lost);
    }

    #[test]
    fn a_race_without_addresses_is_lost() {
        assert_eq!(Race::new(&[]).step(Instant::now(), none), Move::Lost);
    }
}
