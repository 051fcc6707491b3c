//! The tests of the blocking client, from the same source, on the runtime of this package; and what only a
//! runtime of one's own can get wrong.
//!
//! For the modules below, `leanhttp` is this crate: the real one, but with a `blocking` that is the async client,
//! driven to its end by each call.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(unexpected_cfgs, reason = "the features of leanhttp that this package has no use for")]
#![allow(
    clippy::duplicate_mod,
    clippy::module_inception,
    reason = "each of these files is a crate of its own elsewhere"
)]

extern crate leanhttp as real;
extern crate self as leanhttp;

#[path = "../../../../tests/tokio/blocking.rs"]
pub mod blocking;
mod dropped;
pub mod front;
mod program;
#[path = "../../../../tests/support/mod.rs"]
mod support;

pub use self::blocking::{Body, Client, ClientBuilder, Request, RequestBuilder, Response, get};
pub use real::*;

/// As the real module, with the forms of the front.
pub mod multipart {
    pub use crate::blocking::multipart::{Form, Part};
}

/// Each of these files is a crate of its own elsewhere.
#[path = "../../../../tests"]
mod both {
    #[path = "bad_responses.rs"]
    mod bad_responses;
    #[path = "callbacks.rs"]
    mod callbacks;
    #[path = "cancel.rs"]
    mod cancel;
    #[path = "credentials.rs"]
    mod credentials;
    #[path = "deadlines.rs"]
    mod deadlines;
    #[path = "dialling.rs"]
    mod dialling;
    #[path = "duplex.rs"]
    mod duplex;
    #[path = "dying_connections.rs"]
    mod dying_connections;
    #[path = "ends.rs"]
    mod ends;
    #[path = "expect.rs"]
    mod expect;
    #[path = "framing.rs"]
    mod framing;
    #[path = "hostile_connections.rs"]
    mod hostile_connections;
    #[path = "hostile_cookies.rs"]
    mod hostile_cookies;
    #[path = "hostile_credentials.rs"]
    mod hostile_credentials;
    #[path = "hostile_framing.rs"]
    mod hostile_framing;
    #[path = "hostile_input.rs"]
    mod hostile_input;
    #[path = "hostile_redirects.rs"]
    mod hostile_redirects;
    #[path = "hostile_size.rs"]
    mod hostile_size;
    #[path = "hostile_time.rs"]
    mod hostile_time;
    #[path = "hostile_tls.rs"]
    mod hostile_tls;
    #[path = "keep_alive.rs"]
    mod keep_alive;
    #[path = "pool.rs"]
    mod pool;
    #[path = "pool_limits.rs"]
    mod pool_limits;
    #[path = "proxy.rs"]
    mod proxy;
    #[path = "recipe.rs"]
    mod recipe;
    #[path = "redirects.rs"]
    mod redirects;
    #[path = "retries.rs"]
    mod retries;
    #[path = "socks.rs"]
    mod socks;
    #[path = "stale.rs"]
    mod stale;
    #[path = "streams.rs"]
    mod streams;
    #[path = "timings.rs"]
    mod timings;
    #[path = "tls.rs"]
    mod tls;
    #[path = "upgrade.rs"]
    mod upgrade;
    #[path = "upload_progress.rs"]
    mod upload_progress;
    #[path = "wire.rs"]
    mod wire;
}
