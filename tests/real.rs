//! Real servers, proxies and networks: what others have written, and what the kernel does.
//!
//! `.ci/servers start` starts the servers and prints the environment that names them; the tests of
//! [`network`](real/network.rs) run inside of what `.ci/netlab up` makes. A test whose servers are
//! not named says that nothing ran, and passes; with `LEANHTTP_INTEROP=required` it fails.
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
