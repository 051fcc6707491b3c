//! Why a connection cannot be used again, and whether its peer keeps it open (RFC 9112 §9.3).

use std::fmt;

use http::Version;
use http::header::CONNECTION;

use crate::http1::field_lines::{Fields, has_member};

/// Why a connection is not reused. No connection is dropped without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    // Said in a message.
    PeerSaidClose,
    WeSaidClose,
    /// HTTP/1.0 without `Connection: keep-alive`.
    Http10,

    // What comes next on the connection is not known to be a response.
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
    /// Whoever asked has gone.
    Abandoned,

    // The pool's reasons.
    Expired,
    Aged,
    /// It said how long, or for how many requests, it keeps the connection (`Keep-Alive`).
    PeerLimit,
    /// It closes connections right after each response.
    EarlyCloser,
    PoolFull,
    NotAlive,
    /// Another one to the same place was not alive.
    Suspect,
    /// The client that kept it has gone, or has been told to let go.
    LetGo,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerSaidClose => "the peer said Connection: close",
            Self::WeSaidClose => "the request said Connection: close",
            Self::Http10 => "HTTP/1.0 without keep-alive",
            Self::FramingDoubt => "the framing of the response is in doubt",
            Self::CloseDelimited => "the body ends with the connection",
            Self::LeftoverBytes => "bytes came after the end of the response",
            Self::BodyUnread => "the body was not read to its end",
            Self::RequestIncomplete => "the request was not sent to its end",
            Self::Upgraded => "the connection no longer speaks HTTP",
            Self::EarlyEof => "the peer closed the connection too early",
            Self::ProtocolError => "the peer broke the protocol",
            Self::Io => "reading or writing failed",
            Self::TimeOver => "the time of the call was over",
            Self::Abandoned => "the call was given up",
            Self::Expired => "the connection idled too long",
            Self::Aged => "the connection has been open for long enough",
            Self::PeerLimit => "the peer keeps it open no longer (Keep-Alive)",
            Self::EarlyCloser => "the peer closes connections right after each response",
            Self::PoolFull => "the pool is full",
            Self::Suspect => "another connection to the same place was closed by the peer",
            Self::LetGo => "it is kept no longer",
            Self::NotAlive => "the peer closed or spoke while the connection idled",
        })
    }
}

/// Whether the peer keeps the connection open after this response (RFC 9112 §9.3).
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

    /// A log that names a connection's end should leave no doubt which one it was.
    #[test]
    fn reasons_are_told_apart() {
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
