//! The surface: what a user calls to set up a client, build a request and read a response, for all runtimes.
//!
//! The methods that wait for the network (`send`, `text`, `bytes`, `json`, `chunk`, `next`) are `async` on the client of
//! [`leanhttp::tokio`](../tokio/index.html), and plain functions on that of [`leanhttp::blocking`](../blocking/index.html).

// Read in the order of a call:
//
// ```text
// ClientBuilder ──build──▶ Client ──get, post, request──▶ RequestBuilder ──build──▶ Request
//  builder/                mod.rs                          request.rs                  │
//                                                                                      send
//               Upgraded ◀──upgrade── Response ◀──────────────────────────────────────┘
//               upgraded.rs           response.rs
// ```
//
// - `mod.rs`: `Client` is one pointer to what its clones share (`driver/checkout.rs`): settings,
//   pool, permits. Its `send` makes a `Call` of the request, lets the driver carry it out, and
//   makes the response.
// - `builder`: every setting of a client, by subject. A setting is data in `config/` and a method here.
// - `request`: a request and its builder. Its parts are data of `call/`, without a runtime.
// - `response`: the head of a response and what its fields say; the body in one piece.
// - `streams`: the body as lines; `events`: as events; `event_source`: events over many responses.
// - `download`: several calls for one file, as `extra/download/` decides.
// - `asynchronous`: the methods that wait, on all async runtimes; those of the blocking one are in `blocking/`.
// - `upgraded.rs`: the connection after a `101 Switching Protocols`.
//
// These types are generic over the runtime, whose aliases without the parameter are what users name:
// `leanhttp::Client` is `Client<Blocking>`. A request is generic because its body may hold a reader of one
// runtime; one that holds bytes goes to any client, see `Request`.
//
// Invariants, and the test that guards each:
//
// - Nothing invalid is sent: each step of a builder keeps the first error (`tests/bad_input.rs`).
// - A panic in code of the caller's leaves every type here usable (`tests/callbacks.rs`).
// - `Debug` shows no secret (`tests/hostile_credentials.rs`).
// - The two runtimes have the same methods (`tests/tokio.rs` runs the blocking tests on the async client).

#[cfg(any(feature = "tokio", feature = "runtime"))]
pub(crate) mod asynchronous;
mod builder;
#[cfg(feature = "download")]
pub mod download;
#[cfg(feature = "sse")]
pub(crate) mod event_source;
#[cfg(feature = "sse")]
pub(crate) mod events;
#[cfg(feature = "export")]
pub(crate) mod explain;
#[cfg(feature = "middleware")]
pub mod middleware;
#[cfg(feature = "har")]
mod replay;
pub mod request;
pub mod response;
pub mod streams;
mod upgraded;

use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use http::{Method, StatusCode, header};

use crate::base::buffer::ErasedBox;
use crate::call::report::Report;
use crate::call::trace::within;
use crate::call::{Call, RequestParts};
use crate::client::request::{IntoUrl, Request, RequestBuilder};
use crate::client::response::{Head, History, Response};
use crate::config::Config;
use crate::config::proxy::Proxy;
#[cfg(feature = "cookies")]
use crate::cookie::Jar;
use crate::driver::runtime::Runtime;
use crate::driver::{self, Answer, Connection, Lease, Shared};
use crate::error::{Error, Result};
use crate::http1::head::ResponseHead;
use crate::policy::deadline::Budget;
use crate::policy::{redirect, retry};

pub use crate::driver::ResponseBody;
#[cfg(feature = "export")]
#[cfg_attr(docsrs, doc(cfg(feature = "export")))]
pub use explain::{ExplainedAddress, Explanation};
pub use upgraded::Upgraded;

pub use crate::config::{Defaults, Standard};
pub use builder::ClientBuilder;

/// Sends requests, and keeps connections and settings for the next ones.
///
/// A clone is the same client: it shares the pool, the cookies and the settings. Create one and
/// keep it; a client that is created for one request cannot reuse anything. It may be used from
/// many threads at the same time.
///
/// ```
/// let client = leanhttp::Client::new();
/// let request = client.get("http://example.org/").query(&[("q", "lean")]).build()?;
/// assert_eq!(request.url().as_str(), "http://example.org/?q=lean");
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub struct Client<F: Runtime, D = Standard> {
    shared: Arc<Shared<F>>,
    #[cfg(feature = "middleware")]
    middleware: Option<Arc<[Box<dyn middleware::Middleware<F>>]>>,
    defaults: PhantomData<fn() -> D>,
}

impl<F: Runtime, D: Defaults> Client<F, D> {
    /// Creates a client with the default settings.
    pub fn new() -> Self {
        Self::in_world(ErasedBox::new(Config::with_defaults::<D>()), F::default())
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> ClientBuilder<F, D> {
        ClientBuilder::new()
    }
}

impl<F: Runtime, D> Client<F, D> {
    /// Creates a client on the given runtime.
    pub(crate) fn in_world(mut config: ErasedBox<Config>, runtime: F) -> Self {
        config.complete();
        Arc::make_mut(&mut config.timeouts).default_silence(F::FIRST_BYTE);
        Self {
            shared: Arc::new(Shared::new(config, runtime)),
            #[cfg(feature = "middleware")]
            middleware: None,
            defaults: PhantomData,
        }
    }

