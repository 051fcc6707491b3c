//! Redirects, over real sockets: one peer plays every host, plain and over TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use leanhttp::{Body, Client, Error, Method, Url, redirect};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use super::errors::is_named;
use super::support::{self, Outcome, accepted};
use crate::support_servers::pki::{Leaf, Pki};

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

#[test]
fn single() {
    let tls = Pki::new().server_config(Leaf::Good);
    support::run("redirects/single", |case| {
        both_ways(|ending| {
            let answer = response(&case["response"], ending);
            let peer = Peer::start(vec![answer], Duration::ZERO, ending, &tls);
            let result = request(&peer, case, None);
            let requests = peer.requests();
            let is_expected = |expected| single_as_expected(expected, case, &result, &requests);
            let fits = accepted(case).any(is_expected) && goes_by_origin(&requests, ending);
            fits.then_some(()).ok_or_else(|| format!("{result:?} after {requests:?}"))
        })
    });
}

#[test]
fn chains() {
    let tls = Pki::new().server_config(Leaf::Good);
    support::run_except("redirects/chains", &["/expect/max_redirects"], |case| {
        let mut hops: Vec<_> = case["hops"].as_array().unwrap().iter().collect();
        if case["repeat"] == true {
            hops = hops.iter().cycle().take(50).copied().collect();
        }
        let pause = if case["expect"]["error"] == "timeout" { 600 } else { 0 };
        let limit = case["expect"]["max_redirects"].as_u64();
        both_ways(|ending| {
            let answers = hops.iter().map(|hop| self::hop(hop, ending)).collect();
            let peer = Peer::start(answers, Duration::from_millis(pause), ending, &tls);
            let result = request(&peer, case, limit);
            let requests = peer.requests();
            let is_expected = |expected| chain_as_expected(expected, &result, &requests);
            let fits = accepted(case).any(is_expected) && goes_by_origin(&requests, ending);
            fits.then_some(()).ok_or_else(|| format!("{result:?} after {requests:?}"))
        })
    });
}

/// The state of the connection after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Close,
    /// The peer waits for the next request, so that hops use the pool.
    KeepAlive,
}

fn both_ways(check: impl Fn(Ending) -> std::result::Result<(), String>) -> Outcome {
    for ending in [Ending::Close, Ending::KeepAlive] {
        if let Err(actual) = check(ending) {
            return Outcome::Failed(format!("{actual} with {ending:?}"));
        }
    }
    Outcome::Passed
}

/// Returns whether no two origins shared a connection, and each origin was contacted on one connection
/// where the peer keeps it open.
fn goes_by_origin(requests: &[Request], ending: Ending) -> bool {
    let is_shared = |one: &Request, two: &Request| one.connection == two.connection;
    requests.iter().enumerate().all(|(at, one)| {
        requests[..at].iter().all(|two| {
            let is_same_origin = one.origin == two.origin;
            is_shared(one, two) == (is_same_origin && ending == Ending::KeepAlive)
        })
    })
}

/// The status and the URL of the response, or the error.
type Result = std::result::Result<(u16, String), Error>;

fn request(peer: &Peer, case: &Value, limit: Option<u64>) -> Result {
    let request = &case["request"];
    let url = request["url"].as_str().unwrap();
    let mut builder = Client::builder()
        .cookie_store(true)
        .danger_accept_invalid_certs(true)
        .timeout(Duration::from_secs(if case["expect"]["error"] == "timeout" { 1 } else { 10 }));
    for host in hosts(case) {
        builder = builder.resolve(&host, peer.addr);
    }
    if let Some(limit) = limit {
        builder = builder.redirect(redirect::Policy::limited(limit.try_into().unwrap()));
    }
    let client = builder.build().unwrap();
    let method = request["method"].as_str().unwrap().parse::<Method>().unwrap();
    let mut request_builder = client.request(method, url);
    for field in request["headers"].as_array().into_iter().flatten() {
        request_builder =
            request_builder.header(field[0].as_str().unwrap(), field[1].as_str().unwrap());
    }
    if let Some(body) = request["body"].as_str() {
        let body = body.to_owned();
        request_builder = match request["body_replayable"] == false {
            true => request_builder.body(Body::new(std::io::Cursor::new(body))),
            false => request_builder.body(body),
        };
    }
    let response = request_builder.send()?;
    Ok((response.status().as_u16(), response.url().to_string()))
}

