//! Retries: sending a request again when the server is overloaded or the connection fails. Disabled
//! by default; enable them with [`ClientBuilder::retry`](crate::client::ClientBuilder::retry) or,
//! for one request, [`RequestBuilder::retry`](crate::client::request::RequestBuilder::retry).
//!
//! | failure | retried |
//! | --- | --- |
//! | no connection could be made: lookup, TCP, lost in the TLS handshake, a proxy that refuses with one of the [`retry_statuses`](Policy::retry_statuses) | any method: nothing was sent |
//! | the connection was lost, or a timeout passed, before a byte of the response | idempotent methods, and those of [`retry_method`](Policy::retry_method) |
//! | a response with one of the [`retry_statuses`](Policy::retry_statuses) | idempotent methods, and those of [`retry_method`](Policy::retry_method) |
//! | an invalid certificate or another TLS error, a response that is not HTTP/1.1, a denial by a policy of the client, a partial response | never |
//!
//! The body has to be repeatable: bytes, files, seekable readers
//! ([`Body::rewindable`](crate::body::Body)), or any reader that was not read yet. The delay
//! between two attempts is random and grows ([`backoff`](Policy::backoff)), or is the one that the
//! server asks for; it never exceeds the [total timeout](crate::client::ClientBuilder::timeout). If
//! there is no further attempt, the last response is returned unchanged, and the error of the last
//! attempt states the number of retries.
//!
//! Without a policy a request is sent again in one case: its connection came from the pool, the
//! server had closed it (or reported so with a 408), and the method is idempotent or nothing was
//! sent yet. That happens immediately, once for each hop, and does not count as a retry.
//! [`retry_on_reused_connection`](Policy::retry_on_reused_connection) extends this to every method,
//! as in curl, at the risk of a request that is processed twice.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::policy::retry::Ledger;

pub use crate::policy::retry::{Policy, Reason, Retry};

/// The retry policy and the retry budgets of a client.
#[derive(Debug, Default)]
pub(crate) struct RetrySettings {
    pub(crate) policy: Option<Arc<Policy>>,
    ledger: Mutex<Ledger>,
}

impl RetrySettings {
    /// Locks the ledger. A panic elsewhere cannot leave it in an inconsistent state.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
