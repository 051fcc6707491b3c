//! The settings of a client as data, with their defaults: [`Config`]. Nothing here has a client, a
//! runtime or a lock; once a client is built, its settings do not change.
//!
//! `client/builder` has the public methods that set them, with the docs that users read. The order of
//! this file: [`Config`] and its defaults; [`Dialling`], how connections are made; [`PoolLimits`]; the netrc
//! file. [`dns`] has the name resolvers, [`proxy`] has the public types for proxies, [`tls`] the TLS settings and
//! the rustls configuration that they become.
//!
//! Settings with rules of their own are next to those rules: [`Timeouts`] in `policy/deadline.rs`, the
//! redirect and retry policies and the egress policy in `policy/`, [`Limits`] in `http1/limits.rs`.
//!
//! To add a setting: a field in [`Config`] or in the struct of its group, with the reason for its
//! default; its method in `client/builder`; its row in the table of limits in `lib.rs`. An invalid
//! value is an error of `build`: the builder keeps the first error, and settings that contradict each
//! other are refused by `check` methods ([`Dialling::check`], `TlsSettings::check`).
//!
//! | state that is not here | where |
//! | --- | --- |
//! | retry budgets, Digest nonces, the prepared default field lines | `call::SharedState` |
//! | idle connections, permits | `pool/`, behind the lock in `driver/checkout.rs` |
//! | cookies | the caller's store, behind [`Cookies`] |
//! | rustls configurations | [`tls`]: each is built once from the settings, because a configuration is also where rustls keeps its tickets |
//!
//! # Defaults
//!
//! A default must not hang, must not leak, and must not surprise a program that comes from another
//! client. Each number stands beside its field with its reason; the guide's design page has the
//! principles. Two settings have a default that depends on more than a number: the limit on the
//! wait for the first byte is the runtime's (`Runtime::FIRST_BYTE`), and proxies are read from the
//! environment when the client is built, unless the program has named any.
//!
//! # From builder to call
//!
//! ```text
//! ClientBuilder::method ──▶ Config, field by field       errors are kept: the first one is that of `build`
//! ClientBuilder::build  ──▶ Config::complete             environment, fields that are settings
//!                       ──▶ check: Dialling, TlsSettings contradictions
//! Client                ──▶ Shared { config, ... }       not changed any more
//! RequestBuilder        ──▶ RequestParts                 what one request overrides: `Overrides`, codings, retry
//! Call::new             ──▶ both, the request's first
//! ```
//!
//! # Settings that redirect a connection
//!
//! Four settings of [`Dialling`] change where a connection leads. What applies if several are set:
//!
//! | | direct | through a proxy |
//! | --- | --- | --- |
//! | `unix_socket` | replaces everything | proxies are not used |
//! | `connect_to` | replaces host and port, then `resolve` or a lookup | an error: the proxy would go to the URL's host |
//! | `resolve` | the addresses of that host | the addresses of the proxy's host, or of an origin looked up here |
//! | `dns_resolver` | for names that `resolve` does not fix | the same |
//!
//! None of them changes the name that is verified by TLS, sent in `Host` or used for cookies: those
//! are the URL's. The egress policy checks the addresses that result, whatever named them.

#[cfg(feature = "middleware")]
pub(crate) mod attempt;
pub(crate) mod dns;
pub mod proxy;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(not(feature = "tls"))]
pub use crate::off::tls_settings as tls;

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::base::text::Excerpt;
use crate::coding::Codings;
use crate::cookie::Cookies;
use crate::error::{Error, Result};
#[cfg(feature = "har")]
use crate::extra::har::Recorder;
use crate::fields::singleton;
use crate::http1::exchange::Expectation;
use crate::http1::head::ResponseHead;
use crate::http1::limits::Limits;
use crate::http1::request_head::Case;
use crate::policy::auth::digest::DigestLogin;
use crate::policy::auth::netrc::Netrc;
use crate::policy::deadline::{Provisional, Timeouts};
use crate::policy::egress::EgressPolicy;
use crate::policy::proxy::{Proxies, ProxyServer};
use crate::policy::{redirect, retry};
use crate::url::Url;

