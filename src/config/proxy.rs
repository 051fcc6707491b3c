//! Proxy settings: which requests use which proxy.
//!
//! By default the proxy is taken from the environment, as in curl: `http_proxy` and `https_proxy`
//! for URLs of those schemes, `all_proxy` for both, `no_proxy` for the hosts that are reached
//! without a proxy; each also in upper case, with lower precedence. `HTTP_PROXY` is ignored if
//! `REQUEST_METHOD` is set: in a CGI script the HTTP client controls it. The variables are read
//! when the client is built. An invalid value is an error of each request that would have used it.
//!
//! The environment is not read after a call of
//! [`ClientBuilder::proxy`](crate::client::ClientBuilder::proxy) or
//! [`ClientBuilder::no_proxy`](crate::client::ClientBuilder::no_proxy).
//!
//! | proxy | `http` URLs | `https` URLs |
//! | --- | --- | --- |
//! | `http://`, `https://` | the proxy receives the request with the absolute URL | through a tunnel (`CONNECT`) |
//! | `socks4://`, `socks5://` | through a tunnel to an address that the client looks up | the same |
//! | `socks4a://`, `socks5h://` | through a tunnel; the proxy looks the name up | the same |
//!
//! In a tunnel TLS is with the origin, and the proxy sees only host and port. Fields for the origin
//! are not sent to the proxy, and fields for the proxy are not sent to the origin. An `https://`
//! proxy is verified by its own name with the same roots; no client certificate is offered to it.
//! `ClientBuilder::resolve` applies to names that the client looks up, including those of proxies.
//!
//! A 407 response to a forwarded request is an ordinary response; a 407 response to `CONNECT` is an
//! error of [`Kind::Proxy`](crate::error::Kind::Proxy), whose [`status`](crate::Error::status) is
//! 407.

// For maintainers: this file has the types that a program names, `Proxy` and `NoProxy`; what they
// mean for a request is in `policy/proxy`, to which `Proxy::into_rule` converts. The conversion
// happens when the client is built, because login, fields and URL can be set in any order, and what
// the protocol of the proxy cannot express (a password for SOCKS4, a colon in a user name for HTTP)
// is known only with all of them. `settings_that_the_protocol_does_not_support_are_refused` and
// `nothing_shows_credentials` are the tests here, `tests/proxy.rs` those with a proxy.

use std::fmt;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderValue, PROXY_AUTHORIZATION};

use crate::error::Result;
use crate::policy::proxy::ProxyServer;
use crate::policy::proxy::no_proxy::NoProxyList;
use crate::policy::proxy::{Decide, ProxyChoice, ProxyRule};
use crate::url::Scheme;
use crate::url::{Url, Userinfo};

/// A proxy, and the requests that use it.
///
/// A user name and password in its URL are for the proxy. They are sent preemptively: in
/// `Proxy-Authorization: Basic` to an HTTP proxy, and in the SOCKS handshake. A
/// `Proxy-Authorization` field of a request is for a forwarding proxy (`http`); tunnels (`https`)
/// are shared by requests, and use only the credentials set here.
///
/// ```
/// use leanhttp::{Client, NoProxy, Proxy};
///
/// let proxy = Proxy::all("http://proxy.example:3128")?
///     .basic_auth("user", "passwd")
///     .no_proxy(NoProxy::from_string("localhost, .example.org, 10.0.0.0/8"));
/// let client = Client::builder().proxy(proxy).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    scheme: Option<Scheme>,
    source: ProxySource,
    except: NoProxyList,
    extras: Extras,
}

/// The credentials and fields for a proxy, besides its URL.
#[derive(Clone, Default)]
struct Extras {
    login: Option<ProxyLogin>,
    fields: HeaderMap,
}

#[derive(Clone)]
enum ProxyLogin {
    User(Userinfo),
    /// The value of `Proxy-Authorization`.
    Custom(HeaderValue),
}

/// The source of the proxy.
#[derive(Clone)]
enum ProxySource {
    Named(ProxyServer),
    Program(Arc<Decide>),
}

