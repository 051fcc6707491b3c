//! Conformance vectors: tables of inputs and expected results for any implementation, kept outside
//! of this repository.
//!
//! They are read from the folder that the environment variable `LEANHTTP_VECTORS` names. Without it
//! every test here reports that it ran nothing, and passes. With it, `cargo test --test conformance --
//! --nocapture` prints the counts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken set of vectors may stop a test by any means"
)]

#[cfg(all(feature = "blocking", feature = "cookies", feature = "tls"))]
#[path = "support/mod.rs"]
mod support_servers;

mod conformance {
    #[cfg(feature = "blocking")]
    mod basic;
    #[cfg(all(feature = "blocking", feature = "gzip", feature = "deflate"))]
    mod codings;
    #[cfg(feature = "cookies")]
    mod cookies;
    #[cfg(feature = "blocking")]
    mod errors;
    mod form;
    #[cfg(all(feature = "blocking", feature = "multipart"))]
    mod multipart;
    #[cfg(feature = "blocking")]
    mod peer;
    #[cfg(all(feature = "blocking", feature = "cookies", feature = "tls"))]
    mod proxies;
    #[cfg(all(feature = "blocking", feature = "cookies", feature = "tls"))]
    mod redirects;
    #[cfg(all(feature = "blocking", feature = "cookies", feature = "tls"))]
    mod request_building;
    #[cfg(feature = "blocking")]
    mod responses;
    #[cfg(feature = "blocking")]
    mod sequences;
    #[cfg(feature = "blocking")]
    mod socks;
    mod support;
    mod text;
    mod url;
}
