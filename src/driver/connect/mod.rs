//! Makes a connection, in this order:
//!
//! 1. this file: the egress policy checks the URL, and the host to look up is determined;
//! 2. [`resolve`]: its addresses are looked up within the time limit;
//! 3. this file: the egress policy checks every address;
//! 4. [`race`]: the first address that answers wins (Happy Eyeballs, RFC 8305);
//! 5. the socket gets the [`layers`] of the route, which do the rest as bytes: a proxy's tunnel
//!    ([`tunnel`](crate::transport::tunnel)), then TLS ([`tls`](crate::transport::tls)).

mod layers;
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub(crate) mod race;
mod resolve;

use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::connection::Connection;
use super::socket::{Socket, SocketError};
use super::system::{Failures, System};
use crate::base::timings::Lap;
use crate::body::Source;
use crate::call::Call;
use crate::config::{Dialling, Endpoint};
use crate::driver::permit::Permit;
use crate::driver::runtime::Runtime;
use crate::error::{Cause, Error, Kind, Phase, Result};
use crate::policy::deadline::Budget;
use crate::policy::egress::Gate;
use crate::policy::proxy::ProxyServer;
use crate::policy::route::{Route, Target};

/// Opens a connection for the call's current hop. Its setup, such as TLS, begins with its first
/// bytes.
pub(crate) async fn open<F: Runtime>(
    system: &F::System,
    call: &mut Call<'_, F::Source>,
    permit: Permit<F>,
) -> Result<Box<Connection<F>>> {
    let route = call.route();
    let proxy = route.proxy().cloned();
    call.budget.start_connecting(system.now());
    connection(system, call, route, permit).await.map_err(|error| match proxy {
        Some(proxy) => error.via(&proxy),
        None => error,
    })
}

async fn connection<F: Runtime>(
    system: &F::System,
    call: &mut Call<'_, F::Source>,
    route: Route,
    permit: Permit<F>,
) -> Result<Box<Connection<F>>> {
    let dialling = &call.config().dialling;
    if !call.url().host().is_resolvable() && dialling.unix_socket.is_none() {
        let host = call.url().host_str().unwrap_or_default();
        let error = Error::new(Kind::Resolve, Phase::Resolve).peer(host);
        return Err(error.detail("not a name that can be looked up (RFC 1035 \u{a7}2.3.4)"));
    }
    let found = address_for_proxy(system, call, &route).await?;
    let pipe = layers::pipe(call.config(), &route, found)?;
    let socket = match &dialling.unix_socket {
        Some(path) => connect_unix(system, path, &call.budget).await,
        None => {
            let addresses = look_up(system, call, &stop(&route, dialling)).await?;
            connect(system, &addresses, dialling, &call.budget).await
        }
    };
    let now = system.now();
    call.budget.lap(Lap::Connect, now);
    let limits = &call.config().limits;
    Ok(Box::new(Connection::new(socket?, pipe, limits, route, permit, now)))
}

/// Returns the endpoint to connect to.
fn stop(route: &Route, dialling: &Dialling) -> Endpoint {
    let (host, port) = route.next_stop();
    let named = Endpoint { host: host.to_owned(), port };
    let detour = dialling.detour(&named).filter(|_| route.proxy().is_none());
    detour.cloned().unwrap_or(named)
}

/// Looks up the origin's address if the proxy needs one: SOCKS takes an address, and SOCKS4 only an
/// IPv4 one.
async fn address_for_proxy<S: System, B: Source>(
    system: &S,
    call: &mut Call<'_, B>,
    route: &Route,
) -> Result<Option<IpAddr>> {
    let Some(target) = route.looked_up_here() else { return Ok(None) };
    let stop = Endpoint { host: target.host().to_owned(), port: target.port };
    let found = look_up(system, call, &stop).await?;
    let (allowed, denied) = allowed(&found, &call.config().dialling);
    if allowed.is_empty() {
        return Err(denied_error(denied));
    }
    let ipv4 = allowed.iter().find(|address| address.is_ipv4());
    Ok(ipv4.or(allowed.first()).map(SocketAddr::ip))
}

/// Checks the current URL against the egress policy, as far as possible without an address. This
/// runs for each request, not for each connection: a connection to a forwarding proxy serves all
/// origins.
pub(super) fn check_url<B: Source>(call: &Call<'_, B>) -> Result<()> {
    let Some(egress) = &call.config().dialling.egress else { return Ok(()) };
    let target = Target::of(call.url(), call.identity());
    let by_scheme = egress.check_scheme(target.security);
    let Some(proxy) = call.proxy() else {
        return by_scheme.map_err(|why| denied_target(&target, why));
    };
    let checked = by_scheme.and_then(|()| check_target(&**egress, &target, proxy));
    checked.map_err(|why| denied_target(&target, why).via(proxy))
}

/// Checks an origin that a proxy connects to. A name that the proxy looks up could lead anywhere;
/// one that is looked up here is checked when its addresses are known.
fn check_target(egress: &dyn Gate, target: &Target, proxy: &ProxyServer) -> Result<(), Cause> {
    if let Some(address) = target.address() {
        return egress.check(SocketAddr::new(address, target.port));
    }
    if proxy.looks_names_up() {
        egress.check_proxied_name()?;
    }
    egress.check_port(target.port)
}

