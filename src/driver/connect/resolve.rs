//! Looks up the addresses of a host within the time limit.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::{Dialling, Endpoint};
use crate::driver::SocketError;
use crate::driver::system::{Oneshot, System};
use crate::policy::deadline::{Budget, Operation};
use crate::policy::route::literal;

/// Returns the addresses of a host that the client can use, in the resolver's order, with the port
/// to connect to.
pub(crate) async fn addresses<S: System>(
    system: &S,
    endpoint: &Endpoint,
    dialling: &Dialling,
    budget: &Budget,
) -> Result<Vec<SocketAddr>, SocketError> {
    let mut found = find(system, &endpoint.host, dialling, budget).await?;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
    }
    found.retain(|address| dialling.suits(address));
    if found.is_empty() {
        let detail = "the name has no address of the requested IP family";
        return Err(io::Error::new(io::ErrorKind::NotFound, detail).into());
    }
    Ok(found.into_iter().map(|address| with_port(address, endpoint.port)).collect())
}

async fn find<S: System>(
    system: &S,
    host: &str,
    dialling: &Dialling,
    budget: &Budget,
) -> Result<Vec<SocketAddr>, SocketError> {
    if let Some(addresses) = dialling.addresses_of(host) {
        return Ok(addresses.to_vec());
    }
    if let Some(ip) = literal(host) {
        return Ok(vec![SocketAddr::new(ip, 0)]);
    }
    let wait = budget.wait(Operation::Resolve, || system.now())?;
    let desk = Arc::new(Oneshot::default());
    system.look_up(host.to_owned(), dialling.resolver.clone(), Arc::clone(&desk));
    match desk.wait(wait.at_most, budget).await {
        Some(found) => Ok(found?),
        None => Err(budget.over(wait.expired).into()),
    }
}

fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    if address.port() == 0 {
        address.set_port(port); // a link-local address keeps its scope id
    }
    address
}

#[cfg(test)]
#[cfg(feature = "blocking")]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::blocking::Blocking;
    use crate::config::Resolver;
    use crate::driver::poll_once::run;
    use crate::driver::runtime::Runtime;
    use crate::policy::deadline::Timeouts;
    use crate::url::Url;

    fn find(url: &str, dialling: &Dialling) -> Result<Vec<SocketAddr>, SocketError> {
        look_up(url, dialling, &Budget::start(Timeouts::default(), Instant::now()))
    }

    fn look_up(
        url: &str,
        dialling: &Dialling,
        budget: &Budget,
    ) -> Result<Vec<SocketAddr>, SocketError> {
        let system = <Blocking as Runtime>::System::default();
        let endpoint = endpoint(url);
        run(|| addresses(&system, &endpoint, dialling, budget))
    }

    fn endpoint(url: &str) -> Endpoint {
        let url = Url::parse(url).unwrap();
        let port = url.port_or_known_default().unwrap();
        Endpoint { host: url.host_str().unwrap().to_owned(), port }
    }

    #[test]
    fn literals_and_overrides_are_not_looked_up() {
        let mut dialling = Dialling::default();
        let mut resolve = |host: &str, address: &str| {
            dialling.addresses.push((host.to_owned(), vec![address.parse().unwrap()]));
        };
        resolve("b.invalid", "10.0.0.3:0");
        resolve("a.invalid", "10.0.0.1:0");
        resolve("b.invalid", "10.0.0.2:81"); // replaces the first one
        let cases = [
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("https://[::1]/", "[::1]:443"),
            ("http://A.invalid/", "10.0.0.1:80"),
            ("http://b.invalid:9/", "10.0.0.2:81"),
        ];
        for (url, expected) in cases {
            assert_eq!(find(url, &dialling).unwrap(), [expected.parse().unwrap()], "{url}");
        }
    }

    /// RFC 4007 §6: a link-local address is ambiguous without its zone.
    #[test]
    fn the_scope_id_of_an_address_is_kept() {
        let resolver: fn(&str) -> io::Result<Vec<SocketAddr>> =
            |_| Ok(vec!["[fe80::1%7]:0".parse().unwrap(), "[fe80::2%7]:81".parse().unwrap()]);
        let dialling = Dialling { resolver: Resolver(Arc::new(resolver)), ..Dialling::default() };
        let found = find("http://h.test:8080/", &dialling).unwrap();
        let shown: Vec<_> = found.iter().map(SocketAddr::to_string).collect();
        assert_eq!(shown, ["[fe80::1%7]:8080", "[fe80::2%7]:81"]);
    }

    #[test]
    fn a_lookup_ends_in_time() {
        let timeouts = Timeouts { connect: Some(Duration::ZERO), ..Timeouts::default() };
        let mut budget = Budget::start(timeouts, Instant::now());
        budget.start_connecting(Instant::now());
        let outcome = look_up("http://localhost/", &Dialling::default(), &budget);
        assert!(matches!(outcome, Err(SocketError::Expired(_))));
    }

    #[test]
    fn names_are_looked_up() {
        let found = find("http://localhost:81/", &Dialling::default()).unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 81));
    }
}
