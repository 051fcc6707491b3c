use std::time::Instant;

use super::*;
use crate::blocking::Blocking;
use crate::config::dns::{Resolver, from_fn};
use crate::driver::runtime::run;
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
    let endpoint = endpoint(url);
    let blocking = Blocking::default();
    run(|| resolve(&blocking, &endpoint, dialling, budget))
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
    let dialling =
        Dialling { resolver: Resolver(Arc::new(from_fn(resolver))), ..Dialling::default() };
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
