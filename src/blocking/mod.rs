//! The blocking client: plain calls, no async runtime.
//!
//! ```no_run
//! let client = leanhttp::blocking::Client::new();
//! let text = client.get("https://example.org/").send()?.text()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! Everything at the root of the crate is also here, as in `leanhttp::tokio`:
//!
//! ```no_run
//! use leanhttp::blocking as reqwest;
//! use reqwest::{Client, StatusCode, header, redirect};
//! # use reqwest::{Body, CancelToken, EgressPolicy, Error, IntoUrl, Limits, Method, NoProxy, Proxy, Request};
//! # use reqwest::{RequestBuilder, Response, Result, Upgraded, Url, Version, cookie, dns, retry, tls};
//! # #[cfg(feature = "tls")]
//! # use reqwest::{Certificate, Identity};
//!
//! let client = Client::builder().redirect(redirect::Policy::none()).build()?;
//! let request = client.get("https://example.org/").header(header::ACCEPT, "text/html");
//! assert_eq!(request.send()?.status(), StatusCode::OK);
//! # Ok::<(), reqwest::Error>(())
//! ```
//!
//! The only threads that this client starts, up to 64, look up host names, because the system has
//! no way to end a lookup in time; they end when there is nothing left to look up. An IP address or
//! a [`resolve`](ClientBuilder::resolve) entry needs none.

// The public part is this file (`send`), then `response` (reading bodies, upgraded connections), `body` and
// `multipart` (request bodies from readers and files). `runtime` implements the runtime. No
// future is ever pending here, so `run` is a plain call.

mod body;
#[cfg(feature = "multipart")]
pub mod multipart;
mod response;
mod runtime;

use self::body::Source;
use crate::client::send;
use crate::driver::runtime::run;

pub use self::runtime::Blocking;
pub use crate::shared::*;

/// Sends requests and waits for their responses.
pub type Client = crate::client::Client<Blocking>;
/// Sets up a [`Client`].
pub type ClientBuilder = crate::client::ClientBuilder<Blocking>;
/// A complete request that is not yet sent.
pub type Request = crate::client::request::Request<Blocking>;
/// Builds a request step by step.
pub type RequestBuilder = crate::client::request::RequestBuilder<Blocking>;
/// A response, whose body is read as it arrives.
pub type Response = crate::client::response::Response<ResponseBody>;
/// The body of a response, while it is read.
pub type ResponseBody = crate::driver::ResponseBody<Blocking>;
/// A connection that was upgraded to another protocol.
pub type Upgraded = crate::client::response::Upgraded<Blocking>;
/// The body of a request.
pub type Body = crate::body::Body<Source>;

/// Sends one GET request with a client of its own.
///
/// ```no_run
/// let text = leanhttp::get("https://example.org/")?.text()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
///
/// # Errors
///
/// As for [`RequestBuilder::send`].
pub fn get<T: IntoUrl>(url: T) -> Result<Response> {
    Client::new().get(url).send()
}

/// Begins a POST request with a client of its own: give it a body and send it.
///
/// ```no_run
/// let parameters = [("name1", "value1")];
/// let text = leanhttp::post("https://example.org/").form(&parameters).send()?.text()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub fn post<T: IntoUrl>(url: T) -> RequestBuilder {
    Client::new().post(url)
}

impl Client {
    /// Sends a request and waits for the head of its response.
    ///
    /// # Errors
    ///
    /// As for [`RequestBuilder::send`].
    pub fn execute(&self, request: Request) -> Result<Response> {
        run(|| send(self, request.parts))
    }
}

impl RequestBuilder {
    /// Sends the request and waits for the head of its response; the body is read later.
    ///
    /// A successful response that comes before the whole request was sent is returned immediately: the
    /// rest of the request is sent while you read the body. If you drop the response, the rest is not
    /// sent. After any other status the rest is never sent.
    ///
    /// ```no_run
    /// let response = leanhttp::Client::new().get("https://example.org/").send()?;
    /// println!("{} {:?}", response.status(), response.headers());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the request is invalid, no connection can be made, a deadline passes, the response is not
    /// HTTP/1.1, or a redirect cannot be followed. A status of 400 or more is not an error; see
    /// [`error_for_status`](crate::client::response::Response::error_for_status).
    pub fn send(self) -> Result<Response> {
        let (client, request) = self.finish();
        let request = request?;
        run(|| send(&client, request))
    }
}
