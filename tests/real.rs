//! Real servers, proxies and networks: software of other projects, and the kernel's network stack.
//!
//! `.ci/servers start` starts the servers and prints environment variables with their addresses;
//! the tests of [`network`](real/network.rs) run inside of what `.ci/netlab up` creates. A test
//! whose servers are not specified reports that nothing ran, and passes; with
//! `LEANHTTP_INTEROP=required` it fails.
#![cfg(all(feature = "blocking", feature = "tls"))]
// These lints spare only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod real {
    mod certificates;
    mod haproxy;
    mod network;
    mod nginx;
    mod proxies;
    mod servers;
    mod socks;
}
