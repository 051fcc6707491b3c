//! Making a connection: look up, connect to one address after the other. Everything after that, the
//! talk with a proxy included, is bytes of the [`Link`].

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::drive::Connection;
use super::resolve;
use super::socket::{Socket, SocketError};
use crate::call::Call;
use crate::error::{Error, Kind, Phase, Result};
use crate::link::Link;
use crate::policy::budget::{Budget, Operation};
use crate::policy::route::Route;

use super::Blocking;

/// A fresh connection for the call's current hop; what is to be set up on it, such as TLS, begins
/// with its first bytes.
pub(crate) fn dial(call: &mut Call<'_, Blocking>) -> Result<Box<Connection>> {
    let route = call.route();
    let proxy = route.proxy().cloned();
    call.budget.start_connecting(Instant::now());
    connection(call, route).map_err(|error| match proxy {
        Some(proxy) => error.via(proxy),
        None => error,
    })
}

fn connection(call: &Call<'_, Blocking>, route: Route) -> Result<Box<Connection>> {
    if !call.url().host().is_resolvable() {
        let host = call.url().host_str().unwrap_or_default();
        let error = Error::new(Kind::Resolve, Phase::Resolve).peer(host);
        return Err(error.detail("not a name that can be looked up (RFC 1035 \u{a7}2.3.4)"));
    }
    let found = match route.looked_up_here() {
        Some(target) => Some(address_for_proxy(&look_up(call, (&target.host, target.port))?)),
        None => None,
    };
    let link = Link::new(call.config(), route, found.flatten())?;
    let socket = connect(&look_up(call, link.route().next_stop())?, &call.budget)?;
    Ok(Box::new(Connection::new(socket, link)))
}

/// SOCKS takes one address, and its version 4 no other than IPv4.
fn address_for_proxy(addresses: &[SocketAddr]) -> Option<IpAddr> {
    let ipv4 = addresses.iter().find(|address| address.is_ipv4());
    ipv4.or(addresses.first()).map(SocketAddr::ip)
}

fn look_up(call: &Call<'_, Blocking>, stop: (&str, u16)) -> Result<Vec<SocketAddr>> {
    resolve::addresses(stop, call.config(), &call.budget).map_err(|error| {
        let lookup = |kind| Error::new(kind, Phase::Resolve).peer(stop.0);
        match error {
            SocketError::Expired(expired) => lookup(Kind::Timeout).cause(expired),
            SocketError::Io(error) => lookup(Kind::Resolve).cause(error),
        }
    })
}

/// The first address that takes a connection. All attempts share the connect deadline; an address
/// that is silent gets its share of what is left, so that the next ones have a chance.
fn connect(addresses: &[SocketAddr], budget: &Budget) -> Result<Socket> {
    let mut failures = Vec::new();
    for (tried, address) in addresses.iter().enumerate() {
        let left = addresses.len().saturating_sub(tried);
        match connect_to(*address, share(left), budget) {
            Ok(socket) => return Ok(socket),
            Err(failure) => failures.push((*address, failure)),
        }
    }
    Err(connect_error(failures))
}

/// What part of the time left this attempt gets: all of it for the last address, half otherwise.
fn share(addresses_left: usize) -> u32 {
    if addresses_left > 1 { 2 } else { 1 }
}

fn connect_to(address: SocketAddr, share: u32, budget: &Budget) -> Result<Socket, SocketError> {
    let wait = budget.wait(Operation::Connect, Instant::now)?;
    let stream = match wait.at_most {
        None => TcpStream::connect(address),
        Some(left) => TcpStream::connect_timeout(&address, (left / share).max(SHORTEST)),
    };
    match stream {
        Ok(stream) => Ok(Socket::new(stream, address)?),
        // Without a limit of ours it is the system that has given up.
        Err(error) if error.kind() == io::ErrorKind::TimedOut && wait.at_most.is_some() => {
            Err(wait.expired.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The system refuses a limit of nothing.
const SHORTEST: Duration = Duration::from_millis(1);

/// One failure is told as it is; several are told with their addresses.
fn connect_error(mut failures: Vec<(SocketAddr, SocketError)>) -> Error {
    let expired = failures.iter().any(|(_, failure)| matches!(failure, SocketError::Expired(_)));
    let kind = if expired { Kind::Timeout } else { Kind::Connect };
    let error = |peer: String| Error::new(kind, Phase::Connect).peer(peer);
    if failures.len() > 1 {
        let each: Vec<_> = failures.iter().map(|(at, why)| format!("{at}: {why}")).collect();
        return error(format!("{} addresses", failures.len())).detail(each.join("; "));
    }
    match failures.pop() {
        Some((address, SocketError::Io(cause))) => error(address.to_string()).cause(cause),
        Some((address, SocketError::Expired(cause))) => error(address.to_string()).cause(cause),
        None => error("no address".to_owned()),
    }
}