/// The default `User-Agent`: some servers refuse to answer clients without one.
const USER_AGENT: &str = concat!("leanhttp/", env!("CARGO_PKG_VERSION"));

/// The settings of a client, fixed once it is built.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) timeouts: Arc<Timeouts>,
    pub(crate) pool: PoolLimits,
    pub(crate) limits: Limits,
    pub(crate) redirect: redirect::Policy,
    pub(crate) retry: Option<Arc<retry::Policy>>,
    /// The URL that relative references are resolved against.
    pub(crate) base: Option<Box<Url>>,
    pub(crate) on_informational: Option<InformationalObserver>,
    /// Default fields until the client is built; then they move to [`defaults`](Self::defaults).
    pub(crate) default_headers: HeaderMap,
    /// The default fields as a list: there are few, and each request searches them.
    pub(crate) defaults: Vec<(HeaderName, HeaderValue)>,
    pub(crate) credentials: Option<HeaderValue>,
    pub(crate) digest: Option<DigestLogin>,
    pub(crate) netrc: Option<Netrc>,
    pub(crate) cookies: Option<Cookies>,
    pub(crate) codings: Codings,
    pub(crate) expectation: Expectation,
    /// Only https may be requested, redirects included.
    pub(crate) https_only: bool,
    /// A redirected request says in `Referer` where it comes from.
    pub(crate) sends_referer: bool,
    pub(crate) case: Case,
    pub(crate) dialling: Dialling,
    /// Set by the caller, or else from the environment when the client is built.
    pub(crate) proxies: Option<Proxies>,
    /// The `Proxy-Authorization` of the default headers.
    pub(crate) proxy_login: Option<HeaderValue>,
    pub(crate) tls: tls::TlsSettings,
    #[cfg(feature = "middleware")]
    pub(crate) on_attempt: Option<attempt::AttemptHook>,
    #[cfg(feature = "har")]
    pub(crate) recorder: Option<Recorder>,
}

impl Config {
    /// Returns the settings with the defaults of `D`.
    pub(crate) fn with_defaults<D: Defaults>() -> Self {
        let mut config = Self::default();
        let (connect, read, write) = (D::CONNECT_TIMEOUT, D::READ_TIMEOUT, D::WRITE_TIMEOUT);
        if (connect, read, write) != (Some(CONNECT), Some(SILENCE), Some(SILENCE)) {
            let timeouts = Arc::make_mut(&mut config.timeouts);
            (timeouts.connect, timeouts.read, timeouts.write) = (connect, read, write);
            if read.is_none() {
                timeouts.set_read(None); // nor a limit on the wait for the response
            }
        }
        if D::TIMEOUT_REPLACES_DEFAULTS {
            Arc::make_mut(&mut config.timeouts).provisional = Provisional::ALL;
        }
        config
    }

    /// Completes the settings when the client is built: reads the proxies from the environment, and
    /// moves default fields that are equivalent to a setting.
    pub(crate) fn complete(&mut self) {
        self.proxies
            .get_or_insert_with(|| Proxies::from_environment(|name| std::env::var_os(name)));
        self.proxy_login = self.default_headers.remove(header::PROXY_AUTHORIZATION);
        // The field is equivalent to the setting, and is sent only with a body (RFC 9110 §10.1.1).
        if self.default_headers.get(header::EXPECT).is_some_and(is_continue) {
            self.default_headers.remove(header::EXPECT);
            self.expectation = Expectation::Continue;
        }
        let fields = std::mem::take(&mut self.default_headers);
        for (name, value) in &fields {
            self.defaults.push((name.clone(), value.clone()));
        }
    }

    /// Returns the `User-Agent` of requests that have none of their own.
    pub(crate) fn user_agent(&self) -> Option<&HeaderValue> {
        let (_, value) = self.defaults.iter().find(|(name, _)| *name == header::USER_AGENT)?;
        Some(value)
    }

