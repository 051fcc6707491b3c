//! Sending a request again: when the server is busy or the connection fails. It has to be asked for,
//! by [`ClientBuilder::retry`](crate::client::ClientBuilder::retry) or, for one request,
//! [`RequestBuilder::retry`](crate::client::request::RequestBuilder::retry).
//!
//! | what happened | sent again |
//! | --- | --- |
//! | no connection could be made: lookup, TCP, lost in the TLS handshake, a proxy that refuses with one of the [`statuses`](Policy::statuses) | any method: nothing was sent |
//! | the connection was lost, or a timeout passed, before a byte of the response | idempotent methods, and those of [`also_method`](Policy::also_method) |
//! | a response with one of the [`statuses`](Policy::statuses) | idempotent methods, and those of [`also_method`](Policy::also_method) |
//! | a certificate or another part of TLS is wrong, what came is not HTTP/1.1, a policy of the client does not allow it, a part of a response came | never |
//!
//! The body has to be one that can be sent again: bytes, files, readers that can seek
//! ([`Body::rewindable`](crate::body::Body)), or any reader of which nothing was read yet.
//! Between two attempts is a random wait that grows ([`backoff`](Policy::backoff)), or the one that
//! the server asks for; with a [total timeout](crate::client::ClientBuilder::timeout) it is never
//! waited beyond that. If there is no further attempt, the last response is delivered as it is, and
//! the error of the last attempt says how many retries there were.
//!
//! Without any policy a request is sent again in one case: the connection came from the pool, the
//! server had closed it (or says so by a 408), and the method is idempotent or nothing was sent yet.
//! That happens once for each hop, at once, and is no retry in the sense of this module.
//! [`retry_on_reused_connection`](Policy::retry_on_reused_connection) makes it so for every method, as
//! curl does: at the risk of a request that is carried out twice.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::policy::retry::Ledger;

pub use crate::policy::retry::{Policy, Reason, Retry};

/// The retry policy and the retry budgets of a client.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) policy: Option<Arc<Policy>>,
    ledger: Mutex<Ledger>,
}

impl Settings {
    /// The ledger, for as long as an entry takes. A panic elsewhere cannot have left it half done.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
