//! A server that dies at every possible moment (RFC 9112 §9.3.1, §9.5): each kind of request, on a
//! reused and on a new connection, times each way of dying, times each moment.
//!
//! The rows are generated, and the rule in `stale/rule.rs` computes the expected outcome of each.
//! `cargo test --test stale -- --nocapture` prints their number.
#![cfg(all(feature = "blocking", feature = "tls", feature = "ring", feature = "cookies"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub, reason = "a test")]

mod support;

mod stale {
    pub mod peer;
    pub mod row;
    pub mod rule;
}

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use leanhttp::blocking::Client;
use leanhttp::cookie::CookieStore;
use leanhttp::error::Phase;
use leanhttp::header::HeaderValue;
use leanhttp::{Certificate, Error, Proxy, Url};

use stale::peer::{Peer, Play, Request};
use stale::row::{Ask, Carrier, Connection, Gate, Moment, RESPONSE, RESPONSE_HEAD, Row, Way};
use stale::rule::{Outcome, Verdict, held_back, verdict, was_not_sent};
use support::pki::{Leaf, Pki};

/// Number of servers that run at the same time.
const WORKERS: usize = 4;

/// Time for the last bytes of a dead server to reach the client on a busy machine.
const LAST_WORD: Duration = Duration::from_millis(5);

/// The step between the rows that cut a head, in bytes.
fn step(ask: Ask, carrier: Carrier) -> usize {
    match (carrier, ask) {
        (Carrier::Tls, _) => 97, // handshakes are slow
        (_, Ask::Get | Ask::PostBytes) => 1,
        _ => 29,
    }
}

#[test]
fn plain_connections_follow_the_rule() {
    every_row(Carrier::Plain);
}

#[test]
fn connections_to_a_forwarding_proxy_follow_the_rule() {
    every_row(Carrier::Proxy);
}

#[test]
fn tls_connections_follow_the_rule() {
    every_row(Carrier::Tls);
}

