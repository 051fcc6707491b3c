//! Whether a request may be sent again after its connection died (RFC 9110 §9.2.2, RFC 9112 §9.3.1).

use http::Method;

/// What is known about a failed attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) method: &'a Method,
    pub(crate) connection: Origin,
    pub(crate) sent: Sent,
    pub(crate) answered: Answered,
    pub(crate) body: Replay,
}

/// Where the connection came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Fresh,
    Pooled,
}

/// How much of the request may have reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Nothing,
    Something,
}

/// How much of a response came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    Nothing,
    Something,
}

/// Whether the request can be produced again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    Possible,
    Impossible,
}

/// A pooled connection may have been closed by the server while the request was on its way: then
/// no part of a response comes. The request may go out again if that cannot do anything twice.
pub(crate) fn may_send_again(attempt: Attempt<'_>) -> bool {
    if attempt.connection == Origin::Fresh || attempt.answered == Answered::Something {
        return false; // not the fault of a stale connection
    }
    if attempt.body == Replay::Impossible {
        return false; // there is nothing to send again
    }
    attempt.sent == Sent::Nothing || attempt.method.is_idempotent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stale_connection_and_only_what_is_safe() {
        use Answered::Nothing as Silent;
        use Origin::{Fresh, Pooled};
        use Replay::{Impossible, Possible};
        let cases = [
            (Method::GET, Pooled, Sent::Something, Silent, Possible, true),
            (Method::PUT, Pooled, Sent::Something, Silent, Possible, true),
            (Method::DELETE, Pooled, Sent::Something, Silent, Possible, true),
            (Method::POST, Pooled, Sent::Nothing, Silent, Possible, true),
            (Method::POST, Pooled, Sent::Something, Silent, Possible, false),
            (Method::PATCH, Pooled, Sent::Something, Silent, Possible, false),
            (Method::GET, Fresh, Sent::Something, Silent, Possible, false),
            (Method::GET, Pooled, Sent::Something, Answered::Something, Possible, false),
            (Method::PUT, Pooled, Sent::Something, Silent, Impossible, false),
            (Method::PUT, Pooled, Sent::Nothing, Silent, Impossible, false),
        ];
        for (method, connection, sent, answered, body, expected) in cases {
            let attempt = Attempt { method: &method, connection, sent, answered, body };
            assert_eq!(may_send_again(attempt), expected, "{attempt:?}");
        }
    }
}
