//! Peers for the tests and the examples, on std threads over loopback.
//!
//! Nothing here shares code with the client: an independent and strict parser reads the client's
//! requests, so every test with a peer also checks the client's wire format.
//!
//! | module | purpose |
//! | --- | --- |
//! | [`httpbin`] | a whole server that responds like httpbin, plain and over TLS |
//! | [`endless`] | a peer that sends without end |
//! | [`late`] | a TLS server that sends more after its response |
//! | [`script`] | a peer with a script of expected and sent bytes, and faults of all kinds |
//! | [`net`] | addresses that refuse, stay silent or never accept |
//! | [`pki`] | certificates made at start, valid and invalid ones |
//! | [`proxy`] | proxies with tunnels, by `CONNECT` and by SOCKS |
//! | [`relay`] | counts the connections to any server |
//! | [`sealed`] | TLS records made by hand |
//! | [`spans`] | a subscriber of `tracing` that remembers |
//! | [`stream`] | the server's side of a connection, for peers that a test plays itself |
//! | [`trusting`] | a TLS client that trusts any server |
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod endless;
pub mod httpbin;
pub mod late;
pub mod net;
pub mod pki;
pub mod proxy;
pub mod relay;
pub mod script;
pub mod sealed;
#[cfg(feature = "tracing")]
pub mod spans;
pub mod stream;
pub mod trusting;
