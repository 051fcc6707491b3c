//! Every knob of a client, with its default and the reason for it.

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

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::base::buffer::Buffer;
use crate::base::erased_box::Apart;
use crate::client::Client;
use crate::coding::Codings;
use crate::config::connect::Dialling;
use crate::config::pool::PoolLimits;
use crate::cookie::{CookieStore, Cookies};
use crate::driver::runtime::Front;
use crate::error::{Error, Result};
use crate::fields::singleton;
use crate::http1::exchange::Expectation;
use crate::http1::limits::Limits;
use crate::http1::name_case::Case;
use crate::policy::auth::credentials;
use crate::policy::auth::netrc::Netrc;
use crate::policy::deadline::budget::Timeouts;
use crate::policy::deadline::throughput::Pace;
use crate::policy::proxy::environment;
use crate::policy::proxy::rules::Proxies;
use crate::policy::proxy::server::Hop;
use crate::policy::redirect::Policy;
use crate::url::Url;

/// What `User-Agent` says unless the caller says something else: some servers refuse to answer
/// clients without a name.
const USER_AGENT: &str = concat!("leanhttp/", env!("CARGO_PKG_VERSION"));

/// The settings of a client, fixed once it is built.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) timeouts: Arc<Timeouts>,
    pub(crate) pool: PoolLimits,
    pub(crate) limits: Limits,
    pub(crate) redirect: Policy,
    pub(crate) retry: retry::Settings,
    /// As they are collected; then see [`defaults`](Self::defaults).
    pub(crate) default_headers: HeaderMap,
    /// The default fields as a list: there are few, and each request looks through them.
    pub(crate) defaults: Vec<(HeaderName, HeaderValue)>,
    /// The lines of a request that says nothing else, written once.
    pub(crate) default_lines: OnceLock<Buffer>,
    pub(crate) credentials: Option<HeaderValue>,
    pub(crate) digest: digest::Settings,
    pub(crate) netrc: Option<Netrc>,
    pub(crate) cookies: Option<Cookies>,
    pub(crate) codings: Codings,
    pub(crate) expectation: Expectation,
    pub(crate) schemes: Schemes,
    pub(crate) case: Case,
    pub(crate) dialling: Dialling,
    /// Those of the environment, unless the program says otherwise.
    pub(crate) proxies: Option<Proxies>,
    /// What the default headers have for a proxy.
    pub(crate) proxy_login: Option<HeaderValue>,
    pub(crate) tls: tls::Settings,
}

impl Config {
    /// The defaults.
    pub(crate) fn apart() -> Apart<Self> {
        Apart::new(Self::default())
    }

    /// Settles what depends on the environment, and what fields stand for.
    pub(crate) fn complete(&mut self) {
        self.proxies.get_or_insert_with(|| environment::proxies(|name| std::env::var_os(name)));
        self.proxy_login = self.default_headers.remove(header::PROXY_AUTHORIZATION);
        // The field says what the setting says, and goes only with a body (RFC 9110 §10.1.1).
        if self.default_headers.get(header::EXPECT).is_some_and(is_continue) {
            self.default_headers.remove(header::EXPECT);
            self.expectation = Expectation::Continue;
        }
        let fields = std::mem::take(&mut self.default_headers);
        for (name, value) in &fields {
            self.defaults.push((name.clone(), value.clone()));
        }
    }

    /// What requests say that have no `User-Agent` of their own.
    pub(crate) fn user_agent(&self) -> Option<&HeaderValue> {
        let (_, value) = self.defaults.iter().find(|(name, _)| *name == header::USER_AGENT)?;
        Some(value)
    }

    /// The proxy for `url`; none, if the way is direct.
    #[inline]
    pub(crate) fn proxy_for(&self, url: &Url) -> Result<Option<Arc<Hop>>> {
        match &self.proxies {
            None => Ok(None),
            // A Unix domain socket leads there already.
            Some(_) if self.dialling.unix_socket.is_some() => Ok(None),
            Some(proxies) => match proxies.choose(url) {
                Ok(None) => Ok(None),
                proxy => self.checked_way(url, proxy).map_err(|error| error.for_url(url)),
            },
        }
    }

