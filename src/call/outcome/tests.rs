//! Calls whose attempts fail in every way, on a clock that the test sets.

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use http::{HeaderName, Method, StatusCode};
use proptest::prelude::*;

use super::*;
use crate::call::{RequestParts, SharedState};
use crate::config::Config;
use crate::error::{Error, Phase};
use crate::http1::head;
use crate::http1::limits::Limits;
use crate::policy::retry::Policy;
use crate::testing::harness::fuzzing::call::{Given as Test, reader};
use crate::url::Url;

/// A clock that stands still until the test moves it.
struct Made {
    now: Cell<Instant>,
    random: u64,
}

impl Made {
    fn new(random: u64) -> Self {
        Self { now: Cell::new(Instant::now()), random }
    }

    fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }

    /// Moves the clock to the time of the next attempt and returns the wait.
    fn wait(&self, when: When) -> Duration {
        let When::At(at) = when else { return Duration::ZERO };
        let waited = at.duration_since(self.now.get());
        self.now.set(at);
        waited
    }
}

impl Clock for Made {
    fn now(&self) -> Instant {
        self.now.get()
    }

    /// 1994-11-06, 08:49:37
    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn random(&self) -> u64 {
        self.random
    }
}

const MS: fn(u64) -> Duration = Duration::from_millis;

/// The settings and the shared state of a client.
#[derive(Default)]
struct Client {
    config: Config,
    shared: SharedState,
}

fn client(policy: Policy) -> Client {
    let config = Config { retry: Some(Arc::new(policy)), ..Config::default() };
    Client { config, shared: SharedState::default() }
}

fn request(method: Method) -> Box<RequestParts<Test>> {
    Box::new(RequestParts::new(method, Url::parse("http://u:secret@a.example/").unwrap()))
}

fn call<'c>(client: &'c Client, request: Box<RequestParts<Test>>, world: &Made) -> Call<'c, Test> {
    let mut call = Call::new(&client.config, &client.shared, request, world.now());
    call.begin().unwrap();
    call
}