/// Every host that the case names, so that none is looked up.
fn hosts(case: &Value) -> Vec<String> {
    let text = case.to_string();
    let mut hosts = vec!["a.example".to_owned()];
    for (at, _) in text.match_indices("//") {
        let rest = format!("http:{}", text.get(at..).unwrap().split(['"', '\\']).next().unwrap());
        let host = Url::parse(&rest).ok().and_then(|url| url.host_str().map(str::to_owned));
        hosts.extend(host);
    }
    let locations = case["response"]["headers"].as_array().into_iter().flatten();
    let base = Url::parse("http://a.example/").unwrap();
    hosts.extend(
        locations
            .filter_map(|field| base.join(field[1].as_str()?).ok())
            .filter_map(|url| url.host_str().map(str::to_owned)),
    );
    hosts
}

fn single_as_expected(
    expected: &Value,
    case: &Value,
    result: &Result,
    requests: &[Request],
) -> bool {
    if let Some(name) = expected["error"].as_str() {
        let is_expected = result.as_ref().is_err_and(|error| is_named(error, name));
        return is_expected && requests.len() == 1;
    }
    if expected["follow"] == false {
        let may_fail = match expected["result"].as_str() {
            Some("response") | None => false,
            Some(text) if text.starts_with("error or the 3xx response itself") => true,
            Some(other) => return fails(other),
        };
        let status = case["response"]["status"].as_u64();
        let is_response = result.as_ref().is_ok_and(|(got, _)| Some(u64::from(*got)) == status);
        let is_refused = result.as_ref().is_err_and(Error::is_redirect);
        return requests.len() == 1 && (is_response || (may_fail && is_refused));
    }
    let (Ok((200, final_url)), [_, second]) = (result, requests) else { return false };
    let names = |key: &str| expected[key].as_array().cloned().unwrap_or_default();
    let body = case["request"]["body"].as_str().unwrap_or_default();
    expected.as_object().unwrap().iter().all(|(key, wanted)| match key.as_str() {
        "follow" => *wanted == true,
        "method" => *wanted == second.method,
        "url" => same_url(expected, final_url, second),
        "body" if *wanted == "same" => second.body == body,
        "body" => *wanted == "none" && second.body.is_empty() && !second.has_body_fields(),
        "headers_present" => names(key).iter().all(|name| is_kept(name, case, second)),
        "headers_absent" => {
            !names(key).iter().any(|name| !second.values(name.as_str().unwrap()).is_empty())
        }
        "cookie_header" => second.has_one("cookie", std::slice::from_ref(wanted)),
        "cookie_header_any_of" => second.has_one("cookie", wanted.as_array().unwrap()),
        "host_header" => second.has_one("host", std::slice::from_ref(wanted)),
        "host_header_any_of" => second.has_one("host", wanted.as_array().unwrap()),
        other => fails(other),
    })
}

/// A check of an unknown expectation must fail.
fn fails(statement: &str) -> bool {
    println!("{statement} is not known");
    false
}

/// Returns whether the caller's lines of a field are all present, once each, in their order.
fn is_kept(name: &Value, case: &Value, request: &Request) -> bool {
    let name = name.as_str().unwrap();
    let given = case["request"]["headers"].as_array().unwrap().iter();
    let given = given.filter(|field| field[0].as_str().unwrap().eq_ignore_ascii_case(name));
    let given: Vec<_> = given.map(|field| field[1].as_str().unwrap()).collect();
    !given.is_empty() && request.values(name) == given
}

