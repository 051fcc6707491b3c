//! Makes a connection. Read it from top to bottom, in the order of what happens:
//!
//! 1. [`check_url`]: the egress policy checks the URL, for each request, as far as that is possible
//!    without an address.
//! 2. [`open`]: [`stop`] determines the host to look up: the origin, the proxy, or the detour of
//!    `connect_to`. A SOCKS proxy may need the origin's address, too.
//! 3. [`resolve`]: its addresses, from the settings, from the name itself, or by a lookup within the
//!    time limit.
//! 4. [`dial`]: the egress policy checks every address, the very ones that are connected to.
//! 5. [`race`]: the first address that answers wins (Happy Eyeballs, RFC 8305). The order and the
//!    times are those of [`happy_eyeballs`](crate::policy::happy_eyeballs); the runtime makes the
//!    attempts.
//! 6. [`pipe`]: the socket gets the layers of the route, which do the rest as bytes, with the first
//!    bytes of the request: TLS to the proxy, its tunnel ([`tunnel`](crate::transport::tunnel)), then
//!    TLS to the origin ([`tls`](crate::transport::tls)).
//!
//! On any failure the permit is dropped with the attempt and passes to the next waiter. An error
//! names each address with its own reason.
//!
//! # The race
//!
//! ```text
//!             step                       any_of
//! Race ──────────────▶ Start(address) ──▶ one more attempt runs
//!   ▲                  Wait(limit) ─────▶ wait for the first of the running ones ──▶ connected: done
//!   │                  Lost ────────────▶ every address has failed                    failed ─┐
//!   └────────────────────────────── failed(now): the next address starts immediately ◀────────┘
//! ```
//!
//! `Race` is the policy: the order of addresses (families alternate) and the time after which the
//! next one starts although the last has not failed. This file keeps the attempts and their
//! failures. The losers of the race are dropped, which closes their sockets: `tests/dialling.rs`,
//! `the_first_that_accepts_is_the_only_one_used`.
//!
//! # The egress policy sees what is dialed
//!
//! A check of the name would be worthless: a server can answer the check with one address and the
//! connect with another (DNS rebinding). So there is one lookup, and the check is made on its
//! addresses, which are then dialed and nothing else (`n07_the_address_that_is_dialed_is_the_one_checked`). Where a
//! proxy looks names up, the client never sees an address, so the policy needs permission for that
//! (`s08_names_that_a_proxy_resolves_need_permission`). Each hop of a redirect is checked anew
//! (`n07_a_redirect_to_a_denied_address_is_denied`).
//!
//! # Time
//!
//! Three limits apply, each to its own part, and the deadline of the call to all:
//!
//! | part | limit |
//! | --- | --- |
//! | the queue for a permit | its own (`Operation::Queue`); it does not count as connecting |
//! | the lookup | `connect` and the limit of the lookup (`Operation::Resolve`) |
//! | all attempts together | the rest of `connect` |
//!
//! An attempt that succeeded just before its limit is accepted even if the thread notices it later
//! ([`too_late`]); a limit of the caller, such as a cancellation, is final.
//!
//! # What an error looks like
//!
//! One address: its own reason. Several: each with its reason, up to 16 of them, because a DNS
//! server decides how many addresses a name has (`an_error_lists_a_bounded_number_of_addresses`).
//! Addresses that the egress policy denied are listed beside those that failed
//! (`tests/dialling.rs`, `the_error_names_failed_and_denied_addresses`, `tests/bad_input.rs`,
//! `each_address_that_refuses_is_named`).
//!
//! The kind is `Timeout` if a limit ended any attempt, since a longer limit might have helped;
//! otherwise `Connect`. A proxy is named beside the address, without its login.
//!
//! # An example with a policy
//!
//! A name with three addresses, and a policy that allows only public ones:
//!
//! ```text
//! resolve   three addresses                         from the resolver, ports filled in
//! allowed   ...                                     each is checked; denied ones keep their reason
//! race      the allowed ones, families taking turns
//! error     each address that failed, and each that was denied, with its reason
//! ```
//!
//! If all are denied, nothing is dialed, and the kind of the error is `Egress`.

