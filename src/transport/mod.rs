//! The layers between an exchange and its socket: TLS, and the handshake with a proxy. They are
//! state machines on bytes and perform no I/O, so the same code runs in a client, in the simulation
//! and in a fuzz target.
//!
//! ```text
//!  Exchange      request and response (http1)
//!     │
//!  Tls           to the origin
//!     │
//!  Tunnel        CONNECT or SOCKS through a proxy
//!     │
//!  Tls           to the proxy
//!     │
//!  socket        (driver)
//! ```
//!
//! Each layer may be absent. The route decides which exist (`driver/connect.rs` builds the stack):
//!
//! | route | layers, from the exchange down |
//! | --- | --- |
//! | direct, http | none: the driver moves bytes between the exchange and the socket |
//! | direct, https | TLS to the origin |
//! | forwarded by an HTTP proxy | none, or TLS to the proxy; the request has the absolute form |
//! | https through an HTTP proxy | TLS to the origin, CONNECT, and perhaps TLS to the proxy |
//! | through SOCKS | TLS to the origin if the URL is https, SOCKS |
//!
//! # Order to read
//!
//! 1. [`pipe`]: the stack of these layers, through which the driver moves bytes.
//! 2. [`tunnel`]: the interface of a handshake with a proxy, and its errors; [`socks`] and
//!    [`connect`] implement it. `connect` is an [`Exchange`](crate::http1::exchange::Exchange) of
//!    its own, so the limits and the strictness of HTTP/1.1 hold for the proxy's answer too.
//! 3. [`tls`]: one TLS connection, over `unbuffered`, which owns the one buffer that rustls works
//!    on.
//! 4. `tls_verifier`: verifiers of certificates, for settings that rustls' own verifier has not.
//!    `tls_info` and `tls_version` are the small public types of a handshake's result.
//!
//! # The interface of a layer
//!
//! Each layer has two sides. Down, it has `output` (bytes to write), `wrote`, `read_space` and
//! `read`; up, it takes plaintext and gives plaintext. The names are those of the exchange, so that
//! the pipe can hand the driver the lowest layer that exists without a conversion. A layer is asked
//! "how far can you go?" and answers with progress or a need; it is never called back.
//!
//! # What must always hold
//!
//! - The same bytes mean the same, however they are split into reads: the split tests of this
//!   folder (`every_split_of_a_handshake_is_the_same_handshake`, `n03_answers_at_every_split`,
//!   `any_answer_has_the_same_outcome_at_every_split`), and the fuzz targets of TLS and of proxies.
//! - Plaintext that arrived before an error is delivered before the error
//!   (`plaintext_before_a_failure_is_delivered`).
//! - The end of the socket proves nothing under TLS (`tests/hostile_framing.rs`,
//!   `h21_tls_without_close_notify_is_a_truncation`; through a tunnel `tests/proxy.rs`,
//!   `the_end_of_the_tunnel_truncates_the_body`).
//! - Bytes that a proxy sends after its answer belong to the origin, whole and in order
//!   (`n04_answers_are_consumed_exactly_at_every_split`), and are not taken for TLS of the origin
//!   without the checks of TLS (`tests/proxy.rs`, `n03_bytes_behind_a_2xx_are_not_read_as_tls`).
//! - A peer cannot make a layer keep more memory than the table in [`tls`] says
//!   (`tests/hostile_size.rs`, `c10_*`; `tests/hostile_tls.rs`, `s04_*`).
//! - Neither `Debug` nor an error shows a login: `Socks` and `Connect` print no messages.

#[cfg(feature = "tls")]
pub(crate) mod tls_version;

pub(crate) mod connect;
#[cfg(all(test, feature = "ring"))]
#[path = "../../tests/support/constant.rs"]
#[allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "a test module, which may panic"
)]
pub(crate) mod constant;
pub(crate) mod pipe;
pub(crate) mod socks;
#[cfg(feature = "tls")]
pub(crate) mod tls;
#[cfg(not(feature = "tls"))]
pub(crate) use crate::off::tls;
#[cfg(feature = "tls")]
pub(crate) mod tls_info;
#[cfg(feature = "tls")]
pub(crate) mod tls_verifier;
pub(crate) mod tunnel;
#[cfg(feature = "tls")]
mod unbuffered;
