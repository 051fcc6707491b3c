//! Proxies: the handshake with one, and the choice of the proxy for a URL.
//!
//! [`talk`] runs a handshake against a peer that is a reader: what it returns is what the client
//! would have sent, how it ended, and which bytes were left for the origin. The target compares
//! that for different pieces, and with a model of the protocol where there is one.

use std::ffi::OsString;
use std::io::Read;

use http::HeaderMap;

use super::{protocol, text};
use crate::http1::exchange::Ending;
use crate::http1::limits::Limits;
use crate::policy::proxy::Proxies;
use crate::policy::proxy::no_proxy::NoProxyList;
use crate::transport::connect::{Connect, ConnectError};
use crate::transport::socks::{Destination, Socks};
use crate::transport::tunnel::{Need, Tunnel, TunnelError};
use crate::url::{Url, Userinfo};

/// The proxy protocol that is used to ask for `a.example:443`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP.
    Connect,
    /// SOCKS 4A.
    Socks4,
    /// SOCKS 5 without a login.
    Socks5,
    /// SOCKS 5, as `user` with `password`.
    Login,
}

/// The outcome of a handshake.
#[derive(Debug, PartialEq, Eq)]
pub struct Talk {
    /// The bytes that the proxy received.
    pub sent: Vec<u8>,
    /// `Ok` if the tunnel is open.
    pub end: Result<(), String>,
    /// The bytes that followed the proxy's last response.
    pub leftover: Vec<u8>,
}

/// Runs the handshake with a proxy that sends everything that `peer` reads and then ends the
/// connection.
pub fn talk(protocol: Protocol, peer: &mut impl Read) -> Option<Talk> {
    let mut tunnel = tunnel(protocol)?;
    let mut sent = Vec::new();
    let end = loop {
        let need = tunnel.advance();
        if !matches!(need, Ok(Need::Nothing)) && !tunnel.output().is_empty() {
            sent.extend_from_slice(tunnel.output());
            tunnel.wrote(tunnel.output().len());
            continue;
        }
        match need {
            Err(error) => break Err(shown(error)),
            Ok(Need::Nothing) => break Ok(()),
            Ok(Need::More | Need::Reason) => match peer.read(tunnel.read_space()).ok()? {
                0 => tunnel.read_eof(Ending::Clean),
                count => tunnel.read(count),
            },
        }
    };
    Some(Talk { sent, end, leftover: tunnel.leftover().to_vec() })
}

fn tunnel(protocol: Protocol) -> Option<Box<dyn Tunnel>> {
    let destination = Destination::Name("a.example".to_owned());
    let login = Userinfo { username: b"user".to_vec(), password: Some(b"password".to_vec()) };
    let socks = match protocol {
        Protocol::Connect => {
            let connect =
                Connect::new(&Limits::default(), "a.example:443", &HeaderMap::new(), None);
            return Some(Box::new(connect));
        }
        Protocol::Socks4 => Socks::four(None, &destination, 443),
        Protocol::Socks5 => Socks::five(None, &destination, 443),
        Protocol::Login => Socks::five(Some(&login), &destination, 443),
    };
    Some(Box::new(socks.ok()?))
}

fn shown(error: TunnelError) -> String {
    match error {
        TunnelError::Connect(ConnectError::Protocol(error)) => protocol(error),
        error => text(error),
    }
}

/// Returns whether the list includes the URL's host.
pub fn no_proxy(list: &str, url: &Url) -> bool {
    NoProxyList::parse(list).covers(url)
}

/// Returns the proxy for a URL from these environment variables.
pub fn environment(
    variables: &[(String, String)],
    url: &Url,
) -> Result<Option<String>, crate::Error> {
    let value = |name: &str| {
        let (_, value) = variables.iter().find(|(own, _)| own == name)?;
        Some(OsString::from(value))
    };
    let proxy = Proxies::from_environment(value).choose(url)?;
    Ok(proxy.map(|hop| hop.authority()))
}