    /// A proxy reaches the host that the URL names, which is the one not to be reached where
    /// `connect_to` names another.
    fn checked_way(&self, url: &Url, proxy: Result<Option<Arc<Hop>>>) -> Result<Option<Arc<Hop>>> {
        match proxy {
            Ok(Some(_)) if self.dialling.leads_elsewhere(url) => Err(Error::builder(
                "connect_to: a request that goes by a proxy cannot be led elsewhere",
            )),
            proxy => proxy,
        }
    }
}

/// Which URLs may be requested, redirects included.
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
            retry: retry::Settings::default(),
            default_headers,
            defaults: Vec::new(),
            default_lines: OnceLock::new(),
            credentials: None,
            digest: digest::Settings::default(),
            netrc: None,
            cookies: None,
            codings: Codings::default(),
            expectation: Expectation::None,
            schemes: Schemes::HttpAndHttps,
            case: Case::Lower,
            dialling: Dialling::default(),
            proxies: None,
            proxy_login: None,
            tls: tls::Settings::default(),
        }
    }
}

/// Sets up a [`Client`].
///
/// Every setting has a default that is safe and rarely needs a change; a mistake in one is told by
/// [`build`](ClientBuilder::build).
///
/// ```
/// use std::time::Duration;
///
/// let client = leanhttp::Client::builder()
///     .user_agent("weather-station/2.1")
///     .timeout(Duration::from_secs(20))
///     .build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[must_use]
pub struct ClientBuilder<F: Front> {
    pub(crate) config: Apart<Config>,
    /// The first mistake.
    pub(crate) error: Option<Error>,
    front: PhantomData<fn() -> F>,
}

impl<F: Front> ClientBuilder<F> {
    /// A client with the defaults.
    pub fn new() -> Self {
        Self { config: Config::apart(), error: None, front: PhantomData }
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// If a setting was invalid: the first one that was.
    pub fn build(self) -> Result<Client<F>> {
        self.build_in(F::System::default())
    }

    /// A client whose driver acts in that world.
    pub(crate) fn build_in(self, world: F::System) -> Result<Client<F>> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.config.tls.check()?;
        self.config.dialling.check()?;
        Ok(Client::in_world(self.config, world))
    }

    // What requests carry.

    /// The `User-Agent` field; `leanhttp/` and the version by default. An empty one is not sent. A proxy
    /// that is asked for a tunnel is told it, too.
    pub fn user_agent<V>(mut self, value: V) -> Self
    where
        V: TryInto<HeaderValue>,
        V::Error: Into<http::Error>,
    {
        let value = value.try_into();
        let value = value.map_err(|error| Error::invalid_field("invalid User-Agent", error));
        let fields = &mut self.config.default_headers;
        let set = value.and_then(|value| match value.is_empty() {
            true => Ok(fields.remove(header::USER_AGENT)),
            false => fields.try_insert(header::USER_AGENT, value).map_err(Error::too_many_fields),
        });
        self.checked(set, |_, _| {})
    }

    /// Fields that every request carries unless it has a field of that name itself. They replace
    /// earlier defaults of the same name; `Accept: */*` is one from the start.
    ///
    /// `Host`, `Content-Length` and `Transfer-Encoding` are left out: they are about one request.
    ///
    /// `Authorization`, `Cookie` and every value marked sensitive stay with the origin that a
    /// request names: they are not sent where it is redirected to.
    pub fn default_headers(mut self, headers: HeaderMap) -> Self {
        let replaced = replace_headers(&mut self.config.default_headers, headers);
        self.checked(replaced, |_, ()| {})
    }

    /// Basic credentials (RFC 7617) for every request that has no `Authorization` of its own.
    ///
    /// They go to the origin that a request names, and not where it is redirected to.
    pub fn basic_auth<U, P>(self, username: U, password: Option<P>) -> Self
    where
        U: fmt::Display,
        P: fmt::Display,
    {
        let password = password.map(|password| password.to_string()).unwrap_or_default();
        let value = credentials::basic(username.to_string().as_bytes(), password.as_bytes());
        self.checked(value, |config, value| config.credentials = Some(value))
    }