    /// Returns the proxy for `url`; `None` for a direct connection.
    #[inline]
    pub(crate) fn proxy_for(&self, url: &Url) -> Result<Option<Arc<ProxyServer>>> {
        match &self.proxies {
            None => Ok(None),
            // A Unix domain socket replaces proxies too.
            Some(_) if self.dialling.unix_socket.is_some() => Ok(None),
            Some(proxies) => match proxies.choose(url) {
                // The proxy would connect to the host in the URL.
                Ok(Some(_)) if self.dialling.leads_elsewhere(url) => {
                    let detail = "connect_to: not supported for a request through a proxy";
                    Err(Error::builder(detail).for_url(url))
                }
                proxy => proxy.map_err(|error| error.for_url(url)),
            },
        }
    }
}

#[cfg(feature = "export")]
impl Config {
    /// Returns the rule that decides on the proxy for `url`, in words.
    pub(crate) fn explain_proxy(&self, url: &Url) -> String {
        match &self.proxies {
            Some(_) if self.dialling.unix_socket.is_some() => {
                "all connections go to a Unix domain socket".to_owned()
            }
            Some(proxies) => proxies.explain(url),
            None => "no proxy is set".to_owned(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let mut default_headers = HeaderMap::with_capacity(2);
        default_headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        default_headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        Self {
            timeouts: Arc::default(),
            pool: PoolLimits::default(),
            limits: Limits::default(),
            redirect: redirect::Policy::default(),
            retry: None,
            base: None,
            on_informational: None,
            default_headers,
            defaults: Vec::new(),
            credentials: None,
            digest: None,
            netrc: None,
            cookies: None,
            codings: Codings::default(),
            expectation: Expectation::None,
            https_only: false,
            sends_referer: false, // a URL may tell more than its owner wants others to know
            case: Case::Lower,
            dialling: Dialling::default(),
            proxies: None,
            proxy_login: None,
            tls: tls::TlsSettings::default(),
            #[cfg(feature = "middleware")]
            on_attempt: None,
            #[cfg(feature = "har")]
            recorder: None,
        }
    }
}

/// The program's callback for interim responses: it is given the URL of the hop and the head.
#[derive(Clone)]
pub(crate) struct InformationalObserver(pub(crate) Arc<Informed>);

type Informed = dyn Fn(&Url, Box<ResponseHead>) + Send + Sync;

impl fmt::Debug for InformationalObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InformationalObserver")
    }
}

/// The values of settings that a program does not name.
///
/// A type of your own gives a whole program, or a crate that passes a client on, defaults of its own:
/// each `Client::new` and `Client::builder` of that client type begins with them, and each method of the
/// builder overrides its setting.
///
/// ```
/// use std::time::Duration;
/// use leanhttp::blocking::Blocking;
/// use leanhttp::client::{self, Defaults};
///
/// #[derive(Debug)]
/// enum Patient {}
///
/// impl Defaults for Patient {
///     const CONNECT_TIMEOUT: Option<Duration> = Some(Duration::from_secs(60));
///     const READ_TIMEOUT: Option<Duration> = None;
/// }
///
/// type Client = client::Client<Blocking, Patient>;
///
/// let client = Client::new();
/// let other = Client::builder().connect_timeout(Duration::from_secs(5)).build()?;
/// # let _ = (client, other);
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub trait Defaults: 'static {
    /// The [`connect_timeout`](crate::client::ClientBuilder::connect_timeout); 10 s unless given.
    const CONNECT_TIMEOUT: Option<Duration> = Some(CONNECT);
    /// The limit between two bytes received once the response has begun; 30 s unless given. If it is
    /// `None`, the wait for the first byte has no limit either.
    /// [`read_timeout`](crate::client::ClientBuilder::read_timeout) overrides it.
    const READ_TIMEOUT: Option<Duration> = Some(SILENCE);
    /// The [`write_timeout`](crate::client::ClientBuilder::write_timeout); 30 s unless given.
    const WRITE_TIMEOUT: Option<Duration> = Some(SILENCE);
    /// True if the [`timeout`](crate::client::ClientBuilder::timeout) of a client or a request, also none, takes the
    /// place of those of the limits above that nobody has set. `false` unless given: it takes the place only of the
    /// default limit on the wait for the first byte.
    ///
    /// `true` is for programs that were written for a client with one limit for everything: there a timeout of five
    /// minutes means that the server may be silent as long.
    const TIMEOUT_REPLACES_DEFAULTS: bool = false;
}

