//! A table of expectations: which requests come, how often, in which order, and what answers them.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use http::Method;

use super::expectation::{BodyRule, Expected};
use super::network::Handler;
use super::reply::Reply;
use super::request::ReceivedRequest;
use crate::error::{Error, Kind, Phase};

/// Expected requests and their answers, for [`ClientBuilder::mock`](crate::ClientBuilder::mock).
///
/// Each request is answered by the first expectation that matches it and is not used up. One that nothing matches
/// fails with [`Kind::Unexpected`], and the error says which expectation was nearest and in what it differs.
/// [`verify`](Self::verify), which also happens when the mock is dropped, fails the test if a request was unexpected
/// or an expectation was not met.
///
/// ```
/// use leanhttp::testing::{Mock, Reply};
/// use leanhttp::{Client, Method};
///
/// let mock = Mock::new();
/// mock.expect(Method::POST, "/orders").body("one tea").respond(Reply::status(201));
/// let client = Client::builder().mock(&mock).build()?;
///
/// let error = client.post("https://shop.example/orders").body("two teas").send().unwrap_err();
/// assert!(error.to_string().contains(r#"the body is "two teas", not "one tea""#));
/// # client.post("https://shop.example/orders").body("one tea").send()?;
/// # assert_eq!(mock.problems().len(), 1);
/// # mock.forget();
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Debug)]
pub struct Mock {
    table: Answerer,
}

/// An expected request under construction, by [`Mock::expect`]. It is in force from the start; each method makes it
/// stricter.
#[derive(Debug)]
pub struct Expect<'m> {
    mock: &'m Mock,
    position: usize,
}

/// The part of a mock that a client asks for answers. It does not verify.
#[derive(Debug, Clone)]
pub(super) struct Answerer(Arc<Mutex<MockTable>>);

#[derive(Default)]
struct MockTable {
    is_in_order: bool,
    expected: Vec<MockRow>,
    /// A line for each request that nothing matched: at most [`MOST_MISSES`].
    misses: Vec<String>,
    is_verified: bool,
}

struct MockRow {
    expected: Expected,
    at_least: usize,
    at_most: usize,
    used: usize,
    answer: Handler,
}

/// The most unexpected requests that are listed.
const MOST_MISSES: usize = 100;

impl Mock {
    /// Creates a mock that expects nothing yet. Requests may come in any order.
    pub fn new() -> Self {
        Self { table: Answerer(Arc::default()) }
    }

    /// Creates a mock whose expectations have to be met in their order: a request matches only if those before have
    /// come as often as they must.
    ///
    /// ```should_panic
    /// use leanhttp::testing::Mock;
    /// use leanhttp::{Client, Method};
    ///
    /// let mock = Mock::in_order();
    /// mock.expect(Method::POST, "/login");
    /// mock.expect(Method::GET, "/me");
    /// let client = Client::builder().mock(&mock).build().unwrap();
    /// client.get("https://api.example/me").send().unwrap(); // POST /login has to come first
    /// ```
    pub fn in_order() -> Self {
        let mock = Self::new();
        mock.table.lock().is_in_order = true;
        mock
    }

