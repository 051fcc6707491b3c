//! The lines of the feature `log` on the async front: the tests of the blocking one, from the same source, and what
//! only this one can get wrong.
#![cfg(all(
    feature = "tokio",
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart",
    feature = "log"
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::duplicate_mod, reason = "the support of both")]

extern crate leanhttp as real;
extern crate self as leanhttp;

#[path = "tokio/blocking.rs"]
pub mod blocking;
#[path = "tokio/front.rs"]
pub mod front;
mod support;

pub use self::blocking::{Body, Client, ClientBuilder, Request, RequestBuilder, Response, get};
pub use real::*;

/// As the real module, with the forms of the front.
pub mod multipart {
    pub use crate::blocking::multipart::{Form, Part};
}

#[path = "."]
mod both {
    #[path = "log.rs"]
    mod log;
}
