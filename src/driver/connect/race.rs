//! Connecting to the first of several addresses that answers (Happy Eyeballs, RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::driver::system::Failures;
use crate::policy::deadline::{Budget, Expired, Operation};
use crate::policy::happy_eyeballs::{Move, Race};

/// The concurrent connection attempts of a runtime. Dropping them closes them.
pub(crate) trait Attempts {
    type Connection;

    /// Begins an attempt.
    fn start(&mut self, address: SocketAddr) -> io::Result<()>;

    /// Returns an attempt that has ended, or `None` if none ends in that time.
    fn first(
        &mut self,
        at_most: Option<Duration>,
    ) -> impl Future<Output = Option<(SocketAddr, io::Result<Self::Connection>)>> + Send;

    /// Returns the addresses of the attempts that have not ended.
    fn running(&self) -> impl Iterator<Item = SocketAddr>;
}

/// Returns the first connection that succeeds; the other attempts are closed.
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

/// Ends the race when the time is over. If the limit is one for the peer, attempts that have ended
/// are still accepted: a busy thread may notice their success late.
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
