//! The addresses of the servers, and clients that trust them.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use leanhttp::error::{Kind, Phase};
use leanhttp::{Certificate, Client, ClientBuilder, Error};
use serde_json::Value;

/// The values of `LEANHTTP_…`; none if one is missing.
pub(crate) fn named<const N: usize>(names: [&str; N]) -> Option<[String; N]> {
    let variables = names.map(|name| format!("LEANHTTP_{name}"));
    let values = variables.each_ref().map(|variable| env::var(variable).ok());
    let Some(missing) = values.iter().position(Option::is_none) else {
        return Some(values.map(Option::unwrap));
    };
    let missing = &variables[missing];
    let required = env::var_os("LEANHTTP_INTEROP").is_some_and(|value| value == "required");
    assert!(!required, "{missing} is not set, and LEANHTTP_INTEROP=required");
    println!("nothing ran: {missing} is not set");
    None
}

/// A file of the private PKI.
pub(crate) fn pki(name: &str) -> Vec<u8> {
    let folder = env::var("LEANHTTP_PKI").unwrap();
    fs::read(format!("{folder}/{name}")).unwrap()
}

/// Returns a client that trusts only the private PKI and ignores the proxies of the environment.
pub(crate) fn trusting() -> ClientBuilder {
    let ca = Certificate::from_pem(&pki("ca.pem")).unwrap();
    Client::builder().no_proxy().tls_certs_only([ca])
}

/// The address for a name that only the certificates contain.
pub(crate) const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Returns the JSON that a server sends.
pub(crate) fn told(client: &Client, url: &str) -> Value {
    let response = client.get(url).send().and_then(|r| r.error_for_status());
    let text = response.and_then(|r| r.text()).unwrap_or_else(|error| panic!("{url}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{url}: {error}: {text}"))
}

/// Asserts one line, with these texts in order, and no secret in it.
#[track_caller]
pub(crate) fn assert_told(error: &Error, told: (Kind, Phase), parts: &[&str]) {
    let line = error.to_string();
    assert_eq!((error.kind(), error.phase()), told, "{line}");
    let mut rest = line.as_str();
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { panic!("no {part:?} in {line}") };
        rest = after;
    }
    assert!(line.len() < 2000, "{line}");
    assert!(!format!("{line}{error:?}").contains("secret"), "{line}");
}
