//! The choice of the proxy for a URL.
//!
//! ```text
//! URL ─▶ Proxies: the first ProxyRule that covers the scheme, and does not except the host
//!            ├▶ none: a direct connection
//!            └▶ ProxyChoice ─▶ ProxyServer, a part of the route
//! ```
//!
//! Read [`ProxyServer`] first: a proxy with its protocol, credentials and fields, all of which
//! distinguish connections to it. Then [`Proxies`], the rules of the caller or of the environment.
//! [`no_proxy`] has the lists of hosts that are reached without a proxy.
//!
//! An invalid proxy is an error of each request that would use it. A direct connection instead would
//! expose traffic that is meant for the proxy only.
//!
//! # What a proxy sees
//!
//! | proxy | URL | request line | sees | credentials for it in |
//! | --- | --- | --- | --- | --- |
//! | HTTP | http | absolute form | the whole request | `Proxy-Authorization` of the request |
//! | HTTP | https | `CONNECT host:port` | host and port | `Proxy-Authorization` of CONNECT |
//! | SOCKS 4, 5 | any | none | an address and a port | the handshake |
//! | SOCKS 4a, 5h | any | none | a name and a port | the handshake |
//!
//! # Rules
//!
//! - The first rule that covers the scheme and does not except the host decides. A rule that is a
//!   function of the caller may decline, and the next one is asked
//!   (`a_custom_rule_may_defer_to_the_next_rule`).
//! - A redirect chooses anew (`tests/proxy.rs`, `r11_each_redirect_selects_its_proxy`).
//! - `HTTP_PROXY` is ignored in a CGI script, where a client of the web server sets it
//!   (`r16_http_proxy_is_ignored_in_cgi`).
//! - An invalid proxy URL is not shown in an error, as far as it may contain a password
//!   (`a_text_that_may_contain_a_password_is_not_shown`).
//! - Login and fields are part of the proxy, and so of the pool's key: two users of one proxy share
//!   no connection (`r14_proxies_with_different_settings_are_distinct`).

pub(crate) mod no_proxy;

use std::ffi::OsString;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use http::HeaderMap;
use http::header::{self, HeaderName};

use crate::error::{Error, Result};
use crate::fields::singleton;
use crate::policy::auth;
use crate::url::Scheme;
use crate::url::{ParseError, Url, Userinfo, shown};
use no_proxy::NoProxyList;

/// A proxy, with all settings that distinguish connections to it.
///
/// It is a part of the [`Route`](crate::policy::route::Route), and so of the pool's key: proxies
/// with different credentials are different.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ProxyServer {
    /// The host as in a URL: an IPv6 address in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
}

/// Hashes what usually differs: a program may have one proxy with many user names.
impl Hash for ProxyServer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.host, self.port).hash(state);
        match &self.protocol {
            Protocol::Http { scheme, fields } => {
                fields.get(header::PROXY_AUTHORIZATION).hash(state);
                state.write_u8(*scheme as u8);
            }
            Protocol::Socks { version, names, login } => {
                login.as_ref().map(|login| &login.username).hash(state);
                state.write_u8(2 + 2 * *version as u8 + *names as u8);
            }
        }
    }
}

/// The proxy protocol.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP (RFC 9110 §7.6, §9.3.6), optionally over TLS.
    Http {
        scheme: Scheme,
        /// The fields for the proxy, including credentials.
        fields: HeaderMap,
    },
    Socks {
        version: SocksVersion,
        names: NameResolution,
        login: Option<Userinfo>,
    },
}

/// The SOCKS version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocksVersion {
    Four,
    Five,
}

/// The side that resolves host names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameResolution {
    Local,
    /// The proxy: the client never resolves them.
    Remote,
}

/// The reason why a text is not a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProxyServerError {
    UnknownScheme,
    NoHost,
    /// A host name that cannot be resolved (RFC 1035 §2.3.4).
    UnresolvableHost,
    UnescapedLogin,
    Url(ParseError),
}

impl ProxyServer {
    /// Parses a proxy URL, including its user name and password.
    pub(crate) fn named(text: &str) -> Result<Self> {
        let (mut hop, login) = Self::parse(text).map_err(|error| {
            let detail = shown("proxy URL", text);
            match error {
                // The error shows the presumed host, which may be a part of the password.
                ProxyServerError::Url(_) if text.as_bytes().contains(&b'@') => {
                    Error::builder(format!("{detail}: it is not valid"))
                }
                error => Error::builder(detail).cause(error),
            }
        })?;
        login.map_or(Ok(()), |login| hop.log_in(&login))?;
        Ok(hop)
    }

