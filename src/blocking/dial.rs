//! Making a connection: look the host up, then race its addresses. Everything after that, the talk
//! with a proxy included, is bytes of the [`Link`].

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Instant;

use super::Blocking;
use super::drive::Connection;
use super::race::{self, Failures};
use super::resolve;
use super::socket::{Socket, SocketError};
use super::turn::Slot;
use crate::call::Call;
use crate::dialling::{Dialling, Endpoint};
use crate::error::{Error, Kind, Phase, Result};
use crate::link::Link;
use crate::policy::budget::Budget;
use crate::policy::egress::Denied;
use crate::policy::route::{Route, Target};

/// A fresh connection for the call's current hop; what is to be set up on it, such as TLS, begins
/// with its first bytes.
pub(crate) fn dial(call: &mut Call<'_, Blocking>, slot: Slot) -> Result<Box<Connection>> {
    let route = call.route();
    let proxy = route.proxy().cloned();
    call.budget.start_connecting(Instant::now());
    connection(call, route, slot).map_err(|error| match proxy {
        Some(proxy) => error.via(proxy),
        None => error,
    })
}

fn connection(call: &Call<'_, Blocking>, route: Route, slot: Slot) -> Result<Box<Connection>> {
    let dialling = &call.config().dialling;
    if !call.url().host().is_resolvable() && dialling.unix_socket.is_none() {
        let host = call.url().host_str().unwrap_or_default();
        let error = Error::new(Kind::Resolve, Phase::Resolve).peer(host);
        return Err(error.detail("not a name that can be looked up (RFC 1035 \u{a7}2.3.4)"));
    }
    let found = address_for_proxy(call, &route)?;
    let link = Link::new(call.config(), route, found)?;
    let socket = match &dialling.unix_socket {
        Some(path) => connect_unix(path, &call.budget)?,
        None => connect(&look_up(call, &stop(link.route(), dialling))?, dialling, &call.budget)?,
    };
    Ok(Box::new(Connection::new(socket, link, slot)))
}

/// Where the connection leads.
fn stop(route: &Route, dialling: &Dialling) -> Endpoint {
    let (host, port) = route.next_stop();
    let named = Endpoint { host: host.to_owned(), port };
    let detour = dialling.detours.get(&named).filter(|_| route.proxy().is_none());
    detour.cloned().unwrap_or(named)
}

/// The address of the origin, where that is what a proxy has to be told. SOCKS takes one, and its
/// version 4 no other than IPv4.
fn address_for_proxy(call: &Call<'_, Blocking>, route: &Route) -> Result<Option<IpAddr>> {
    if route.proxy().is_some() {
        check_target(call)?;
    }
    let Some(Target { host, port, .. }) = route.looked_up_here() else { return Ok(None) };
    let found = look_up(call, &Endpoint { host: host.clone(), port: *port })?;
    let (allowed, denied) = allowed(&found, &call.config().dialling);
    if allowed.is_empty() {
        return Err(denied_error(&denied));
    }
    let ipv4 = allowed.iter().find(|address| address.is_ipv4());
    Ok(ipv4.or(allowed.first()).map(SocketAddr::ip))
}

/// What can be judged of an origin that a proxy connects to.
fn check_target(call: &Call<'_, Blocking>) -> Result<()> {
    let Some(egress) = &call.config().dialling.egress else { return Ok(()) };
    let port = call.url().port_or_known_default().unwrap_or_default();
    let target = Target::of(call.url());
    let checked = match target.address() {
        Some(address) => egress.check(SocketAddr::new(address, port)),
        None => egress.check_port(port),
    };
    checked
        .map_err(|why| Error::new(Kind::Denied, Phase::Connect).peer(target.authority()).cause(why))
}

fn look_up(call: &Call<'_, Blocking>, stop: &Endpoint) -> Result<Vec<SocketAddr>> {
    let lookup = |kind| Error::new(kind, Phase::Resolve).peer(&*stop.host);
    resolve::addresses(stop, &call.config().dialling, &call.budget).map_err(|error| match error {
        SocketError::Expired(expired) => lookup(Kind::Timeout).cause(expired),
        SocketError::Io(error) => lookup(Kind::Resolve).cause(error),
    })
}

fn connect(addresses: &[SocketAddr], dialling: &Dialling, budget: &Budget) -> Result<Socket> {
    let (allowed, denied) = allowed(addresses, dialling);
    if allowed.is_empty() && !denied.is_empty() {
        return Err(denied_error(&denied));
    }
    race::connect(allowed, &dialling.socket, budget)
        .map_err(|failures| connect_error(failures, &denied))
}

/// What the egress policy lets be dialled: asked here, of the very addresses that are, because a
/// name may lead elsewhere a moment later.
fn allowed(addresses: &[SocketAddr], dialling: &Dialling) -> (Vec<SocketAddr>, Denials) {
    let Some(egress) = &dialling.egress else { return (addresses.to_vec(), Vec::new()) };
    let (mut allowed, mut denied) = (Vec::new(), Vec::new());
    for address in addresses {
        match egress.check(*address) {
            Ok(()) => allowed.push(*address),
            Err(why) => denied.push((*address, why)),
        }
    }
    (allowed, denied)
}

type Denials = Vec<(SocketAddr, Denied)>;

#[cfg(unix)]
fn connect_unix(path: &Path, budget: &Budget) -> Result<Socket> {
    let peer = path.display().to_string();
    race::connect_unix(path, budget).map_err(|error| match error {
        SocketError::Io(error) => Error::new(Kind::Connect, Phase::Connect).peer(peer).cause(error),
        SocketError::Expired(expired) => {
            Error::new(Kind::Timeout, Phase::Connect).peer(peer).cause(expired)
        }
    })
}

/// There the builder offers no way to ask for it.
#[cfg(not(unix))]
fn connect_unix(path: &Path, _: &Budget) -> Result<Socket> {
    Err(Error::new(Kind::Connect, Phase::Connect).peer(path.display().to_string()))
}

fn denied_error(denied: &Denials) -> Error {
    let error = Error::new(Kind::Denied, Phase::Connect);
    match denied.as_slice() {
        [(address, why)] => error.peer(address.to_string()).cause(*why),
        _ => {
            let each: Vec<_> = denied.iter().map(|(_, why)| why.to_string()).collect();
            error.peer(format!("{} addresses", denied.len())).detail(each.join("; "))
        }
    }
}

/// Every address and why it did not take the connection.
fn connect_error(mut failures: Failures, denied: &Denials) -> Error {
    let expired = failures.iter().any(|(_, failure)| matches!(failure, SocketError::Expired(_)));
    let kind = if expired { Kind::Timeout } else { Kind::Connect };
    let error = |peer: String| Error::new(kind, Phase::Connect).peer(peer);
    let count = failures.len() + denied.len();
    if count > 1 {
        let failed = failures.iter().map(|(at, why)| format!("{at}: {why}"));
        let each: Vec<_> = failed.chain(denied.iter().map(|(_, why)| why.to_string())).collect();
        return error(format!("{count} addresses")).detail(each.join("; "));
    }
    match failures.pop() {
        Some((address, SocketError::Io(cause))) => error(address.to_string()).cause(cause),
        Some((address, SocketError::Expired(cause))) => error(address.to_string()).cause(cause),
        None => error("no address".to_owned()),
    }
}