/// Compares the URL that the caller sees with the one that was requested, without the fragment. A
/// `Host` field of the caller hides the host of the URL.
fn same_url(expected: &Value, told: &str, request: &Request) -> bool {
    let mut url = Url::parse(expected["url"].as_str().unwrap()).unwrap();
    if url.as_str() != told {
        return false;
    }
    url.set_fragment(None);
    expected.get("host_header_any_of").is_some() || request.url() == url.as_str()
}

fn chain_as_expected(expected: &Value, result: &Result, requests: &[Request]) -> bool {
    let count = |wanted: &Value| usize::try_from(wanted.as_u64().unwrap()).unwrap();
    let each = |wanted: &Value, got: &dyn Fn(&Request) -> Value| {
        let wanted = wanted.as_array().unwrap();
        let fits = |(want, request): (&Value, &Request)| want.is_null() || *want == got(request);
        wanted.len() == requests.len() && wanted.iter().zip(requests).all(fits)
    };
    let is_error = expected.get("error").is_some();
    result.is_err() == is_error
        && expected.as_object().unwrap().iter().all(|(key, wanted)| match key.as_str() {
            "error" => {
                result.as_ref().is_err_and(|error| is_named(error, wanted.as_str().unwrap()))
            }
            "status" => result.as_ref().is_ok_and(|(status, _)| *wanted == *status),
            "final_url" => result.as_ref().is_ok_and(|(_, url)| *wanted == url.as_str()),
            "requests" => requests.len() == count(wanted),
            "requests_at_most" => requests.len() <= count(wanted),
            "methods" => each(wanted, &|request| request.method.as_str().into()),
            "bodies" => each(wanted, &|request| (!request.body.is_empty()).into()),
            "authorization_sent" => {
                each(wanted, &|request| (!request.values("authorization").is_empty()).into())
            }
            // The client has this setting.
            "max_redirects" => true,
            "note" => match wanted.as_str().unwrap() {
                "first response sets s=1; Secure: not sent on hop 2" => {
                    requests.iter().all(|request| request.values("cookie").is_empty())
                }
                "each hop answers after 0.6 s; with a total deadline of 1 s the second hop fails; \
                 the deadline must not restart per hop" => requests.len() == 2,
                other => fails(other),
            },
            other => fails(other),
        })
}

fn lines(fields: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fields = fields.as_array().into_iter().flatten();
    fields.map(|field| format!("{}: {}\r\n", text(&field[0]), text(&field[1]))).collect()
}

fn response(response: &Value, ending: Ending) -> String {
    let interim = response["interim"].as_array().into_iter().flatten();
    let interim = interim.map(|interim| {
        format!("HTTP/1.1 {} Interim\r\n{}\r\n", interim["status"], lines(&interim["headers"]))
    });
    let (status, fields) = (&response["status"], lines(&response["headers"]));
    let end = end_of_head(ending);
    interim.collect::<String>() + &format!("HTTP/1.1 {status} Some\r\n{fields}{end}")
}

fn hop(hop: &Value, ending: Ending) -> String {
    let location = hop[1].as_str().unwrap();
    let cookie = if hop[0] == 302 { "Set-Cookie: s=1; Secure\r\n" } else { "" };
    let end = end_of_head(ending);
    format!("HTTP/1.1 {} Some\r\nLocation: {location}\r\n{cookie}{end}", hop[0])
}

fn end_of_head(ending: Ending) -> &'static str {
    match ending {
        Ending::Close => "Content-Length: 0\r\nConnection: close\r\n\r\n",
        Ending::KeepAlive => "Content-Length: 0\r\n\r\n",
    }
}

