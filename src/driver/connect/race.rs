//! Connecting to the first of several addresses that answers (Happy Eyeballs, RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::driver::system::Failures;
use crate::policy::deadline::budget::{Budget, Expired, Operation};
use crate::policy::happy_eyeballs::{Move, Race};

/// Attempts to connect that go on at the same time, as a system makes them. Dropping them closes
/// them.
pub(crate) trait Attempts {
    type Connection;

    /// Begins one more.
    fn start(&mut self, address: SocketAddr) -> io::Result<()>;

    /// One that has ended, or none in that time.
    fn first(
        &mut self,
        at_most: Option<Duration>,
    ) -> impl Future<Output = Option<(SocketAddr, io::Result<Self::Connection>)>> + Send;

    /// Those that have not.
    fn running(&self) -> impl Iterator<Item = SocketAddr>;
}

/// The connection that is made first; the other attempts are closed.
pub(crate) async fn connect<A: Attempts>(
    addresses: Vec<SocketAddr>,
    mut attempts: A,
    budget: &Budget,
    now: fn() -> Instant,
) -> Result<(A::Connection, SocketAddr), Failures> {
    let mut race = Race::new(&addresses);
    let mut failures = Failures::new();
    loop {
        let left = || budget.wait(Operation::Connect, now).ok().and_then(|wait| wait.at_most);
        let ended = match race.step(now(), left) {
            Move::Start(address) => {
                attempts.start(address).err().map(|error| (address, Err(error)))
            }
            Move::Lost => return Err(failures),
            Move::Wait(limit) => match budget.wait(Operation::Connect, now) {
                Ok(wait) => attempts.first(limit.into_iter().chain(wait.at_most).min()).await,
                Err(expired) => return too_late(attempts, expired, failures).await,
            },
        };
        match ended {
            Some((address, Ok(connection))) => return Ok((connection, address)),
            Some((address, Err(error))) => {
                failures.push((address, error.into()));
                race.failed(now());
            }
            None => {}
        }
    }
}

/// The time is over. What has ended by now is looked at once more, where the limit was the peers': a
/// thread that was busy finds out late who was in time.
async fn too_late<A: Attempts>(
    mut attempts: A,
    expired: Expired,
    mut failures: Failures,
) -> Result<(A::Connection, SocketAddr), Failures> {
    while expired.is_of_peer() {
        match attempts.first(Some(Duration::ZERO)).await {
            Some((address, Ok(connection))) => return Ok((connection, address)),
            Some((address, Err(error))) => failures.push((address, error.into())),
            None => break,
        }
    }
    failures.extend(attempts.running().map(|address| (address, expired.into())));
    Err(failures)
}
