//! The expected outcome of a row. This is the test's own reading of the RFCs:
//!
//! - A connection that ended while idle was not an attempt: any request is sent on another one
//!   (RFC 9112 §9.5).
//! - A complete response is delivered, however the connection ended. If a response has begun, the
//!   server has accepted the request: the response is cut short, and nothing is sent again
//!   (RFC 9112 §8).
//! - No response on a connection that has worked before means that the server probably closed it as
//!   idle. An idempotent request is then sent again, once (RFC 9110 §9.2.2, RFC 9112 §9.3.1). For
//!   another request, or a body that cannot be produced again, it is an error.
//! - A request that cannot have been received may be sent again, whatever it is; its reader has not
//!   been read then.
//! - The end of a connection may be noticed before a reader is read, which can then be used for
//!   another attempt; or after that, when it cannot.
//! - A 408 on a connection that has worked before is such an end: the server has waited too long,
//!   and an idempotent request is sent again (RFC 9110 §15.5.9).
//! - No response on a new connection is an error.

use std::ops::RangeInclusive;

use leanhttp::Method;
use leanhttp::error::Kind;

use super::row::{Connection, Moment, Row, Way};

#[derive(Debug)]
pub struct Verdict {
    pub outcomes: Vec<Outcome>,
    /// Number of connections, including the one that dies.
    pub connections: RangeInclusive<usize>,
    /// Number of complete requests read by a server that goes on reading after it has died.
    pub complete: RangeInclusive<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered(u16),
    Failed(Kind),
}

pub fn verdict(row: &Row) -> Verdict {
    let read = usize::from(matches!(row.moment, Moment::Sent(_)));
    let is_pooled = row.connection == Connection::Pooled;
    if row.moment == Moment::Idle && is_pooled {
        return elsewhere(1..=1);
    }
    if row.way == Way::Says408 && is_pooled && may_be_repeated(row) {
        return elsewhere(read + 1..=2);
    }
    if row.way == Way::Says408 && is_pooled && may_be_untouched(row) {
        let mut outcomes = vec![Outcome::Delivered(408), Outcome::Delivered(200)];
        outcomes.extend(is_unasked(row).then_some(Outcome::Failed(Kind::Protocol)));
        return Verdict { outcomes, connections: 1..=2, complete: 0..=2 };
    }
    if is_unasked(row) {
        // A response without a request is not one (RFC 9112 §9.2), unless the request is sent at
        // that very moment.
        let outcomes = vec![Outcome::Delivered(408), Outcome::Failed(Kind::Protocol)];
        return Verdict { outcomes, connections: 1..=1, complete: 0..=1 };
    }
    if row.way == Way::Says408 {
        return one(Outcome::Delivered(408), read..=1);
    }
    match row.moment {
        Moment::Sent(sent) if sent == row.ask.response().len() => {
            one(Outcome::Delivered(200), 1..=1)
        }
        _ if has_spoken(row) => one(Outcome::Failed(broken(row.way)), read..=1),
        _ if is_pooled && may_be_repeated(row) => elsewhere(read + 1..=2),
        _ if is_pooled && is_up_to_the_reader(row) => {
            let outcomes = vec![Outcome::Failed(Kind::Io), Outcome::Delivered(200)];
            Verdict { outcomes, connections: 1..=2, complete: 0..=1 }
        }
        _ => one(Outcome::Failed(Kind::Io), read..=1),
    }
}

fn one(outcome: Outcome, complete: RangeInclusive<usize>) -> Verdict {
    Verdict { outcomes: vec![outcome], connections: 1..=1, complete }
}

/// The request is served on another connection, and the caller sees no difference.
fn elsewhere(complete: RangeInclusive<usize>) -> Verdict {
    Verdict { outcomes: vec![Outcome::Delivered(200)], connections: 2..=2, complete }
}

/// Returns whether the server sends before it can have seen a request.
fn is_unasked(row: &Row) -> bool {
    row.way == Way::Says408 && matches!(row.moment, Moment::Idle | Moment::Taken)
}

/// Returns whether a byte of a response arrived, even of an interim one.
fn has_spoken(row: &Row) -> bool {
    match row.moment {
        Moment::Idle | Moment::Taken | Moment::Untouched => false,
        Moment::Read(_) => row.has_continued,
        Moment::Sent(sent) => sent > 0 || row.has_continued,
    }
}

/// Returns whether a race decides if a reader has been read when the end is seen; if not, the request may
/// be sent again.
fn is_up_to_the_reader(row: &Row) -> bool {
    may_be_untouched(row) || (row.ask.is_from_reader() && row.moment == Moment::Taken)
}

/// The hints in an error's line for a request that might have been sent again.
pub fn held_back(row: &Row) -> &'static [&'static str] {
    if row.connection == Connection::Fresh || row.way == Way::Says408 || has_spoken(row) {
        return &[""];
    }
    match row.ask.is_from_reader() {
        false => &["POST was not sent again"],
        true if is_harmless(row) => &["cannot be sent again"],
        // As long as the reader was not read, only the method prevents a retry.
        true => &["cannot be sent again", "POST was not sent again"],
    }
}

fn broken(way: Way) -> Kind {
    if way == Way::Reset { Kind::Io } else { Kind::Truncated }
}

/// A request that cannot have been received, or that is idempotent and not from a reader. A reader
/// is not read before the head of the request is written.
fn may_be_repeated(row: &Row) -> bool {
    was_not_sent(row) || (is_harmless(row) && !row.ask.is_from_reader())
}

fn is_harmless(row: &Row) -> bool {
    const TWICE_IS_ONCE: [Method; 4] = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE];
    TWICE_IS_ONCE.contains(&row.ask.method())
}

/// Returns whether a race decides if a reader has been read when the response arrives.
fn may_be_untouched(row: &Row) -> bool {
    is_harmless(row) && row.ask.is_from_reader() && !matches!(row.moment, Moment::Sent(_))
}

/// A connection that is known to be broken accepts no byte.
pub fn was_not_sent(row: &Row) -> bool {
    row.moment == Moment::Taken && row.way == Way::Reset
}