fn denied_target(target: &Target, why: Cause) -> Error {
    Error::new(Kind::Egress, Phase::Connect).peer(target.authority()).cause(why)
}

async fn look_up<S: System, B: Source>(
    system: &S,
    call: &mut Call<'_, B>,
    stop: &Endpoint,
) -> Result<Vec<SocketAddr>> {
    let lookup = |kind| Error::new(kind, Phase::Resolve).peer(&*stop.host);
    let found = resolve::addresses(system, stop, &call.config().dialling, &call.budget).await;
    call.budget.lap(Lap::Resolve, system.now());
    found.map_err(|error| match error {
        SocketError::Expired(expired) => {
            let error = lookup(expired.kind()).cause(expired);
            match system.lookup_obstacle(&stop.host) {
                Some(obstacle) => error.note(obstacle),
                None => error,
            }
        }
        SocketError::Io(error) => lookup(Kind::Resolve).cause(error),
    })
}

async fn connect<S: System>(
    system: &S,
    addresses: &[SocketAddr],
    dialling: &Dialling,
    budget: &Budget,
) -> Result<Socket<S>> {
    let (allowed, denied) = allowed(addresses, dialling);
    if allowed.is_empty() && !denied.is_empty() {
        return Err(denied_error(denied));
    }
    match system.connect(allowed, &dialling.socket, budget).await {
        Ok((stream, peer)) => Ok(Socket::new(stream, system, Some(peer))),
        Err(failures) => Err(connect_error(failures, &denied)),
    }
}

/// Splits the addresses into those that the egress policy allows and those that it denies. The
/// check uses the very addresses that are dialed, because another lookup of the name could return
/// others.
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

type Denials = Vec<(SocketAddr, Cause)>;

async fn connect_unix<S: System>(system: &S, path: &Path, budget: &Budget) -> Result<Socket<S>> {
    let error = |kind| Error::new(kind, Phase::Connect).peer(path.display().to_string());
    match system.connect_unix(path, budget).await {
        Ok(stream) => Ok(Socket::new(stream, system, None)),
        Err(SocketError::Io(cause)) => Err(error(Kind::Connect).cause(cause)),
        Err(SocketError::Expired(cause)) => Err(error(cause.kind()).cause(cause)),
    }
}

fn denied_error(mut denied: Denials) -> Error {
    let error = Error::new(Kind::Egress, Phase::Connect);
    if denied.len() > 1 {
        let mut reasons = Reasons::default();
        denied.iter().for_each(|(_, why)| reasons.add(why));
        return error.peer(format!("{} addresses", denied.len())).detail(reasons.list());
    }
    match denied.pop() {
        Some((address, why)) => error.peer(address.to_string()).cause(why),
        None => error.peer("no address"),
    }
}

/// Returns the error for a failed connect, with each address and its reason.
fn connect_error(mut failures: Failures, denied: &Denials) -> Error {
    let kind = failures.iter().find_map(|(_, failure)| match failure {
        SocketError::Expired(expired) => Some(expired.kind()),
        SocketError::Io(_) => None,
    });
    let error = Error::new(kind.unwrap_or(Kind::Connect), Phase::Connect);
    let count = failures.len() + denied.len();
    if count > 1 {
        let mut reasons = Reasons::default();
        failures.iter().for_each(|(at, why)| reasons.add(&format_args!("{at}: {why}")));
        denied.iter().for_each(|(_, why)| reasons.add(why));
        return error.peer(format!("{count} addresses")).detail(reasons.list());
    }
    match failures.pop() {
        Some((address, SocketError::Io(cause))) => error.peer(address.to_string()).cause(cause),
        Some((address, SocketError::Expired(cause))) => {
            error.peer(address.to_string()).cause(cause)
        }
        None => error.peer("no address"),
    }
}

/// The list of reasons in an error about several addresses. It is bounded, because the DNS server
/// decides how many addresses a name has.
#[derive(Default)]
struct Reasons {
    listed: String,
    count: usize,
}

/// The longest list; names have fewer addresses in practice.
const MOST_LISTED: usize = 16;

impl Reasons {
    fn add(&mut self, reason: &dyn fmt::Display) {
        let separator = if self.count == 0 { "" } else { "; " };
        self.count += 1;
        if self.count <= MOST_LISTED {
            let _ = write!(self.listed, "{separator}{reason}"); // writing to a string cannot fail
        }
    }

    fn list(mut self) -> String {
        if let Some(more) = self.count.checked_sub(MOST_LISTED).filter(|more| *more > 0) {
            let _ = write!(self.listed, "; {more} more");
        }
        self.listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_lists_a_bounded_number_of_addresses() {
        let listed = |count: usize| {
            let mut reasons = Reasons::default();
            (1..=count).for_each(|number| reasons.add(&number));
            reasons.list()
        };
        assert_eq!(listed(2), "1; 2");
        assert!(listed(16).ends_with("; 15; 16"), "{}", listed(16));
        assert!(listed(17).ends_with("; 16; 1 more"), "{}", listed(17));
        assert!(listed(4000).ends_with("; 16; 3984 more"), "{}", listed(4000));
    }
}
