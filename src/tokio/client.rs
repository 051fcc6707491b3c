//! Sends requests, awaiting the response's head.

use super::{Client, Request, RequestBuilder, Response, Source, runtime};
use crate::call::RequestParts;
use crate::error::{Error, Result};

impl Client {
    /// Sends a request and waits for the head of its response. The future does not borrow the client, so
    /// that it can be spawned.
    ///
    /// # Errors
    ///
    /// As for [`RequestBuilder::send`].
    pub fn execute(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response>> + Send + use<> {
        let client = self.clone();
        async move {
            check_runtime()?;
            let mut request = request.parts;
            measure(&mut request).await;
            client.send(request).await
        }
    }
}

impl RequestBuilder {
    /// Sends the request and waits for the head of its response; the body is read later.
    ///
    /// A successful response that comes before the whole request was sent is returned immediately: the
    /// rest of the request is sent while you read the body. If you drop the response, the rest is not
    /// sent. After any other status the rest is never sent.
    ///
    /// Dropping the future ends the call and closes its connection.
    ///
    /// ```no_run
    /// # async fn example() -> leanhttp::Result<()> {
    /// let response = leanhttp::tokio::Client::new().get("https://example.org/").send().await?;
    /// println!("{} {:?}", response.status(), response.headers());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the request is invalid, no connection can be made, a deadline passes, the response is not
    /// HTTP/1.1, or a redirect cannot be followed; or if this is not awaited in a tokio runtime
    /// with timers and I/O. A status of 400 or more is not an error; see
    /// [`error_for_status`](crate::client::response::Response::error_for_status).
    pub async fn send(self) -> Result<Response> {
        let (client, request) = self.finish();
        let mut request = request?;
        check_runtime()?;
        measure(&mut request).await;
        client.send(request).await
    }
}

/// Reads the length of each file in the body. Boxed, because few requests contain files.
async fn measure(request: &mut RequestParts<Source>) {
    #[cfg(feature = "stream")]
    if let Some(body) = request.body.as_mut().filter(|body| body.length().is_none()) {
        Box::pin(super::file::measure(body)).await;
    }
    #[cfg(not(feature = "stream"))]
    let _ = request;
}

/// Returns an error without a suitable runtime, where tokio's sockets and timers would panic.
fn check_runtime() -> Result<()> {
    runtime::current().map(drop).map_err(|error| Error::builder(error.to_string()))
}
