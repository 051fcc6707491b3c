//! Where the server is, as one word that a process can hand to another.

use std::fmt::{self, Display, Formatter};
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde_json::{Value, json};

use crate::Outcome;
use crate::rows::{Row, Scheme};

#[derive(Clone)]
pub struct Target {
    pub plain: u16,
    pub tls: u16,
    /// What the server proves itself with, in PEM.
    pub certificate: String,
}

impl Target {
    pub fn address(&self, row: &Row) -> SocketAddr {
        let port = if row.is_plain() { self.plain } else { self.tls };
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    pub fn url(&self, row: &Row) -> String {
        let scheme = match row.scheme {
            Scheme::Plain => "http",
            Scheme::Tls => "https",
        };
        format!("{scheme}://{}{}", self.address(row), row.path())
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { plain, tls, certificate } = self;
        json!({ "plain": plain, "tls": tls, "certificate": certificate }).fmt(f)
    }
}

impl FromStr for Target {
    type Err = Box<dyn std::error::Error + Send + Sync>;

    fn from_str(word: &str) -> Outcome<Self> {
        let value: Value = serde_json::from_str(word)?;
        let port = |name| value[name].as_u64().ok_or("no port").map(u16::try_from);
        let certificate = value["certificate"].as_str().ok_or("no certificate")?;
        let (plain, tls) = (port("plain")??, port("tls")??);
        Ok(Self { plain, tls, certificate: certificate.to_owned() })
    }
}
