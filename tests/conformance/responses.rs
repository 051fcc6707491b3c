//! Responses over real sockets: whole, byte by byte, and split in two at every position.
//!
//! Compared are: status, fields, body, trailers, the number of interim responses (by the limit that
//! just allows them), the class of an error, and whether the peer sees the next request on the same
//! connection. The reason phrases of interim responses and the fields of a response to `CONNECT`
//! are not available to callers; the vectors inside the crate test the state machine that parses
//! them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use leanhttp::error::{Kind, Phase};
use leanhttp::header::HeaderMap;
use leanhttp::{Client, Error, Limits, Method, Proxy, redirect};
use serde_json::Value;

use super::errors::is_named;
use super::support::{self, Outcome, accepted};
use super::text::{base64, latin1};

macro_rules! sets {
    ($($name:ident = $set:literal,)*) => {
        $(#[test]
        fn $name() {
            support::run(concat!("responses/", $set), check);
        })*
    };
}

sets! {
    curl = "curl",
    go = "go",
    h11 = "h11",
    http_parser = "http-parser",
    hyper = "hyper",
    llhttp = "llhttp",
    python = "python",
    rfc_chunked = "rfc-chunked",
    rfc_content_length = "rfc-content-length",
    rfc_eof = "rfc-eof",
    rfc_fields = "rfc-fields",
    rfc_interim = "rfc-interim",
    rfc_no_body = "rfc-no-body",
    rfc_persistence = "rfc-persistence",
    rfc_statusline = "rfc-statusline",
    rfc_transfer_encoding = "rfc-transfer-encoding",
}

/// Number of times a response is sent again before the peer's observation counts that a connection
/// was wrongly reused. On a busy machine, what the peer has written may still be on its way when
/// the next request is sent; a client that does not check reuses the connection each time.
const LOOKS: usize = 5;

fn check(case: &Value) -> Outcome {
    let is_tunnel = case["request_method"] == "CONNECT";
    if is_tunnel && cfg!(not(feature = "tls")) {
        return Outcome::Skipped("a tunnel needs TLS");
    }
    let raw = base64(&case["raw"]);
    let peer = Peer::start(case["closes_after"] == true);
    let splits = (1..raw.len()).map(|at| {
        let (one, two) = raw.split_at(at);
        vec![one.to_vec(), two.to_vec()]
    });
    let single = raw.chunks(1).map(<[u8]>::to_vec).collect();
    for pieces in [vec![raw.clone()], single].into_iter().chain(splits) {
        let shape = pieces.iter().map(Vec::len).take(3).collect::<Vec<_>>();
        let result = match is_tunnel {
            true => try_tunnel(&peer, case, pieces),
            false => try_exchange(&peer, case, &pieces),
        };
        if let Err(actual) = result {
            return Outcome::Failed(format!("{actual} when sent as {shape:?}…"));
        }
    }
    match has_interim(&peer, case, &raw) {
        true => Outcome::Passed,
        false => Outcome::Failed("another number of interim responses".to_owned()),
    }
}

fn try_exchange(peer: &Peer, case: &Value, pieces: &[Vec<u8>]) -> Result<(), String> {
    let method = case["request_method"].as_str().unwrap();
    let ending = match (peer.closes, pieces.len()) {
        (false, _) => Ending::Open,
        (true, 1) => Ending::ClosedAtOnce,
        (true, _) => Ending::ClosedLater,
    };
    let mut actual = None;
    for _ in 0..LOOKS {
        let (result, reused) = exchange(peer, method, pieces.to_vec());
        let is_expected = |expected: &Value| is_as_expected(expected, &result, reused, ending);
        if accepted(case).any(is_expected) || finds_sooner(case, &result) {
            return Ok(());
        }
        actual = Some((result, reused));
        if !reused {
            break;
        }
    }
    Err(format!("{actual:?}"))
}

/// Returns whether exactly the expected number of interim responses arrives: with a limit of one less the
/// call fails.
fn has_interim(peer: &Peer, case: &Value, raw: &[u8]) -> bool {
    let Some(interim) = case["expect"]["interim"].as_array() else { return true };
    let method = case["request_method"].as_str().unwrap();
    let result = |count: usize| {
        let mut limits = Limits::default();
        limits.max_informational_responses = count;
        peer.play(vec![raw.to_vec()]);
        let result = read(&client(limits), method, peer.addr);
        peer.wait_for_end();
        result.err().is_some_and(|error| error.kind() == Kind::Limit)
    };
    let also_refused = accepted(case).any(|expected| expected.get("error").is_some());
    let fits = !result(interim.len());
    let is_one_too_many = interim.len().checked_sub(1).is_none_or(result);
    also_refused || (fits && is_one_too_many)
}

