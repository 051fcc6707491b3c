//! Middleware: code of the program that wraps each call of a client.
//!
//! A [`Middleware`] gets the request, and [`Next`], which stands for the rest of the call: the middleware that
//! was added later, and at last the client itself. It may change the request, send it on once or more, look at
//! the response or replace it, or answer without sending anything. Logging, metrics, rate limits, refreshing a
//! token, a cache or a mock server are written this way.
//!
//! ```
//! use leanhttp::Client;
//!
//! let client = Client::builder()
//!     .middleware_fn(|request, next| {
//!         let line = format!("{} {}", request.method(), request.url());
//!         let response = next.send(request)?;
//!         println!("{line}: {}", response.status());
//!         Ok(response)
//!     })
//!     .build()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! # Where it stands
//!
//! ```text
//! send ──▶ first middleware ──▶ second ──▶ the client: defaults, cookies, credentials ──▶ hops and attempts
//!                                                                                           └▶ on_attempt
//! ```
//!
//! Middleware sees the request as the program built it: without the default fields of the client, its cookies
//! and its credentials, and once for a call, whatever redirects and retries follow. The other place is
//! [`on_attempt`](crate::client::ClientBuilder::on_attempt): it sees each attempt at each hop, with all fields as
//! they will be sent, and is the place for signatures.
//!
//! # What holds inside it
//!
//! - The first one added is the outermost: it sees the request first and the response last.
//! - The total timeout of the call covers all of its middleware: every request that is sent on ends with it, and
//!   on the async client it also ends middleware that waits for something else. A cancel token likewise.
//! - No lock is held. It may use the same client for other requests, which pass through the middleware too; to
//!   fetch a token, use a client of its own.
//! - A panic reaches the caller of `send`, and leaves the client usable.
//!
//! # One for both clients
//!
//! An `impl<F: Runtime> Middleware<F>` serves the blocking and the async client. On the blocking one no future
//! of this crate is ever pending, so its own code must not wait for anything else: that is an error.
//!
//! ```
//! use leanhttp::client::ResponseBody;
//! use leanhttp::middleware::{Handling, Middleware, Next};
//! use leanhttp::request::Request;
//! use leanhttp::runtime::Runtime;
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use std::sync::Arc;
//!
//! /// Counts the responses of each client that it is added to.
//! #[derive(Default)]
//! struct Count(Arc<AtomicU64>);
//!
//! impl<F: Runtime> Middleware<F> for Count {
//!     fn handle<'a>(&'a self, request: Request<F>, next: Next<F>) -> Handling<'a, F> {
//!         Box::pin(async move {
//!             let response = next.run(request).await?;
//!             self.0.fetch_add(1, Ordering::Relaxed);
//!             Ok(response)
//!         })
//!     }
//! }
//!
//! let counted = Count::default();
//! let client = leanhttp::Client::builder().middleware(counted).build()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```

// `send` makes a `Chain` of the call: the client, and a `Budget` with the total timeout and the cancel token of
// the request. Each `Next` is a place in the chain. The last one sends the request with that budget as the
// outer limit (`client::send_within`), whichever request it is given.

pub use crate::config::attempt::AttemptHead;

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use crate::call::RequestParts;
use crate::client::request::Request;
use crate::client::response::Response;
use crate::client::{Client, ResponseBody, send_within};
use crate::driver::runtime::{Runtime, in_time};
use crate::error::{Error, Phase, Result};
use crate::policy::deadline::Budget;

/// Code that wraps each call of a client. See the [module](crate::middleware).
pub trait Middleware<F: Runtime>: Send + Sync + 'static {
    /// Handles a request, usually by passing it to `next`.
    ///
    /// ```
    /// use leanhttp::header::{HeaderName, HeaderValue};
    /// use leanhttp::middleware::{Handling, Middleware, Next};
    /// use leanhttp::request::Request;
    /// use leanhttp::runtime::Runtime;
    ///
    /// /// Adds a field to each request.
    /// struct Tenant(HeaderValue);
    ///
    /// impl<F: Runtime> Middleware<F> for Tenant {
    ///     fn handle<'a>(&'a self, mut request: Request<F>, next: Next<F>) -> Handling<'a, F> {
    ///         request.headers_mut().insert(HeaderName::from_static("x-tenant"), self.0.clone());
    ///         Box::pin(async move { next.run(request).await })
    ///     }
    /// }
    /// ```
    fn handle<'a>(&'a self, request: Request<F>, next: Next<F>) -> Handling<'a, F>;
}