    /// Parses a proxy URL, and returns the user name and password separately.
    ///
    /// The default scheme is HTTP; the default port is that of the scheme: 80, 443 or, for SOCKS,
    /// 1080. A path is ignored.
    fn parse(text: &str) -> Result<(Self, Option<Userinfo>), ProxyServerError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (protocol, default_port) =
            Protocol::of_scheme(scheme).ok_or(ProxyServerError::UnknownScheme)?;
        if rest.starts_with(['/', '\\']) {
            return Err(ProxyServerError::NoHost); // the rest is a path, not a host
        }
        let mut url = Url::parse(&format!("http://{rest}")).map_err(ProxyServerError::Url)?;
        // A URL omits the default port of its scheme, which differs from the proxy's.
        let shown = || Url::parse(&format!("https://{rest}")).ok()?.port();
        let port = url.port().or_else(shown).unwrap_or(default_port);
        if !url.host().is_some_and(|host| host.is_resolvable()) {
            return Err(ProxyServerError::UnresolvableHost);
        }
        let login = url.take_userinfo();
        if url.as_str().as_bytes().contains(&b'@') {
            return Err(ProxyServerError::UnescapedLogin); // part of it was parsed as the host
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok((Self { host, port, protocol }, login))
    }

    /// Sets the credentials, replacing earlier ones.
    pub(crate) fn log_in(&mut self, given: &Userinfo) -> Result<()> {
        let password = given.password.as_deref().unwrap_or_default();
        match &mut self.protocol {
            Protocol::Http { fields, .. } => {
                let basic = auth::basic(&given.username, password)?;
                let name = header::PROXY_AUTHORIZATION;
                fields.try_insert(name, basic).map_err(Error::too_many_fields)?;
            }
            Protocol::Socks { version: SocksVersion::Four, .. } if !password.is_empty() => {
                return Err(Error::builder("SOCKS4 knows a user name only, and no password"));
            }
            Protocol::Socks { login, .. } => *login = Some(given.clone()),
        }
        Ok(())
    }

    /// Adds fields for the proxy, replacing earlier fields with the same names.
    pub(crate) fn add_fields(&mut self, new: &HeaderMap) -> Result<()> {
        let fields = match &mut self.protocol {
            _ if new.is_empty() => return Ok(()),
            Protocol::Http { fields, .. } => fields,
            Protocol::Socks { .. } => {
                return Err(Error::builder("a SOCKS proxy takes no header fields"));
            }
        };
        if let Some(name) = OURS.iter().find(|name| new.contains_key(*name)) {
            return Err(Error::builder(format!("{name} cannot be set for a proxy")));
        }
        for name in new.keys() {
            fields.remove(name);
        }
        for (name, value) in new {
            singleton::add(fields, name.clone(), value.clone())?;
        }
        if let Some(credentials) = fields.get_mut(header::PROXY_AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        Ok(())
    }

    /// Returns whether the proxy receives the names of origins and not their addresses.
    pub(crate) fn looks_names_up(&self) -> bool {
        !matches!(self.protocol, Protocol::Socks { names: NameResolution::Local, .. })
    }

    pub(crate) fn speaks_http(&self) -> bool {
        matches!(self.protocol, Protocol::Http { .. })
    }

    /// Returns `host:port`.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The fields that the client writes itself.
const OURS: [HeaderName; 3] = [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

impl Protocol {
    /// Returns the protocol of a scheme and its default port.
    fn of_scheme(scheme: &str) -> Option<(Self, u16)> {
        let http = |scheme| Self::Http { scheme, fields: HeaderMap::new() };
        let socks = |version, names| Self::Socks { version, names, login: None };
        Some(match &*scheme.to_ascii_lowercase() {
            "http" => (http(Scheme::Http), 80),
            "https" => (http(Scheme::Https), 443),
            "socks4" => (socks(SocksVersion::Four, NameResolution::Local), 1080),
            "socks4a" => (socks(SocksVersion::Four, NameResolution::Remote), 1080),
            "socks5" => (socks(SocksVersion::Five, NameResolution::Local), 1080),
            "socks5h" => (socks(SocksVersion::Five, NameResolution::Remote), 1080),
            _ => return None,
        })
    }

    fn scheme(&self) -> &'static str {
        match self {
            Self::Http { scheme: Scheme::Http, .. } => "http",
            Self::Http { scheme: Scheme::Https, .. } => "https",
            Self::Socks { version: SocksVersion::Four, names: NameResolution::Local, .. } => {
                "socks4"
            }
            Self::Socks { version: SocksVersion::Four, names: NameResolution::Remote, .. } => {
                "socks4a"
            }
            Self::Socks { version: SocksVersion::Five, names: NameResolution::Local, .. } => {
                "socks5"
            }
            Self::Socks { version: SocksVersion::Five, names: NameResolution::Remote, .. } => {
                "socks5h"
            }
        }
    }
}

/// For messages: without credentials.
impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.protocol.scheme(), self.host, self.port)
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ProxyServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownScheme => {
                f.write_str("a proxy is http, https, socks4, socks4a, socks5 or socks5h")
            }
            Self::NoHost => f.write_str("the URL has no host"),
            Self::UnresolvableHost => f.write_str("the host name is not valid in the DNS"),
            Self::UnescapedLogin => {
                f.write_str("`/`, `?` and `#` in the user name or password must be percent-encoded")
            }
            Self::Url(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProxyServerError {}

/// The rules; the first that matches applies. Without a match the connection is direct.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    rules: Vec<ProxyRule>,
}

/// A set of URLs and the proxy for them.
#[derive(Debug, Clone)]
pub(crate) struct ProxyRule {
    /// The environment variable that it is from.
    #[cfg_attr(not(feature = "export"), allow(dead_code))]
    pub(crate) variable: Option<&'static str>,
    /// `None` for all.
    pub(crate) scheme: Option<Scheme>,
    pub(crate) except: NoProxyList,
    pub(crate) choice: ProxyChoice,
}

/// The proxy of a rule.
#[derive(Clone)]
pub(crate) enum ProxyChoice {
    Fixed(Arc<ProxyServer>),
    /// The caller's function decides for each URL.
    Program(Arc<Decide>),
    /// An invalid proxy. It is reported when a request would use it: a direct connection instead
    /// would expose traffic that is meant for the proxy only.
    Broken(String),
}

/// Returns the proxy for a URL; `None` if this rule has none for it.
pub(crate) type Decide = dyn Fn(&Url) -> Option<Result<ProxyServer>> + Send + Sync;

impl Proxies {
    /// Returns the proxies that environment variables name. An invalid value is an error of each
    /// request that would have used it.
    ///
    /// | URL | the first non-empty one of these |
    /// | --- | --- |
    /// | `http` | `http_proxy`, `HTTP_PROXY`, `all_proxy`, `ALL_PROXY` |
    /// | `https` | `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY` |
    /// | exceptions | `no_proxy`, `NO_PROXY` |
    ///
    /// These are curl's rules. If this program runs as a CGI script (`REQUEST_METHOD` is set), the
    /// web server copies the `Proxy` field of its client's request into `HTTP_PROXY` (CVE-2016-5386
    /// and others), so the variable is ignored there. curl never reads it; Go and reqwest follow the
    /// same rule as this function.
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let mut proxies = Self::default();
        for (scheme, names) in [(Some(Scheme::Http), HTTP), (Some(Scheme::Https), HTTPS)] {
            for name in names {
                let is_of_cgi_client = is_cgi
                    && (name == "HTTP_PROXY"
                        || ONE_CASE && name.eq_ignore_ascii_case("HTTP_PROXY"));
                let value = variable(name).filter(|value| !value.is_empty());
                let Some(value) = value.filter(|_| !is_of_cgi_client) else { continue };
                let except = NoProxyList::from_environment(&variable).unwrap_or_default();
                let (variable, choice) = (Some(name), choice(name, value));
                proxies.push(ProxyRule { variable, scheme, except, choice });
                break;
            }
        }
        proxies
    }

