//! The layers that a connection of a route needs: TLS to the origin, and a proxy's tunnel.

use std::net::IpAddr;

use crate::config::Config;
use crate::error::{Error, Kind, Phase, Result};
use crate::policy::proxy::{Protocol, ProxyServer, SocksVersion};
use crate::policy::route::{Route, Security, Target};
use crate::transport::connect::Connect;
use crate::transport::pipe::Pipe;
use crate::transport::socks::{Destination, Socks};
use crate::transport::tls::Tls;
use crate::transport::tunnel::Tunnel;

/// Returns the pipe of a new connection. `found` is the address of the origin, if it was
/// [looked up](Route::looked_up_here).
pub(super) fn pipe(config: &Config, route: &Route, found: Option<IpAddr>) -> Result<Pipe> {
    match route {
        Route::Direct(target) => Ok(Pipe::new(tls(config, target)?)),
        Route::Forward(hop) => Ok(Pipe::new(proxy_tls(config, hop)?)),
        Route::Tunnel(hop, target) => {
            let tunnel = tunnel(config, hop, target, found)?;
            Ok(Pipe::tunnel(proxy_tls(config, hop)?, tunnel, tls(config, target)?))
        }
    }
}

fn tls(config: &Config, target: &Target) -> Result<Option<Tls>> {
    if target.security == Security::Plain {
        return Ok(None);
    }
    config
        .tls
        .stage(target.host(), target.identity)
        .map(Some)
        .map_err(|error| error.peer(target.authority()))
}

/// Returns the TLS of a connection to a proxy, which is verified by the proxy's own name.
fn proxy_tls(config: &Config, hop: &ProxyServer) -> Result<Option<Tls>> {
    let Protocol::Http { security: Security::Tls, .. } = hop.protocol else { return Ok(None) };
    config.tls.proxy_stage(&hop.host).map(Some).map_err(|error| error.peer(hop.authority()))
}

fn tunnel(
    config: &Config,
    hop: &ProxyServer,
    target: &Target,
    found: Option<IpAddr>,
) -> Result<Box<dyn Tunnel>> {
    let (version, login) = match &hop.protocol {
        Protocol::Http { fields, .. } => {
            return Ok(Box::new(Connect::new(
                &config.limits,
                &target.authority(),
                fields,
                config.user_agent(),
            )));
        }
        Protocol::Socks { version, login, .. } => (version, login.as_ref()),
    };
    let destination = match found.or(target.address()) {
        Some(address) => Destination::Address(address),
        None => Destination::Name(target.host().to_owned()),
    };
    let socks = match version {
        SocksVersion::Four => Socks::four(login, &destination, target.port),
        SocksVersion::Five => Socks::five(login, &destination, target.port),
    };
    match socks {
        Ok(socks) => Ok(Box::new(socks)),
        Err(error) => {
            Err(Error::new(Kind::Proxy, Phase::Proxy).peer(target.authority()).cause(error))
        }
    }
}
