//! Tests without a server: answers of a function, expectations, and a network in memory with faults and a clock of
//! its own. [The guide](crate::guide::testing) begins with a test of ten lines.
//!
//! | | |
//! | --- | --- |
//! | [`answer_with`](crate::ClientBuilder::answer_with) | a function answers every request |
//! | [`Mock`] | expected requests, their answers, and what differs if another one comes |
//! | [`MemoryNetwork`] | servers, names, faults of hosts, the clock |
//! | [`Reply`] | the answer to a request, with its faults |

// For maintainers. In the order of a request in a test:
//
// ```text
// ClientBuilder::answer_with, mock, network   install.rs     put the client's runtime on a network
//   Testable                                  testable.rs    the runtime: system, or memory
//     memory/                                                sockets and waiting over any simulated world
//     waiting.rs                                             who moves the clock while calls wait
//     MemoryNetwork                           network.rs     the world of a user's tests: names, lines, agenda
//       ReceivedRequest                       request.rs     what a server has received
//       Mock                                  mock.rs        the table of expectations; `expectation.rs`: in what one differs
//       Reply                                 reply.rs       what it sends, step by step
// ```
//
// The hook is in place of the socket, so that everything above runs as over the wire: pool, redirects, retries,
// cookies, credentials, deadlines, codings. `memory/` is also the runtime of the crate's own simulation
// (`tests/simulation/`), whose world is another one. `harness/` is for the crate's own tests: entry points for
// fuzzers and conformance vectors.

#[cfg(feature = "testing")]
mod expectation;
#[cfg(any(fuzzing, test))]
pub(crate) mod harness;
#[cfg(feature = "testing")]
mod install;
#[cfg(any(
    feature = "testing",
    all(test, feature = "cookies", feature = "gzip", feature = "ring")
))]
pub(crate) mod memory;
#[cfg(feature = "testing")]
mod mock;
#[cfg(feature = "testing")]
mod network;
#[cfg(feature = "testing")]
mod reply;
#[cfg(feature = "testing")]
mod request;
#[cfg(feature = "testing")]
mod testable;
#[cfg(feature = "testing")]
mod waiting;

#[cfg(feature = "testing")]
pub use self::{
    mock::{Expect, Mock},
    network::{HostFault, MemoryNetwork, NetworkClock},
    reply::{Reply, in_turn},
    request::ReceivedRequest,
    testable::Testable,
};
