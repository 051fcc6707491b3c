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
