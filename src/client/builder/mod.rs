//! The builder of a client, with every setting and its default. The settings themselves are data, in
//! [`crate::config`]; a method here checks its value and stores it.
//!
//! | subject | file |
//! | --- | --- |
//! | fields, codings, redirects, retries, credentials, cookies | this one |
//! | time limits, sizes of responses, leniency | [`limits`] |
//! | names, addresses, proxies, sockets, the connection pool | [`connect`] |
//! | trust, identity, TLS versions | [`tls`] |
//! | other names from reqwest, and settings with one possible value | [`compat`] |
//!
//! The first invalid value is kept, and `build` returns it: see [`ClientBuilder::checked`]. What needs
//! several settings (a Unix domain socket under an egress policy, a preconfigured TLS beside other TLS
//! settings) is checked by `build`.

mod compat;
mod connect;
mod limits;
#[cfg(feature = "tls")]
mod tls;

#[cfg(feature = "middleware")]
use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderValue};

use crate::base::buffer::ErasedBox;
use crate::client::Client;
#[cfg(feature = "middleware")]
use crate::client::middleware::Middleware;
use crate::client::request::IntoUrl;
use crate::client::response::{Response, observer_of};
#[cfg(feature = "middleware")]
use crate::config::attempt::{AttemptHead, AttemptHook};
use crate::config::{Config, Defaults, Standard, default_netrc_path, read_netrc, replace_headers};
use crate::cookie::{CookieStore, Cookies};
use crate::driver::runtime::Runtime;
use crate::error::{Error, Result};
#[cfg(feature = "har")]
use crate::extra::har::{Cassette, CassetteMode, Recorder};
use crate::http1::exchange::Expectation;
use crate::http1::request_head::Case;
use crate::policy::auth;
#[cfg(feature = "digest")]
use crate::policy::auth::digest::DigestLogin;
use crate::policy::{redirect, retry};

/// Builds a [`Client`].
///
/// Every setting has a safe default that rarely needs a change. An invalid setting is an error of
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
pub struct ClientBuilder<F: Runtime, D = Standard> {
    pub(crate) config: ErasedBox<Config>,
    /// The first invalid setting.
    error: Option<Error>,
    #[cfg(feature = "middleware")]
    middleware: Vec<Box<dyn Middleware<F>>>,
    /// The runtime, if a test has replaced it.
    #[cfg(feature = "testing")]
    pub(crate) runtime: Option<F>,
    types: PhantomData<fn() -> (F, D)>,
}

impl<F: Runtime, D: Defaults> ClientBuilder<F, D> {
    /// Returns a builder with the default settings.
    pub fn new() -> Self {
        Self {
            config: ErasedBox::new(Config::with_defaults::<D>()),
            error: None,
            #[cfg(feature = "middleware")]
            middleware: Vec::new(),
            #[cfg(feature = "testing")]
            runtime: None,
            types: PhantomData,
        }
    }
}

impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Returns the client.
    ///
    /// # Errors
    ///
    /// The error of the first setting that was invalid.
    #[cfg_attr(not(feature = "testing"), allow(unused_mut, reason = "a test replaces the runtime"))]
    pub fn build(mut self) -> Result<Client<F, D>> {
        #[cfg(feature = "testing")]
        if let Some(runtime) = self.runtime.take() {
            return self.build_in(runtime);
        }
        self.build_in(F::default())
    }

    /// Returns a client on the given system: that of the runtime, or a simulated one.
    pub(crate) fn build_in(self, runtime: F) -> Result<Client<F, D>> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.config.tls.check()?;
        self.config.dialling.check()?;
        let client = Client::in_world(self.config, runtime);
        #[cfg(feature = "middleware")]
        let client = client.wrapped(self.middleware);
        Ok(client)
    }

    /// Returns the builder for a client on another runtime. Its `build` fails if there is middleware.
    #[cfg(all(feature = "blocking", feature = "tokio"))]
    pub(crate) fn for_runtime<G: Runtime, E>(self) -> ClientBuilder<G, E> {
        #[cfg(feature = "middleware")]
        let error = self.error.or_else(|| {
            let detail = "middleware can be run only by the client that it was made for";
            (!self.middleware.is_empty()).then(|| Error::builder(detail))
        });
        #[cfg(not(feature = "middleware"))]
        let error = self.error;
        #[cfg(feature = "testing")]
        let error = error.or_else(|| {
            let detail = "an in-memory network has to be set on the builder of the client itself";
            self.runtime.is_some().then(|| Error::builder(detail))
        });
        ClientBuilder {
            config: self.config,
            error,
            #[cfg(feature = "middleware")]
            middleware: Vec::new(),
            #[cfg(feature = "testing")]
            runtime: None,
            types: PhantomData,
        }
    }

    /// Sets the `User-Agent` field; `leanhttp/` and the version by default. An empty one is not sent. It
    /// is also sent to a proxy that is asked for a tunnel.
    pub fn user_agent<V>(mut self, value: V) -> Self
    where
        V: TryInto<HeaderValue>,
        V::Error: Into<http::Error>,
    {
        let value = value.try_into();
        let value = value.map_err(|error| Error::invalid_field("invalid User-Agent", error));
        let fields = &mut self.config.default_headers;
        let set = value.and_then(|value| {
            if value.is_empty() {
                return Ok(fields.remove(header::USER_AGENT));
            }
            fields.try_insert(header::USER_AGENT, value).map_err(Error::too_many_fields)
        });
        self.checked(set, |_, _| {})
    }

    /// Resolves the URLs of requests that are given as text against this one, by the rules of the URL Standard, as a
    /// browser does with the links of a page; there is none by default. Absolute URLs work as before.
    ///
    /// End the base with a slash: without it, its last segment is replaced.
    ///
    /// | base | request | URL |
    /// | --- | --- | --- |
    /// | `https://api.example/v1/` | `users?page=2` | `https://api.example/v1/users?page=2` |
    /// | `https://api.example/v1` | `users` | `https://api.example/users` |
    /// | `https://api.example/v1/` | `/users` | `https://api.example/users` |
    /// | `https://api.example/v1/` | `../v2/users` | `https://api.example/v2/users` |
    /// | `https://api.example/v1/` | `//other.example/` | `https://other.example/` |
    /// | `https://api.example/v1/` | `https://other.example/` | `https://other.example/` |
    ///
    /// The credentials of the client stay with the origin of the base. A request to another origin is sent without
    /// them: without the user of the base, `basic_auth`, `bearer_auth`, `digest_auth`, the client certificate, and
    /// [default fields that are secrets](redirect::Policy#fields-not-sent-to-another-origin). Credentials of the
    /// request itself are sent. A text may come from a server, such as the link to a next page: check its origin
    /// before you send a secret body there.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().base_url("https://api.example/v1/").build()?;
    /// let request = client.get("users").query(&[("page", "2")]).build()?;
    /// assert_eq!(request.url().as_str(), "https://api.example/v1/users?page=2");
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn base_url<U: IntoUrl>(self, url: U) -> Self {
        self.checked(url.into_url(), |config, url| config.base = Some(Box::new(url)))
    }

    /// Sets fields for every request that has no field of that name itself. They replace earlier
    /// defaults of the same name; `Accept: */*` is one from the start.
    ///
    /// `Host`, `Content-Length` and `Transfer-Encoding` are ignored: they belong to one request.
    ///
    /// `Authorization`, `Cookie` and every value marked sensitive stay with the origin that a
    /// request names: they are not sent to the target of a redirect.
    pub fn default_headers(mut self, headers: HeaderMap) -> Self {
        let replaced = replace_headers(&mut self.config.default_headers, headers);
        self.checked(replaced, |_, ()| {})
    }

    /// Asks for gzip and decodes it; on by default, with the feature `gzip`. When it is off, bodies are
    /// delivered as they were sent.
    ///
    /// `gzip(true)` without the feature is an error of [`build`](Self::build).
    pub fn gzip(mut self, enable: bool) -> Self {
        let switched = self.config.codings.switch("gzip", enable);
        self.checked(switched, |_, ()| {})
    }

    /// Asks for deflate and decodes it; on by default, with the feature `deflate`. When it is off,
    /// bodies are delivered as they were sent.
    ///
    /// `deflate(true)` without the feature is an error of [`build`](Self::build).
    pub fn deflate(mut self, enable: bool) -> Self {
        let switched = self.config.codings.switch("deflate", enable);
        self.checked(switched, |_, ()| {})
    }

    /// Asks for brotli and decodes it; on by default, with the feature `brotli`. When it is off, bodies
    /// are delivered as they were sent.
    ///
    /// `brotli(true)` without the feature is an error of [`build`](Self::build).
    pub fn brotli(mut self, enable: bool) -> Self {
        let switched = self.config.codings.switch("br", enable);
        self.checked(switched, |_, ()| {})
    }

    /// Asks for zstd and decodes it; on by default, with the feature `zstd`. When it is off, bodies are
    /// delivered as they were sent.
    ///
    /// `zstd(true)` without the feature is an error of [`build`](Self::build).
    pub fn zstd(mut self, enable: bool) -> Self {
        let switched = self.config.codings.switch("zstd", enable);
        self.checked(switched, |_, ()| {})
    }

    /// Lets bodies wait for the server's `100 Continue`, for all requests; see
    /// [`RequestBuilder::expect_continue`](crate::client::request::RequestBuilder::expect_continue).
    pub fn expect_continue(mut self, enable: bool) -> Self {
        self.config.expectation = if enable { Expectation::Continue } else { Expectation::None };
        self
    }

    /// Writes field names as `Content-Length` instead of `content-length`, for servers that do not
    /// treat them as the same (RFC 9110 §5.1). For single names see
    /// [`raw_header`](crate::client::request::RequestBuilder::raw_header).
    pub fn http1_title_case_headers(mut self) -> Self {
        self.config.case = Case::Title;
        self
    }
}

