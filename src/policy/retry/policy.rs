//! What is sent again at the caller's wish: which answers and which failures are worth another
//! attempt, and how many of them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{Method, StatusCode};

use super::{Answered, Attempt, Loss, Replay, Retry, Sent};
use crate::error::{Error, Kind, Phase};
use crate::fields::retry_after;
use crate::policy::retry::backoff::Delays;

/// How often a call is tried unless the caller says otherwise; what the AWS SDKs do. A fault that
/// three attempts do not outlive is seldom over with the fourth.
const ATTEMPTS: u32 = 3;

/// Retries that a host may owe unless the caller says otherwise: a hiccup is mended, and a dead
/// server costs no more than that.
const BUDGET: u32 = 10;

/// The statuses that speak of the moment and not of the request: too many requests (429), a gateway
/// that does not reach its server (502, 504), a server that is busy or about to start (503). 500 is
/// not among them: a bug is there the next time too.
const STATUSES: [StatusCode; 4] = [
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// Whether, when and how often a request is sent again. Without one nothing is, but for a
/// connection that turns out to be stale.
///
/// ```
/// use std::time::Duration;
/// use leanhttp::{Client, retry};
///
/// let policy = retry::Policy::new()
///     .attempts(4)
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
    /// Reads a field `Retry-After`: by a pointer, so that programs without a policy do not carry it.
    retry_after: fn(&[u8], SystemTime) -> Option<Duration>,
}

