//! Responses over real sockets: whole, byte by byte, and cut in two at every place.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use leanhttp::error::{Kind, Phase};
use leanhttp::header::HeaderMap;
use leanhttp::{Client, Error, Method, Proxy, redirect};
use serde_json::Value;

use super::support::{self, Outcome, accepted};
use super::text::{base64, latin1};

const SETS: [&str; 14] = [
    "curl",
    "go",
    "h11",
    "http-parser",
    "hyper",
    "llhttp",
    "python",
    "rfc-chunked",
    "rfc-content-length",
    "rfc-eof",
    "rfc-fields",
    "rfc-interim",
    "rfc-no-body",
    "rfc-persistence",
];

#[test]
fn responses() {
    let peer = Peer::start();
    for set in SETS.into_iter().chain(["rfc-statusline", "rfc-transfer-encoding"]) {
        support::run(&format!("responses/{set}"), |case| check(&peer, case));
    }
}

fn check(peer: &Peer, case: &Value) -> Outcome {
    let method = case["request_method"].as_str().unwrap();
    if method == "CONNECT" && cfg!(not(feature = "tls")) {
        return Outcome::Skipped("a tunnel needs TLS");
    }
    let raw = base64(&case["raw"]);
    let splits = (1..raw.len()).map(|at| {
        let (one, two) = raw.split_at(at);
        vec![one.to_vec(), two.to_vec()]
    });
    let whole = vec![raw.clone()];
    let single = raw.chunks(1).map(<[u8]>::to_vec).collect();
    for pieces in [whole, single].into_iter().chain(splits) {
        let shape = pieces.iter().map(Vec::len).take(3).collect::<Vec<_>>();
        let arrival = if pieces.len() == 1 { Arrival::AtOnce } else { Arrival::Late };
        let closes = case["closes_after"] == true;
        if method == "CONNECT" {
            let error = ask_for_tunnel(peer, pieces, closes);
            if !is_tunnel_as_expected(&case["expect"], &error) {
                return Outcome::Failed(format!("{error} when sent as {shape:?}…"));
            }
            continue;
        }
        let actual = exchange(peer, method, pieces, closes);
        if !accepted(case).any(|expected| actual.is(expected, arrival)) {
            return Outcome::Failed(format!("{actual:?} when sent as {shape:?}…"));
        }
    }
    Outcome::Passed
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrival {
    AtOnce,
    Late,
}

/// What the client made of a response.
#[derive(Debug)]
enum Actual {
    Error(#[expect(dead_code, reason = "shown when a case fails")] String),
    Response {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        trailers: Vec<(String, String)>,
        pooled: bool,
    },
}

impl Actual {
    /// Whether this is what was expected. A connection that must not be reused is known as such only
    /// when all bytes have come; bytes that come later are found by the look at the connection
    /// before its next use, which the tests of the pool show.
    fn is(&self, expected: &Value, arrival: Arrival) -> bool {
        let Self::Response { status, headers, body, trailers, pooled } = self else {
            return expected.get("error").is_some();
        };
        expected.get("error").is_none()
            && expected["status"] == *status
            && same_fields(headers, expected)
            && (expected["body_any"] == true || *body == base64(&expected["body_b64"]))
            && expected.get("trailers").is_none_or(|fields| *trailers == sorted(fields))
            && match &expected["reusable"] {
                Value::Bool(false) if arrival == Arrival::Late => true,
                Value::Bool(reusable) => pooled == reusable,
                _ => true,
            }
    }
}

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
        _ => {}
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

fn exchange(peer: &Peer, method: &str, pieces: Vec<Vec<u8>>, closes: bool) -> Actual {
    peer.plays.send(Play { pieces, closes }).unwrap();
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .no_gzip()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    match read(&client, method, peer.addr) {
        Ok(actual) => actual,
        Err(error) => Actual::Error(error.to_string()),
    }
}

/// The client asks a proxy, and then begins TLS, which it is not answered.
fn ask_for_tunnel(peer: &Peer, pieces: Vec<Vec<u8>>, closes: bool) -> Error {
    peer.plays.send(Play { pieces, closes }).unwrap();
    let proxy = Proxy::all(peer.addr.to_string()).unwrap();
    let client = Client::builder().proxy(proxy).timeout(Duration::from_secs(10)).build().unwrap();
    client.get("https://h.example/").send().unwrap_err()
}

/// A tunnel is there when the handshake is what fails; otherwise status and body are told.
fn is_tunnel_as_expected(expected: &Value, error: &Error) -> bool {
    if expected["tunnel"] == true {
        return error.phase() == Phase::Handshake && error.kind() == Kind::Tls;
    }
    let body = String::from_utf8(base64(&expected["body_b64"])).unwrap();
    error.kind() == Kind::Proxy
        && error.status().is_some_and(|status| expected["status"] == status.as_u16())
        && error.to_string().ends_with(&body)
}

fn read(client: &Client, method: &str, addr: SocketAddr) -> leanhttp::Result<Actual> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut response = client.request(method, format!("http://{addr}/")).send()?;
    let mut body = Vec::new();
    response.copy_to(&mut body)?;
    let status = response.status().as_u16();
    let headers = fields(response.headers());
    let trailers = response.trailers().map(fields).unwrap_or_default();
    drop(response);
    let pooled = client.pool_stats().idle > 0;
    Ok(Actual::Response { status, headers, body, trailers, pooled })
}

/// A server that answers each connection as it is told.
struct Peer {
    addr: SocketAddr,
    plays: Sender<Play>,
}

struct Play {
    pieces: Vec<Vec<u8>>,
    closes: bool,
}

impl Peer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (plays, told) = mpsc::channel::<Play>();
        thread::spawn(move || told.into_iter().for_each(|play| serve(&listener, &play)));
        Self { addr, plays }
    }
}

/// The client may have seen enough at any time, so that writing fails.
fn serve(listener: &TcpListener, play: &Play) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..count]);
    }
    for piece in &play.pieces {
        if stream.write_all(piece).is_err() {
            return;
        }
        thread::yield_now();
    }
    if play.closes {
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    // Until the client has closed too.
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
}