impl Proxy {
    /// Creates a proxy for `http` URLs.
    ///
    /// ```
    /// leanhttp::Proxy::http("socks5h://127.0.0.1")?; // port 1080
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if this is not a proxy URL. The default scheme is `http`; the others are
    /// `https`, `socks4`, `socks4a`, `socks5` and `socks5h`. The default port is that of the
    /// scheme: 80, 443 or 1080. A path is ignored.
    pub fn http<U: IntoProxy>(proxy: U) -> Result<Self> {
        Self::named(Some(Scheme::Http), proxy)
    }

    /// Creates a proxy for `https` URLs.
    ///
    /// # Errors
    ///
    /// See [`http`](Self::http).
    pub fn https<U: IntoProxy>(proxy: U) -> Result<Self> {
        Self::named(Some(Scheme::Https), proxy)
    }

    /// Creates a proxy for all URLs.
    ///
    /// # Errors
    ///
    /// See [`http`](Self::http).
    pub fn all<U: IntoProxy>(proxy: U) -> Result<Self> {
        Self::named(None, proxy)
    }

    /// Creates a proxy that `fun` chooses for each URL; if it returns `None`, the client's next
    /// proxy is tried.
    ///
    /// If the value is not a proxy URL, the request fails.
    ///
    /// ```
    /// use leanhttp::{Proxy, Url};
    ///
    /// let proxy = Proxy::custom(|url: &Url| {
    ///     url.host_str()?.ends_with(".onion").then_some("socks5h://127.0.0.1:9050")
    /// });
    /// ```
    pub fn custom<F, U: IntoProxy>(fun: F) -> Self
    where
        F: Fn(&Url) -> Option<U> + Send + Sync + 'static,
    {
        let decide = move |url: &Url| fun(url).map(|proxy| ProxyServer::named(&proxy.into_text()));
        Self::new(None, ProxySource::Program(Arc::new(decide)))
    }

    /// Sets the user name and password for the proxy, replacing those in its URL.
    ///
    /// Credentials that the proxy's protocol cannot represent are an error of
    /// `ClientBuilder::build`: for HTTP a user name with a colon or control characters; for SOCKS4
    /// a password.
    ///
    /// ```
    /// use leanhttp::Proxy;
    ///
    /// let proxy = Proxy::all("http://proxy.example:3128")?.basic_auth("user", "password");
    /// let client = leanhttp::Client::builder().proxy(proxy).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn basic_auth(mut self, username: &str, password: &str) -> Self {
        let (username, password) = (username.into(), Some(password.into()));
        self.extras.login = Some(ProxyLogin::User(Userinfo { username, password }));
        self
    }

    /// Sets the value of `Proxy-Authorization` for HTTP proxies, replacing user name and password.
    pub fn custom_http_auth(mut self, header_value: HeaderValue) -> Self {
        self.extras.login = Some(ProxyLogin::Custom(header_value));
        self
    }

    /// Sets fields for an HTTP proxy: they are sent in `CONNECT`, and in forwarded requests that
    /// have no field of the same name. They replace the fields of an earlier call.
    ///
    /// `Host` and framing fields are an error of `ClientBuilder::build`.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.extras.fields = headers;
        self
    }

    /// Sets the hosts that are reached without this proxy. Default: none.
    pub fn no_proxy(mut self, no_proxy: Option<NoProxy>) -> Self {
        self.except = no_proxy.unwrap_or_default().list;
        self
    }

    fn named(scheme: Option<Scheme>, proxy: impl IntoProxy) -> Result<Self> {
        Ok(Self::new(scheme, ProxySource::Named(ProxyServer::named(&proxy.into_text())?)))
    }

    fn new(scheme: Option<Scheme>, source: ProxySource) -> Self {
        let except = NoProxyList::default();
        Self { scheme, source, except, extras: Extras::default() }
    }

    /// Checks the settings and converts them to a rule.
    pub(crate) fn into_rule(self) -> Result<ProxyRule> {
        let Self { scheme, source, except, extras } = self;
        let choice = match source {
            ProxySource::Named(hop) => ProxyChoice::Fixed(Arc::new(extras.give(hop)?)),
            ProxySource::Program(decide) => ProxyChoice::Program(Arc::new(move |url: &Url| {
                decide(url).map(|hop| extras.give(hop?))
            })),
        };
        Ok(ProxyRule { variable: None, scheme, except, choice })
    }
}