/// The response as the client reports it.
#[derive(Debug)]
struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    trailers: Vec<(String, String)>,
    /// True if the client counts the connection as idle.
    pooled: bool,
}

type Result<T, E = Error> = std::result::Result<T, E>;

/// The action of the peer after the response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Open,
    /// All arrived in one piece, so the client has seen everything.
    ClosedAtOnce,
    ClosedLater,
}

/// Cases that end before the data that is invalid, with the error for that data.
const SOONER: [(&str, &str); 1] = [("go-err-only-version-2", "invalid-version")];

fn finds_sooner(case: &Value, result: &Result<Response>) -> bool {
    let named = SOONER.iter().find(|(name, _)| case["name"] == *name);
    let is_stated = case["expect"]["error"] == "incomplete-head";
    let is_found = |name: &str| result.as_ref().is_err_and(|error| is_named(error, name));
    is_stated && named.is_some_and(|(_, error)| is_found(error))
}

/// Returns whether this is the expected result. `reused`: the peer has received another request on the
/// connection.
fn is_as_expected(
    expected: &Value,
    result: &Result<Response>,
    reused: bool,
    ending: Ending,
) -> bool {
    let response = match (result, expected.get("error")) {
        // After an error the start of the next response is unknown.
        (Err(error), Some(name)) => return is_named(error, name.as_str().unwrap()) && !reused,
        (Ok(response), None) => response,
        _ => return false,
    };
    let Response { status, headers, body, trailers, pooled } = response;
    let can_be = |key: &String| KNOWN.contains(&key.as_str());
    expected.as_object().unwrap().keys().all(can_be)
        && expected["status"] == *status
        && same_fields(headers, expected)
        && (expected["body_any"] == true || *body == base64(&expected["body_b64"]))
        && expected.get("trailers").is_none_or(|fields| *trailers == sorted(fields))
        && match &expected["reusable"] {
            // A connection that the peer has closed is never reused; there the client's own report
            // counts too.
            Value::Bool(false) => !reused && (ending != Ending::ClosedAtOnce || !*pooled),
            Value::Bool(true) => *pooled && (reused || ending != Ending::Open),
            _ => true,
        }
}

const KNOWN: [&str; 9] = [
    "status",
    "headers",
    "header_match",
    "body_b64",
    "body_any",
    "trailers",
    "reusable",
    "interim",
    "tunnel",
];

fn same_fields(headers: &[(String, String)], expected: &Value) -> bool {
    let mut wanted = sorted(&expected["headers"]);
    let mut got = headers.to_vec();
    match expected["header_match"].as_str() {
        Some("ignore-content-length") => {
            wanted.retain(|(name, _)| name != "content-length");
            got.retain(|(name, _)| name != "content-length");
        }
        Some("collapse-sp") => {
            for (_, value) in wanted.iter_mut().chain(&mut got) {
                *value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            }
        }
        Some(_) => return false,
        None => {}
    }
    wanted == got
}

/// Names in lower case; lines of one name keep their order.
fn sorted(fields: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pairs = fields.as_array().unwrap().iter();
    let mut fields: Vec<_> =
        pairs.map(|pair| (text(&pair[0]).to_ascii_lowercase(), text(&pair[1]))).collect();
    fields.sort_by(|(one, _), (two, _)| one.cmp(two));
    fields
}

fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut fields: Vec<_> =
        headers.iter().map(|(name, value)| (name.to_string(), latin1(value.as_bytes()))).collect();
    fields.sort_by(|(one, _), (two, _)| one.cmp(two));
    fields
}

fn client(limits: Limits) -> Client {
    let builder = Client::builder().limits(limits);
    let builder = builder.redirect(redirect::Policy::none()).no_gzip();
    builder.timeout(Duration::from_secs(10)).build().unwrap()
}

/// Returns the client's result, and whether its next request uses the same connection.
fn exchange(peer: &Peer, method: &str, pieces: Vec<Vec<u8>>) -> (Result<Response>, bool) {
    let client = client(Limits::default());
    peer.play(pieces);
    let result = read(&client, method, peer.addr);
    peer.wait_for_end();
    let next =
        client.get(format!("http://{}/", peer.addr)).send().and_then(|response| response.text());
    assert_eq!(next.unwrap(), "next");
    let seen = peer.requests();
    (result, seen[0] == seen[1])
}

