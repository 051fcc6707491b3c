//! A httpbin, embedded or real, and the client settings to reach it.
#![allow(unreachable_pub, reason = "tests and the example share this file")]

use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};

use leanhttp::{Certificate, Client, ClientBuilder, Url};

use crate::support::relay::Relay;

pub struct Site {
    base: Url,
    ca: Option<Certificate>,
}

impl Site {
    /// The httpbin at `base`, whose certificate, if it has one, is from the CA `ca_pem` or from a
    /// public one.
    pub fn new(base: &str, ca_pem: Option<&str>) -> Result<Site, Box<dyn Error>> {
        let ca = ca_pem.map(|pem| Certificate::from_pem(pem.as_bytes())).transpose()?;
        let base = Url::parse(base).map_err(|error| format!("{base:?}: {error}"))?;
        Ok(Site { base, ca })
    }

    pub fn is_tls(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// The URL of a path, which may have a query.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// A client builder that trusts the site.
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder().tls_certs_merge(self.ca.clone())
    }

    pub fn client(&self) -> leanhttp::Result<Client> {
        self.client_builder().build()
    }

    /// A client whose connections to the site go through a relay that counts them.
    pub fn counted_client(&self) -> Result<(Client, Relay), Box<dyn Error>> {
        let relay = Relay::start(self.address()?)?;
        let host = self.base.host_str().unwrap_or_default();
        let client = self.client_builder().resolve(host, relay.addr()).build()?;
        Ok((client, relay))
    }

    fn address(&self) -> Result<SocketAddr, Box<dyn Error>> {
        let host = self.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.base.port_or_known_default().unwrap_or_default();
        let address = (host, port).to_socket_addrs()?.next();
        Ok(address.ok_or("the host has no address")?)
    }
}
