//! Looking up the addresses of a host, with an end to the wait.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::socket::SocketError;
use crate::config::Config;
use crate::policy::budget::{Budget, Operation};
use crate::policy::route::literal;

/// The addresses of a host, at least one.
pub(crate) fn addresses(
    (host, port): (&str, u16),
    config: &Config,
    budget: &Budget,
) -> Result<Vec<SocketAddr>, SocketError> {
    if let Some(addresses) = config.addresses.get(host) {
        return Ok(addresses.iter().map(|address| with_port(*address, port)).collect());
    }
    if let Some(ip) = literal(host) {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let wait = budget.wait(Operation::Connect, Instant::now)?;
    let found = match wait.at_most {
        None => system_lookup(host, port)?,
        Some(limit) => match lookup_within(limit, host, port) {
            Some(found) => found?,
            None => return Err(wait.expired.into()),
        },
    };
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
    }
    Ok(found)
}

/// The system's lookup cannot be called off: it runs in a thread of its own, which ends when the
/// system answers, whether anyone still waits or not.
fn lookup_within(limit: Duration, host: &str, port: u16) -> Option<io::Result<Vec<SocketAddr>>> {
    let (answer, answers) = mpsc::sync_channel(1);
    let host = host.to_owned();
    let lookup = move || drop(answer.send(system_lookup(&host, port)));
    if let Err(error) = thread::Builder::new().name("leanhttp lookup".into()).spawn(lookup) {
        return Some(Err(error));
    }
    match answers.recv_timeout(limit) {
        Ok(found) => Some(found),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => {
            Some(Err(io::Error::other("the lookup ended without an answer")))
        }
    }
}

fn system_lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

fn with_port(address: SocketAddr, port: u16) -> SocketAddr {
    match address.port() {
        0 => SocketAddr::new(address.ip(), port),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::budget::Timeouts;
    use crate::url::Url;

    fn find(url: &str, config: &Config) -> Result<Vec<SocketAddr>, SocketError> {
        let url = Url::parse(url).unwrap();
        let stop = (url.host_str().unwrap(), url.port_or_known_default().unwrap());
        let budget = Budget::start(Timeouts::default(), Instant::now());
        addresses(stop, config, &budget)
    }

    #[test]
    fn literals_and_overrides_are_not_looked_up() {
        let mut config = Config::default();
        config.addresses.insert("a.invalid".into(), vec!["10.0.0.1:0".parse().unwrap()]);
        config.addresses.insert("b.invalid".into(), vec!["10.0.0.2:81".parse().unwrap()]);
        let cases = [
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("https://[::1]/", "[::1]:443"),
            ("http://A.invalid/", "10.0.0.1:80"),
            ("http://b.invalid:9/", "10.0.0.2:81"),
        ];
        for (url, expected) in cases {
            assert_eq!(find(url, &config).unwrap(), [expected.parse().unwrap()], "{url}");
        }
    }

    #[test]
    fn a_lookup_ends_in_time() {
        let timeouts = Timeouts { connect: Some(Duration::ZERO), ..Timeouts::default() };
        let mut budget = Budget::start(timeouts, Instant::now());
        budget.start_connecting(Instant::now());
        let outcome = addresses(("localhost", 80), &Config::default(), &budget);
        assert!(matches!(outcome, Err(SocketError::Expired(_))));
    }

    #[test]
    fn names_are_looked_up() {
        let found = find("http://localhost:81/", &Config::default()).unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 81));
    }
}
