//! The async client against the servers of most Rust services: hyper and axum. They take a while to
//! build, so they have a test target of their own.
#![cfg(all(feature = "tokio", feature = "json", feature = "multipart", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod tokio_servers {
    mod axum;
    mod hyper;
}