use std::fmt::{self, Write as _};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::checkout::Permit;
use super::connection::Connection;
use super::runtime::{Dial, Event as _, Oneshot, Runtime, SocketError, in_time};
use super::socket::Socket;
use crate::base::buffer::ErasedBox;
use crate::base::cancel::Hook;
use crate::base::timings::Lap;
use crate::body::Source;
use crate::call::Call;
use crate::config::{Config, Dialling, Endpoint, SocketOptions};
use crate::error::{Error, Kind, Phase, Result};
use crate::policy::deadline::{Budget, Expired, Operation};
use crate::policy::egress::{Denied, EgressPolicy};
use crate::policy::happy_eyeballs::{Move, Race};
use crate::policy::proxy::{Protocol, ProxyServer, SocksVersion};
use crate::policy::route::{Route, Target, literal};
use crate::transport::connect::Connect;
use crate::transport::pipe::Pipe;
use crate::transport::socks::{Destination, Socks};
use crate::transport::tls::Tls;
use crate::transport::tunnel::Tunnel;
use crate::url::Scheme;

/// Checks the current URL against the egress policy, as far as possible without an address. This
/// runs for each request, not for each connection: a connection to a forwarding proxy serves all
/// origins.
pub(super) fn check_url<B: Source>(call: &Call<'_, B>) -> Result<()> {
    let Some(egress) = &call.config().dialling.egress else { return Ok(()) };
    let target = Target::of(call.url(), call.identity());
    let by_scheme = egress.check_scheme(target.scheme);
    let Some(proxy) = call.proxy() else {
        return by_scheme.map_err(|why| denied_target(&target, why));
    };
    let checked = by_scheme.and_then(|()| check_target(egress, &target, proxy));
    checked.map_err(|why| denied_target(&target, why).via(proxy))
}

/// Checks an origin that a proxy connects to. A name that the proxy looks up could lead anywhere;
/// one that is looked up here is checked when its addresses are known.
fn check_target(
    egress: &EgressPolicy,
    target: &Target,
    proxy: &ProxyServer,
) -> std::result::Result<(), Denied> {
    if let Some(address) = target.address() {
        return egress.check(SocketAddr::new(address, target.port));
    }
    if proxy.looks_names_up() {
        egress.check_proxied_name()?;
    }
    egress.check_port(target.port)
}

fn denied_target(target: &Target, why: Denied) -> Error {
    Error::new(Kind::Egress, Phase::Connect).peer(target.authority()).cause(why)
}

/// Returns the addresses that a connection for the call's current hop could lead to, each with the verdict of the
/// egress policy; none for a Unix domain socket.
#[cfg(feature = "export")]
pub(crate) async fn candidates<F: Runtime>(
    runtime: &F,
    call: &mut Call<'_, F::Source>,
) -> Result<Vec<(SocketAddr, Option<Denied>)>> {
    check_url(call)?;
    let dialling = &call.config().dialling;
    if dialling.unix_socket.is_some() {
        return Ok(Vec::new());
    }
    call.budget.start_connecting(runtime.now());
    let found = look_up(runtime, call, &stop(&call.route(), dialling)).await?;
    let verdict = |address| dialling.egress.as_ref().and_then(|egress| egress.check(address).err());
    Ok(found.into_iter().map(|address| (address, verdict(address))).collect())
}

/// Opens a connection for the call's current hop. Its setup, such as TLS, begins with its first
/// bytes.
pub(crate) async fn open<F: Runtime>(
    runtime: &F,
    call: &mut Call<'_, F::Source>,
    permit: Permit<F>,
) -> Result<ErasedBox<Connection<F>>> {
    let route = call.route();
    let proxy = route.proxy().cloned();
    call.budget.start_connecting(runtime.now());
    connection(runtime, call, route, permit).await.map_err(|error| match proxy {
        Some(proxy) => error.via(&proxy),
        None => error,
    })
}

