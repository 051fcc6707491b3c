//! What has to come of a row. This is the test's own reading of the RFCs:
//!
//! - A connection that ended while nobody used it was no attempt: the request goes elsewhere,
//!   whatever it is (RFC 9112 §9.5).
//! - A response that is complete is delivered, however the connection went on. One that has begun
//!   tells that the server has taken the request: it is cut short, and nothing is sent again
//!   (RFC 9112 §8).
//! - Silence on a connection that has worked before looks like a server that had just given it up.
//!   What may be done twice is then done again, once (RFC 9110 §9.2.2, RFC 9112 §9.3.1); what
//!   may not, or cannot be produced again, is an error.
//! - What nobody can have received may be sent again, whatever it is; a reader has then given nothing.
//! - The end of a connection may be seen before a reader is touched, which can then be read as well for
//!   another attempt; or after that, when it cannot.
//! - 408 on a connection that has worked before is such an end, in words: the server has waited for
//!   too long, and what may be repeated is (RFC 9110 §15.5.9).
//! - Silence on a new connection is the server's answer.

use std::ops::RangeInclusive;

use leanhttp::Method;
use leanhttp::error::Kind;

use super::row::{Connection, Moment, Row, Way};

#[derive(Debug)]
pub struct Verdict {
    pub outcomes: Vec<Outcome>,
    /// How many connections it takes, the one that dies included.
    pub connections: RangeInclusive<usize>,
    /// How many whole requests a server reads that goes on reading after it has died.
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
        // An answer to nothing is none (RFC 9112 §9.2), unless the request goes out at that very
        // moment.
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

/// It is served on another connection, and nobody notices.
fn elsewhere(complete: RangeInclusive<usize>) -> Verdict {
    Verdict { outcomes: vec![Outcome::Delivered(200)], connections: 2..=2, complete }
}

/// Whether the server speaks before it can have seen a request.
fn is_unasked(row: &Row) -> bool {
    row.way == Way::Says408 && matches!(row.moment, Moment::Idle | Moment::Taken)
}

/// Whether a byte of a response came, be it an interim one.
fn has_spoken(row: &Row) -> bool {
    match row.moment {
        Moment::Idle | Moment::Taken | Moment::Untouched => false,
        Moment::Read(_) => row.has_continued,
        Moment::Sent(sent) => sent > 0 || row.has_continued,
    }
}

/// Whether it depends on who is faster that a reader has given something when the end is seen, and it
/// may be sent again if it has not.
fn is_up_to_the_reader(row: &Row) -> bool {
    may_be_untouched(row) || (row.ask.is_from_reader() && row.moment == Moment::Taken)
}

/// Why an error is an error: what its line may say of a request that might have gone out again.
pub fn held_back(row: &Row) -> &'static [&'static str] {
    if row.connection == Connection::Fresh || row.way == Way::Says408 || has_spoken(row) {
        return &[""];
    }
    match row.ask.is_from_reader() {
        false => &["POST was not sent again"],
        true if is_harmless(row) => &["cannot be sent again"],
        // As long as it was not touched, its method is what keeps it back.
        true => &["cannot be sent again", "POST was not sent again"],
    }
}

fn broken(way: Way) -> Kind {
    if way == Way::Reset { Kind::Io } else { Kind::Truncated }
}

/// What nobody can have received, or what may be received twice and is not from a reader. That is
/// not touched before the head of the request is written.
fn may_be_repeated(row: &Row) -> bool {
    was_not_sent(row) || (is_harmless(row) && !row.ask.is_from_reader())
}

fn is_harmless(row: &Row) -> bool {
    const TWICE_IS_ONCE: [Method; 4] = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE];
    TWICE_IS_ONCE.contains(&row.ask.method())
}

/// Whether it depends on who is faster that a reader has given something when the answer comes.
fn may_be_untouched(row: &Row) -> bool {
    is_harmless(row) && row.ask.is_from_reader() && !matches!(row.moment, Moment::Sent(_))
}

/// A connection that is known to be broken takes no byte.
pub fn was_not_sent(row: &Row) -> bool {
    row.moment == Moment::Taken && row.way == Way::Reset
}
