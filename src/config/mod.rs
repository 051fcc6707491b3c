//! The settings of a client as data, with their defaults. `client/builder` has the public methods
//! that set them. Read [`Config`] here first, then the file of each group of settings.

pub(crate) mod connect;
#[cfg_attr(not(feature = "digest"), path = "../off/digest.rs")]
pub(crate) mod digest;
pub mod dns;
pub(crate) mod netrc;
pub(crate) mod pool;
pub mod proxy;
pub mod retry;
#[cfg_attr(not(feature = "tls"), path = "../off/tls_settings.rs")]
pub mod tls;

use std::sync::{Arc, OnceLock};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::base::buffer::Buffer;
use crate::coding::Codings;
use crate::config::connect::Dialling;
use crate::config::pool::PoolLimits;
use crate::cookie::Cookies;
use crate::error::{Error, Result};
use crate::fields::singleton;
use crate::http1::exchange::Expectation;
use crate::http1::limits::Limits;
use crate::http1::request_head::Case;
use crate::policy::auth::netrc::Netrc;
use crate::policy::deadline::budget::Timeouts;
use crate::policy::proxy::environment;
use crate::policy::proxy::rules::Proxies;
use crate::policy::proxy::server::ProxyServer;
use crate::policy::redirect::Policy;
use crate::url::Url;

/// The default `User-Agent`: some servers refuse to answer clients without one.
const USER_AGENT: &str = concat!("leanhttp/", env!("CARGO_PKG_VERSION"));

/// The settings of a client, fixed once it is built.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) timeouts: Arc<Timeouts>,
    pub(crate) pool: PoolLimits,
    pub(crate) limits: Limits,
    pub(crate) redirect: Policy,
    pub(crate) retry: retry::RetrySettings,
    /// Default fields until the client is built; then they move to [`defaults`](Self::defaults).
    pub(crate) default_headers: HeaderMap,
    /// The default fields as a list: there are few, and each request searches them.
    pub(crate) defaults: Vec<(HeaderName, HeaderValue)>,
    /// The field lines of a request without fields of its own, serialized once.
    pub(crate) default_lines: OnceLock<Buffer>,
    pub(crate) credentials: Option<HeaderValue>,
    pub(crate) digest: digest::DigestSettings,
    pub(crate) netrc: Option<Netrc>,
    pub(crate) cookies: Option<Cookies>,
    pub(crate) codings: Codings,
    pub(crate) expectation: Expectation,
    pub(crate) schemes: Schemes,
    pub(crate) case: Case,
    pub(crate) dialling: Dialling,
    /// Set by the caller, or else from the environment when the client is built.
    pub(crate) proxies: Option<Proxies>,
    /// The `Proxy-Authorization` of the default headers.
    pub(crate) proxy_login: Option<HeaderValue>,
    pub(crate) tls: tls::TlsSettings,
}

impl Config {
    /// Completes the settings when the client is built: reads the proxies from the environment, and
    /// moves default fields that are equivalent to a setting.
    pub(crate) fn complete(&mut self) {
        self.proxies.get_or_insert_with(|| environment::proxies(|name| std::env::var_os(name)));
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
                Ok(None) => Ok(None),
                proxy => self.checked_way(url, proxy).map_err(|error| error.for_url(url)),
            },
        }
    }

    /// Refuses a proxy for a URL with a `connect_to`: the proxy would connect to the host in the
    /// URL.
    fn checked_way(
        &self,
        url: &Url,
        proxy: Result<Option<Arc<ProxyServer>>>,
    ) -> Result<Option<Arc<ProxyServer>>> {
        match proxy {
            Ok(Some(_)) if self.dialling.leads_elsewhere(url) => {
                Err(Error::builder("connect_to: not supported for a request through a proxy"))
            }
            proxy => proxy,
        }
    }
}

/// The schemes that may be requested, redirects included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schemes {
    HttpAndHttps,
    HttpsOnly,
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
            redirect: Policy::default(),
            retry: retry::RetrySettings::default(),
            default_headers,
            defaults: Vec::new(),
            default_lines: OnceLock::new(),
            credentials: None,
            digest: digest::DigestSettings::default(),
            netrc: None,
            cookies: None,
            codings: Codings::default(),
            expectation: Expectation::None,
            schemes: Schemes::HttpAndHttps,
            case: Case::Lower,
            dialling: Dialling::default(),
            proxies: None,
            proxy_login: None,
            tls: tls::TlsSettings::default(),
        }
    }
}

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
