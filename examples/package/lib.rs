//! The local servers of `recipe`, and of the test that runs the examples: those of the tests of leanhttp.
#![cfg(feature = "client")]

// The name under which its modules find each other.
#[path = "../../tests/support/mod.rs"]
mod support;

pub use support::httpbin::Httpbin;
pub use support::pki::{Clients, Leaf, Pki};
pub use support::proxy::Proxy;
pub use support::relay::Relay;
