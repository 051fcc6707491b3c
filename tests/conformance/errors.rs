//! The error classes of the vectors, as kinds and phases of the client.

use leanhttp::Error;
use leanhttp::error::{Kind, Phase};

/// Returns whether `error` belongs to the class `name`. A timeout belongs only to `timeout`: a client that
/// waits for more has not found the fault.
pub(super) fn is_named(error: &Error, name: &str) -> bool {
    let is = |kind, phases: &[Phase]| error.kind() == kind && phases.contains(&error.phase());
    let says = |text: &str| error.to_string().contains(text);
    match name {
        "timeout" => error.is_timeout(),

        "invalid-status-line"
        | "invalid-version"
        | "invalid-header"
        | "invalid-line-end"
        | "invalid-interim"
        | "invalid-content-length"
        | "invalid-transfer-encoding"
        | "unsupported-transfer-encoding"
        | "transfer-encoding-on-1.0"
        | "transfer-encoding-and-content-length"
        | "unexpected-101"
        | "framing" => is(Kind::Protocol, &[Phase::Head]),
        "invalid-chunk" | "invalid-trailer" => is(Kind::Protocol, &[Phase::Body]),
        "incomplete-head" => is(Kind::Truncated, &[Phase::Head]),
        "incomplete-body" => is(Kind::Truncated, &[Phase::Body]),
        "too-many-interim" => is(Kind::Limit, &[Phase::Head]),
        // The server may send at any time until the request is sent.
        "unsolicited-data" => is(Kind::Protocol, &[Phase::Send, Phase::Head]),
        // The loss of a connection may be noticed while the request is sent, or afterwards.
        "empty-reply" | "connection-closed" | "connection-reset" => {
            is(Kind::Io, &[Phase::Send, Phase::Head])
        }

        "too-many-redirects" => is(Kind::Redirect, &[Phase::Redirect]) && says("redirects"),
        "invalid-location"
        | "unsupported-scheme"
        | "userinfo-in-location"
        | "ambiguous-location" => is(Kind::Redirect, &[Phase::Redirect]),

        "invalid-header-name"
        | "invalid-header-value"
        | "invalid-method"
        | "invalid-url"
        | "method-not-allowed"
        | "content-length-mismatch"
        | "framing-conflict"
        | "duplicate-host"
        | "duplicate-content-length" => is(Kind::Builder, &[Phase::Build]),
        "body-too-short" | "body-error" => is(Kind::Body, &[Phase::Send]),

        // No URL can contain such a host, so no lookup takes place.
        "host-too-long" if is(Kind::Builder, &[Phase::Build]) => true,
        "host-too-long" if is(Kind::Resolve, &[Phase::Resolve]) => true,
        "proxy-auth"
        | "proxy-protocol"
        | "proxy-refused"
        | "host-too-long"
        | "credentials-too-long" => is(Kind::Proxy, &[Phase::Proxy]),
        "decode" => error.is_decode(),
        // The client's ratio or the caller's own limit, whichever is reached first.
        "body-too-large" => error.kind() == Kind::Limit,
        other => panic!("{other} is not known"),
    }
}