/// The defaults of this crate, which every setting of
/// [`ClientBuilder`](crate::client::ClientBuilder) documents.
#[derive(Debug, Clone, Copy)]
pub enum Standard {}

impl Defaults for Standard {}

/// The limit on opening a connection. A handshake with three lost packets takes 7 s; a peer that takes
/// longer rarely answers.
const CONNECT: Duration = Duration::from_secs(10);
/// The limit on silence: long enough for a slow query, short enough that nothing hangs forever.
const SILENCE: Duration = Duration::from_secs(30);

/// Returns whether a field `Expect` asks for `100 Continue`.
pub(crate) fn is_continue(expect: &HeaderValue) -> bool {
    expect.as_bytes().eq_ignore_ascii_case(b"100-continue")
}

/// Replaces the fields of `headers` whose names are in `new` with all values there, or with the last
/// one if the field may occur only once.
pub(crate) fn replace_headers(headers: &mut HeaderMap, new: HeaderMap) -> Result<()> {
    let mut current = None;
    for (name, value) in new {
        match (name, &current) {
            // The first value of a name has the name, the others have `None`.
            (Some(name), _) => {
                headers.try_insert(name.clone(), value).map_err(Error::too_many_fields)?;
                current = Some(name);
            }
            (None, Some(name)) => singleton::add(headers, name.clone(), value)?,
            (None, None) => {}
        }
    }
    Ok(())
}

/// The targets of connections, and their sockets.
#[derive(Debug, Clone)]
pub(crate) struct Dialling {
    /// The fixed addresses of hosts; of two entries for a host the last counts.
    pub(crate) addresses: Vec<(String, Vec<SocketAddr>)>,
    /// Targets that replace a host and port; of two entries for a host the last counts.
    pub(crate) detours: Vec<(Endpoint, Endpoint)>,
    pub(crate) resolver: dns::Resolver,
    pub(crate) family: IpFamily,
    pub(crate) egress: Option<Arc<EgressPolicy>>,
    pub(crate) socket: SocketOptions,
    /// The Unix domain socket for all connections.
    pub(crate) unix_socket: Option<PathBuf>,
}

impl Default for Dialling {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            detours: Vec::new(),
            resolver: dns::Resolver(Arc::new(dns::SystemResolver)),
            family: IpFamily::Any,
            egress: None,
            socket: SocketOptions::default(),
            unix_socket: None,
        }
    }
}

/// A host, in brackets if it is an IPv6 address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The addresses of a host that are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IpFamily {
    /// All of them.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// The options of each socket, from the settings of the client: local address and interface, `TCP_NODELAY`,
/// TCP keepalive, user timeout.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")),
    allow(dead_code, reason = "only these have interface and user timeout options")
)]
pub struct SocketOptions {
    pub(crate) local: Option<IpAddr>,
    pub(crate) interface: Option<String>,
    pub(crate) nodelay: bool,
    pub(crate) keepalive: Keepalive,
    pub(crate) user_timeout: Option<Duration>,
}

/// TCP keepalive (RFC 9293 §3.8.4), off unless `idle` is set.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Keepalive {
    pub(crate) idle: Option<Duration>,
    pub(crate) interval: Option<Duration>,
    pub(crate) retries: Option<u32>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            local: None,
            interface: None,
            // A request is one write; waiting for more would only delay it.
            nodelay: true,
            keepalive: Keepalive::default(),
            user_timeout: None,
        }
    }
}

impl Dialling {
    /// Sets the fixed addresses of a host, which is then not looked up.
    pub(crate) fn resolve(&mut self, domain: &str, addresses: &[SocketAddr]) -> Result<(), Error> {
        let host = host(domain).ok_or_else(|| {
            let domain = Excerpt::new(domain.as_bytes());
            Error::builder(format!("resolve: {domain} is not a host name"))
        })?;
        self.addresses.push((host, addresses.to_vec()));
        Ok(())
    }

    /// Sets the target to connect to instead of `host`, both given as `host:port`.
    pub(crate) fn connect_to(&mut self, host: &str, target: &str) -> Result<(), Error> {
        let detour = Endpoint::parse(host).zip(Endpoint::parse(target)).ok_or_else(|| {
            Error::builder("connect_to: a host and a port are needed, such as example.org:443")
        })?;
        self.detours.push(detour);
        Ok(())
    }