/// The steps of this file's page in their order. The pipe is made before the socket is dialed, so
/// that a mistake in its settings (a name that SOCKS cannot express, TLS that cannot be configured)
/// costs no connection.
async fn connection<F: Runtime>(
    runtime: &F,
    call: &mut Call<'_, F::Source>,
    route: Route,
    permit: Permit<F>,
) -> Result<ErasedBox<Connection<F>>> {
    let dialling = &call.config().dialling;
    let is_resolvable = call.url().host().is_some_and(|host| host.is_resolvable());
    if !is_resolvable && dialling.unix_socket.is_none() {
        let host = call.url().host_str().unwrap_or_default();
        let error = Error::new(Kind::Resolve, Phase::Resolve).peer(host);
        return Err(error.detail("not a name that can be looked up (RFC 1035 \u{a7}2.3.4)"));
    }
    let found = address_for_proxy(runtime, call, &route).await?;
    let pipe = match runtime.is_in_memory() {
        false => pipe(call.config(), &route, found)?,
        true => pipe_in_memory(call.config(), &route, found)?,
    };
    let socket = match &dialling.unix_socket {
        Some(path) => dial_unix(runtime, path, &call.budget).await,
        None => {
            let addresses = look_up(runtime, call, &stop(&route, dialling)).await?;
            dial(runtime, &addresses, dialling, &call.budget).await
        }
    };
    let now = runtime.now();
    call.budget.lap(Lap::Connect, now);
    let limits = &call.config().limits;
    #[allow(unused_mut, reason = "only a log changes it")]
    let mut connection = Connection::new(socket?, pipe, limits, route, permit, now);
    #[cfg(feature = "log")]
    connection.show_wire(call.config().is_verbose);
    Ok(ErasedBox::new(connection))
}

/// Returns the endpoint to connect to.
///
/// `connect_to` replaces the host and port that are dialed, not the name that is verified or sent.
/// It does not apply to a proxy, which is configured by the program already.
fn stop(route: &Route, dialling: &Dialling) -> Endpoint {
    let (host, port) = route.next_stop();
    let named = Endpoint { host: host.to_owned(), port };
    let detour = dialling.detour(&named).filter(|_| route.proxy().is_none());
    detour.cloned().unwrap_or(named)
}

/// Looks up the origin's address if the proxy needs one: SOCKS takes an address, and SOCKS4 only an
/// IPv4 one.
async fn address_for_proxy<F: Runtime>(
    runtime: &F,
    call: &mut Call<'_, F::Source>,
    route: &Route,
) -> Result<Option<IpAddr>> {
    let Some(target) = route.looked_up_here() else { return Ok(None) };
    let stop = Endpoint { host: target.host().to_owned(), port: target.port };
    let found = look_up(runtime, call, &stop).await?;
    let (allowed, denied) = allowed(&found, &call.config().dialling);
    if allowed.is_empty() {
        return Err(denied_error(denied));
    }
    let ipv4 = allowed.iter().find(|address| address.is_ipv4());
    Ok(ipv4.or(allowed.first()).map(SocketAddr::ip))
}

/// Looks a host up, and explains a failure.
///
/// A lookup that timed out may not have begun, if silent servers of other names keep all threads
/// busy; the note of the runtime says so, since the name itself is not to blame then.
async fn look_up<F: Runtime>(
    runtime: &F,
    call: &mut Call<'_, F::Source>,
    stop: &Endpoint,
) -> Result<Vec<SocketAddr>> {
    let lookup = |kind| Error::new(kind, Phase::Resolve).peer(&*stop.host);
    let found = resolve(runtime, stop, &call.config().dialling, &call.budget).await;
    call.budget.lap(Lap::Resolve, runtime.now());
    found.map_err(|error| match error {
        SocketError::Expired(expired) => {
            let error = lookup(expired.kind()).cause(expired);
            match runtime.lookup_obstacle(&stop.host) {
                Some(obstacle) => error.note(obstacle),
                None => error,
            }
        }
        SocketError::Io(error) => lookup(Kind::Resolve).cause(error),
    })
}

