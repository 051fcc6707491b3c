//! Checks a connection out: an idle one, a permit to open one, or a place in the queue.

use std::sync::Arc;
use std::time::Duration;

use super::connect;
use super::connection::{Connection, close};
use super::permit::{Grant, Grants, Permit, Waiter};
use super::shared::{Connections, Shared};
use super::system::System;
use crate::base::timings::Lap;
use crate::body::Source;
use crate::call::Call;
use crate::call::log;
use crate::driver::runtime::Runtime;
use crate::error::{Error, Phase, Result};
use crate::http1::close::CloseReason;
use crate::policy::deadline::{Expired, Operation};
use crate::policy::route::Route;
use crate::pool::Closed;
use crate::pool::permits::{Availability, Left, Permits, Ticket};

enum Checkout<F: Runtime> {
    Idle(Box<Connection<F>>),
    Permit(Permit<F>),
    Queued(QueuedCall<F>),
}

/// A place in the queue. Dropping it leaves the queue.
struct QueuedCall<F: Runtime> {
    shared: Arc<Shared<F>>,
    route: Route,
    ticket: Ticket,
    grants: Arc<Grants<F>>,
}

/// Returns a connection to the call's current URL: the live idle one that was used last, or a new
/// one.
pub(super) async fn connection<F: Runtime>(
    shared: &Arc<Shared<F>>,
    call: &mut Call<'_, F::Source>,
) -> Result<Box<Connection<F>>> {
    connect::check_url(call)?;
    loop {
        // A call that is over must not use up an idle connection.
        let in_time = call.budget.check_time(|| shared.system.now());
        in_time.map_err(|expired| queue_error(call, expired))?;
        let permit = match check_out(shared, call) {
            Checkout::Idle(connection) => match check_alive(connection, call).await {
                Ok(connection) => return Ok(connection),
                Err(dead) => {
                    learn(shared, &dead);
                    dead.close(CloseReason::NotAlive);
                    continue;
                }
            },
            Checkout::Permit(permit) => Some(permit),
            Checkout::Queued(queued) => match queued.wait(call).await? {
                Grant::Permit(permit) => Some(permit),
                Grant::Connection(mut connection) => {
                    connection.wake(&mut shared.idle().shelf, || Duration::ZERO);
                    match check_alive(connection, call).await {
                        Ok(connection) => return Ok(connection),
                        Err(dead) => {
                            learn(shared, &dead);
                            dead.into_permit() // the next connection reuses the permit
                        }
                    }
                }
            },
        };
        if let Some(permit) = permit {
            return connect::open(&shared.system, call, permit).await;
        }
    }
}

/// Handles a connection that was dead on reuse: if its peer closes each connection right after its
/// response, the route is not pooled for a while.
pub(super) fn learn<F: Runtime>(shared: &Shared<F>, dead: &Connection<F>) {
    if dead.was_closed_early() {
        shared.idle().pool.closed_early(&dead.route, shared.system.now());
    }
}

/// Returns the idle connection, or `Err` with it if it is dead.
async fn check_alive<F: Runtime>(
    mut connection: Box<Connection<F>>,
    call: &mut Call<'_, F::Source>,
) -> Result<Box<Connection<F>>, Box<Connection<F>>> {
    let looked_at = &mut *connection;
    if !looked_at.is_alive(&mut call.budget).await {
        return Err(connection);
    }
    log::reused(&looked_at.route);
    Ok(connection)
}

fn check_out<F: Runtime>(shared: &Arc<Shared<F>>, call: &Call<'_, F::Source>) -> Checkout<F> {
    let now = call.budget.recent(|| shared.system.now());
    let mut idle = shared.idle();
    let mut closed = idle.pool.expire(now);
    let turn = loop {
        let taken = idle.pool.take(call.url(), call.proxy(), call.identity());
        let may_be_child = match &taken {
            Some((_, since)) => since.checked_add(SHORTEST_FORK).is_none_or(|fork| fork <= now),
            None => shared.config.pool.max_open_per_host.is_some(), // permits may be the parent's
        };
        if may_be_child && idle.process != shared.system.process() {
            let of_parent = begin_anew(&mut idle, shared);
            drop(idle);
            drop((taken, of_parent)); // outside the lock of the pool
            idle = shared.idle();
            continue;
        }
        match taken {
            // Another connection was stale, so this one may be. A response that was being read
            // during a fork is read by both processes.
            Some((connection, _)) if call.is_resent() || !connection.is_of(idle.process) => {
                closed.push(Closed { connection, reason: CloseReason::Suspect });
            }
            Some((mut connection, since)) => {
                connection.wake(&mut idle.shelf, || now.saturating_duration_since(since));
                break Checkout::Idle(connection);
            }
            None => break place(&mut idle, shared, call.route()),
        }
    };
    drop(idle);
    if !closed.is_empty() {
        close(closed); // outside the lock of the pool
    }
    turn
}

/// Shorter than any fork, which copies the page tables. The process id costs a system call, so it
/// is not read for a connection that became idle less than this ago: a program that sends one
/// request after another pays nothing, and any other program has spent more time already.
const SHORTEST_FORK: Duration = Duration::from_micros(10);

/// Clears the pool in a child of `fork`: the connections, permits and waiters belong to the parent.
/// If both processes wrote on one connection, each would get the other's responses.
#[cold]
fn begin_anew<F: Runtime>(
    idle: &mut Connections<F>,
    shared: &Shared<F>,
) -> (Vec<Box<Connection<F>>>, Permits<Waiter<F>>) {
    idle.process = shared.system.process();
    let permits = Permits::new(shared.config.pool.max_open_per_host);
    (idle.pool.clear(), std::mem::replace(&mut idle.permits, permits))
}

