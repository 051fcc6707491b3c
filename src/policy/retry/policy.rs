//! The caller's retry policy: the responses and failures that are retried, and the number of
//! attempts.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{Method, StatusCode};

use super::{Answered, FailedAttempt, Loss, Replay, Retry, Sent};
use crate::error::{Error, Kind, Phase};
use crate::fields::date::retry_after_at_least;
use crate::policy::retry::backoff::Delays;

/// The default number of attempts, as in the AWS SDKs. A fault that outlasts three attempts is
/// seldom over at the fourth.
const ATTEMPTS: u32 = 3;

/// The default retry budget per host: enough to hide a short failure, with little load on a server
/// that is down.
const BUDGET: u32 = 10;

/// The statuses that depend on the moment and not on the request: too many requests (429), a
/// gateway that cannot reach its server (502, 504), a server that is overloaded or starting (503).
/// 500 is not included: a bug is usually still there the next time.
const STATUSES: [StatusCode; 4] = [
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// A retry policy: whether, when and how often a request is sent again. Without one, a request is
/// sent again only if its pooled connection turns out to be stale.
///
/// ```
/// use std::time::Duration;
/// use leanhttp::{Client, retry};
///
/// let policy = retry::Policy::new()
///     .max_attempts(4)
///     .on_retry(|retry| eprintln!("{:?}, again in {:?}", retry.reason(), retry.delay()));
/// let client = Client::builder().retry(policy).timeout(Duration::from_secs(20)).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Policy {
    attempts: u32,
    delays: Delays,
    statuses: Vec<StatusCode>,
    methods: Vec<Method>,
    budget: u32,
    is_bold_on_reused: bool,
    observer: Option<Observer>,
    /// Parses `Retry-After`. A function pointer, so that programs without a policy do not link the
    /// parser.
    retry_after: fn(&[u8], SystemTime) -> Option<Duration>,
}

#[derive(Clone)]
struct Observer(Arc<dyn Fn(Retry<'_>) + Send + Sync>);

impl Policy {
    /// Returns the default policy: three attempts in total, with at most 200 ms before the second
    /// and 400 ms before the third, for idempotent methods, the statuses 429, 502, 503 and 504, and
    /// transient failures.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().retry(leanhttp::retry::Policy::new()).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn new() -> Self {
        Self {
            attempts: ATTEMPTS,
            delays: Delays::default(),
            statuses: STATUSES.to_vec(),
            methods: Vec::new(),
            budget: BUDGET,
            is_bold_on_reused: false,
            observer: None,
            retry_after: retry_after_at_least,
        }
    }

    /// Returns a policy of one attempt, to disable retries for one request of a client.
    ///
    /// ```no_run
    /// # let client = leanhttp::Client::new();
    /// let once = client.get("https://example.org/").retry(leanhttp::retry::Policy::none()).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn none() -> Self {
        Self::new().max_attempts(1)
    }

    /// Sets the total number of attempts of a call, over all its redirects. Default: 3; at least 1.
    ///
    /// A redirect adds no attempts of its own (as in urllib3), or a chain of them could multiply
    /// the load. A retry repeats the hop that failed, not the hops before it.
    ///
    /// ```
    /// let patient = leanhttp::retry::Policy::new().max_attempts(6);
    /// ```
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets the backoff: a random delay between zero and `first` before the first retry, and twice
    /// that range for each further one, limited to `longest`. Default: 200 ms and 10 s.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let policy = leanhttp::retry::Policy::new()
    ///     .backoff(Duration::from_secs(1), Duration::from_secs(30));
    /// ```
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.delays = Delays { first, longest, ..self.delays };
        self
    }

    /// Sets the longest delay that a server may ask for with `Retry-After` (RFC 9110 §10.2.3).
    /// Default: 60 s. If the server asks for more, its response is returned immediately.
    ///
    /// The server's delay replaces a shorter backoff. A date in the past means no delay; a value
    /// that is neither a number of seconds nor a date is ignored.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let hurried = leanhttp::retry::Policy::new().max_retry_after(Duration::from_secs(5));
    /// ```
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.delays.longest_asked = longest;
        self
    }

    /// Sets the statuses after which the request is sent again, replacing the previous set.
    /// Default: 429, 502, 503 and 504.
    ///
    /// ```
    /// use leanhttp::StatusCode;
    /// use leanhttp::retry::Policy;
    ///
    /// let policy = Policy::new()
    ///     .retry_statuses([StatusCode::TOO_MANY_REQUESTS, StatusCode::INTERNAL_SERVER_ERROR]);
    /// let only_failures = Policy::new().retry_statuses([]);
    /// ```
    pub fn retry_statuses<S: IntoIterator<Item = StatusCode>>(mut self, statuses: S) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }

    /// Adds a method whose requests are retried, besides those that RFC 9110 §9.2.2 defines as
    /// idempotent: GET, HEAD, OPTIONS, TRACE, PUT and DELETE.
    ///
    /// # Dangers
    ///
    /// The server may have processed a request whose response was lost. Sending a POST again can
    /// order twice and pay twice, unless the server can recognize the duplicate, for example by an
    /// `Idempotency-Key`.
    ///
    /// ```
    /// use leanhttp::Method;
    /// use leanhttp::retry::Policy;
    ///
    /// let policy = Policy::new().retry_method(Method::POST);
    /// ```
    pub fn retry_method(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// Sets whether a request of any method is sent again if its reused connection is lost before
    /// the first byte of a response. Default: off.
    ///
    /// The usual cause is that the server closed the idle connection while the request was in
    /// flight; curl, ureq and others retry without being asked. The retry happens immediately, once
    /// for each hop, on a new connection, and does not count toward the
    /// [`max_attempts`](Self::max_attempts): it can be combined with `Policy::none()`. The body has to be
    /// repeatable. Idempotent methods do not need this setting.
    ///
    /// # Dangers
    ///
    /// The client cannot distinguish this from a server that processed the request and then
    /// crashed, or lost the connection, before it responded. A POST may then be processed twice,
    /// unless the server can recognize the duplicate, for example by an `Idempotency-Key`.
    ///
    /// ```
    /// use leanhttp::Client;
    /// use leanhttp::retry::Policy;
    ///
    /// // As in curl: nothing else is retried.
    /// let policy = Policy::none().retry_on_reused_connection(true);
    /// let client = Client::builder().retry(policy).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn retry_on_reused_connection(mut self, enable: bool) -> Self {
        self.is_bold_on_reused = enable;
        self
    }

    /// Sets the retry budget per host, shared by all calls of the client. Default: 10. Each retry
    /// costs one, and each response that is not retried gives back a tenth. So a server that is
    /// down does not receive a multiple of its load, and gets at most 10 % more when it recovers.
    ///
    /// ```
    /// let batch_job = leanhttp::retry::Policy::new().budget(1000);
    /// ```
    pub fn budget(mut self, retries: u32) -> Self {
        self.budget = retries;
        self
    }

    /// Calls `observer` for each retry, before the delay.
    ///
    /// ```
    /// use leanhttp::retry::{Policy, Reason};
    ///
    /// let policy = Policy::new().on_retry(|retry| {
    ///     let (attempt, url, delay) = (retry.attempt(), retry.url(), retry.delay());
    ///     match retry.reason() {
    ///         Reason::Status(status) => eprintln!("{url}: {status}; attempt {attempt} in {delay:?}"),
    ///         reason => eprintln!("{url}: {reason:?}; attempt {attempt} in {delay:?}"),
    ///     }
    /// });
    /// ```
    pub fn on_retry<O>(mut self, observer: O) -> Self
    where
        O: Fn(Retry<'_>) + Send + Sync + 'static,
    {
        self.observer = Some(Observer(Arc::new(observer)));
        self
    }
}

