//! Happy Eyeballs (RFC 8305): in which order addresses are tried, and when the next one starts.
//!
//! A way that leads nowhere, broken IPv6 most of all, must cost a quarter of a second and not the
//! whole time limit.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// RFC 8305 §5, "Connection Attempt Delay": the recommended value.
const DELAY: Duration = Duration::from_millis(250);

/// The addresses that are still to be tried, and when.
#[derive(Debug)]
pub(crate) struct Race {
    /// The next one is the last.
    waiting: Vec<SocketAddr>,
    running: usize,
    /// When the next attempt starts, if none ends before.
    next: Option<Instant>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Begin to connect to this address.
    Start(SocketAddr),
    /// Wait for an attempt to end, but not longer than this.
    Wait(Option<Duration>),
    /// All attempts have failed.
    Lost,
}

impl Race {
    /// A race of these addresses, in the order of the resolver (RFC 6724) but the two families in turn (RFC 8305 §4).
    pub(crate) fn new(addresses: &[SocketAddr]) -> Self {
        let mut waiting = interleave(addresses);
        waiting.reverse();
        Self { waiting, running: 0, next: None }
    }

    pub(crate) fn step(&mut self, now: Instant) -> Move {
        let is_due = self.running == 0 || self.next.is_some_and(|next| next <= now);
        if is_due {
            if let Some(address) = self.waiting.pop() {
                self.running += 1;
                self.next = now.checked_add(DELAY).filter(|_| !self.waiting.is_empty());
                return Move::Start(address);
            }
        }
        if self.running == 0 {
            return Move::Lost;
        }
        Move::Wait(self.next.map(|next| next.saturating_duration_since(now)))
    }

    /// An attempt has failed: the next one starts at once.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.running = self.running.saturating_sub(1);
        self.next = Some(now).filter(|_| !self.waiting.is_empty());
    }
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

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn attempts_start_a_quarter_of_a_second_apart() {
        let all = addresses("61 41 62");
        let start = Instant::now();
        let mut race = Race::new(&all);
        assert_eq!(race.step(start), Move::Start(all[0]));
        assert_eq!(race.step(start), Move::Wait(Some(ms(250))));
        assert_eq!(race.step(start + ms(100)), Move::Wait(Some(ms(150))));
        assert_eq!(race.step(start + ms(250)), Move::Start(all[1]));
        assert_eq!(race.step(start + ms(250)), Move::Wait(Some(ms(250))));
        assert_eq!(race.step(start + ms(600)), Move::Start(all[2]));
        assert_eq!(race.step(start + ms(600)), Move::Wait(None), "there is no other");
    }

    #[test]
    fn a_failure_starts_the_next_at_once() {
        let all = addresses("41 42 43");
        let start = Instant::now();
        let mut race = Race::new(&all);
        assert_eq!(race.step(start), Move::Start(all[0]));
        race.failed(start + ms(10));
        assert_eq!(race.step(start + ms(10)), Move::Start(all[1]));
        assert_eq!(race.step(start + ms(260)), Move::Start(all[2]));
        race.failed(start + ms(300));
        assert_eq!(race.step(start + ms(300)), Move::Wait(None), "one is still running");
        race.failed(start + ms(301));
        assert_eq!(race.step(start + ms(301)), Move::Lost);
    }

    #[test]
    fn nobody_to_connect_to() {
        assert_eq!(Race::new(&[]).step(Instant::now()), Move::Lost);
    }
}