/// Returns the addresses of a host that the client can use, in the resolver's order, with the port
/// to connect to.
async fn resolve<F: Runtime>(
    runtime: &F,
    endpoint: &Endpoint,
    dialling: &Dialling,
    budget: &Budget,
) -> Result<Vec<SocketAddr>, SocketError> {
    let mut found = find(runtime, &endpoint.host, dialling, budget).await?;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
    }
    found.retain(|address| dialling.suits(address));
    if found.is_empty() {
        let detail = "the name has no address of the requested IP family";
        return Err(io::Error::new(io::ErrorKind::NotFound, detail).into());
    }
    // A port of 0 stands for that of the URL. A link-local address keeps its scope id.
    let without_port = found.iter_mut().filter(|address| address.port() == 0);
    without_port.for_each(|address| address.set_port(endpoint.port));
    Ok(found)
}

/// Returns the addresses that the settings fix for a host, or the address that the host is, or the
/// result of a lookup. Only the lookup waits.
async fn find<F: Runtime>(
    runtime: &F,
    host: &str,
    dialling: &Dialling,
    budget: &Budget,
) -> Result<Vec<SocketAddr>, SocketError> {
    if let Some(addresses) = dialling.addresses_of(host) {
        return Ok(addresses.to_vec());
    }
    if let Some(ip) = literal(host) {
        return Ok(vec![SocketAddr::new(ip, 0)]);
    }
    let wait = budget.wait(Operation::Resolve, || runtime.now())?;
    let desk = Arc::new(Oneshot::default());
    runtime.look_up(host.to_owned(), dialling.resolver.clone(), Arc::clone(&desk));
    match desk.wait(runtime, wait.at_most, budget).await {
        Some(found) => Ok(found?),
        None => Err(budget.over(wait.expired).into()),
    }
}