impl Policy {
    /// Returns whether one more attempt is allowed after this many retries.
    pub(crate) fn allows_more(&self, retries: u32) -> bool {
        retries < self.attempts.saturating_sub(1)
    }

    /// See [`retry_on_reused_connection`](Self::retry_on_reused_connection).
    pub(crate) fn repeats_on_reused_connection(&self) -> bool {
        self.is_bold_on_reused
    }

    /// See [`budget`](Self::budget).
    pub(crate) fn retries_in_hand(&self) -> u32 {
        self.budget
    }

    pub(crate) fn repeats_status(&self, status: StatusCode) -> bool {
        self.statuses.contains(&status)
    }

    /// Returns whether a request with this method may be sent again although the server may have
    /// processed it.
    pub(crate) fn repeats_method(&self, method: &Method) -> bool {
        method.is_idempotent() || self.methods.contains(method)
    }

    /// Returns whether an attempt without a response is retried: the failure may be transient, and
    /// the request may be repeated.
    pub(crate) fn repeats_failure(&self, error: &Error, attempt: FailedAttempt<'_>) -> bool {
        (attempt.loss == Loss::Connection || self.may_pass(error))
            && attempt.answered == Answered::Nothing
            && attempt.body == Replay::Possible
            && (attempt.sent == Sent::Nothing || self.repeats_method(attempt.method))
    }

    /// Returns whether the failure may be transient. A certificate, a protocol violation or a
    /// policy decision does not change; a timeout while waiting for a pool permit is not a failure
    /// of the server.
    fn may_pass(&self, error: &Error) -> bool {
        match error.kind() {
            Kind::Resolve | Kind::Connect => true,
            Kind::Timeout => error.phase() != Phase::Queue,
            Kind::Proxy => error.status().is_some_and(|status| self.repeats_status(status)),
            _ => false,
        }
    }

    /// Returns the delay of a `Retry-After` value, if it is valid.
    pub(crate) fn asked(&self, value: &[u8], now: SystemTime) -> Option<Duration> {
        (self.retry_after)(value, now)
    }

    /// See [`Delays::before`].
    pub(crate) fn delay(
        &self,
        retry: u32,
        asked: Option<Duration>,
        random: u64,
    ) -> Option<Duration> {
        self.delays.before(retry, asked, random)
    }