fn every_row(carrier: Carrier) {
    let began = Instant::now();
    let pki = Pki::new();
    let (next, rows) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong: Vec<String> = thread::scope(|scope| {
        let worker = || {
            let bench = Bench::new(carrier, &pki);
            let mut wrong = Vec::new();
            while let Some(ask) = Ask::ALL.get(next.fetch_add(1, Ordering::SeqCst)) {
                let table = table(*ask, carrier, &bench.measure(*ask));
                rows.fetch_add(table.len(), Ordering::SeqCst);
                wrong.extend(table.iter().filter_map(|row| bench.run(row).err()));
            }
            wrong
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let rows = rows.into_inner();
    println!("{carrier:?}: {rows} rows in {:?}", began.elapsed());
    assert!(rows > 300, "{rows} rows are no table");
    let shown: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {rows} rows are wrong:\n{}", wrong.len(), shown.join("\n"));
}

/// The length of a request.
struct Sizes {
    head: usize,
    all: usize,
}

fn table(ask: Ask, carrier: Carrier, sizes: &Sizes) -> Vec<Row> {
    let mut rows = Vec::new();
    for connection in [Connection::Pooled, Connection::Fresh] {
        for way in Way::of(carrier) {
            let moments = moments(ask, sizes, step(ask, carrier)).into_iter();
            let sound = moments.filter(|moment| makes_sense(carrier, connection, *way, *moment));
            rows.extend(sound.map(|moment| {
                let has_continued = ask.expects_continue()
                    && match moment {
                        Moment::Idle | Moment::Taken | Moment::Untouched => false,
                        Moment::Read(count) => count > sizes.head,
                        Moment::Sent(_) => true,
                    };
                Row { ask, connection, way: *way, moment, has_continued }
            }));
        }
    }
    rows
}

fn moments(ask: Ask, sizes: &Sizes, step: usize) -> Vec<Moment> {
    let mut read: Vec<_> = (1..sizes.head).step_by(step).collect();
    read.push(sizes.head - 1);
    if sizes.all > sizes.head {
        let of_body = sizes.all - sizes.head;
        read.extend([0, 1, of_body / 2, of_body - 1].map(|count| sizes.head + count));
    }
    let whole = ask.response().len();
    let mut sent: Vec<_> = (0..whole).step_by(step).collect();
    sent.extend([1, RESPONSE_HEAD - 1, RESPONSE_HEAD, whole - 1, whole]);
    read.dedup();
    sent.sort_unstable();
    sent.dedup();
    let (read, sent) = (read.into_iter().map(Moment::Read), sent.into_iter().map(Moment::Sent));
    [Moment::Idle, Moment::Taken, Moment::Untouched].into_iter().chain(read).chain(sent).collect()
}

/// A new connection is never idle, and begins with a handshake under TLS. Under TLS a client cannot
/// tell either whether bytes have arrived without reading them. A 408 in the middle of another
/// response is not one.
fn makes_sense(carrier: Carrier, connection: Connection, way: Way, moment: Moment) -> bool {
    match moment {
        Moment::Idle => connection == Connection::Pooled,
        Moment::Taken => carrier != Carrier::Tls || connection == Connection::Pooled,
        Moment::Untouched => carrier != Carrier::Tls,
        Moment::Sent(count) => way != Way::Says408 || count == 0,
        Moment::Read(_) => true,
    }
}

/// A server, and clients for it.
struct Bench {
    carrier: Carrier,
    peer: Peer,
    root: Certificate,
}

impl Bench {
    fn new(carrier: Carrier, pki: &Pki) -> Bench {
        let tls = (carrier == Carrier::Tls).then(|| pki.server_config(Leaf::Good));
        let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        Bench { carrier, peer: Peer::start(tls), root }
    }

    fn client(&self, killer: &Arc<Killer>) -> Client {
        let patience = Duration::from_secs(10);
        let client = Client::builder().timeout(patience).cookie_provider(Arc::clone(killer));
        match self.carrier {
            Carrier::Plain => client.no_proxy(),
            Carrier::Proxy => {
                client.proxy(Proxy::http(format!("http://{}", self.peer.addr())).unwrap())
            }
            Carrier::Tls => client.no_proxy().tls_certs_only([self.root.clone()]),
        }
        .build()
        .unwrap()
    }

    fn url(&self, path: &str) -> String {
        match self.carrier {
            Carrier::Plain => format!("http://{}{path}", self.peer.addr()),
            Carrier::Proxy => format!("http://origin.test{path}"),
            Carrier::Tls => format!("https://{}{path}", self.peer.addr()),
        }
    }

    /// Measures the request on a connection that does not die.
    fn measure(&self, ask: Ask) -> Sizes {
        let (client, gate) = (self.client(&Arc::default()), Arc::default());
        Gate::open(&gate);
        self.peer.begin(None);
        ask.request(&client, &self.url("/row"), &gate).send().unwrap();
        drop(client);
        let request = self.peer.finish().remove(0);
        assert_eq!(request.body, ask.body(), "{ask:?}");
        Sizes { head: request.head.len(), all: request.length }
    }

    /// Plays a row; returns the differences from the expected outcome.
    fn run(&self, row: &Row) -> Result<(), String> {
        let (killer, gate) = (Arc::<Killer>::default(), Arc::<Gate>::default());
        let client = self.client(&killer);
        let (now, died) = killer.load(row.moment == Moment::Taken);
        self.peer.begin(Some(Play { row: *row, now, died, gate: Arc::clone(&gate) }));
        if row.connection == Connection::Pooled {
            text(client.get(self.url("/first"))).map_err(|error| format!("{row:?}: {error}"))?;
        }
        if row.moment == Moment::Idle {
            killer.kill();
        }
        let outcome = text(row.ask.request(&client, &self.url("/row"), &gate));
        let connections = self.peer.connections();
        // The client is usable afterwards, whatever happened.
        let after = text(client.get(self.url("/after")));
        drop(client);
        let requests = self.peer.finish();
        let expected = verdict(row);
        let mut wrong = String::new();
        judge(&mut wrong, row, &expected, &outcome);
        if !expected.connections.contains(&connections) {
            let _ = write!(wrong, " {connections} connections");
        }
        judge_requests(&mut wrong, row.ask, &expected, &requests);
        if after.as_ref().ok() != Some(&(200, RESPONSE[RESPONSE_HEAD..].to_owned())) {
            let _ = write!(wrong, " afterwards {after:?}");
        }
        if wrong.is_empty() { Ok(()) } else { Err(format!("{row:?}\n  {expected:?}\n {wrong}")) }
    }
}

/// Makes the server die when the client takes a connection: the client asks the cookie store when
/// it has a connection and has not sent anything.
#[derive(Default)]
struct Killer {
    trigger: Mutex<Option<(Sender<()>, Receiver<()>)>>,
    is_armed: AtomicBool,
}

impl Killer {
    /// Prepares the server for a row.
    fn load(&self, is_armed: bool) -> (Receiver<()>, Sender<()>) {
        let ((kill, now), (died, death)) = (mpsc::channel(), mpsc::channel());
        *self.trigger.lock().unwrap() = Some((kill, death));
        self.is_armed.store(is_armed, Ordering::SeqCst);
        (now, died)
    }

    /// Waits until the server has died.
    fn kill(&self) {
        if let Some((kill, death)) = self.trigger.lock().unwrap().take() {
            kill.send(()).unwrap();
            death.recv_timeout(Duration::from_secs(5)).unwrap();
            thread::sleep(LAST_WORD);
        }
    }
}

impl CookieStore for Killer {
    fn set_cookies(&self, _: &mut dyn Iterator<Item = &HeaderValue>, _: &Url) {}

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        if url.path() == "/row" && self.is_armed.load(Ordering::SeqCst) {
            self.kill();
        }
        None
    }
}

type Answer = Result<(u16, String), Error>;

fn text(request: leanhttp::RequestBuilder) -> Answer {
    let response = request.send()?;
    Ok((response.status().as_u16(), response.text()?))
}

fn judge(wrong: &mut String, row: &Row, expected: &Verdict, answer: &Answer) {
    let outcome = match answer {
        Ok((status, _)) => Outcome::Delivered(*status),
        Err(error) => Outcome::Failed(error.kind()),
    };
    if !expected.outcomes.contains(&outcome) {
        let _ = write!(wrong, " {answer:?}");
    }
    match answer {
        Ok((200, body)) if body.as_bytes() != &row.ask.response()[RESPONSE_HEAD..] => {
            let _ = write!(wrong, " the body {body:?}");
        }
        Err(error) if !says_what_happened(row, error) => {
            let _ = write!(wrong, " the line {error}");
        }
        _ => {}
    }
}

/// The line of an error names the operation, the URL, the end of the connection, and the reason why
/// the request was not sent again.
fn says_what_happened(row: &Row, error: &Error) -> bool {
    const ENDS: [&str; 5] = [
        "connection closed",
        "cut without close_notify",
        "reset by peer",
        "Broken pipe",
        "before the request",
    ];
    let line = error.to_string();
    let names_url = error.url().is_some_and(|url| line.contains(url.as_str()));
    let in_time = !was_not_sent(row) || error.phase() == Phase::Send;
    let says_why = held_back(row).iter().any(|why| line.contains(why));
    in_time && names_url && says_why && ENDS.iter().any(|end| line.contains(end))
}

/// A request that must not be repeated was read at most once.
fn judge_requests(wrong: &mut String, ask: Ask, expected: &Verdict, requests: &[Request]) {
    let complete: Vec<_> = requests.iter().filter(|request| request.is_for("/row")).collect();
    if !expected.complete.contains(&complete.len()) {
        let _ = write!(wrong, " {} requests", complete.len());
    }
    let method = ask.method();
    let is_whole = |request: &&&Request| {
        request.head.starts_with(method.as_str()) && request.body == ask.body()
    };
    let spoiled = complete.iter().filter(|request| !is_whole(request)).count();
    if spoiled > 0 {
        let _ = write!(wrong, " {spoiled} requests are not as sent");
    }
}
