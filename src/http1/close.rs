//! The reasons why a connection cannot be reused, and the persistence rule (RFC 9112 §9.3).

use std::fmt;

use http::Version;
use http::header::CONNECTION;

use crate::http1::field_lines::{Fields, has_member};

/// The reason why a connection is not reused. No connection is closed without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    // From a message.
    PeerSaidClose,
    WeSaidClose,
    /// HTTP/1.0 without `Connection: keep-alive`.
    Http10,

    // The next bytes on the connection are not certainly a response.
    FramingDoubt,
    CloseDelimited,
    LeftoverBytes,
    BodyUnread,
    RequestIncomplete,
    Upgraded,

    // The exchange failed.
    EarlyEof,
    ProtocolError,
    Io,
    TimeOver,
    /// The caller dropped the call.
    Abandoned,

    // The pool's reasons.
    Expired,
    Aged,
    /// The lifetime or number of requests in the peer's `Keep-Alive` field is reached.
    PeerLimit,
    /// The peer closes connections right after each response.
    EarlyCloser,
    PoolFull,
    NotAlive,
    /// Another connection on the same route was found dead.
    Suspect,
    /// The pool was cleared, or its last client was dropped.
    LetGo,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerSaidClose => "the peer said Connection: close",
            Self::WeSaidClose => "the request said Connection: close",
            Self::Http10 => "HTTP/1.0 without keep-alive",
            Self::FramingDoubt => "the framing of the response is ambiguous",
            Self::CloseDelimited => "the body ends with the connection",
            Self::LeftoverBytes => "bytes came after the end of the response",
            Self::BodyUnread => "the body was not read to its end",
            Self::RequestIncomplete => "the request was not sent to its end",
            Self::Upgraded => "the connection no longer speaks HTTP",
            Self::EarlyEof => "the peer closed the connection too early",
            Self::ProtocolError => "the peer broke the protocol",
            Self::Io => "reading or writing failed",
            Self::TimeOver => "a timeout expired",
            Self::Abandoned => "the call was dropped",
            Self::Expired => "the connection idled too long",
            Self::Aged => "the connection reached its maximum age",
            Self::PeerLimit => "the limit in the peer's Keep-Alive field is reached",
            Self::EarlyCloser => "the peer closes connections right after each response",
            Self::PoolFull => "the pool is full",
            Self::Suspect => "the peer closed another connection on the same route",
            Self::LetGo => "evicted from the pool",
            Self::NotAlive => "the peer closed the idle connection or sent data on it",
        })
    }
}

/// Checks that the peer keeps the connection open after this response (RFC 9112 §9.3).
///
/// One `close` among all members of all `Connection` lines wins over any `keep-alive`.
pub(crate) fn keep_alive(version: Version, headers: &impl Fields) -> Result<(), CloseReason> {
    if has_member(headers, &CONNECTION, "close") {
        return Err(CloseReason::PeerSaidClose);
    }
    if version >= Version::HTTP_11 || has_member(headers, &CONNECTION, "keep-alive") {
        return Ok(());
    }
    Err(CloseReason::Http10)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Lines, headers};
    use super::*;

    /// Each reason has a text of its own, so that a log identifies it.
    #[test]
    fn reasons_have_different_texts() {
        use CloseReason::*;
        let messages = [
            PeerSaidClose,
            WeSaidClose,
            Http10,
            FramingDoubt,
            CloseDelimited,
            LeftoverBytes,
            BodyUnread,
            RequestIncomplete,
            Upgraded,
            EarlyEof,
            ProtocolError,
            Io,
            Expired,
            PeerLimit,
            EarlyCloser,
            PoolFull,
            NotAlive,
        ]
        .map(|reason| reason.to_string());
        let different: std::collections::BTreeSet<_> = messages.iter().collect();
        assert_eq!(different.len(), messages.len(), "{messages:?}");
        assert!(messages.iter().all(|message| !message.is_empty() && !message.contains('\n')));
    }

    #[test]
    fn keep_alive_by_version_and_connection_fields() {
        use CloseReason::{Http10, PeerSaidClose};
        let cases: [(Version, Lines, Result<(), CloseReason>); 13] = [
            (Version::HTTP_11, &[], Ok(())),
            (Version::HTTP_11, &[("connection", "close")], Err(PeerSaidClose)),
            (Version::HTTP_11, &[("connection", "Close")], Err(PeerSaidClose)),
            (Version::HTTP_11, &[("connection", "foo ,\tclose")], Err(PeerSaidClose)),
            (Version::HTTP_11, &[("connection", "closed, x-close")], Ok(())),
            (Version::HTTP_11, &[("connection", "\"close\"")], Ok(())),
            (Version::HTTP_11, &[("proxy-connection", "close")], Ok(())),
            (
                Version::HTTP_11,
                &[("connection", "close"), ("connection", "keep-alive")],
                Err(PeerSaidClose),
            ),
            (Version::HTTP_10, &[], Err(Http10)),
            (Version::HTTP_10, &[("connection", "Keep-Alive")], Ok(())),
            (Version::HTTP_10, &[("connection", "keep-alive, close")], Err(PeerSaidClose)),
            (Version::HTTP_10, &[("proxy-connection", "keep-alive")], Err(Http10)),
            (Version::HTTP_09, &[], Err(Http10)),
        ];
        for (version, fields, outcome) in cases {
            assert_eq!(keep_alive(version, &headers(fields)), outcome, "{version:?} {fields:?}");
        }
    }
}