    pub(crate) fn push(&mut self, rule: ProxyRule) {
        self.rules.push(rule);
    }

    /// Returns the proxy for `url`, or `None` for a direct connection.
    pub(crate) fn choose(&self, url: &Url) -> Result<Option<Arc<ProxyServer>>> {
        self.rules.iter().find_map(|rule| rule.choose(url)).transpose()
    }
}

#[cfg(feature = "export")]
impl Proxies {
    /// Returns which rule [decides](Self::choose) on `url`, in words.
    pub(crate) fn explain(&self, url: &Url) -> String {
        let mut excepted = None;
        for (rule, number) in self.rules.iter().zip(1..) {
            let name = match rule.variable {
                Some(variable) => format!("the environment variable {variable}"),
                None => format!("proxy {number} of the client"),
            };
            if rule.choose(url).is_some() {
                return format!("chosen by {name}");
            }
            if rule.covers(url) && rule.except.covers(url) {
                excepted.get_or_insert(format!("{name} makes an exception for the host"));
            }
        }
        match excepted {
            Some(excepted) => excepted,
            None if self.rules.is_empty() => "no proxy is set".to_owned(),
            None => "no proxy is for this URL".to_owned(),
        }
    }
}

impl ProxyRule {
    fn covers(&self, url: &Url) -> bool {
        self.scheme.is_none_or(|scheme| url.http_scheme() == Ok(scheme))
    }

    fn choose(&self, url: &Url) -> Option<Result<Arc<ProxyServer>>> {
        if !self.covers(url) || self.except.covers(url) {
            return None;
        }
        match &self.choice {
            ProxyChoice::Fixed(hop) => Some(Ok(Arc::clone(hop))),
            ProxyChoice::Program(decide) => decide(url).map(|hop| hop.map(Arc::new)),
            ProxyChoice::Broken(why) => Some(Err(Error::builder(why.clone()))),
        }
    }
}

impl fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(hop) => hop.fmt(f),
            Self::Program(_) => f.write_str("as the program decides"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

/// On Windows, variable names are case-insensitive.
const ONE_CASE: bool = cfg!(windows);

const HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

fn choice(name: &str, value: OsString) -> ProxyChoice {
    let Ok(value) = value.into_string() else {
        return ProxyChoice::Broken(format!("the environment variable {name} is not UTF-8"));
    };
    match ProxyServer::named(&value) {
        Ok(hop) => ProxyChoice::Fixed(Arc::new(hop)),
        Err(error) => ProxyChoice::Broken(format!("the environment variable {name}: {error}")),
    }
}

#[cfg(test)]
mod tests;