/// Returns a permit for a new connection, or a place in the queue.
fn place<F: Runtime>(
    idle: &mut Connections<F>,
    shared: &Arc<Shared<F>>,
    route: Route,
) -> Checkout<F> {
    match idle.permits.hold(&route) {
        Availability::Held => {
            let process = idle.process;
            Checkout::Permit(Permit::new(shared, route, process))
        }
        Availability::Full => {
            let grants = Arc::new(Grants::default());
            let ticket = idle.permits.wait(&route, Waiter(Arc::clone(&grants)));
            Checkout::Queued(QueuedCall { shared: Arc::clone(shared), route, ticket, grants })
        }
    }
}

impl<F: Runtime> QueuedCall<F> {
    /// Waits for a grant. The connect timeout does not run yet.
    async fn wait(self, call: &mut Call<'_, F::Source>) -> Result<Grant<F>> {
        let system = &self.shared.system;
        let expired = match call.budget.wait(Operation::Queue, || system.now()) {
            Err(expired) => expired,
            Ok(wait) => {
                let grant = self.grants.wait(wait.at_most, &call.budget).await;
                call.budget.lap(Lap::Queue, system.now());
                match grant {
                    Some(grant) => return Ok(grant),
                    None => call.budget.over(wait.expired),
                }
            }
        };
        // If the queue has granted already, the grant is being handed over: take it, so that it is
        // not lost.
        let grant = match self.leave() {
            Left::TooLate => self.grants.wait(None, &call.budget).await,
            Left::InTime => None,
        };
        grant.ok_or_else(|| queue_error(call, expired))
    }

    fn leave(&self) -> Left {
        self.shared.idle().permits.leave(&self.route, self.ticket)
    }
}

impl<F: Runtime> Drop for QueuedCall<F> {
    fn drop(&mut self) {
        self.leave();
    }
}

fn queue_error<B: Source>(call: &Call<'_, B>, expired: Expired) -> Error {
    Error::new(expired.kind(), Phase::Queue).peer(call.route().authority()).cause(expired)
}

#[cfg(test)]
#[cfg(feature = "blocking")]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use http::Method;

    use crate::driver::poll_once::run;
    use crate::driver::system::Pending;
    use crate::harness::fuzzing::call::{self, Client, Network, Patience};
    use crate::url::Url;

    /// Servers that answer with one byte, and a process that can become another one.
    #[derive(Default)]
    struct Forks {
        process: u32,
        /// The process that dialed each connection, and those that used it.
        dialled: Vec<(u32, Vec<u32>)>,
    }

    impl Network for Forks {
        fn dial(&mut self, _: (&str, u16)) -> Option<usize> {
            self.dialled.push((self.process, Vec::new()));
            Some(self.dialled.len() - 1)
        }

        fn begin(&mut self, connection: usize, _: &Method, _: &Url) {
            self.dialled[connection].1.push(self.process);
        }

        fn write(&mut self, _: usize, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn read(&mut self, _: usize, into: &mut [u8], _: Patience) -> io::Result<usize> {
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx";
            into[..response.len()].copy_from_slice(response);
            Ok(response.len())
        }

        fn pending(&self, _: usize) -> Pending {
            Pending::Nothing
        }

        fn keep(&mut self, _: usize) {}

        fn process(&self) -> u32 {
            self.process
        }
    }

    fn client(network: &Arc<Mutex<Forks>>) -> Client {
        let builder = Client::builder().pool_max_open_per_host(1);
        call::client(builder, network.clone()).unwrap()
    }

    fn fork(network: &Mutex<Forks>) {
        thread::sleep(Duration::from_millis(1)); // no fork is faster
        network.lock().unwrap().process += 1;
    }

    /// Runs requests with a fork between them; returns the use of each connection.
    fn used(network: &Mutex<Forks>) -> Vec<(u32, Vec<u32>)> {
        network.lock().unwrap().dialled.clone()
    }

    #[test]
    fn parent_and_child_share_no_idle_connection() {
        let network = Arc::<Mutex<Forks>>::default();
        let client = client(&network);
        let get = || {
            let request = client.get("http://a.test/").build().unwrap();
            run(|| client.send(request.parts)).unwrap()
        };
        drop(get());
        drop(get());
        assert_eq!(used(&network), [(0, vec![0, 0])]);
        fork(&network);
        drop(get());
        drop(get());
        assert_eq!(used(&network), [(0, vec![0, 0]), (1, vec![1, 1])]);
        assert_eq!((client.pool_stats().idle, client.pool_stats().open), (1, 1));
    }

    /// Connections in use in the parent hold no permit in the child either.
    #[test]
    fn permits_of_the_parent_are_not_the_childs() {
        let network = Arc::<Mutex<Forks>>::default();
        let client = client(&network);
        let get = || {
            let request = client.get("http://a.test/").build().unwrap();
            run(|| client.send(request.parts)).unwrap()
        };
        let parents = get();
        fork(&network);
        drop(get());
        drop(parents); // closes its connection, which must not free a permit of the child
        assert_eq!(client.pool_stats().open, 1);
        drop(get());
        assert_eq!(used(&network), [(0, vec![0]), (1, vec![1, 1])]);
    }
}