/// Further requests of a call: redirects and retries.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Sets the redirect policy; up to 10 redirects are followed by default.
    pub fn redirect(mut self, policy: redirect::Policy) -> Self {
        self.config.redirect = policy;
        self
    }

    /// Sets a callback for the interim responses (1xx) before the final one, of every request that has none of its
    /// own: 103 with the links of resources that the final response will need (Early Hints, RFC 8297), 102 while
    /// the server is busy, 100 before a body is sent. A 101 is no interim response: see
    /// [`upgrade`](crate::client::response::Response::upgrade).
    ///
    /// It is given a response without a body, whose [`links`](crate::client::response::Response::links) are resolved
    /// against the URL of the request, after redirects of the current one. The number of interim responses is
    /// limited by [`Limits::max_informational_responses`](crate::Limits::max_informational_responses). Those of a
    /// proxy that opens a tunnel are not passed on, nor are those that arrive when the call has failed already.
    ///
    /// The callback runs with no lock held, and the request waits for it. A panic in it ends the request, and leaves
    /// the client usable.
    ///
    /// ```
    /// let client = leanhttp::Client::builder()
    ///     .on_informational(|response| {
    ///         for link in response.links().iter().filter(|link| link.has_rel("preload")) {
    ///             println!("{}: {:?}", response.status(), link.url());
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn on_informational<O>(mut self, observer: O) -> Self
    where
        O: Fn(Response<()>) + Send + Sync + 'static,
    {
        self.config.on_informational = Some(observer_of(observer));
        self
    }

    /// Sends `Referer` (RFC 9110 §10.1.3) in redirected requests: the URL of the previous hop without user
    /// name, password and fragment. It replaces one that the program has set. A redirect from `https` to
    /// `http` removes it. Off by default, because the path and the query of a URL may be secrets.
    pub fn referer(mut self, enable: bool) -> Self {
        self.config.sends_referer = enable;
        self
    }

    /// Refuses every `http` URL, also as the target of a redirect; off by default.
    pub fn https_only(mut self, enabled: bool) -> Self {
        self.config.https_only = enabled;
        self
    }

    /// Sets the policy by which requests are retried; none by default. See
    /// [`retry`].
    ///
    /// ```
    /// use leanhttp::{Client, retry};
    ///
    /// let client = Client::builder().retry(retry::Policy::new()).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn retry(mut self, policy: retry::Policy) -> Self {
        self.config.retry = Some(Arc::new(policy));
        self
    }
}

