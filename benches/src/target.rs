//! The addresses of the server, as one word that a process can pass to another.

use std::fmt::{self, Display, Formatter};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::str::FromStr;

use serde_json::{Value, json};

use crate::Outcome;
use crate::rows::{Row, Scheme};

#[derive(Clone)]
pub struct Target {
    /// The address of the server: one of 127.0.0.0/8.
    pub host: Ipv4Addr,
    pub plain: u16,
    /// The port for thousands of connections.
    pub crowd: u16,
    pub tls: u16,
    /// The port without session resumption.
    pub unresumed: u16,
    /// The many ports, with and without TLS.
    pub idle: Vec<u16>,
    pub idle_tls: Vec<u16>,
    /// The server's certificate, in PEM.
    pub certificate: String,
}

impl Target {
    pub fn address(&self, row: &Row) -> SocketAddr {
        let port = match row.scheme {
            Scheme::Plain if row.needs_crowd() => self.crowd,
            Scheme::Plain => self.plain,
            Scheme::Tls => self.tls,
            Scheme::TlsUnresumed => self.unresumed,
        };
        SocketAddr::from((self.host, port))
    }

    /// Makes that host and port the only ones.
    pub fn turn_to(&mut self, address: SocketAddrV4) {
        self.host = *address.ip();
        (self.plain, self.tls, self.crowd) = (address.port(), address.port(), address.port());
    }

    pub fn url(&self, row: &Row) -> String {
        let scheme = match row.scheme {
            Scheme::Plain => "http",
            Scheme::Tls | Scheme::TlsUnresumed => "https",
        };
        format!("{scheme}://{}{}", self.address(row), row.path())
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { host, plain, crowd, tls, unresumed, idle, idle_tls, certificate } = self;
        json!({
            "host": host.to_string(),
            "plain": plain,
            "crowd": crowd,
            "tls": tls,
            "unresumed": unresumed,
            "idle": idle,
            "idle_tls": idle_tls,
            "certificate": certificate,
        })
        .fmt(f)
    }
}

impl FromStr for Target {
    type Err = Box<dyn std::error::Error + Send + Sync>;

    fn from_str(word: &str) -> Outcome<Self> {
        let value: Value = serde_json::from_str(word)?;
        let certificate = value["certificate"].as_str().ok_or("no certificate")?;
        Ok(Self {
            host: value["host"].as_str().ok_or("no host")?.parse()?,
            plain: port(&value["plain"])?,
            crowd: port(&value["crowd"])?,
            tls: port(&value["tls"])?,
            unresumed: port(&value["unresumed"])?,
            idle: ports(&value["idle"])?,
            idle_tls: ports(&value["idle_tls"])?,
            certificate: certificate.to_owned(),
        })
    }
}

fn port(value: &Value) -> Outcome<u16> {
    Ok(u16::try_from(value.as_u64().ok_or("no port")?)?)
}

fn ports(value: &Value) -> Outcome<Vec<u16>> {
    value.as_array().ok_or("no ports")?.iter().map(port).collect()
}