    pub(crate) fn tell(&self, retry: Retry<'_>) {
        if let Some(Observer(observer)) = &self.observer {
            observer(retry);
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fn")
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConnectionOrigin;
    use super::*;

    const ATTEMPT: FailedAttempt<'_> = FailedAttempt {
        method: &Method::GET,
        loss: Loss::Other,
        connection: ConnectionOrigin::Fresh,
        sent: Sent::Nothing,
        answered: Answered::Nothing,
        body: Replay::Possible,
    };

    #[test]
    fn transient_failures_are_retried() {
        use Kind::*;
        let phase = Phase::Connect;
        let cases = [
            (Resolve, Phase::Resolve, true),
            (Connect, phase, true),
            (Timeout, Phase::Resolve, true),
            (Timeout, phase, true),
            (Timeout, Phase::Proxy, true),
            (Timeout, Phase::Handshake, true),
            (Timeout, Phase::Send, true),
            (Timeout, Phase::Head, true),
            (Timeout, Phase::Queue, false),
            (Tls, Phase::Handshake, false),
            (Egress, phase, false),
            (Builder, Phase::Build, false),
            (Protocol, Phase::Head, false),
            (Limit, Phase::Head, false),
            (Truncated, Phase::Head, false),
            (Body, Phase::Send, false),
            (Redirect, Phase::Redirect, false),
        ];
        for (kind, phase, expected) in cases {
            let error = Error::new(kind, phase);
            assert_eq!(Policy::new().repeats_failure(&error, ATTEMPT), expected, "{error:?}");
        }
        let refused = |status| Error::new(Proxy, Phase::Proxy).refused_with(status);
        for (status, expected) in [(None, false), (Some(403), false), (Some(407), false)]
            .into_iter()
            .chain([(Some(502), true), (Some(503), true)])
        {
            let error = refused(status.map(|status| StatusCode::from_u16(status).unwrap()));
            assert_eq!(Policy::new().repeats_failure(&error, ATTEMPT), expected, "{status:?}");
        }
    }

    /// RFC 9110 §9.2.2: once any part of the request was sent, only idempotent methods are retried.
    #[test]
    fn t09_methods_by_bytes_sent_and_received() {
        use Answered::{Nothing as Silent, Something as Spoke};
        use Replay::{Impossible, Possible};
        use Sent::{Nothing, Something};
        let cases = [
            (Method::GET, Nothing, Silent, Possible, true),
            (Method::POST, Nothing, Silent, Possible, true),
            (Method::GET, Something, Silent, Possible, true),
            (Method::HEAD, Something, Silent, Possible, true),
            (Method::PUT, Something, Silent, Possible, true),
            (Method::DELETE, Something, Silent, Possible, true),
            (Method::POST, Something, Silent, Possible, false),
            (Method::PATCH, Something, Silent, Possible, false),
            (Method::GET, Something, Spoke, Possible, false),
            (Method::PUT, Something, Silent, Impossible, false),
            (Method::PUT, Nothing, Silent, Impossible, false),
        ];
        let lost = Error::new(Kind::Io, Phase::Head);
        let silent = Error::new(Kind::Timeout, Phase::Head);
        for (method, sent, answered, body, expected) in cases {
            let attempt = FailedAttempt { method: &method, sent, answered, body, ..ATTEMPT };
            let loss = FailedAttempt { loss: Loss::Connection, ..attempt };
            let policy = Policy::new();
            assert_eq!(policy.repeats_failure(&lost, loss), expected, "{loss:?}");
            assert_eq!(policy.repeats_failure(&silent, attempt), expected, "{attempt:?}");
            let bold = policy.retry_method(method.clone());
            let expected = answered == Silent && body == Possible;
            assert_eq!(bold.repeats_failure(&lost, loss), expected, "{loss:?}");
        }
        let broken = Error::new(Kind::Io, Phase::Head);
        assert!(!Policy::new().repeats_failure(&broken, ATTEMPT), "the connection is there");
    }

    #[test]
    fn attempts_are_counted_from_the_first() {
        for (attempts, retries, more) in
            [(0, 0, false), (1, 0, false), (2, 0, true), (2, 1, false), (3, 1, true), (3, 2, false)]
        {
            assert_eq!(
                Policy::new().max_attempts(attempts).allows_more(retries),
                more,
                "{attempts}"
            );
        }
        assert!(!Policy::none().allows_more(0));
        assert!(Policy::new().max_attempts(u32::MAX).allows_more(u32::MAX - 2));
    }

    #[test]
    fn statuses_are_the_default_or_the_callers() {
        let repeated = |policy: &Policy| -> Vec<u16> {
            let statuses = (100..1000).filter_map(|status| StatusCode::from_u16(status).ok());
            statuses.filter(|status| policy.repeats_status(*status)).map(|s| s.as_u16()).collect()
        };
        assert_eq!(repeated(&Policy::default()), [429, 502, 503, 504]);
        assert_eq!(repeated(&Policy::new().retry_statuses([StatusCode::CONFLICT])), [409]);
    }

    #[test]
    fn debug_shows_the_settings() {
        let shown = format!("{:?}", Policy::new().on_retry(|_| {}));
        assert!(shown.starts_with("Policy { attempts: 3") && shown.contains("Some(Fn)"), "{shown}");
    }
}
