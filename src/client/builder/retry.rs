//! The retry policy of a client.

use std::sync::Arc;

use super::ClientBuilder;
use crate::driver::runtime::Runtime;
use crate::policy::retry::Policy;

impl<F: Runtime> ClientBuilder<F> {
    /// Sets the policy by which requests are retried; none by default. See
    /// [`retry`](crate::policy::retry).
    ///
    /// ```
    /// use leanhttp::{Client, retry};
    ///
    /// let client = Client::builder().retry(retry::Policy::new()).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn retry(mut self, policy: Policy) -> Self {
        self.config.retry = Some(Arc::new(policy));
        self
    }
}
