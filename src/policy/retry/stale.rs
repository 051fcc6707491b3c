//! Decides whether a request may be sent again because its connection was stale: the server closed
//! it while it idled (RFC 9110 §9.2.2, RFC 9112 §9.3.1).

use http::{Method, StatusCode, header};

use super::{Answered, ConnectionOrigin, FailedAttempt, Loss, Replay, Sent};
use crate::http1::close;
use crate::http1::head::ResponseHead;
use crate::http1::header_section::Fields as _;

/// The reason why a request is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The failure was not caused by a stale connection.
    NotStale,
    /// The body cannot be sent again.
    Body,
    /// The method is not idempotent, and the server may have processed the request.
    Method,
}

/// Returns whether a request may be sent again after its pooled connection was lost. The server may
/// close a connection while the request is in flight; then no part of a response is received. The
/// request may be repeated if that cannot have an effect twice.
pub(crate) fn may_send_again(attempt: FailedAttempt<'_>) -> Result<(), Obstacle> {
    let was_stale = attempt.loss == Loss::Connection
        && attempt.connection == ConnectionOrigin::Pooled
        && attempt.answered == Answered::Nothing;
    if !was_stale {
        return Err(Obstacle::NotStale);
    }
    if attempt.body == Replay::Impossible {
        return Err(Obstacle::Body);
    }
    if attempt.sent == Sent::Nothing || attempt.method.is_idempotent() {
        return Ok(());
    }
    Err(Obstacle::Method)
}

/// RFC 9110 §15.5.9: some servers send 408 when they close an idle connection, and a request that
/// was in flight may then be repeated.
pub(crate) fn is_timed_out(
    connection: ConnectionOrigin,
    method: &Method,
    head: &ResponseHead,
) -> bool {
    head.status == StatusCode::REQUEST_TIMEOUT
        && connection == ConnectionOrigin::Pooled
        && method.is_idempotent()
        && ends_connection(head)
}

/// Returns whether the connection ends with this response, by `Connection: close` or because the
/// body is delimited by the close.
fn ends_connection(head: &ResponseHead) -> bool {
    let framing = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
    close::keep_alive(head.version, &head.headers).is_err()
        || !framing.iter().any(|name| head.headers.has(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::head;
    use crate::http1::limits::Limits;

    #[test]
    fn only_stale_connections_and_safe_repeats_qualify() {
        use Answered::Nothing as Silent;
        use ConnectionOrigin::{Fresh, Pooled};
        use Obstacle::{Body, Method as NotIdempotent, NotStale};
        use Replay::{Impossible, Possible};
        let cases = [
            (Method::GET, Pooled, Sent::Something, Silent, Possible, Ok(())),
            (Method::PUT, Pooled, Sent::Something, Silent, Possible, Ok(())),
            (Method::DELETE, Pooled, Sent::Something, Silent, Possible, Ok(())),
            (Method::POST, Pooled, Sent::Nothing, Silent, Possible, Ok(())),
            (Method::POST, Pooled, Sent::Something, Silent, Possible, Err(NotIdempotent)),
            (Method::PATCH, Pooled, Sent::Something, Silent, Possible, Err(NotIdempotent)),
            (Method::GET, Fresh, Sent::Something, Silent, Possible, Err(NotStale)),
            (Method::GET, Pooled, Sent::Something, Answered::Something, Possible, Err(NotStale)),
            (Method::PUT, Pooled, Sent::Something, Silent, Impossible, Err(Body)),
            (Method::PUT, Pooled, Sent::Nothing, Silent, Impossible, Err(Body)),
        ];
        for (method, connection, sent, answered, body, expected) in cases {
            let loss = Loss::Connection;
            let attempt = FailedAttempt { method: &method, loss, connection, sent, answered, body };
            assert_eq!(may_send_again(attempt), expected, "{attempt:?}");
            let attempt = FailedAttempt { loss: Loss::Other, ..attempt };
            assert_eq!(may_send_again(attempt), Err(NotStale), "{attempt:?}");
        }
    }

    /// RFC 9110 §15.5.9.
    #[test]
    fn a_408_that_closes_an_idle_connection() {
        use ConnectionOrigin::{Fresh, Pooled};
        let close = "connection: close\r\ncontent-length: 0\r\n";
        let stay = "content-length: 0\r\n";
        let chunked = "transfer-encoding: chunked\r\n";
        let cases = [
            (408, Pooled, Method::GET, 1, close, true),
            (408, Pooled, Method::PUT, 1, close, true),
            (408, Pooled, Method::GET, 1, "", true),
            (408, Pooled, Method::GET, 0, stay, true),
            (408, Pooled, Method::GET, 1, stay, false),
            (408, Pooled, Method::GET, 1, chunked, false),
            (408, Pooled, Method::POST, 1, close, false),
            (408, Fresh, Method::GET, 1, close, false),
            (503, Pooled, Method::GET, 1, close, false),
        ];
        for (status, connection, method, minor, fields, expected) in cases {
            let text = format!("HTTP/1.{minor} {status} X\r\n{fields}\r\n");
            let head = head::parse(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(is_timed_out(connection, &method, &head), expected, "{method} {text}");
        }
    }
}
