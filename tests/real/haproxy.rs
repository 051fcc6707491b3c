//! haproxy: a gateway's effect on requests. Its log and that of the backend tell the number of
//! times a request arrived.

use std::io::{self, Read};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use leanhttp::blocking::Body;
use leanhttp::error::{Kind, Phase};
use leanhttp::{Client, Method};

use super::servers::{assert_told, named, trusting};

/// A deadline for every row, generous for a slow machine.
const LIMIT: Duration = Duration::from_secs(20);

fn url(server: &str, path: &str, id: &str) -> String {
    format!("{server}{path}?id={}-{id}", process::id())
}

/// Number of times the log has this request, some time after its first occurrence.
fn came(log: &str, method: &Method, url: &str) -> usize {
    let folder = env::var("LEANHTTP_LOGS").unwrap();
    let target = url.splitn(4, '/').nth(3).unwrap();
    let line = format!("{method} /{target} ");
    let count = || {
        let log = fs::read_to_string(format!("{folder}/{log}.log")).unwrap();
        log.lines().filter(|entry| entry.starts_with(&line)).count()
    };
    let until = Instant::now() + LIMIT;
    while count() == 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
    }
    thread::sleep(Duration::from_millis(300));
    count()
}

fn client() -> Client {
    trusting().build().unwrap()
}

/// A client with one idle connection to the server.
fn connected(server: &str) -> Client {
    let client = client();
    client.get(format!("{server}/get")).send().unwrap().bytes().unwrap();
    assert_eq!(client.pool_stats().idle, 1);
    client
}

#[test]
fn a_gateways_errors_are_responses() {
    let Some([server, _]) = named(["HAPROXY", "LOGS"]) else { return };
    let rows =
        [("/get", 200, Method::GET), ("/dead", 503, Method::POST), ("/delay/4", 504, Method::POST)];
    for (path, status, method) in rows {
        let url = url(&server, path, "answered");
        let response = client().request(method.clone(), &url).body("x").timeout(LIMIT).send();
        assert_eq!(response.unwrap().status(), status, "{path}");
        assert_eq!(came("haproxy", &method, &url), 1, "{path}");
    }
    let slow = url(&server, "/delay/4", "answered");
    assert_eq!(came("nginx-access", &Method::POST, &slow), 1, "once behind the gateway");
}

/// On a fresh connection nothing is retried, on a reused one only idempotent requests.
#[test]
fn only_idempotent_requests_are_retried_after_a_reset() {
    let Some([server, _]) = named(["HAPROXY", "LOGS"]) else { return };
    let rows = [
        (Method::GET, client(), 1),
        (Method::GET, connected(&server), 2),
        (Method::POST, client(), 1),
        (Method::POST, connected(&server), 1),
    ];
    for (row, (method, client, times)) in rows.into_iter().enumerate() {
        let url = url(&server, "/reject", &format!("reset-{row}"));
        let request = client.request(method.clone(), &url).body("x").timeout(LIMIT);
        let error = request.send().unwrap_err();
        assert!(matches!(error.kind(), Kind::Truncated | Kind::Io), "{error:?}");
        assert_told(&error, (error.kind(), Phase::Head), &["reading the response head for ", &url]);
        assert_eq!(came("haproxy", &method, &url), times, "row {row}");
    }
}

/// The gateway drops its state of the connection: no FIN, no RST, no response.
#[test]
fn a_vanished_connection_times_out() {
    let Some([server, _]) = named(["HAPROXY", "LOGS"]) else { return };
    for (id, client) in [("silent-new", client()), ("silent-old", connected(&server))] {
        let url = url(&server, "/drop", id);
        let began = Instant::now();
        let error = client.post(&url).body("x").timeout(Duration::from_secs(1)).send().unwrap_err();
        assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
        let parts = ["reading the response head for ", &url, "1s"];
        assert_told(&error, (Kind::Timeout, Phase::Head), &parts);
        assert_eq!(came("haproxy", &Method::POST, &url), 1, "{id}");
    }
}

/// Half a body of unknown length, then a pause longer than the gateway's timeout.
struct Slow {
    pieces: u8,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pieces == 0 {
            return Ok(0);
        }
        if self.pieces == 1 {
            thread::sleep(Duration::from_millis(2500));
        }
        self.pieces -= 1;
        let piece = buffer.get_mut(..1000).unwrap();
        piece.fill(b'x');
        Ok(1000)
    }
}

#[test]
fn a_slow_upload_ends_with_a_408() {
    let Some([server, _]) = named(["HAPROXY", "LOGS"]) else { return };
    let url = url(&server, "/whole", "slow");
    let body = Body::new(Slow { pieces: 2 });
    let response = client().post(&url).body(body).timeout(LIMIT).send().unwrap();
    assert_eq!(response.status(), 408);
    assert_eq!(came("haproxy", &Method::POST, &url), 1);
}