    /// Adds an expectation: one request with this method, to a URL that the pattern matches. It is answered with an
    /// empty 200 (OK) unless [`respond`](Expect::respond) says otherwise.
    ///
    /// The pattern is a whole URL, or a path for any origin. In its path `*` stands for anything within a segment, and
    /// a last segment `**` for any number of them. A query in it is a condition as by [`query`](Expect::query).
    ///
    /// ```
    /// use leanhttp::Method;
    /// use leanhttp::testing::Mock;
    ///
    /// let mock = Mock::new();
    /// mock.expect(Method::GET, "https://api.example/users/*?fields=name").any_times();
    /// mock.expect(Method::DELETE, "/cache/**").any_times();
    /// ```
    pub fn expect(&self, method: Method, url: &str) -> Expect<'_> {
        let mut table = self.table.lock();
        table.expected.push(MockRow {
            expected: Expected::new(method, url),
            at_least: 1,
            at_most: 1,
            used: 0,
            answer: Arc::new(|_| Reply::status(200)),
        });
        Expect { mock: self, position: table.expected.len() - 1 }
    }

    /// Fails the test if a request came that nothing matched, or an expectation was not met.
    ///
    /// # Panics
    ///
    /// With all [`problems`](Self::problems), if there are any.
    #[track_caller]
    pub fn verify(&self) {
        let problems = self.problems();
        self.forget();
        assert!(problems.is_empty(), "{}", list(&problems));
    }

    /// Returns a line for each unexpected request, and for each expectation that was not met.
    pub fn problems(&self) -> Vec<String> {
        let table = self.table.lock();
        let unmet = table.expected.iter().filter_map(MockRow::problem);
        table.misses.iter().cloned().chain(unmet).collect()
    }

    /// Lets the mock be dropped without a look at its problems.
    pub fn forget(&self) {
        self.table.lock().is_verified = true;
    }

    pub(super) fn answerer(&self) -> Answerer {
        self.table.clone()
    }
}

impl Default for Mock {
    fn default() -> Self {
        Self::new()
    }
}

/// Verifies, unless that has been done, or the test has failed already.
impl Drop for Mock {
    fn drop(&mut self) {
        let is_verified = self.table.lock().is_verified;
        if !is_verified && !thread::panicking() {
            self.verify();
        }
    }
}

fn list(problems: &[String]) -> String {
    let mut list = "the mock has seen other requests than it expects:".to_owned();
    for problem in problems {
        let _ = write!(list, "\n- {problem}"); // writing to a string cannot fail
    }
    list
}

impl Expect<'_> {
    /// Requires that the query has this pair; other pairs may stand beside it.
    ///
    /// ```
    /// use leanhttp::Method;
    /// use leanhttp::testing::Mock;
    ///
    /// let mock = Mock::new();
    /// mock.expect(Method::GET, "/search").query("q", "lean http").any_times();
    /// ```
    pub fn query(self, name: &str, value: &str) -> Self {
        self.set(|row| row.expected.query.push((name.to_owned(), value.to_owned())))
    }

    /// Requires a field with this value, beside any others. The value of a field with credentials or cookies is
    /// compared, but not shown.
    ///
    /// ```
    /// use leanhttp::Method;
    /// use leanhttp::testing::Mock;
    ///
    /// let mock = Mock::new();
    /// mock.expect(Method::GET, "/").header("accept", "application/json").any_times();
    /// ```
    pub fn header(self, name: &str, value: &str) -> Self {
        self.set(|row| row.expected.headers.push((name.to_ascii_lowercase(), value.to_owned())))
    }

    /// Requires this body, byte by byte.
    pub fn body(self, body: impl AsRef<[u8]>) -> Self {
        self.set(|row| row.expected.body = BodyRule::Bytes(body.as_ref().to_vec()))
    }

    /// Requires a JSON body of this value, however it is written.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn json<T: serde::Serialize + ?Sized>(self, value: &T) -> Self {
        let value = serde_json::to_value(value);
        self.set(|row| match value {
            Ok(value) => row.expected.body = BodyRule::Json(value),
            Err(error) => row.expected.mistake = Some(format!("its JSON: {error}")),
        })
    }

    /// Requires exactly so many requests; one by default.
    pub fn times(self, count: usize) -> Self {
        self.set(|row| (row.at_least, row.at_most) = (count, count))
    }

    /// Requires at least so many requests.
    pub fn at_least(self, count: usize) -> Self {
        self.set(|row| (row.at_least, row.at_most) = (count, usize::MAX))
    }

    /// Allows any number of requests, also none.
    pub fn any_times(self) -> Self {
        self.at_least(0)
    }

    /// Sets the answer: a [`Reply`], with faults if you like, or an `http::Response`.
    ///
    /// ```
    /// use leanhttp::Method;
    /// use leanhttp::testing::{Mock, Reply};
    ///
    /// let mock = Mock::new();
    /// mock.expect(Method::GET, "/list").any_times().respond(Reply::ok("[1, 2]").cut_after(3));
    /// ```
    pub fn respond(self, reply: impl Into<Reply>) -> Self {
        let reply = reply.into();
        self.respond_with(move |_| reply.clone())
    }

    /// Sets a function that makes the answer, such as [`in_turn`](super::in_turn).
    pub fn respond_with<H, A>(self, answer: H) -> Self
    where
        H: Fn(&ReceivedRequest) -> A + Send + Sync + 'static,
        A: Into<Reply>,
    {
        self.set(|row| row.answer = Arc::new(move |request| answer(request).into()))
    }

    fn set(self, change: impl FnOnce(&mut MockRow)) -> Self {
        if let Some(row) = self.mock.table.lock().expected.get_mut(self.position) {
            change(row);
        }
        self
    }
}