#[derive(Clone)]
struct Observer(Arc<dyn Fn(Retry<'_>) + Send + Sync>);

impl Policy {
    /// The defaults: three attempts in all, 200 ms at most before the second and 400 ms before the
    /// third, for idempotent methods, the statuses 429, 502, 503 and 504, and failures that may pass.
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
            retry_after: retry_after::at_least,
        }
    }

    /// One attempt and no more: for a request of a client that has another policy.
    ///
    /// ```no_run
    /// # let client = leanhttp::Client::new();
    /// let once = client.get("https://example.org/").retry(leanhttp::retry::Policy::none()).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn none() -> Self {
        Self::new().attempts(1)
    }

    /// How often the call is tried in all, over all its redirects; 3 by default, and at least once.
    ///
    /// A redirect brings no attempts of its own (nor does it in urllib3), or a chain of them could
    /// multiply the load. A retry repeats the hop that failed, and not those before it.
    ///
    /// ```
    /// let patient = leanhttp::retry::Policy::new().attempts(6);
    /// ```
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long is waited: a random time between nothing and `first` before the first retry, and
    /// twice as long for each further one, but never longer than `longest`. 200 ms and 10 s by
    /// default.
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

    /// How long a server may ask to wait by `Retry-After` (RFC 9110 §10.2.3); 60 s by default. If it
    /// asks for more, its response is delivered at once.
    ///
    /// What it asks for takes the place of a shorter backoff. A date in the past asks for nothing; a
    /// value that is no number of seconds and no date is not there.
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

    /// The statuses after which the request is sent again, in the place of those before: 429, 502,
    /// 503 and 504 by default.
    ///
    /// ```
    /// use leanhttp::{StatusCode, retry::Policy};
    ///
    /// let policy = Policy::new()
    ///     .statuses([StatusCode::TOO_MANY_REQUESTS, StatusCode::INTERNAL_SERVER_ERROR]);
    /// let only_failures = Policy::new().statuses([]);
    /// ```
    pub fn statuses<S: IntoIterator<Item = StatusCode>>(mut self, statuses: S) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }

    /// One more method whose requests are sent again, besides those that RFC 9110 §9.2.2 calls
    /// idempotent: GET, HEAD, OPTIONS, TRACE, PUT and DELETE.
    ///
    /// # Dangers
    ///
    /// A request whose response is lost may have been carried out. To send a POST again can order
    /// twice and pay twice, unless the server knows by something in it, such as an
    /// `Idempotency-Key`, that it has seen it before.
    ///
    /// ```
    /// use leanhttp::{Method, retry::Policy};
    ///
    /// let policy = Policy::new().also_method(Method::POST);
    /// ```
    pub fn also_method(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// Whether a request of any method is sent again when a connection that was used before is lost
    /// and not one byte of a response came on it. Off by default.
    ///
    /// Nearly always the server has closed the connection while it idled, and the request crossed with
    /// that; curl, ureq and others repeat it unasked. It happens at once, once for each hop, on a fresh
    /// connection, and is not counted among the [`attempts`](Self::attempts): `Policy::none()` may have
    /// it too. A body has to be one that can be sent again. Idempotent methods need no such switch.
    ///
    /// # Dangers
    ///
    /// The client cannot tell this from a server that has carried the request out and then died, or
    /// lost the connection, before it answered. A POST may then be carried out twice, unless the server
    /// knows by something in it, such as an `Idempotency-Key`, that it has seen it before.
    ///
    /// ```
    /// use leanhttp::{Client, retry::Policy};
    ///
    /// // As curl: nothing else is sent again.
    /// let policy = Policy::none().retry_on_reused_connection(true);
    /// let client = Client::builder().retry(policy).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn retry_on_reused_connection(mut self, enable: bool) -> Self {
        self.is_bold_on_reused = enable;
        self
    }

    /// How many retries there are in hand for each host, shared by all calls of the client; 10 by
    /// default. Each retry takes one, and each response that is none to be repeated gives back a
    /// tenth: so a server that is down is not burdened with a multiple of its load, and when it comes
    /// back it gets 10 % more at most.
    ///
    /// ```
    /// let batch_job = leanhttp::retry::Policy::new().budget(1000);
    /// ```
    pub fn budget(mut self, retries: u32) -> Self {
        self.budget = retries;
        self
    }

    /// Tells `observer` of each retry, before the wait.
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
    /// Whether there may be one more attempt after so many retries.
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

    /// Whether a request may be sent again although it may have been carried out.
    pub(crate) fn repeats_method(&self, method: &Method) -> bool {
        method.is_idempotent() || self.methods.contains(method)
    }

    /// Whether an attempt that brought no response is worth another one, and may be repeated.
    pub(crate) fn repeats_failure(&self, error: &Error, attempt: Attempt<'_>) -> bool {
        (attempt.loss == Loss::Connection || self.may_pass(error))
            && attempt.answered == Answered::Nothing
            && attempt.body == Replay::Possible
            && (attempt.sent == Sent::Nothing || self.repeats_method(attempt.method))
    }

    /// Whether it may be better the next time. A certificate, a broken rule or a policy of ours
    /// stays what it is; and who waited in vain for a connection of ours has not failed at a server.
    fn may_pass(&self, error: &Error) -> bool {
        match error.kind() {
            Kind::Resolve | Kind::Connect => true,
            Kind::Timeout => error.phase() != Phase::Queue,
            Kind::Proxy => error.status().is_some_and(|status| self.repeats_status(status)),
            _ => false,
        }
    }

    /// What the server asks for in its `Retry-After`, if it says so in a way to be understood.
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
    use super::super::Origin;
    use super::*;

    const ATTEMPT: Attempt<'_> = Attempt {
        method: &Method::GET,
        loss: Loss::Other,
        connection: Origin::Fresh,
        sent: Sent::Nothing,
        answered: Answered::Nothing,
        body: Replay::Possible,
    };

    #[test]
    fn what_may_pass_is_tried_again() {
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
            (Denied, phase, false),
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

    /// RFC 9110 §9.2.2: once any of it was sent, only what may be carried out twice.
    #[test]
    fn t09_methods_by_what_was_sent_and_what_came() {
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
            let attempt = Attempt { method: &method, sent, answered, body, ..ATTEMPT };
            let loss = Attempt { loss: Loss::Connection, ..attempt };
            let policy = Policy::new();
            assert_eq!(policy.repeats_failure(&lost, loss), expected, "{loss:?}");
            assert_eq!(policy.repeats_failure(&silent, attempt), expected, "{attempt:?}");
            let bold = policy.also_method(method.clone());
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
            assert_eq!(Policy::new().attempts(attempts).allows_more(retries), more, "{attempts}");
        }
        assert!(!Policy::none().allows_more(0));
        assert!(Policy::new().attempts(u32::MAX).allows_more(u32::MAX - 2));
    }

    #[test]
    fn statuses_are_those_of_the_moment_or_of_the_caller() {
        let repeated = |policy: &Policy| -> Vec<u16> {
            let statuses = (100..1000).filter_map(|status| StatusCode::from_u16(status).ok());
            statuses.filter(|status| policy.repeats_status(*status)).map(|s| s.as_u16()).collect()
        };
        assert_eq!(repeated(&Policy::default()), [429, 502, 503, 504]);
        assert_eq!(repeated(&Policy::new().statuses([StatusCode::CONFLICT])), [409]);
    }

    #[test]
    fn debug_tells_the_settings() {
        let shown = format!("{:?}", Policy::new().on_retry(|_| {}));
        assert!(shown.starts_with("Policy { attempts: 3") && shown.contains("Some(Fn)"), "{shown}");
    }
}
