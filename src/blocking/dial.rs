//! Making a connection: look the host up, then race its addresses.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use super::Blocking;
use super::drive::Connection;
use super::race::{self, Failures};
use super::resolve;
use super::socket::{Socket, SocketError};
use crate::call::Call;
use crate::dialling::{Dialling, Endpoint};
use crate::error::{Error, Kind, Phase, Result};
use crate::link::Link;
use crate::policy::budget::Budget;
use crate::policy::egress::Denied;
use crate::policy::route::{Route, Security};
use crate::wire::session::Session;
use crate::wire::tls::Tls;

/// A fresh connection for the call's current hop; TLS begins with its first bytes.
pub(crate) fn dial(call: &mut Call<'_, Blocking>) -> Result<Box<Connection>> {
    let route = Route::of(call.url());
    let tls = tls_stage(call, &route)?;
    call.budget.start_connecting(Instant::now());
    let socket = match &call.config().dialling.unix_socket {
        Some(path) => connect_unix(path, &call.budget)?,
        None => connect_tcp(&route, call)?,
    };
    let session = Session::new(&call.config().limits, tls);
    Ok(Box::new(Connection::new(socket, Link::new(session, route))))
}

fn tls_stage(call: &Call<'_, Blocking>, route: &Route) -> Result<Option<Tls>> {
    if route.security == Security::Plain {
        return Ok(None);
    }
    let stage = call.config().tls.stage(&route.host).map_err(|error| {
        Error::new(Kind::Tls, Phase::Handshake).peer(route.authority()).cause(error)
    })?;
    Ok(Some(stage))
}

fn connect_tcp(route: &Route, call: &Call<'_, Blocking>) -> Result<Socket> {
    let dialling = &call.config().dialling;
    let named = Endpoint { host: route.host.clone(), port: route.port };
    let endpoint = dialling.detours.get(&named).unwrap_or(&named);
    if !call.url().host().is_resolvable() {
        let error = Error::new(Kind::Resolve, Phase::Resolve).peer(&*endpoint.host);
        return Err(error.detail("not a name that can be looked up (RFC 1035 \u{a7}2.3.4)"));
    }
    let addresses = resolve::addresses(endpoint, dialling, &call.budget)
        .map_err(|error| resolve_error(error, endpoint))?;
    let (allowed, denied) = allowed(addresses, dialling);
    if allowed.is_empty() && !denied.is_empty() {
        return Err(denied_error(&denied));
    }
    race::connect(allowed, &dialling.socket, &call.budget)
        .map_err(|failures| connect_error(failures, &denied))
}

/// What the egress policy lets be dialled: asked here, of the very addresses that are, because a
/// name may lead elsewhere a moment later.
fn allowed(addresses: Vec<SocketAddr>, dialling: &Dialling) -> (Vec<SocketAddr>, Denials) {
    let Some(egress) = &dialling.egress else { return (addresses, Vec::new()) };
    let mut denied = Vec::new();
    let mut allowed = addresses;
    allowed.retain(|address| match egress.check(*address) {
        Ok(()) => true,
        Err(why) => {
            denied.push((*address, why));
            false
        }
    });
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

fn resolve_error(error: SocketError, endpoint: &Endpoint) -> Error {
    let lookup = |kind| Error::new(kind, Phase::Resolve).peer(&*endpoint.host);
    match error {
        SocketError::Expired(expired) => lookup(Kind::Timeout).cause(expired),
        SocketError::Io(error) => lookup(Kind::Resolve).cause(error),
    }
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
