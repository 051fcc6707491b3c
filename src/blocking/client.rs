//! Sends requests, waiting for the response's head.

use super::{Client, Request, RequestBuilder, Response};
use crate::driver::runtime::run;
use crate::error::Result;

impl Client {
    /// Sends a request and waits for the head of its response.
    ///
    /// # Errors
    ///
    /// As for [`RequestBuilder::send`].
    pub fn execute(&self, request: Request) -> Result<Response> {
        run(|| self.send(request.parts))
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
        run(|| client.send(request))
    }
}
