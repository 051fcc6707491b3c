//! Several requests of one client, and the reaction of its pool to events on the server in between.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use leanhttp::cookie::CookieStore;
use leanhttp::header::HeaderValue;
use leanhttp::{Body, Client, Error, Method, Proxy, StatusCode, Url};
use serde_json::Value;

use super::errors::is_named;
use super::peer::wait_until_delivered;
use super::support::{self, Outcome, accepted};
use super::text::base64;

#[test]
fn sequences() {
    // Memory is measured by `tests/hostile_size.rs`.
    let not_compared = ["/expect/config/idle_timeout_ms", "/expect/memory_bounded"];
    support::run_except("responses/sequences", &not_compared, |case| {
        let server = Server::start(case["connections"].as_array().unwrap().clone());
        let client = client(case, &server);
        let requests = case["requests"].as_array().unwrap();
        let results: Vec<_> =
            requests.iter().map(|request| send(&client, request, server.addr)).collect();
        // Gives the client time for an action that it must not take.
        thread::sleep(Duration::from_millis(50));
        let seen = server.seen.lock().unwrap();
        let fits = accepted(case).any(|expected| fits(expected, &results, &seen));
        match fits {
            true => Outcome::Passed,
            false => Outcome::Failed(format!("{results:?}, {} connections", seen.connections)),
        }
    });
}

/// Returns whether the server sends something on its first connection before a request. RFC 9112 §9.2 can
/// only be applied to bytes that have arrived by the time the request is sent: later ones look like
/// a response to it.
fn speaks_first(case: &Value) -> bool {
    let first = &case["connections"][0][0];
    let reads = ["read_request", "read_head_only", "read_body"];
    first.get("send").is_some() && reads.iter().all(|step| first.get(*step).is_none())
}

/// A text, or the error.
type Outgrowth = Result<String, Error>;

fn client(case: &Value, server: &Server) -> Client {
    let proxies: Vec<(String, String)> = case["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|request| {
            let proxy = request["proxy"].as_str()?.to_owned();
            Some((request["path"].as_str().unwrap().to_owned(), proxy))
        })
        .collect();
    let choose = move |url: &leanhttp::Url| {
        proxies.iter().find(|(path, _)| path == url.path()).map(|(_, proxy)| proxy.clone())
    };
    let mut builder =
        Client::builder().timeout(Duration::from_secs(10)).proxy(Proxy::custom(choose));
    for host in ["a.example", "b.example", "h.example", "proxy.example"] {
        builder = builder.resolve(host, server.addr);
    }
    if speaks_first(case) {
        builder = builder.cookie_provider(Arc::new(Patient(Arc::clone(&server.spoken))));
    }
    if let Some(idle) = case["expect"]["config"]["idle_timeout_ms"].as_u64() {
        builder = builder.pool_idle_timeout(Duration::from_millis(idle));
    }
    builder.build().unwrap()
}

fn send(client: &Client, request: &Value, addr: SocketAddr) -> Outgrowth {
    thread::sleep(Duration::from_millis(request["start_after_ms"].as_u64().unwrap_or(0)));
    let method: Method = request["method"].as_str().unwrap().parse().unwrap();
    let scheme = request["scheme"].as_str().unwrap_or("http");
    let host = request["host"].as_str().unwrap_or("h.example");
    let port = request["port"].as_u64().unwrap_or(addr.port().into());
    let path = request["path"].as_str().unwrap();
    let mut building = client.request(method, format!("{scheme}://{host}:{port}{path}"));
    for field in request["headers"].as_array().into_iter().flatten() {
        building = building.header(field[0].as_str().unwrap(), field[1].as_str().unwrap());
    }
    if let Some(body) = body(request) {
        building = building.body(body);
    }
    let response = building.send()?;
    assert_eq!(response.status(), StatusCode::OK, "no script answers anything else");
    match request["drop_body_after"].as_u64() {
        Some(_) => Ok("dropped".to_owned()),
        None => response.text(),
    }
}

fn body(request: &Value) -> Option<Body> {
    let text = match request["body_size"].as_u64() {
        Some(size) => "x".repeat(usize::try_from(size).unwrap()),
        None => request["body"].as_str()?.to_owned(),
    };
    Some(match request["body_replayable"] == true {
        true => text.into(),
        false => Body::sized(std::io::Cursor::new(text.clone()), text.len() as u64),
    })
}

