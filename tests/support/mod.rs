//! Peers for the tests and the examples, on std threads over loopback.
//!
//! Nothing here shares code with the client: what the client writes is read by an independent and
//! strict parser, so every test that uses a peer also checks the client's wire format.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`httpbin`] | a whole server that answers like httpbin, plain and over TLS |
//! | [`endless`] | a peer that does not stop sending |
//! | [`late`] | a TLS server that goes on speaking after its response |
//! | [`script`] | a peer that expects these bytes and answers those, and faults of all kinds |
//! | [`net`] | addresses that refuse, stay silent or never accept |
//! | [`pki`] | certificates made at start, good ones and ones to refuse |
//! | [`proxy`] | makes tunnels, by `CONNECT` and by SOCKS |
//! | [`relay`] | counts the connections to any server |
//! | [`sealed`] | records of TLS made by hand |
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
pub mod stream;
pub mod trusting;
