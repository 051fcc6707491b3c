//! The async front against the servers that most Rust services are made of: hyper and axum. They
//! take a while to build, so they have this target to themselves.
#![cfg(all(feature = "tokio", feature = "json", feature = "multipart", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod tokio_servers {
    mod axum;
    mod hyper;
}