#[derive(Clone, Debug)]
struct Request {
    connection: usize,
    /// The scheme and the `Host` field.
    origin: String,
    scheme: &'static str,
    method: String,
    target: String,
    /// Every line, in order, with the name in lower case.
    fields: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn url(&self) -> String {
        let Self { scheme, target, .. } = self;
        format!("{scheme}://{}{target}", self.values("host").concat())
    }

    fn values(&self, name: &str) -> Vec<&str> {
        let lines = self.fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.as_str()).collect()
    }

    /// Returns whether there is one line of this name, with one of these values.
    fn has_one(&self, name: &str, wanted: &[Value]) -> bool {
        matches!(self.values(name)[..], [value] if wanted.iter().any(|wanted| wanted == value))
    }

    /// A method that usually has a body announces an empty one (RFC 9110 §8.6).
    fn has_body_fields(&self) -> bool {
        let length = self.values("content-length");
        !(length.is_empty() || length == ["0"]) || !self.values("transfer-encoding").is_empty()
    }
}

/// Sends the given responses to the first requests, and a 200 to every later one.
struct Peer {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answers: Vec<String>,
    pause: Duration,
    ending: Ending,
    tls: Arc<ServerConfig>,
    requests: Mutex<Vec<Request>>,
}

impl Peer {
    fn start(
        answers: Vec<String>,
        pause: Duration,
        ending: Ending,
        tls: &Arc<ServerConfig>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (requests, tls) = (Mutex::default(), Arc::clone(tls));
        let shared = Arc::new(Shared { answers, pause, ending, tls, requests });
        let for_acceptor = Arc::clone(&shared);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let shared = Arc::clone(&for_acceptor);
                thread::spawn(move || serve(stream, number, &shared));
            }
        });
        Self { addr, shared }
    }

    fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }
}

/// A client that disconnects in the middle is not a failure of the peer.
fn serve(stream: TcpStream, number: usize, shared: &Shared) {
    let mut first = [0];
    if stream.peek(&mut first).unwrap_or(0) == 0 {
        return;
    }
    if first == [HANDSHAKE] {
        let connection = ServerConnection::new(Arc::clone(&shared.tls)).unwrap();
        answer_all(StreamOwned::new(connection, stream), "https", number, shared);
    } else {
        answer_all(stream, "http", number, shared);
    }
}

fn answer_all(mut stream: impl Read + Write, scheme: &'static str, number: usize, shared: &Shared) {
    while let Some(request) = read_request(&mut stream, scheme, number) {
        let count = {
            let mut requests = shared.requests.lock().unwrap();
            requests.push(request);
            requests.len() - 1
        };
        thread::sleep(shared.pause);
        let last = format!("HTTP/1.1 200 OK\r\n{}", end_of_head(shared.ending));
        let answer = shared.answers.get(count).unwrap_or(&last);
        let written = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
        if written.is_err() || shared.ending == Ending::Close {
            return;
        }
    }
}

fn read_request(
    stream: &mut impl Read,
    scheme: &'static str,
    connection: usize,
) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let mut words = lines.next().unwrap().split(' ');
    let fields: Vec<_> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut body = Vec::new();
    let value = |name: &str| fields.iter().find(|(own, _)| own == name).map(|(_, value)| value);
    if let Some(length) = value("content-length") {
        body.resize(length.parse().unwrap(), 0);
        stream.read_exact(&mut body).ok()?;
    } else if value("transfer-encoding").is_some() {
        // Reads to the end: a request that has not been sent may use another connection, and a
        // chunked one in progress cannot.
        while !body.ends_with(b"0\r\n\r\n") {
            stream.read_exact(&mut byte).ok()?;
            body.push(byte[0]);
        }
    }
    let origin = format!("{scheme}://{}", value("host").unwrap());
    Some(Request {
        connection,
        origin,
        scheme,
        method: words.next().unwrap().to_owned(),
        target: words.next().unwrap().to_owned(),
        fields,
        body: String::from_utf8(body).unwrap(),
    })
}