/// Connects to one of these addresses, of which the egress policy may deny some.
async fn dial<F: Runtime>(
    runtime: &F,
    addresses: &[SocketAddr],
    dialling: &Dialling,
    budget: &Budget,
) -> Result<Socket<F>> {
    let (allowed, denied) = allowed(addresses, dialling);
    if allowed.is_empty() && !denied.is_empty() {
        return Err(denied_error(denied));
    }
    match race(runtime, &allowed, &dialling.socket, budget).await {
        Ok((stream, peer)) => Ok(Socket::new(stream, runtime, Some(peer))),
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

type Denials = Vec<(SocketAddr, Denied)>;

/// Returns the first connection that succeeds; the other attempts are closed.
async fn race<F: Runtime>(
    runtime: &F,
    addresses: &[SocketAddr],
    options: &SocketOptions,
    budget: &Budget,
) -> Result<(F::Stream, SocketAddr), Failures> {
    let now = || runtime.now();
    let (mut race, mut failures) = (Race::new(addresses), Failures::new());
    let mut running = Vec::new();
    let stop = budget.cancel_token().map(|token| (token, Arc::<F::Event>::default()));
    let _watch = stop.as_ref().map(|(token, stop)| {
        let stop = Arc::clone(stop);
        token.on_cancel(Hook::Wake(Arc::new(move || stop.set())))
    });
    let stop = stop.as_ref().map(|(_, stop)| &**stop);
    loop {
        let left = || budget.wait(Operation::Connect, now).ok().and_then(|wait| wait.at_most);
        let ended = match race.step(now(), left) {
            Move::Start(address) => match runtime.connect(address, options) {
                Ok(connecting) => {
                    running.push(Dial { address, connecting });
                    None
                }
                Err(error) => Some((address, Err(error))),
            },
            Move::Lost => return Err(failures),
            Move::Wait(limit) => match budget.wait(Operation::Connect, now) {
                Ok(wait) => {
                    let at_most = limit.into_iter().chain(wait.at_most).min();
                    runtime.any_of(&mut running, at_most, stop).await
                }
                Err(expired) => return too_late(runtime, running, expired, failures).await,
            },
        };
        match ended {
            Some((address, Ok(stream))) => return Ok((stream, address)),
            Some((address, Err(error))) => {
                failures.push((address, error.into()));
                race.failed(now());
            }
            None => {}
        }
    }
}

/// The failures of all addresses, each with its own reason.
type Failures = Vec<(SocketAddr, SocketError)>;

/// Ends the race when the time is over. If the limit is one for the peer, attempts that have ended
/// are still accepted: a busy thread may notice their success late.
async fn too_late<F: Runtime>(
    runtime: &F,
    mut running: Vec<Dial<F::Connecting>>,
    expired: Expired,
    mut failures: Failures,
) -> Result<(F::Stream, SocketAddr), Failures> {
    while expired.is_of_peer() {
        match runtime.any_of(&mut running, Some(Duration::ZERO), None).await {
            Some((address, Ok(stream))) => return Ok((stream, address)),
            Some((address, Err(error))) => failures.push((address, error.into())),
            None => break,
        }
    }
    failures.extend(running.iter().map(|attempt| (attempt.address, expired.into())));
    Err(failures)
}

/// Connects to the Unix domain socket that replaces all addresses. There is no race, and no remote
/// address.
async fn dial_unix<F: Runtime>(runtime: &F, path: &Path, budget: &Budget) -> Result<Socket<F>> {
    let connecting = async {
        let wait = budget.wait(Operation::Connect, || runtime.now())?;
        let connecting = runtime.connect_unix(path, wait);
        match in_time(runtime, connecting, wait.at_most, budget).await {
            Some(connected) => connected,
            None => Err(budget.over(wait.expired).into()),
        }
    };
    let error = |kind| Error::new(kind, Phase::Connect).peer(path.display().to_string());
    match connecting.await {
        Ok(stream) => Ok(Socket::new(stream, runtime, None)),
        Err(SocketError::Io(cause)) => Err(error(Kind::Connect).cause(cause)),
        Err(SocketError::Expired(cause)) => Err(error(cause.kind()).cause(cause)),
    }
}

/// Returns the pipe of a new connection. `found` is the address of the origin, if it was
/// [looked up](Route::looked_up_here).
///
/// Nothing is sent here. The layers begin their handshakes when the driver asks the pipe for its
/// first step, so that the handshake counts as part of the attempt that needs it, within its
/// limits.
fn pipe(config: &Config, route: &Route, found: Option<IpAddr>) -> Result<Pipe> {
    match route {
        Route::Direct(target) => Ok(Pipe::new(tls(config, target)?)),
        Route::Forward(hop) => Ok(Pipe::new(proxy_tls(config, hop)?)),
        Route::Tunnel(hop, target) => {
            let tunnel = tunnel(config, hop, target, found)?;
            Ok(Pipe::tunnel(proxy_tls(config, hop)?, tunnel, tls(config, target)?))
        }
    }
}

/// Returns the pipe of a connection within this process, in a test: it has no TLS.
fn pipe_in_memory(config: &Config, route: &Route, found: Option<IpAddr>) -> Result<Pipe> {
    match route {
        Route::Direct(_) | Route::Forward(_) => Ok(Pipe::new(None)),
        Route::Tunnel(hop, target) => {
            Ok(Pipe::tunnel(None, tunnel(config, hop, target, found)?, None))
        }
    }
}

/// Returns the TLS to the origin, `None` for plain HTTP.
fn tls(config: &Config, target: &Target) -> Result<Option<Tls>> {
    if target.scheme == Scheme::Http {
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
    let Protocol::Http { scheme: Scheme::Https, .. } = hop.protocol else { return Ok(None) };
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

/// Returns the error if no address is allowed: the address and its reason, or a list of the
/// reasons.
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
        let error = error.peer(format!("{count} addresses")).detail(reasons.list());
        return match kind {
            Some(Kind::Timeout) => error.among(Some(io::ErrorKind::TimedOut.into())),
            Some(_) => error,
            None => error.among(failures.into_iter().find_map(|(_, failure)| match failure {
                SocketError::Io(error) => Some(error),
                SocketError::Expired(_) => None,
            })),
        };
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
mod tests;

#[cfg(test)]
#[cfg(feature = "blocking")]
mod resolve_tests;
