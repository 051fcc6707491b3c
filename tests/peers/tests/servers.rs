//! The async client against the servers of most Rust services: hyper and axum. Each framing in both
//! directions, and the extractors.
#![cfg(all(feature = "tokio", feature = "json", feature = "multipart", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod servers {
    mod axum;
    mod hyper;
}