impl Extras {
    /// Adds login and fields to a proxy. For a proxy that a function of the program chooses, this
    /// happens at each choice, and a mistake is an error of that request.
    fn give(&self, mut hop: ProxyServer) -> Result<ProxyServer> {
        hop.add_fields(&self.fields)?;
        match &self.login {
            Some(ProxyLogin::User(user)) => hop.log_in(user)?,
            Some(ProxyLogin::Custom(value)) => {
                let login = HeaderMap::from_iter([(PROXY_AUTHORIZATION, value.clone())]);
                hop.add_fields(&login)?;
            }
            None => {}
        }
        Ok(hop)
    }
}

/// Omits user name, password and fields.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Proxy");
        match &self.source {
            ProxySource::Named(hop) => debug.field("proxy", hop),
            ProxySource::Program(_) => debug.field("proxy", &format_args!("custom")),
        };
        debug.field("for", &self.scheme).field("except", &self.except).finish_non_exhaustive()
    }
}

/// A list of hosts that are reached without a proxy.
///
/// | entry | means |
/// | --- | --- |
/// | `example.org`, `.example.org` | that host and its subdomains |
/// | `*.example.org` | its subdomains |
/// | `10.0.0.1`, `::1` | that address, as written in the URL |
/// | `10.0.0.0/8`, `fd00::/8` | the addresses of that network |
/// | `*` | every host |
///
/// Entries are separated by commas; a port (`example.org:81`, `[::1]:81`) restricts an entry to it.
/// Invalid entries are ignored. Names are not resolved for the comparison, and `localhost` is an
/// ordinary name.
#[derive(Debug, Clone, Default)]
pub struct NoProxy {
    list: NoProxyList,
}

impl NoProxy {
    /// Returns the list in the environment: `no_proxy`, or else `NO_PROXY`; `None` if both are
    /// empty.
    pub fn from_env() -> Option<Self> {
        NoProxyList::from_environment(|name| std::env::var_os(name)).map(|list| Self { list })
    }

    /// Returns this list, always as `Some`. The result is an `Option` because reqwest's is, and
    /// because [`Proxy::no_proxy`] takes one.
    pub fn from_string(no_proxy_list: &str) -> Option<Self> {
        Some(Self { list: NoProxyList::parse(no_proxy_list) })
    }
}

/// A proxy URL, as text or as a URL. This trait is sealed.
pub trait IntoProxy: sealed::Sealed {
    #[doc(hidden)]
    fn into_text(self) -> String;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for &str {}
    impl Sealed for &String {}
    impl Sealed for String {}
    impl Sealed for crate::url::Url {}
    impl Sealed for &crate::url::Url {}
    #[cfg(feature = "url")]
    impl Sealed for whatwg_url::Url {}
}

impl IntoProxy for &str {
    fn into_text(self) -> String {
        self.to_owned()
    }
}

impl IntoProxy for &String {
    fn into_text(self) -> String {
        self.clone()
    }
}

impl IntoProxy for String {
    fn into_text(self) -> String {
        self
    }
}

impl IntoProxy for Url {
    fn into_text(self) -> String {
        self.as_str().to_owned()
    }
}

impl IntoProxy for &Url {
    fn into_text(self) -> String {
        self.as_str().to_owned()
    }
}

/// For programs written for reqwest, which pass this type.
#[cfg(feature = "url")]
impl IntoProxy for whatwg_url::Url {
    fn into_text(self) -> String {
        self.into()
    }
}

#[cfg(test)]
mod tests;