fn read(client: &Client, method: &str, addr: SocketAddr) -> Result<Response> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut response = client.request(method, format!("http://{addr}/")).send()?;
    let mut body = Vec::new();
    response.copy_to(&mut body)?;
    let status = response.status().as_u16();
    let headers = fields(response.headers());
    let trailers = response.trailers().map(fields).unwrap_or_default();
    drop(response);
    let pooled = client.pool_stats().idle > 0;
    Ok(Response { status, headers, body, trailers, pooled })
}

/// Sends a `CONNECT` to a proxy, and then begins a TLS handshake, which gets no reply.
fn try_tunnel(peer: &Peer, case: &Value, pieces: Vec<Vec<u8>>) -> Result<(), String> {
    peer.play(pieces);
    let proxy = Proxy::all(peer.addr.to_string()).unwrap();
    let client = Client::builder().proxy(proxy).timeout(Duration::from_secs(10)).build().unwrap();
    let error = client.get("https://h.example/").send().unwrap_err();
    peer.wait_for_end();
    match accepted(case).any(|expected| is_tunnel_as_expected(expected, &error)) {
        true => Ok(()),
        false => Err(error.to_string()),
    }
}

/// The tunnel was opened if the handshake is what fails, because of the bytes in the tunnel or its
/// end. Otherwise status and body are reported.
fn is_tunnel_as_expected(expected: &Value, error: &Error) -> bool {
    if expected["tunnel"] == true {
        let is_cut = error.to_string().contains("closed");
        return error.phase() == Phase::Handshake
            && error.kind() == Kind::Tls
            && is_cut == (expected["tunnel_bytes_b64"] == "");
    }
    let body = String::from_utf8(base64(&expected["body_b64"])).unwrap();
    error.kind() == Kind::Proxy
        && error.status().is_some_and(|status| expected["status"] == status.as_u16())
        && error.get_ref().is_some_and(|refusal| refusal.to_string().ends_with(&body))
}

/// A server that sends a given response to the next request, and `next` to every other one.
struct Peer {
    addr: SocketAddr,
    /// True if it closes the connection after the given response.
    closes: bool,
    shared: Arc<Shared>,
    ended: Receiver<()>,
}

struct Shared {
    closes: bool,
    stopping: AtomicBool,
    told: Mutex<Option<Vec<Vec<u8>>>>,
    /// The number of each request's connection.
    requests: Mutex<Vec<usize>>,
}

impl Peer {
    fn start(closes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (end, ended) = mpsc::channel();
        let shared = Arc::new(Shared {
            closes,
            stopping: AtomicBool::new(false),
            told: Mutex::default(),
            requests: Mutex::default(),
        });
        let for_acceptor = Arc::clone(&shared);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if for_acceptor.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, end) = (Arc::clone(&for_acceptor), end.clone());
                thread::spawn(move || serve(stream.unwrap(), number, &shared, &end));
            }
        });
        Self { addr, closes, shared, ended }
    }

    /// Sets the pieces of the next response.
    fn play(&self, pieces: Vec<Vec<u8>>) {
        while self.ended.try_recv().is_ok() {}
        *self.shared.told.lock().unwrap() = Some(pieces);
        self.shared.requests.lock().unwrap().clear();
    }

    /// Waits until the peer has written the whole response.
    fn wait_for_end(&self) {
        self.ended.recv_timeout(Duration::from_secs(10)).expect("the peer was asked");
    }

    fn requests(&self) -> Vec<usize> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.addr); // wakes the acceptor
    }
}

/// The client may stop reading at any time, so writing may fail.
fn serve(mut stream: TcpStream, number: usize, shared: &Shared, end: &Sender<()>) {
    stream.set_nodelay(true).unwrap();
    while read_head(&mut stream) {
        shared.requests.lock().unwrap().push(number);
        let Some(pieces) = shared.told.lock().unwrap().take() else {
            let next = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext";
            let _ = stream.write_all(next);
            continue;
        };
        for piece in &pieces {
            if stream.write_all(piece).is_err() {
                break;
            }
            thread::yield_now();
        }
        if shared.closes {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        let _ = end.send(());
    }
}

fn read_head(stream: &mut TcpStream) -> bool {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => request.extend_from_slice(&buffer[..count]),
            _ => return false,
        }
    }
    true
}
