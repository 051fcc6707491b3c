//! The tests of the blocking API in this package, on the async one, from the same source.
//!
//! For the modules below, `leanhttp` is this crate: the real one, but with a `blocking` that is the
//! async API, driven to its end by each call.
#![cfg(all(
    feature = "tokio",
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart"
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(
    clippy::duplicate_mod,
    clippy::module_inception,
    reason = "each of these files is a crate of its own elsewhere"
)]

extern crate leanhttp as real;
extern crate self as leanhttp;

#[path = "../../tokio/blocking.rs"]
pub mod blocking;
#[path = "../../tokio/front.rs"]
pub mod front;

pub use real::*;

/// As the real module, with the forms of the async API.
pub mod multipart {
    pub use crate::blocking::multipart::{Form, Part};
}

/// Each of these files is a crate of its own elsewhere.
#[path = "."]
mod both {
    #[path = "websocket.rs"]
    mod websocket;
}