impl Answerer {
    /// Returns the answer of the expectation that matches. No lock is held while it is made.
    pub(super) fn answer(&self, request: &ReceivedRequest) -> Reply {
        let answer = self.lock().find(request);
        match answer {
            Ok(answer) => answer(request),
            Err(miss) => Error::new(Kind::Unexpected, Phase::Head).detail(miss).into(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, MockTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MockTable {
    /// Returns what answers the request, or what is wrong with it.
    fn find(&mut self, request: &ReceivedRequest) -> Result<Handler, String> {
        let mut nearest: Option<(usize, String, Vec<String>)> = None;
        for position in 0..self.expected.len() {
            let earlier = self.earlier(position);
            let Some(row) = self.expected.get_mut(position) else { break };
            let (mut weight, mut differences) = row.expected.differences(request);
            if differences.is_empty() && row.used >= row.at_most {
                let times = Times(row.at_most);
                differences.push(format!("it was expected {times} and has come already"));
            }
            if let (true, Some(earlier)) = (differences.is_empty(), earlier) {
                differences.push(format!("{earlier} has to come first"));
            }
            if differences.is_empty() {
                row.used += 1;
                return Ok(Arc::clone(&row.answer));
            }
            weight = weight.max(1);
            if nearest.as_ref().is_none_or(|(least, ..)| weight < *least) {
                nearest = Some((weight, row.expected.to_string(), differences));
            }
        }
        let came = format!("{} {}", request.method(), request.url().redacted());
        let miss = match nearest {
            None => format!("no expectation matches {came}: there is none"),
            Some((_, row, differences)) => {
                let differences = differences.join("; ");
                format!("no expectation matches {came}; the nearest is {row}, but {differences}")
            }
        };
        if self.misses.len() < MOST_MISSES {
            self.misses.push(miss.clone());
        }
        Err(miss)
    }

    /// Returns the first expectation before this one that must come first.
    fn earlier(&self, position: usize) -> Option<String> {
        let mut before = self.expected.iter().take(position).filter(|_| self.is_in_order);
        before.find(|row| row.used < row.at_least).map(|row| row.expected.to_string())
    }
}

impl MockRow {
    fn problem(&self) -> Option<String> {
        let is_unmet = self.used < self.at_least;
        let least = if self.at_most > self.at_least { "at least " } else { "" };
        let (expected, times) = (&self.expected, Times(self.at_least));
        let came = match self.used {
            0 => "never came".to_owned(),
            used => format!("came {}", Times(used)),
        };
        is_unmet.then(|| format!("{expected} was expected {least}{times}, but {came}"))
    }
}

/// A number of times in words.
struct Times(usize);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("never"),
            1 => f.write_str("once"),
            2 => f.write_str("twice"),
            count => write!(f, "{count} times"),
        }
    }
}

impl fmt::Debug for MockTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected: Vec<_> = self.expected.iter().map(|row| row.expected.to_string()).collect();
        f.debug_struct("MockTable").field("expected", &expected).finish_non_exhaustive()
    }
}