    /// Keeps cookies in this store, which may be shared with other clients.
    pub fn cookie_provider<C: CookieStore + 'static>(mut self, cookie_store: Arc<C>) -> Self {
        self.config.cookies = Some(Cookies(cookie_store));
        self
    }

    /// Whether gzip is asked for and decoded; on by default, with the feature `gzip`.
    ///
    /// `gzip(true)` without the feature is an error of [`build`](Self::build).
    pub fn gzip(mut self, enable: bool) -> Self {
        let switched = self.config.codings.switch("gzip", enable);
        self.checked(switched, |_, ()| {})
    }

    /// Neither asks for gzip nor decodes it: such bodies come as they were sent.
    pub fn no_gzip(self) -> Self {
        self.gzip(false)
    }

    /// Whether deflate is asked for and decoded; on by default, with the feature `deflate`.
    ///
    /// `deflate(true)` without the feature is an error of [`build`](Self::build).
    pub fn deflate(mut self, enable: bool) -> Self {
        let switched = self.config.codings.switch("deflate", enable);
        self.checked(switched, |_, ()| {})
    }

    /// Neither asks for deflate nor decodes it: such bodies come as they were sent.
    pub fn no_deflate(self) -> Self {
        self.deflate(false)
    }

    /// Whether a body waits for the server's `100 Continue`, for all requests; see
    /// [`RequestBuilder::expect_continue`](crate::client::request::RequestBuilder::expect_continue).
    pub fn expect_continue(mut self, enable: bool) -> Self {
        self.config.expectation = if enable { Expectation::Continue } else { Expectation::None };
        self
    }

    /// Writes names of fields as `Content-Length` instead of `content-length`, for servers that do
    /// not know that both mean the same (RFC 9110 §5.1). For single names see
    /// [`raw_header`](crate::client::request::RequestBuilder::raw_header).
    pub fn http1_title_case_headers(mut self) -> Self {
        self.config.case = Case::Title;
        self
    }

    /// Only HTTP/1.1, which is all that there is: for programs that say so.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().http1_only().build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn http1_only(self) -> Self {
        self
    }

    // Where requests go.

    /// Whether and how far redirects are followed; up to 10 by default.
    pub fn redirect(mut self, policy: Policy) -> Self {
        self.config.redirect = policy;
        self
    }

    /// Refuses every `http` URL, also as the target of a redirect; off by default.
    pub fn https_only(mut self, enabled: bool) -> Self {
        self.config.schemes = if enabled { Schemes::HttpsOnly } else { Schemes::HttpAndHttps };
        self
    }

    // How long things may take.

    /// The time from `send` to the last byte of the body, over lookups, connections, redirects and
    /// all: a deadline, not a limit that starts afresh. None by default.
    ///
    /// It says when the caller wants to be done: by then nothing is waited for any more. Only a
    /// final head that came while the request was being sent is not lost. The limits on what the peer does (connect,
    /// handshake and first byte timeout) are told only if a last look at the socket finds nothing.
    pub fn timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().total = timeout.into();
        self
    }

    /// The time to make a connection: lookup, TCP, what a proxy takes, and TLS together. 10 seconds by
    /// default. It begins with the lookup; waiting for a free connection has a limit of its own, the
    /// [`pool_wait_timeout`](Self::pool_wait_timeout).
    ///
    /// A host with several addresses is tried at the next one after 0.25 s without an answer
    /// (RFC 8305), or sooner: the addresses share the time that is left, so that a short limit reaches
    /// the second address too.
    pub fn connect_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().connect = timeout.into();
        self
    }

    /// The time to look a name up, within the connect timeout. None of its own by default.
    pub fn resolve_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().resolve = timeout.into();
        self
    }

    /// The time for what is set up on a new connection, within the connect timeout: TLS, and a
    /// tunnel through a proxy. None of its own by default.
    pub fn handshake_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().handshake = timeout.into();
        self
    }

    /// The time from the last byte of a request to the first one of its response: how long the server
    /// may think. 30 seconds by default on the blocking front, no limit on the async one, where long
    /// polling, reports and language models take their time.
    ///
    /// A [`read_timeout`](Self::read_timeout) that is set, to a limit or to none, counts for the first
    /// byte too and replaces this default. If both are set, both count.
    pub fn first_byte_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().set_first_byte(timeout.into());
        self
    }

    /// Ends calls whose bodies, sent or received, fall behind `bytes_per_second` on average over
    /// this much time, although their peer is never silent for as long as the read or write timeout.
    /// None by default.
    ///
    /// Only time spent waiting for the peer counts, so that a program which reads slowly does not
    /// accuse the server.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// // As curl's --speed-limit 1000 --speed-time 30.
    /// let client = leanhttp::Client::builder().min_throughput(1000, Duration::from_secs(30));
    /// ```
    pub fn min_throughput(mut self, bytes_per_second: u64, over: Duration) -> Self {
        self.timeouts().pace = Some(Pace { bytes_per_second, over });
        self
    }

    /// The time between two bytes of a response. By default 30 seconds once the response has begun;
    /// before that the [`first_byte_timeout`](Self::first_byte_timeout) counts.
    ///
    /// A limit that is set here holds for every read, the wait for the first byte included, as in
    /// reqwest; `None` takes the defaults of both away.
    pub fn read_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().set_read(timeout.into());
        self
    }

    /// The time in which the connection takes at least one byte of the request. 30 seconds by
    /// default.
    pub fn write_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().write = timeout.into();
        self
    }

    // What is kept.

    /// How long a connection may idle and still be used; 90 seconds by default.
    ///
    /// There is no thread that would close it the moment it is over: the next call of the client
    /// does, to whichever host, or
    /// [`close_idle_connections`](crate::client::Client::close_idle_connections).
    pub fn pool_idle_timeout<D: Into<Option<Duration>>>(mut self, timeout: D) -> Self {
        self.config.pool.idle_timeout = timeout.into();
        self
    }

    /// How many connections to one host may idle; 32 by default, 0 keeps none.
    pub fn pool_max_idle_per_host(mut self, max: usize) -> Self {
        self.config.pool.max_idle_per_host = max;
        self
    }

    /// How many connections may idle in all; 128 by default, 0 keeps none.
    pub fn pool_max_idle(mut self, max: usize) -> Self {
        self.config.pool.max_idle = max;
        self
    }

    /// How many connections to one host there may be at all, idle and in use; no limit by default.
    /// Requests beyond wait for their turn, in the order in which they came, as long as the
    /// [`pool_wait_timeout`](Self::pool_wait_timeout) lasts. At least one is always allowed.
    pub fn pool_max_open_per_host(mut self, max: usize) -> Self {
        self.config.pool.max_open_per_host = Some(max);
        self
    }

    /// The time to wait for a free connection, where
    /// [`pool_max_open_per_host`](Self::pool_max_open_per_host) allows no further one. By default as
    /// long as the [`connect_timeout`](Self::connect_timeout), whose clock starts only afterwards.
    /// `None` waits for ever.
    ///
    /// When it passes, the error is a timeout of the phase [`Queue`](crate::error::Phase::Queue).
    /// reqwest has no such limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let client = leanhttp::Client::builder()
    ///     .pool_max_open_per_host(4)
    ///     .pool_wait_timeout(Duration::from_secs(60))
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn pool_wait_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().pool_wait = Some(timeout.into());
        self
    }

    /// How long a connection is used at all; none is closed for its age by default. It ends
    /// with the request that it serves, so that clients find their way to new servers behind a name.
    pub fn pool_max_age<D: Into<Option<Duration>>>(mut self, age: D) -> Self {
        self.config.pool.max_age = age.into();
        self
    }

    // What is too much.

    /// What one response may cost; each limit of [`Limits`] says what it is by default.
    pub fn limits(mut self, limits: Limits) -> Self {
        let lenience = self.config.limits.lenience;
        self.config.limits = Limits { lenience, ..limits.within_reason() };
        self
    }

    /// How many bytes `bytes`, `text` and `json` take into memory, after decoding; 256 MiB by
    /// default. Reading a response piece by piece has no limit.
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.config.limits.body_bytes = bytes;
        self
    }

    /// How many fields a response may have; 128 by default, and never more than 16384.
    pub fn http1_max_headers(mut self, max: usize) -> Self {
        self.config.limits.fields = max;
        self.config.limits = self.config.limits.clone().within_reason();
        self
    }

    // What is let pass.

    /// Leaves out lines of a response's head that are no field, such as one without a colon, instead of
    /// refusing the response; off by default.
    ///
    /// # Danger
    ///
    /// What one reader leaves out another may heed: with a proxy or a cache between, a server (or who can
    /// write into its fields) may get two readers to see different responses. Use it for a device that is
    /// known to need it, with a client of its own. A line that looks like `Content-Length` or
    /// `Transfer-Encoding` is refused all the same.
    ///
    /// ```
    /// let camera = leanhttp::Client::builder()
    ///     .http1_ignore_invalid_headers_in_responses(true)
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn http1_ignore_invalid_headers_in_responses(mut self, enabled: bool) -> Self {
        self.config.limits.lenience.invalid_fields = enabled;
        self
    }

    /// Takes blanks between the name of a field and its colon, which RFC 9112 §5.1 forbids because
    /// messages have been smuggled with them; off by default.
    ///
    /// # Danger
    ///
    /// As for [`http1_ignore_invalid_headers_in_responses`](Self::http1_ignore_invalid_headers_in_responses):
    /// another reader may know no such field. `Content-Length` and `Transfer-Encoding` with blanks are
    /// refused all the same.
    pub fn http1_allow_spaces_after_header_name_in_responses(mut self, enabled: bool) -> Self {
        self.config.limits.lenience.spaces_after_name = enabled;
        self
    }

    /// Takes values that go on in the next line, which begins with a blank (RFC 9112 §5.2): each line
    /// break in them becomes blanks. Off by default.
    ///
    /// # Danger
    ///
    /// As for [`http1_ignore_invalid_headers_in_responses`](Self::http1_ignore_invalid_headers_in_responses):
    /// another reader may take the next line for a field of its own. `Content-Length` and
    /// `Transfer-Encoding` cannot go on, and no next line may look like them.
    pub fn http1_allow_obsolete_multiline_headers_in_responses(mut self, enabled: bool) -> Self {
        self.config.limits.lenience.folds = enabled;
        self
    }

    /// Shared with the calls of a client, but not yet with any.
    fn timeouts(&mut self) -> &mut Timeouts {
        Arc::make_mut(&mut self.config.timeouts)
    }

    /// Applies a value, or keeps the first error.
    pub(crate) fn checked<T>(
        mut self,
        value: Result<T>,
        apply: impl FnOnce(&mut Config, T),
    ) -> Self {
        match value {
            Ok(value) => apply(&mut self.config, value),
            Err(error) => drop(self.error.get_or_insert(error)),
        }
        self
    }
}

impl<F: Front> Default for ClientBuilder<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Front> fmt::Debug for ClientBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("timeouts", &self.config.timeouts)
            .field("pool", &self.config.pool)
            .field("redirect", &self.config.redirect)
            .finish_non_exhaustive()
    }
}

/// Whether a field `Expect` asks for `100 Continue`.
pub(crate) fn is_continue(expect: &HeaderValue) -> bool {
    expect.as_bytes().eq_ignore_ascii_case(b"100-continue")
}

/// Each name in `new` takes the place of that name in `headers`, with all its values, or with the last
/// one where there may be one only.
pub(crate) fn replace_headers(headers: &mut HeaderMap, new: HeaderMap) -> Result<()> {
    let mut current = None;
    for (name, value) in new {
        match (name, &current) {
            // The first value of a name comes with it, the others without.
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
