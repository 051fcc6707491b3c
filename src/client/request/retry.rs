//! The retry policy of a request.

use std::sync::Arc;

use super::RequestBuilder;
use crate::driver::runtime::Runtime;
use crate::policy::retry::Policy;

impl<F: Runtime> RequestBuilder<F> {
    /// Sets the policy by which this request is retried, instead of the client's.
    ///
    /// ```no_run
    /// use leanhttp::{Client, Method, retry::Policy};
    ///
    /// let client = Client::builder().retry(Policy::new()).build()?;
    /// let order = client.post("https://example.org/orders").header("Idempotency-Key", "\"8e03\"");
    /// order.retry(Policy::new().retry_method(Method::POST)).send()?;
    /// client.get("https://example.org/").retry(Policy::none()).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn retry(self, policy: Policy) -> Self {
        self.and(|request| {
            request.retry = Some(Arc::new(policy));
            Ok(())
        })
    }
}
