//! Redirects, over real sockets: one peer plays every host, plain and over TLS.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use leanhttp::{Body, Client, Method, Url, redirect};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use super::support::{self, Outcome, accepted};
use crate::support_servers::pki::{Leaf, Pki};

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

#[test]
fn single() {
    let tls = Pki::new().server_config(Leaf::Good);
    support::run("redirects/single", |case| {
        let answer = response(&case["response"]);
        let peer = Peer::start(vec![answer], Duration::ZERO, &tls);
        let result = request(&peer, case, None);
        let requests = peer.requests();
        if accepted(case).any(|expected| single_as_expected(expected, case, &result, &requests)) {
            Outcome::Passed
        } else {
            Outcome::Failed(format!("{result:?} after {requests:?}"))
        }
    });
}

#[test]
fn chains() {
    let tls = Pki::new().server_config(Leaf::Good);
    support::run("redirects/chains", |case| {
        let mut hops: Vec<_> = case["hops"].as_array().unwrap().iter().map(hop).collect();
        if case["repeat"] == true {
            hops = hops.iter().cycle().take(50).cloned().collect();
        }
        let pause = if case["expect"]["error"] == "timeout" { 600 } else { 0 };
        let peer = Peer::start(hops, Duration::from_millis(pause), &tls);
        let limit = case["expect"]["max_redirects"].as_u64();
        let result = request(&peer, case, limit);
        let requests = peer.requests();
        if chain_as_expected(&case["expect"], &result, &requests) {
            Outcome::Passed
        } else {
            Outcome::Failed(format!("{result:?} after {requests:?}"))
        }
    });
}

/// The status and the URL of the response, or the error's line.
type Result = std::result::Result<(u16, String), String>;

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
    let response = request_builder.send().map_err(|error| error.to_string())?;
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
    if expected.get("error").is_some() {
        return result.is_err() && requests.len() == 1;
    }
    if expected["follow"] == false {
        let status = case["response"]["status"].as_u64();
        let is_response = result.as_ref().is_ok_and(|(got, _)| Some(u64::from(*got)) == status);
        let may_fail = expected["result"].as_str().is_some_and(|text| text.starts_with("error or"));
        return requests.len() == 1 && (is_response || (may_fail && result.is_err()));
    }
    let (Ok((200, final_url)), [_, second]) = (result, requests) else { return false };
    let has = |name: &Value| second.fields.contains_key(&name.as_str().unwrap().to_lowercase());
    let names = |key: &str| expected[key].as_array().cloned().unwrap_or_default();
    let body = case["request"]["body"].as_str().unwrap_or_default();
    let cookie = second.fields.get("cookie").map(String::as_str);
    let host = second.fields.get("host").map(String::as_str);
    second.method == expected["method"].as_str().unwrap()
        && same_url(expected, final_url, second)
        && second.body == if expected["body"] == "same" { body } else { "" }
        && names("headers_present").iter().all(has)
        && !names("headers_absent").iter().any(has)
        && expected.get("cookie_header").is_none_or(|wanted| wanted.as_str() == cookie)
        && expected.get("host_header").is_none_or(|wanted| wanted.as_str() == host)
        && expected
            .get("host_header_any_of")
            .is_none_or(|any| any.as_array().unwrap().iter().any(|wanted| wanted.as_str() == host))
}

/// What the caller is told, and what was really requested: the same but for the fragment. The
/// caller's own Host hides the host of the URL.
fn same_url(expected: &Value, told: &str, request: &Request) -> bool {
    let mut url = Url::parse(expected["url"].as_str().unwrap()).unwrap();
    if url.as_str() != told {
        return false;
    }
    url.set_fragment(None);
    expected.get("host_header_any_of").is_some() || request.url() == url.as_str()
}