    /// Returns the same client under the type with the defaults of this crate.
    pub(crate) fn standard(self) -> Client<F> {
        Client {
            shared: self.shared,
            #[cfg(feature = "middleware")]
            middleware: self.middleware,
            defaults: PhantomData,
        }
    }

    /// Returns the client with this middleware, outermost first.
    #[cfg(feature = "middleware")]
    fn wrapped(self, middleware: Vec<Box<dyn middleware::Middleware<F>>>) -> Self {
        let middleware = (!middleware.is_empty()).then(|| middleware.into());
        Self { middleware, ..self }
    }

    /// Returns the middleware, outermost first.
    #[cfg(feature = "middleware")]
    fn stack(&self) -> &[Box<dyn middleware::Middleware<F>>] {
        self.middleware.as_deref().unwrap_or_default()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<F>> {
        &self.shared
    }

    /// Returns the current numbers of connections and waiting requests.
    ///
    /// ```
    /// assert_eq!(leanhttp::Client::new().pool_stats().idle, 0);
    /// ```
    pub fn pool_stats(&self) -> PoolStats {
        let idle = self.shared.idle();
        PoolStats {
            idle: idle.pool.len(),
            open: idle.permits.open(),
            waiting: idle.permits.waiting(),
        }
    }

    /// Closes all idle connections; those in use stay open.
    pub fn close_idle_connections(&self) {
        let idle = self.shared.idle().pool.clear();
        drop(idle); // closes them outside the lock of the pool
    }

    /// Begins a GET request.
    pub fn get<U: IntoUrl>(&self, url: U) -> RequestBuilder<F, D> {
        self.request(Method::GET, url)
    }

    /// Begins a POST request.
    pub fn post<U: IntoUrl>(&self, url: U) -> RequestBuilder<F, D> {
        self.request(Method::POST, url)
    }

    /// Begins a PUT request.
    pub fn put<U: IntoUrl>(&self, url: U) -> RequestBuilder<F, D> {
        self.request(Method::PUT, url)
    }

    /// Begins a PATCH request.
    pub fn patch<U: IntoUrl>(&self, url: U) -> RequestBuilder<F, D> {
        self.request(Method::PATCH, url)
    }

    /// Begins a DELETE request.
    pub fn delete<U: IntoUrl>(&self, url: U) -> RequestBuilder<F, D> {
        self.request(Method::DELETE, url)
    }

    /// Begins a HEAD request.
    pub fn head<U: IntoUrl>(&self, url: U) -> RequestBuilder<F, D> {
        self.request(Method::HEAD, url)
    }

    /// Begins a request with any method except CONNECT.
    ///
    /// An invalid URL is reported when the request is built or sent.
    ///
    /// ```
    /// use leanhttp::Method;
    ///
    /// let client = leanhttp::Client::new();
    /// let request = client.request(Method::OPTIONS, "http://example.org/").build()?;
    /// assert_eq!(request.method(), Method::OPTIONS);
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn request<U: IntoUrl>(&self, method: Method, url: U) -> RequestBuilder<F, D> {
        RequestBuilder::new(self.clone(), method, url)
    }
}

/// The numbers of connections and waiting requests of a client's pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// The number of idle connections.
    pub idle: usize,
    /// The number of all connections: idle, in use and being opened.
    pub open: usize,
    /// The number of requests that wait for a connection under the limit of
    /// [`pool_max_open_per_host`](ClientBuilder::pool_max_open_per_host).
    pub waiting: usize,
}

impl<F: Runtime, D> Clone for Client<F, D> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            #[cfg(feature = "middleware")]
            middleware: self.middleware.clone(),
            defaults: PhantomData,
        }
    }
}

impl<F: Runtime, D: Defaults> Default for Client<F, D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Runtime, D> fmt::Debug for Client<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

// A panic in code of the caller's leaves everything here usable: it runs with no lock held, every decision
// under a lock is whole before the next call of foreign code, and no lock stays poisoned. The compiler
// cannot know that of the closures inside, so it is said here.
impl<F: Runtime, D> UnwindSafe for Client<F, D> {}
impl<F: Runtime, D> RefUnwindSafe for Client<F, D> {}
impl<F: Runtime, D> UnwindSafe for ClientBuilder<F, D> {}
impl<F: Runtime, D> RefUnwindSafe for ClientBuilder<F, D> {}
impl<F: Runtime> UnwindSafe for Request<F> {}
impl<F: Runtime> RefUnwindSafe for Request<F> {}
impl<F: Runtime, D> UnwindSafe for RequestBuilder<F, D> {}
impl<F: Runtime, D> RefUnwindSafe for RequestBuilder<F, D> {}
impl<B: UnwindSafe> UnwindSafe for Response<B> {}
impl<B: RefUnwindSafe> RefUnwindSafe for Response<B> {}
impl<F: Runtime> UnwindSafe for ResponseBody<F> {}
impl<F: Runtime> RefUnwindSafe for ResponseBody<F> {}
impl UnwindSafe for Error {}
impl RefUnwindSafe for Error {}
#[cfg(feature = "cookies")]
impl UnwindSafe for Jar {}
#[cfg(feature = "cookies")]
impl RefUnwindSafe for Jar {}
impl UnwindSafe for Proxy {}
impl RefUnwindSafe for Proxy {}
impl UnwindSafe for redirect::Policy {}
impl RefUnwindSafe for redirect::Policy {}
impl UnwindSafe for retry::Policy {}
impl RefUnwindSafe for retry::Policy {}