/// Credentials and cookies.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Sets Basic credentials (RFC 7617) for every request that has no `Authorization` of its own.
    ///
    /// They are sent to the origin that a request names, and not to the target of a redirect.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().basic_auth("user", Some("passwd")).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn basic_auth<U, P>(self, username: U, password: Option<P>) -> Self
    where
        U: fmt::Display,
        P: fmt::Display,
    {
        let password = password.map(|password| password.to_string()).unwrap_or_default();
        let value = auth::basic(username.to_string().as_bytes(), password.as_bytes());
        self.checked(value, |config, value| config.credentials = Some(value))
    }

    /// Sets a bearer token (RFC 6750) for every request that has no `Authorization` of its own. It replaces the
    /// credentials of [`basic_auth`](Self::basic_auth), and the other way round.
    ///
    /// It is sent to the origin that a request names, and not to the target of a redirect; with a
    /// [`base_url`](Self::base_url) only to the origin of that.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().bearer_auth("t0ken").build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn bearer_auth<T: fmt::Display>(self, token: T) -> Self {
        let value = auth::bearer(&token.to_string());
        self.checked(value, |config, value| config.credentials = Some(value))
    }

    /// Reads logins as [`netrc_file`](Self::netrc_file) does, from the file that the environment
    /// variable `NETRC` names, or else from `.netrc` in the home folder. A missing file is not an
    /// error.
    pub fn netrc(self) -> Self {
        match default_netrc_path() {
            Some(path) => self.netrc_file(path),
            None => self,
        }
    }

    /// Reads logins from this netrc file, immediately: Basic credentials for the host that a request
    /// names, if the file has an entry for it, or one called `default`. Off by default.
    ///
    /// They are not sent to the target of a redirect. Credentials set in the program take
    /// precedence: an `Authorization` field, a password in the URL, the credentials of the request
    /// or of the client. A user in the URL without a password gets the password of that user's
    /// entry.
    ///
    /// A file that is missing or malformed is an error of [`build`](Self::build). The file's
    /// permissions are not checked.
    ///
    /// ```no_run
    /// let client = leanhttp::Client::builder().netrc_file("/etc/backup/netrc").build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn netrc_file(self, path: impl AsRef<Path>) -> Self {
        self.checked(read_netrc(path.as_ref()), |config, netrc| config.netrc = Some(netrc))
    }

    /// Sets Digest credentials (RFC 7616) for every request that has no `Authorization` of its own; see
    /// [`RequestBuilder::digest_auth`](crate::client::request::RequestBuilder::digest_auth). They
    /// replace those of `basic_auth`.
    ///
    /// They are sent to the origin that a request names, and not to the target of a redirect.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().digest_auth("user", "passwd").build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg(feature = "digest")]
    pub fn digest_auth<U, P>(self, username: U, password: P) -> Self
    where
        U: fmt::Display,
        P: fmt::Display,
    {
        self.checked(DigestLogin::new(username, password), |config, login| {
            config.digest = Some(login);
        })
    }

    /// Keeps cookies in a new [`Jar`](crate::cookie::Jar) that only this client uses, and sends them back; off by default.
    /// To read the jar or to share it, use [`cookie_provider`](Self::cookie_provider).
    #[cfg(feature = "cookies")]
    pub fn cookie_store(mut self, enable: bool) -> Self {
        self.config.cookies = enable.then(|| Cookies(Arc::new(crate::cookie::Jar::new())));
        self
    }

    /// Adds middleware, which wraps each call of the client: inside of what was added before. See
    /// [`middleware`](crate::middleware).
    #[cfg(feature = "middleware")]
    pub fn middleware(mut self, middleware: impl Middleware<F>) -> Self {
        self.middleware.push(Box::new(middleware));
        self
    }

    /// Sets a function that is called before each attempt at each hop, with the head that is about to be sent: all
    /// fields, also those of the client. It may change them, for this attempt alone; the last one set counts.
    /// Use it to sign the final header fields, or to see what is really sent. To wrap the whole call, use
    /// [`middleware`](Self::middleware).
    ///
    /// An error ends the call, with [`Kind::Middleware`](crate::error::Kind::Middleware), and so does a change of
    /// the fields that frame the message (`Host`, `Content-Length`, `Transfer-Encoding`, `Connection`, `Upgrade`,
    /// `Trailer`, `TE`, `Expect`). It is called without a lock of the client.
    ///
    /// ```
    /// use leanhttp::header::HeaderValue;
    ///
    /// # fn sign(_: &leanhttp::Method, _: &leanhttp::header::HeaderMap, _: &[u8]) -> HeaderValue {
    /// #     HeaderValue::from_static("")
    /// # }
    /// let client = leanhttp::Client::builder()
    ///     .on_attempt(|head| {
    ///         if head.url().host_str() != Some("api.example.org") {
    ///             return Ok(()); // a redirect led elsewhere
    ///         }
    ///         let body = head.body().ok_or("only bodies in memory can be signed")?;
    ///         let signature = sign(head.method(), head.headers(), body);
    ///         head.headers_mut().insert("signature", signature);
    ///         Ok(())
    ///     })
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg(feature = "middleware")]
    pub fn on_attempt<H>(mut self, hook: H) -> Self
    where
        H: Fn(&mut AttemptHead<'_>) -> std::result::Result<(), Box<dyn StdError + Send + Sync>>,
        H: Send + Sync + 'static,
    {
        self.config.on_attempt = Some(AttemptHook(Arc::new(hook)));
        self
    }

    /// Records the requests of this client; the last recorder set counts. See [`har`](crate::har).
    ///
    /// ```
    /// use leanhttp::har::Recorder;
    ///
    /// let recorder = Recorder::new();
    /// let client = leanhttp::Client::builder().record(recorder.clone()).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg(feature = "har")]
    #[cfg_attr(docsrs, doc(cfg(feature = "har")))]
    pub fn record(mut self, recorder: Recorder) -> Self {
        self.config.recorder = Some(recorder);
        self
    }

    /// Records to a cassette, or answers all requests from it if it was recorded; as
    /// [middleware](Self::middleware), so that what is added before sees the requests first.
    ///
    /// ```no_run
    /// use leanhttp::har::Cassette;
    ///
    /// let cassette = Cassette::open("tests/cassettes/login.har")?;
    /// let client = leanhttp::Client::builder().cassette(&cassette).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "har")]
    #[cfg_attr(docsrs, doc(cfg(feature = "har")))]
    pub fn cassette(self, cassette: &Cassette) -> Self {
        let recording = match cassette.mode() {
            CassetteMode::Record(recorder) => self.record(recorder.clone()),
            CassetteMode::Replay(_) => self,
        };
        recording.middleware(cassette.clone())
    }

    /// Keeps cookies in this store, which may be shared with other clients.
    pub fn cookie_provider<C: CookieStore + 'static>(mut self, cookie_store: Arc<C>) -> Self {
        self.config.cookies = Some(Cookies(cookie_store));
        self
    }

    /// Applies a valid value, or keeps the first error.
    fn checked<T>(mut self, value: Result<T>, apply: impl FnOnce(&mut Config, T)) -> Self {
        match value {
            Ok(value) => apply(&mut self.config, value),
            Err(error) => drop(self.error.get_or_insert(error)),
        }
        self
    }
}

impl<F: Runtime, D: Defaults> Default for ClientBuilder<F, D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Runtime, D> fmt::Debug for ClientBuilder<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("timeouts", &self.config.timeouts)
            .field("pool", &self.config.pool)
            .field("redirect", &self.config.redirect)
            .finish_non_exhaustive()
    }
}