fn chain_as_expected(expected: &Value, result: &Result, requests: &[Request]) -> bool {
    let count = |key: &str| expected[key].as_u64().map(|count| usize::try_from(count).unwrap());
    let each = |key: &str, got: &dyn Fn(&Request) -> Value| {
        let wanted = expected[key].as_array().cloned().unwrap_or_default();
        wanted.iter().zip(requests).all(|(want, request)| want.is_null() || *want == got(request))
    };
    let outcome = match (result, expected["error"].as_str()) {
        (Err(line), Some("timeout")) => line.contains("not done within 1s"),
        (Err(line), Some(_)) => line.contains("redirects"),
        (Ok((status, _)), None) => expected["status"] == *status,
        _ => false,
    };
    let final_url = result.as_ref().ok().map(|(_, url)| url.as_str());
    outcome
        && count("requests").is_none_or(|count| requests.len() == count)
        && count("requests_at_most").is_none_or(|count| requests.len() <= count)
        && expected.get("final_url").is_none_or(|wanted| wanted.as_str() == final_url)
        && each("methods", &|request| request.method.as_str().into())
        && each("bodies", &|request| (!request.body.is_empty()).into())
        && each("authorization_sent", &|request| {
            request.fields.contains_key("authorization").into()
        })
        && (expected["note"].as_str().is_none_or(|note| !note.contains("not sent on hop 2"))
            || requests.iter().all(|request| !request.fields.contains_key("cookie")))
}

fn response(response: &Value) -> String {
    let mut head = String::new();
    for interim in response["interim"].as_array().into_iter().flatten() {
        head += &format!("HTTP/1.1 {} Interim\r\n\r\n", interim.as_u64().unwrap_or(100));
    }
    head += &format!("HTTP/1.1 {} Some\r\n", response["status"]);
    for field in response["headers"].as_array().unwrap() {
        head += &format!("{}: {}\r\n", field[0].as_str().unwrap(), field[1].as_str().unwrap());
    }
    head + "Content-Length: 0\r\nConnection: close\r\n\r\n"
}

fn hop(hop: &Value) -> String {
    let location = hop[1].as_str().unwrap();
    let cookie = if hop[0] == 302 { "Set-Cookie: s=1; Secure\r\n" } else { "" };
    format!(
        "HTTP/1.1 {} Some\r\nLocation: {location}\r\n{cookie}Content-Length: 0\r\n\
         Connection: close\r\n\r\n",
        hop[0]
    )
}

#[derive(Clone, Debug)]
struct Request {
    scheme: &'static str,
    method: String,
    target: String,
    fields: BTreeMap<String, String>,
    body: String,
}

impl Request {
    fn url(&self) -> String {
        let Self { scheme, target, fields, .. } = self;
        format!("{scheme}://{}{target}", fields["host"])
    }
}

/// Answers the first requests as told, and every later one with 200.
struct Peer {
    addr: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Peer {
    fn start(answers: Vec<String>, pause: Duration, tls: &Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let tls = Arc::clone(tls);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::sleep(pause);
                let count = seen.lock().unwrap().len();
                let last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let answer = answers.get(count).map_or(last, String::as_str);
                serve(stream, answer, &tls, &seen);
            }
        });
        Self { addr, requests }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// A client that gives up in the middle is none of the peer's business.
fn serve(stream: TcpStream, answer: &str, tls: &Arc<ServerConfig>, seen: &Mutex<Vec<Request>>) {
    let mut first = [0];
    if stream.peek(&mut first).unwrap_or(0) == 0 {
        return;
    }
    if first == [HANDSHAKE] {
        let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
        answer_one(StreamOwned::new(connection, stream), "https", answer, seen);
    } else {
        answer_one(stream, "http", answer, seen);
    }
}

fn answer_one(
    mut stream: impl Read + Write,
    scheme: &'static str,
    answer: &str,
    seen: &Mutex<Vec<Request>>,
) {
    if let Some(request) = read_request(&mut stream, scheme) {
        seen.lock().unwrap().push(request);
        let _ = stream.write_all(answer.as_bytes());
        let _ = stream.flush();
    }
}

fn read_request(stream: &mut impl Read, scheme: &'static str) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let mut words = lines.next().unwrap().split(' ');
    let fields: BTreeMap<_, _> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut body = Vec::new();
    if let Some(length) = fields.get("content-length") {
        body.resize(length.parse().unwrap(), 0);
        stream.read_exact(&mut body).ok()?;
    } else if fields.contains_key("transfer-encoding") {
        // To its end: what has not begun to leave may go elsewhere, and no chunk does that.
        while !body.ends_with(b"0\r\n\r\n") {
            stream.read_exact(&mut byte).ok()?;
            body.push(byte[0]);
        }
    }
    Some(Request {
        scheme,
        method: words.next().unwrap().to_owned(),
        target: words.next().unwrap().to_owned(),
        fields,
        body: String::from_utf8(body).unwrap(),
    })
}