    /// Returns the fixed addresses of a host.
    pub(crate) fn addresses_of(&self, host: &str) -> Option<&[SocketAddr]> {
        let named = |(name, _): &&(String, Vec<SocketAddr>)| name == host;
        self.addresses.iter().rev().find(named).map(|(_, addresses)| addresses.as_slice())
    }

    /// Returns whether `connect_to` replaces the host and port of a URL.
    pub(crate) fn leads_elsewhere(&self, url: &Url) -> bool {
        let place = || Endpoint {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
        };
        !self.detours.is_empty() && self.detour(&place()).is_some()
    }

    /// Returns the target that replaces `from`.
    pub(crate) fn detour(&self, from: &Endpoint) -> Option<&Endpoint> {
        let detour = self.detours.iter().rev().find(|(endpoint, _)| endpoint == from);
        detour.map(|(_, to)| to)
    }

    /// Refuses settings that contradict each other.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.egress {
            Some(egress) if self.unix_socket.is_some() && !egress.allows_unix_sockets() => {
                let detail = "unix_socket: the egress policy allows no Unix domain socket";
                Err(Error::builder(detail))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether an address is of an enabled family.
    pub(crate) fn suits(&self, address: &SocketAddr) -> bool {
        let by_family = match self.family {
            IpFamily::Any => true,
            IpFamily::V4 => address.is_ipv4(),
            IpFamily::V6 => address.is_ipv6(),
        };
        let local = self.socket.local;
        by_family && local.is_none_or(|local| local.is_ipv4() == address.is_ipv4())
    }
}

impl Endpoint {
    /// Parses `host:port`, as in a URL.
    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(&format!("http://{text}")).ok()?;
        let is_all = url.path() == "/" && !text.ends_with(['/', '?', '#']);
        let bare =
            url.query().is_none() && url.fragment().is_none() && !text.as_bytes().contains(&b'@');
        let (_, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|_| is_all && bare)?;
        Some(Self { host: url.host_str()?.to_owned(), port })
    }
}

/// Parses a host as in a URL; an IPv6 address may lack its brackets.
fn host(text: &str) -> Option<String> {
    let text = match text.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => text.to_owned(),
    };
    let name =
        text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).map_or(&*text, |_| "");
    if name.contains([':', '/', '\\', '?', '#', '@', '\t', '\n', '\r']) || text != text.trim() {
        return None;
    }
    let url = Url::parse(&format!("http://{text}/")).ok()?;
    url.host_str().map(str::to_owned)
}

/// The limits on open and idle connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolLimits {
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) max_idle_per_host: usize,
    pub(crate) max_idle: usize,
    pub(crate) max_open_per_host: Option<usize>,
    pub(crate) max_age: Option<Duration>,
    /// A task closes idle connections when they are due.
    #[cfg(feature = "tokio")]
    pub(crate) has_reaper: bool,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            // As in Go and reqwest; most servers close earlier, and the liveness check notices.
            idle_timeout: Some(Duration::from_secs(90)),
            // One for each thread that a busy program is likely to have.
            max_idle_per_host: 32,
            // Go's default is 100; each connection uses a file descriptor and some kilobytes.
            max_idle: 128,
            // A limit makes requests wait, so the caller has to set it.
            max_open_per_host: None,
            max_age: None,
            // A library spawns nothing that it was not asked for.
            #[cfg(feature = "tokio")]
            has_reaper: false,
        }
    }
}

/// Reads a netrc file.
pub(crate) fn read_netrc(path: &Path) -> Result<Netrc> {
    let invalid = || Error::builder(format!("netrc file {}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| invalid().cause(error))?;
    Netrc::parse(&text).map_err(|error| invalid().cause(error))
}

/// Returns the path of the user's netrc file, if there is one.
pub(crate) fn default_netrc_path() -> Option<PathBuf> {
    usual_netrc_path(|name| env::var_os(name)).filter(|path| path.exists())
}

fn usual_netrc_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").or_else(|| set("USERPROFILE"));
    set("NETRC").or_else(|| Some(home()?.join(".netrc")))
}

#[cfg(test)]
mod tests;