fn head(status: u16, fields: &[(HeaderName, &str)]) -> Box<ResponseHead> {
    let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n{lines}\r\n");
    head::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn refused() -> Failure {
    Failure::unconnected(Error::new(Kind::Connect, Phase::Connect))
}

const POOLED: bool = true;
const FRESH: bool = false;

fn lost(is_pooled: bool) -> Failure {
    Failure {
        error: Error::new(Kind::Io, Phase::Head),
        lost_connection: true,
        is_pooled,
        has_sent: true,
        has_heard: false,
    }
}

/// Returns the wait before the next attempt, or `None` if the response is delivered.
fn delay(call: &mut Call<'_, Test>, head: &ResponseHead, world: &Made) -> Option<Duration> {
    match call.answered(head, world).unwrap() {
        Verdict::Deliver => None,
        Verdict::Again(when) => Some(world.wait(when)),
    }
}

#[test]
fn a_503_is_retried_after_the_backoff() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let policy = Policy::new().on_retry(move |retry| {
        let (attempt, reason, delay) = (retry.attempt(), retry.reason(), retry.delay());
        heard.lock().unwrap().push((attempt, reason, delay, retry.url().to_string()));
    });
    let client = client(policy);
    let world = Made::new(u64::MAX);
    let mut call = call(&client, request(Method::GET), &world);
    assert_eq!(delay(&mut call, &head(503, &[]), &world), Some(MS(200)));
    assert_eq!(world.wait(call.failed(refused(), &world).unwrap()), MS(400));
    assert_eq!(delay(&mut call, &head(503, &[]), &world), None, "three attempts in all");
    let shown = "http://a.example/".to_owned();
    let expected = [
        (2, Reason::Status(StatusCode::SERVICE_UNAVAILABLE), MS(200), shown.clone()),
        (3, Reason::Failure(Kind::Connect), MS(400), shown),
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

/// RFC 9110 §10.2.3.
#[test]
fn t08_retry_after_is_honored_or_the_response_is_delivered() {
    let cases = [
        ("0", Some(200)),
        ("7", Some(7_000)),
        ("60", Some(60_000)),
        ("61", None),
        ("31536000", None),
        ("9223372036854775807", None),
        ("99999999999999999999", None),
        ("-1", Some(200)),
        ("soon", Some(200)),
        ("", Some(200)),
        ("Sun, 06 Nov 1994 08:49:57 GMT", Some(20_000)),
        ("Sunday, 06-Nov-94 08:49:57 GMT", Some(20_000)),
        ("Sun, 06 Nov 1994 08:49:07 GMT", Some(200)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", Some(200)),
    ];
    for (value, expected) in cases {
        let client = client(Policy::new());
        let world = Made::new(u64::MAX);
        let mut call = call(&client, request(Method::GET), &world);
        let head = head(429, &[(header::RETRY_AFTER, value)]);
        assert_eq!(delay(&mut call, &head, &world), expected.map(MS), "{value}");
    }
}

#[test]
fn t08_no_wait_ends_after_the_deadline_of_the_call() {
    for (asked, total, passed, expected) in [
        ("7", 8_000, 0, Some(MS(7_000))),
        ("7", 7_001, 0, Some(MS(7_000))),
        ("7", 7_000, 0, None),
        ("7", 8_000, 1_500, None),
        ("0", 100, 50, Some(MS(0))),
        ("0", 100, 100, None),
        ("0", 100, 101, None),
    ] {
        let client = client(Policy::new());
        let world = Made::new(0);
        let mut request = request(Method::GET);
        request.overrides.get_or_insert_default().total = Some(MS(total));
        let mut call = call(&client, request, &world);
        world.pass(MS(passed));
        let head = head(503, &[(header::RETRY_AFTER, asked)]);
        assert_eq!(delay(&mut call, &head, &world), expected, "{asked} of {total} at {passed}");
    }
}

#[test]
fn t09_a_retry_costs_one_and_a_response_earns_a_tenth() {
    let client = client(Policy::new().budget(3).max_attempts(100));
    let world = Made::new(0);
    let tries = || {
        let mut call = call(&client, request(Method::GET), &world);
        (0..).take_while(|_| call.failed(refused(), &world).is_ok()).count()
    };
    assert_eq!((tries(), tries()), (3, 0), "one budget for all calls");
    for answers in [9, 1] {
        for _ in 0..answers {
            let mut call = call(&client, request(Method::GET), &world);
            assert_eq!(delay(&mut call, &head(404, &[]), &world), None);
        }
        assert_eq!(tries(), usize::from(answers == 1));
    }
}

#[test]
fn the_error_names_the_number_of_retries() {
    for (attempts, end) in
        [(1, "connecting to the server for http://a.example/"), (2, "; after 1 retry")]
            .into_iter()
            .chain([(4, "; after 3 retries")])
    {
        let client = client(Policy::new().max_attempts(attempts));
        let world = Made::new(7);
        let mut call = call(&client, request(Method::POST), &world);
        let error = (0..).find_map(|_| call.failed(refused(), &world).err()).unwrap();
        assert!(error.to_string().ends_with(end), "{error}");
    }
}

#[test]
fn t09_the_error_says_that_the_retry_budget_is_used_up() {
    let client = client(Policy::new().budget(1).max_attempts(100));
    let world = Made::new(7);
    let failed = || {
        let mut call = call(&client, request(Method::GET), &world);
        let error = (0..).find_map(|_| call.failed(refused(), &world).err()).unwrap();
        error.to_string()
    };
    let end = "; not retried: the retry budget of the host is used up";
    assert!(failed().ends_with(&format!("; after 1 retry{end}")));
    assert!(failed().ends_with(&format!("http://a.example/{end}")));
}

/// With and without a policy: the server may have processed the POST.
#[test]
fn t09_the_error_says_that_a_post_may_have_been_carried_out() {
    let line = "; POST was not sent again, because it may have been carried out";
    for client in [Client::default(), client(Policy::new())] {
        let world = Made::new(0);
        let mut call = call(&client, request(Method::POST), &world);
        let error = call.failed(lost(POOLED), &world).unwrap_err().to_string();
        assert!(error.ends_with(line), "{error}");
    }
    let client = Client::default();
    let world = Made::new(0);
    let mut put = request(Method::PUT);
    put.body = Some(reader(std::io::empty(), None));
    let mut call = call(&client, put, &world);
    call.take_body();
    let error = call.failed(lost(POOLED), &world).unwrap_err().to_string();
    assert!(error.ends_with("; the body is a reader and cannot be sent again"), "{error}");
}

/// RFC 9110 §15.5.9: handled like a stale connection, so sent again once, immediately and without a
/// policy.
#[test]
fn a_408_on_an_idle_connection_is_sent_again() {
    let closing = head(408, &[(header::CONNECTION, "close")]);
    let client = Client::default();
    let world = Made::new(0);
    for (method, is_pooled, again) in
        [(Method::GET, POOLED, true), (Method::GET, FRESH, false), (Method::POST, POOLED, false)]
    {
        let mut call = call(&client, request(method), &world);
        call.begin_attempt(is_pooled).unwrap();
        let next = call.answered(&closing, &world).unwrap();
        assert_eq!(next == Verdict::Again(When::Now), again, "{is_pooled}");
        assert_eq!(call.is_resent(), again);
        assert_eq!(call.answered(&closing, &world).unwrap(), Verdict::Deliver, "once");
    }
}

/// With and without a policy, after a 503 and after a 408 that closes: the bytes that were read are
/// lost.
#[test]
fn a_reader_is_not_sent_again_once_it_was_read() {
    let client = client(Policy::new());
    let world = Made::new(0);
    for (status, is_read) in [(503, true), (503, false), (408, true), (408, false)] {
        let mut put = request(Method::PUT);
        put.body = Some(reader(&b"body"[..], None));
        let mut call = call(&client, put, &world);
        call.begin_attempt(POOLED).unwrap();
        if is_read {
            call.take_body();
        }
        let head = head(status, &[(header::CONNECTION, "close")]);
        let next = call.answered(&head, &world).unwrap();
        assert_eq!(next == Verdict::Deliver, is_read, "{status}");
    }
}

/// After a lost connection the idle ones are suspect; after a busy response they are not.
#[test]
fn only_a_failure_forces_a_new_connection() {
    let client = client(Policy::new());
    let world = Made::new(0);
    let mut call = call(&client, request(Method::GET), &world);
    assert_eq!(delay(&mut call, &head(503, &[]), &world), Some(MS(0)));
    assert!(!call.is_resent());
    call.failed(lost(FRESH), &world).unwrap();
    assert!(call.is_resent());
}

#[test]
fn redirects_add_no_attempts() {
    let client = client(Policy::new());
    let world = Made::new(0);
    let mut call = call(&client, request(Method::GET), &world);
    assert_eq!(delay(&mut call, &head(503, &[]), &world), Some(MS(0)));
    let moved = head(302, &[(header::LOCATION, "/next")]);
    assert_eq!(call.answered(&moved, &world).unwrap(), Verdict::Again(When::Now));
    assert_eq!(delay(&mut call, &head(503, &[]), &world), Some(MS(0)));
    assert_eq!(call.url().path(), "/next", "only the failed hop is sent again");
    assert_eq!(call.answered(&moved, &world).unwrap(), Verdict::Again(When::Now));
    assert_eq!(delay(&mut call, &head(503, &[]), &world), None);
}

/// An expired connect limit must not stop the next attempt before it begins.
#[test]
fn each_attempt_has_its_own_connect_timeout() {
    use crate::policy::deadline::Operation;
    let client = client(Policy::new());
    let world = Made::new(0);
    let mut call = call(&client, request(Method::GET), &world);
    call.budget.start_connecting(world.now());
    world.pass(Duration::from_secs(60));
    assert!(call.budget.wait(Operation::Connect, || world.now()).is_err());
    let error = Error::new(Kind::Timeout, Phase::Connect);
    call.failed(Failure::unconnected(error), &world).unwrap();
    call.budget.start_connecting(world.now());
    assert!(call.budget.wait(Operation::Connect, || world.now()).is_ok());
}

#[test]
fn an_unresolvable_name_is_not_looked_up_again() {
    let client = client(Policy::new());
    let world = Made::new(0);
    for (host, again) in [("a.example", true), ("a..example", false)] {
        let url = Url::parse(&format!("http://{host}/")).unwrap();
        let mut call = call(&client, Box::new(RequestParts::new(Method::GET, url)), &world);
        let error = Error::new(Kind::Resolve, Phase::Resolve);
        let outcome = call.failed(Failure::unconnected(error), &world);
        assert_eq!(outcome.is_ok(), again, "{host}");
    }
}

#[test]
fn the_policy_of_the_request_replaces_the_clients() {
    let client = client(Policy::new());
    let world = Made::new(0);
    let mut once = request(Method::GET);
    once.retry = Some(Arc::new(Policy::none()));
    let once = once.try_clone().unwrap();
    assert!(call(&client, Box::new(once), &world).failed(refused(), &world).is_err());
    assert!(call(&client, request(Method::GET), &world).failed(refused(), &world).is_ok());
}

/// The outcome of an attempt.
#[derive(Debug, Clone)]
enum Fate {
    Unconnected(Kind),
    Lost { is_pooled: bool, has_sent: bool, has_heard: bool },
    Silent { has_sent: bool },
    Status(u16, Option<u32>),
    Moved,
}

fn fate() -> impl Strategy<Value = Fate> {
    let kinds = [Kind::Resolve, Kind::Connect, Kind::Timeout, Kind::Tls, Kind::Egress];
    let has_heard = prop_oneof![9 => Just(false), 1 => Just(true)];
    prop_oneof![
        prop::sample::select(kinds.to_vec()).prop_map(Fate::Unconnected),
        (any::<bool>(), any::<bool>(), has_heard).prop_map(|(is_pooled, has_sent, has_heard)| {
            Fate::Lost { is_pooled, has_sent, has_heard }
        }),
        any::<bool>().prop_map(|has_sent| Fate::Silent { has_sent }),
        (prop::sample::select(vec![200, 404, 408, 429, 503]), any::<Option<u32>>())
            .prop_map(|(status, after)| Fate::Status(status, after)),
        Just(Fate::Moved),
    ]
}

impl Fate {
    fn may_have_been_carried_out(&self) -> bool {
        match self {
            Fate::Unconnected(_) => false,
            Fate::Lost { has_sent, .. } | Fate::Silent { has_sent } => *has_sent,
            Fate::Status(..) => true,
            Fate::Moved => false, // the server did not process it
        }
    }

    /// Reports the outcome to the call; returns the time of the next attempt, or `None` if the call
    /// is over.
    fn befall(&self, call: &mut Call<'_, Test>, world: &Made) -> Option<When> {
        let failure = match self {
            Fate::Status(status, after) => {
                let after = after.map(|after| (header::RETRY_AFTER, after.to_string()));
                let fields: Vec<_> = after.iter().map(|(n, v)| (n.clone(), &**v)).collect();
                return again(call.answered(&head(*status, &fields), world));
            }
            Fate::Moved => {
                let moved = head(307, &[(header::LOCATION, "/next")]);
                return again(call.answered(&moved, world));
            }
            Fate::Unconnected(kind) => Failure::unconnected(Error::new(*kind, Phase::Connect)),
            Fate::Lost { is_pooled, has_sent, has_heard } => {
                Failure { has_sent: *has_sent, has_heard: *has_heard, ..lost(*is_pooled) }
            }
            Fate::Silent { has_sent } => {
                let error = Error::new(Kind::Timeout, Phase::Head);
                let (lost_connection, has_sent) = (false, *has_sent);
                Failure { error, lost_connection, has_sent, ..lost(FRESH) }
            }
        };
        call.failed(failure, world).ok()
    }
}

fn again(next: crate::error::Result<Verdict>) -> Option<When> {
    match next.ok()? {
        Verdict::Deliver => None,
        Verdict::Again(when) => Some(when),
    }
}

proptest! {
    /// For any outcomes of the attempts: never more attempts than allowed, none that begins after
    /// the deadline, and no non-idempotent request sent twice.
    #[test]
    fn t09_retries_stay_within_limits_for_any_outcomes(
        fates in prop::collection::vec((fate(), 0..2_000_u64), 1..30),
        method in prop::sample::select(vec![Method::GET, Method::PUT, Method::POST]),
        attempts in 0..6_u32,
        total in prop::option::of(1..20_000_u64),
        random in any::<u64>(),
    ) {
        let client = client(Policy::new().max_attempts(attempts));
        let world = Made::new(random);
        let start = world.now();
        let mut request = request(method.clone());
        request.overrides.get_or_insert_default().total = total.map(MS);
        let mut call = call(&client, request, &world);
        let (mut waits, mut answers, mut at_once) = (0, 0, 0);
        for (fate, takes) in fates {
            world.pass(MS(takes));
            let Some(when) = fate.befall(&mut call, &world) else { break };
            prop_assert!(method.is_idempotent() || !fate.may_have_been_carried_out(), "{:?}", fate);
            match when {
                When::At(at) => {
                    waits += 1;
                    prop_assert!(total.is_none_or(|total| at < start + MS(total)));
                    prop_assert!(at <= world.now() + Duration::from_secs(60));
                }
                When::Now if matches!(fate, Fate::Moved) => {}
                When::Now => at_once += 1,
            }
            answers += u32::from(matches!(fate, Fate::Moved | Fate::Status(..)));
            world.wait(when);
        }
        prop_assert!(waits <= attempts.saturating_sub(1));
        prop_assert!(at_once <= answers + 1, "at most one stale connection between two responses");
    }
}