/// Sends a request and waits for the head of its response.
pub(crate) async fn send<F: Runtime>(
    client: &Client<F>,
    request: Box<RequestParts<F::Source>>,
) -> Result<Response<ResponseBody<F>>> {
    #[cfg(feature = "middleware")]
    if let Some(outermost) = client.stack().first() {
        return middleware::send(client, &**outermost, request).await;
    }
    send_within(client, request, None).await
}

/// Sends a request past all middleware. The call ends with `outer` at the latest.
async fn send_within<F: Runtime>(
    client: &Client<F>,
    mut request: Box<RequestParts<F::Source>>,
    outer: Option<&Budget>,
) -> Result<Response<ResponseBody<F>>> {
    let shared = client.shared();
    let _in_call = shared.runtime.enter();
    if let Some(body) = request.body.as_mut().filter(|body| body.length().is_none()) {
        F::measure(body).await;
    }
    let now = shared.runtime.now();
    let mut call = Call::new(&shared.config, &shared.calls, request, now);
    call.report = Report::begin(call.method(), call.url(), now, || {
        let runtime = shared.runtime.clone();
        Box::new(move || runtime.now())
    });
    if let Some(outer) = outer {
        call.budget.end_with(outer);
    }
    let begun = call.begin();
    begun.inspect_err(|error| call.report.failed(error))?;
    let span = call.report.request();
    match within(&span, driver::send(shared, &mut call)).await {
        Ok(Answer { head, connection, refusal }) => {
            let status = head.status;
            call.report_answer(status);
            if let Some(error) = &refusal {
                call.report.failed(error);
            }
            let response = deliver(shared, call, head, connection);
            match refusal {
                None => response,
                Some(error) => Err(refuse(error.about(status), response)),
            }
        }
        Err(error) => {
            call.report_failure(&error);
            #[cfg(feature = "export")]
            let error = error.after_sending(Some(call.sent()));
            Err(error.timed(call.budget.into_timings()))
        }
    }
}

/// Returns the error for a redirect that is not followed. It contains the response: status, fields,
/// and the body if it can be decoded.
#[cold]
fn refuse<F: Runtime>(error: Error, response: Result<Response<ResponseBody<F>>>) -> Error {
    let Ok(response) = response else { return error };
    let timings = response.head.timings.clone();
    #[cfg(feature = "export")]
    let error = response.head.about(error);
    error.timed(timings).keeping(Box::new(response))
}

/// Makes the response of a call whose head has arrived; its body is read from the connection.
fn deliver<F: Runtime>(
    shared: &Arc<Shared<F>>,
    mut call: Call<'_, F::Source>,
    head: Box<ResponseHead>,
    mut connection: ErasedBox<Connection<F>>,
) -> Result<Response<ResponseBody<F>>> {
    let open = &mut *connection;
    let (addresses, tls) = (Arc::clone(open.addresses()), open.tls_info());
    let is_empty = open.body_left() == Some(0);
    let recording = call.take_recording();
    let mut report = std::mem::take(&mut call.report);
    #[cfg(feature = "export")]
    let sent = call.sent();
    let request = open.is_sending().then(|| call.take_body());
    let decoder = if is_empty { Ok(None) } else { call.decoder(&head) };
    let adds_info = call.config().tls.adds_info();
    let history = call.take_history();
    let (url, budget, timings) = call.into_parts();
    let lease = Lease::new(connection, shared, budget, request);
    let decoder = decoder.inspect_err(|error| report.failed(error))?;
    let mut head = Head::new(head, url, Some(addresses));
    head.timings = timings;
    #[cfg(feature = "export")]
    {
        head.sent = Some(sent);
    }
    if let Some(history) = history {
        head.extensions.insert(History(history));
    }
    if let Some(info) = tls.as_ref().filter(|_| adds_info) {
        head.extensions.insert(info.clone());
    }
    head.tls = tls;
    if decoder.is_some() {
        // These fields do not describe the decoded body.
        head.received.headers.remove(&header::CONTENT_ENCODING);
        head.received.headers.remove(&header::CONTENT_LENGTH);
    }
    let mut body = ResponseBody::new(lease, decoder, report);
    if is_empty && head.received.status != StatusCode::SWITCHING_PROTOCOLS {
        body.end(); // the caller need not read an empty body
    }
    body.record(recording, || shared.runtime.now());
    Ok(Response { head, body })
}