fn fits(expected: &Value, results: &[Outgrowth], seen: &Seen) -> bool {
    if let Some(any) = expected["any_of"].as_array() {
        return any.iter().any(|one| fits(one, results, seen));
    }
    let fits_one = |(result, expected): (&Outgrowth, &Value)| match (result, &expected["error"]) {
        (Ok(text), Value::Null) => expected == text,
        (Err(error), Value::String(name)) => is_named(error, name),
        _ => false,
    };
    let same = |list: &Value| {
        let list = list.as_array().unwrap();
        list.len() == results.len() && results.iter().zip(list).all(fits_one)
    };
    expected.as_object().unwrap().iter().all(|(key, value)| match key.as_str() {
        "bodies" | "results" => same(value),
        "error" => results.iter().all(|result| fits_one((result, expected))),
        "connections_used" => *value == seen.connections,
        "connections_used_at_most" => seen.connections <= value.as_u64().unwrap(),
        "connections_used_any_of" => value.as_array().unwrap().contains(&seen.connections.into()),
        "requests_seen" => *value == seen.requests,
        // Memory is measured by `tests/hostile_size.rs`.
        "config" | "memory_bounded" => true,
        other => panic!("{other} is not known"),
    })
}

/// A cookie store that is asked between the connection and the request, and waits until the client
/// has received the server's unsolicited bytes.
struct Patient(Arc<(Mutex<bool>, Condvar)>);

impl CookieStore for Patient {
    fn set_cookies(&self, _: &mut dyn Iterator<Item = &HeaderValue>, _: &Url) {}

    fn cookies(&self, _: &Url) -> Option<HeaderValue> {
        let (spoken, changed) = &*self.0;
        drop(changed.wait_while(spoken.lock().unwrap(), |spoken| !*spoken).unwrap());
        None
    }
}

/// A server that plays one script for each connection.
struct Server {
    addr: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    /// True if data of the server has reached the client.
    spoken: Arc<(Mutex<bool>, Condvar)>,
}

#[derive(Default)]
struct Seen {
    connections: u64,
    requests: u64,
    /// Connections that no script closes stay open.
    open: Vec<TcpStream>,
}

impl Server {
    fn start(scripts: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (addr, seen) = (listener.local_addr().unwrap(), Arc::default());
        let shared = Arc::clone(&seen);
        let spoken = Arc::new((Mutex::new(false), Condvar::new()));
        let for_scripts = Arc::clone(&spoken);
        thread::spawn(move || {
            let mut scripts = scripts.into_iter();
            for stream in listener.incoming() {
                let seen: &Arc<Mutex<Seen>> = &shared;
                seen.lock().unwrap().connections += 1;
                let (script, seen) = (scripts.next(), Arc::clone(seen));
                let spoken = Arc::clone(&for_scripts);
                thread::spawn(move || play(stream.unwrap(), script.as_ref(), &seen, &spoken));
            }
        });
        Self { addr, seen, spoken }
    }
}

fn play(
    mut stream: TcpStream,
    script: Option<&Value>,
    seen: &Mutex<Seen>,
    spoken: &(Mutex<bool>, Condvar),
) {
    let (mut received, mut is_unasked) = (Vec::new(), true);
    for step in script.and_then(Value::as_array).into_iter().flatten() {
        let wanted = [
            (step["read_request"] == true, true, true),
            (step["read_head_only"] == true, true, false),
            (step["read_body"] == true, false, true),
        ];
        for (_, head, body) in wanted.into_iter().filter(|(wanted, ..)| *wanted) {
            is_unasked = false;
            if !read(&mut stream, &mut received, (head, body), seen) {
                return;
            }
        }
        thread::sleep(Duration::from_millis(step["delay_ms"].as_u64().unwrap_or(0)));
        if step.get("send").is_some() {
            let bytes = base64(&step["send"]).repeat(step["repeat"].as_u64().unwrap_or(1) as usize);
            // The client may stop reading.
            let _ = stream.write_all(&bytes);
            if is_unasked {
                wait_until_delivered(&stream);
            }
            *spoken.0.lock().unwrap() = true;
            spoken.1.notify_all();
        }
        if step["reset"] == true {
            let socket = socket2::SockRef::from(&stream);
            let _ = socket.set_linger(Some(Duration::ZERO));
            return;
        }
        if step["close"] == true {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
    if script.is_some() {
        seen.lock().unwrap().open.push(stream);
    }
}

/// Reads a head, a body, or both; returns whether all of it arrived.
fn read(
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
    (head, body): (bool, bool),
    seen: &Mutex<Seen>,
) -> bool {
    let mut buffer = [0; 65536];
    loop {
        let end = received.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let text = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
            let length = text.split_once("content-length: ").map_or("0", |(_, rest)| rest);
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if !body || received.len() >= end + length {
                seen.lock().unwrap().requests += u64::from(head);
                if body {
                    received.drain(..end + length);
                }
                return true;
            }
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => received.extend_from_slice(&buffer[..count]),
            _ => return false,
        }
    }
}