/// The future of a [`Middleware`]'s response.
pub type Handling<'a, F> =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody<F>>>> + Send + 'a>>;

/// A function as middleware, by `middleware_fn` of each runtime's builder.
pub(crate) struct Function<M>(pub(crate) M);

/// The rest of a call: the middleware that is still to come, and then the client itself.
///
/// A request may be sent on more than once, also at the same time.
pub struct Next<F: Runtime> {
    chain: Arc<Chain<F>>,
    position: usize,
}

/// The state that all middleware of one call shares.
struct Chain<F: Runtime> {
    client: Client<F>,
    /// The total timeout and the cancel token of the call.
    budget: Budget,
}

impl<F: Runtime> Next<F> {
    /// Sends a request on and waits for the head of its response.
    ///
    /// # Errors
    ///
    /// Those of the rest of the call; and if the total timeout of the call has passed, or it was canceled.
    pub async fn run(&self, request: Request<F>) -> Result<Response<ResponseBody<F>>> {
        let Chain { client, budget } = &*self.chain;
        let Some(middleware) = client.stack().get(self.position) else {
            return send_within(client, request.parts, Some(budget)).await;
        };
        let next = Self { chain: Arc::clone(&self.chain), position: self.position + 1 };
        handled::<F>(middleware.handle(request, next)).await
    }

    /// Returns the client, for other requests: they pass through its middleware as well.
    pub fn client(&self) -> &Client<F> {
        &self.chain.client
    }
}

impl<F: Runtime> Clone for Next<F> {
    fn clone(&self) -> Self {
        Self { chain: Arc::clone(&self.chain), position: self.position }
    }
}

impl<F: Runtime> fmt::Debug for Next<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.chain.client.stack().len().saturating_sub(self.position);
        f.debug_struct("Next").field("middleware_left", &left).finish_non_exhaustive()
    }
}

/// Sends a request through the middleware of the client, which begins with `outermost`.
///
/// The future is smaller than that of a call without middleware, which it does not contain.
pub(super) async fn send<F: Runtime>(
    client: &Client<F>,
    outermost: &dyn Middleware<F>,
    request: Box<RequestParts<F::Source>>,
) -> Result<Response<ResponseBody<F>>> {
    let shared = client.shared();
    let now = shared.runtime.now();
    let timeouts = request.timeouts(&shared.config);
    let budget = Budget::untimed(timeouts, now).until(request.cancel.clone());
    let deadline = budget.deadline(); // of the total timeout, because no stage has begun
    let is_limited = deadline.is_some() || budget.cancel_token().is_some();
    let url = is_limited.then(|| request.url.clone());
    let chain = Arc::new(Chain { client: client.clone(), budget });
    let next = Next { chain: Arc::clone(&chain), position: 1 };
    let response = pin!(handled::<F>(outermost.handle(Request { parts: request }, next)));
    if F::BLOCKS || !is_limited {
        return response.await;
    }
    let left = deadline.map(|(end, _)| end.saturating_duration_since(now));
    if let Some(response) = in_time(&shared.runtime, response, left, &chain.budget).await {
        return response;
    }
    let error = match chain.budget.check().err().or(deadline.map(|(_, expired)| expired)) {
        Some(expired) => Error::new(expired.kind(), Phase::Build).cause(expired),
        None => Error::middleware("its wait ended without a reason"),
    };
    Err(url.iter().fold(error, Error::for_url))
}

/// Polls the future of a middleware. It need not be `Sync`, although the futures of this crate are, because
/// only `poll` gets at it. Where operations block, it must not be pending: nothing could wake it.
fn handled<F: Runtime>(
    future: Handling<'_, F>,
) -> impl Future<Output = Result<Response<ResponseBody<F>>>> {
    let mut future = Mutex::new(future);
    poll_fn(move |cx| {
        let future = future.get_mut().unwrap_or_else(PoisonError::into_inner);
        match future.as_mut().poll(cx) {
            Poll::Pending if F::BLOCKS => Poll::Ready(Err(Error::middleware(FOREIGN_WAIT))),
            polled => polled,
        }
    })
}

const FOREIGN_WAIT: &str =
    "it awaits something that is not of this client, which a blocking client cannot do";
