//! Callbacks into the caller's code: the client holds no lock while it runs, and a panic of it
//! neither costs a connection permit nor makes the client unusable. The limit of one connection to
//! a host shows a lost permit.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip", feature = "cookies"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers may stop a test as tests do"
)]

mod support;

use std::fmt::{self, Write as _};
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use leanhttp::blocking::{Body, Client, ClientBuilder};
use leanhttp::cookie::{CookieStore, Jar};
use leanhttp::header::{HeaderMap, HeaderValue};
use leanhttp::redirect::Policy;
use leanhttp::{Proxy, Result, Url, retry};
use rustls::crypto::ring;

use support::httpbin::Httpbin;
use support::pki::Pki;
use support::trusting;

/// The action of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Uses the client in every way that takes one of its locks.
    Use,
    Panic,
}

/// An action that runs wherever a clone of it is called.
#[derive(Clone)]
struct Act(Arc<Inner>);

struct Inner {
    deed: Deed,
    client: OnceLock<Client>,
    done: AtomicUsize,
    is_armed: AtomicUsize,
}

impl Act {
    fn new(deed: Deed) -> Self {
        Self(Arc::new(Inner {
            deed,
            client: OnceLock::new(),
            done: AtomicUsize::new(0),
            is_armed: AtomicUsize::new(0),
        }))
    }

    fn arm(&self, client: &Client) {
        let _ = self.0.client.set(client.clone());
        self.0.is_armed.store(1, Ordering::SeqCst);
    }

    fn disarm(&self) {
        self.0.is_armed.store(0, Ordering::SeqCst);
    }

    fn run(&self) {
        if self.0.is_armed.load(Ordering::SeqCst) == 0 {
            return;
        }
        self.0.done.fetch_add(1, Ordering::SeqCst);
        if self.0.deed == Deed::Panic {
            panic!("the caller's code panics");
        }
        let client = self.0.client.get().unwrap();
        let _ = (client.pool_stats(), format!("{client:?}"));
        client.close_idle_connections();
    }
}

/// A kind of callback: how a client gets it, and a call that runs it.
struct Row {
    what: &'static str,
    set: fn(ClientBuilder, Act) -> ClientBuilder,
    call: fn(&Client, &Origins, Act) -> Result<()>,
}

struct Origins {
    plain: Httpbin,
    tls: Httpbin,
}

fn as_it_is(builder: ClientBuilder, _: Act) -> ClientBuilder {
    builder
}

fn get(client: &Client, url: impl leanhttp::IntoUrl) -> Result<()> {
    client.get(url).send()?.bytes().map(drop)
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            what: "reader of a request's body",
            set: as_it_is,
            call: |client, origins, act| {
                let body = Body::new(Calls { act, left: 3 });
                client.post(origins.plain.url("/post")).body(body).send()?.bytes().map(drop)
            },
        },
        Row {
            what: "reader of a request's body of known length",
            set: as_it_is,
            call: |client, origins, act| {
                let body = Body::sized(Calls { act, left: 3 }, 3);
                client.post(origins.plain.url("/post")).body(body).send()?.bytes().map(drop)
            },
        },
        Row {
            what: "trailers",
            set: as_it_is,
            call: |client, origins, act| {
                let trailers = move || {
                    act.run();
                    HeaderMap::new()
                };
                let body = Body::new(io::repeat(b'x').take(9)).with_trailers_from(trailers);
                client.post(origins.plain.url("/post")).body(body).send()?.bytes().map(drop)
            },
        },
        Row {
            what: "writer of a response",
            set: as_it_is,
            call: |client, origins, act| {
                let mut response = client.get(origins.plain.url("/bytes/100000")).send()?;
                response.copy_to(&mut Calls { act, left: 0 }).map(drop)
            },
        },
        Row {
            what: "resolver",
            set: |builder, act| {
                builder.dns_resolver(leanhttp::dns::from_fn(move |_: &str| {
                    act.run();
                    Ok(vec!["127.0.0.1:0".parse().unwrap()])
                }))
            },
            call: |client, origins, _| get(client, format!("http://h.test:{}/get", port(origins))),
        },
        Row {
            what: "redirect policy",
            set: |builder, act| {
                builder.redirect(Policy::custom(move |attempt| {
                    act.run();
                    attempt.follow()
                }))
            },
            call: |client, origins, _| get(client, origins.plain.url("/redirect/2")),
        },
        Row {
            what: "observer of retries",
            set: |builder, act| {
                let policy = retry::Policy::new().backoff(Duration::ZERO, Duration::ZERO);
                builder.retry(policy.on_retry(move |_| act.run()))
            },
            call: |client, origins, _| get(client, origins.plain.url("/status/503")),
        },
        Row {
            what: "choice of a proxy",
            set: |builder, act| {
                builder.proxy(Proxy::custom(move |_: &Url| -> Option<&'static str> {
                    act.run();
                    None
                }))
            },
            call: |client, origins, _| get(client, origins.plain.url("/get")),
        },
        Row {
            what: "cookie store: cookies",
            set: |builder, act| builder.cookie_provider(Arc::new(Store { act, on_set: false })),
            call: |client, origins, _| get(client, origins.plain.url("/get")),
        },
        Row {
            what: "cookie store: set_cookies",
            set: |builder, act| builder.cookie_provider(Arc::new(Store { act, on_set: true })),
            call: |client, origins, _| get(client, origins.plain.url("/cookies/set/a/b")),
        },
        Row {
            what: "clock of a jar",
            set: |builder, act| {
                let clock = move || {
                    act.run();
                    SystemTime::now()
                };
                builder.cookie_provider(Arc::new(Jar::with_clock(clock)))
            },
            call: |client, origins, _| get(client, origins.plain.url("/cookies/set/a/b")),
        },
        Row {
            what: "verifier of certificates",
            set: |builder, act| {
                let provider = Arc::new(ring::default_provider());
                builder.use_preconfigured_tls(trusting::client(provider, move || act.run()))
            },
            call: |client, origins, _| get(client, origins.tls.url("/get")),
        },
        Row {
            what: "formatter",
            set: as_it_is,
            call: |client, _, act| {
                let _ = write!(Formatter(act), "{client:?}");
                Ok(())
            },
        },
    ]
}

fn port(origins: &Origins) -> u16 {
    let url = Url::parse(&origins.plain.url("/")).unwrap();
    url.port().unwrap()
}

#[test]
fn callbacks_run_without_a_lock_and_may_panic() {
    let pki = Pki::new();
    let origins = Origins { plain: Httpbin::start(), tls: Httpbin::start_tls(&pki) };
    for row in rows() {
        for deed in [Deed::Use, Deed::Panic] {
            let what = format!("{} ({deed:?})", row.what);
            let act = Act::new(deed);
            let builder = Client::builder().pool_max_open_per_host(1);
            let client = (row.set)(builder.timeout(Duration::from_secs(20)), act.clone());
            let client = client.build().unwrap();
            // Gives the callback something to close.
            get(&client, origins.plain.url("/get")).unwrap();
            act.arm(&client);
            let outcome =
                catch_unwind(AssertUnwindSafe(|| (row.call)(&client, &origins, act.clone())));
            act.disarm();
            assert!(act.0.done.load(Ordering::SeqCst) > 0, "{what}: it was not called");
            match (deed, &outcome) {
                (Deed::Use, outcome) => {
                    assert!(matches!(outcome, Ok(Ok(()))), "{what}: {outcome:?}")
                }
                (Deed::Panic, outcome) => assert!(!matches!(outcome, Ok(Ok(()))), "{what}"),
            }
            for url in [origins.plain.url("/get"), origins.plain.url("/get")] {
                get(&client, url).unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            let stats = client.pool_stats();
            assert!(stats.open <= 2 && stats.waiting == 0, "{what}: {stats:?}");
        }
    }
}

/// The panic of one caller's code does not reach another caller that waits for the same host.
#[test]
fn a_panicking_callback_releases_its_connection_permit() {
    let origin = Httpbin::start();
    let client = Client::builder().pool_max_open_per_host(1).build().unwrap();
    let waits = Arc::new(Mutex::new(None));
    let (others, url) = (Arc::clone(&waits), origin.url("/get"));
    let waiting = client.clone();
    let reader = FnReader(move || {
        let (client, url) = (waiting.clone(), url.clone());
        let call = std::thread::spawn(move || get(&client, url));
        *others.lock().unwrap() = Some(call);
        while waiting.pool_stats().waiting == 0 {
            std::thread::yield_now();
        }
        panic!("while another call waits")
    });
    let request = client.post(origin.url("/post")).body(Body::new(reader));
    catch_unwind(AssertUnwindSafe(|| request.send().map(drop))).unwrap_err();
    waits.lock().unwrap().take().unwrap().join().unwrap().unwrap();
    assert_eq!((client.pool_stats().open, client.pool_stats().waiting), (1, 0));
}

struct FnReader<F>(F);

impl<F: FnMut()> Read for FnReader<F> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        (self.0)();
        Ok(0)
    }
}

/// Reads and writes.
struct Calls {
    act: Act,
    left: usize,
}

impl Read for Calls {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.act.run();
        let count = self.left.min(1).min(into.len());
        into[..count].fill(b'x');
        self.left -= count;
        Ok(count)
    }
}

impl Write for Calls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.act.run();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Formatter(Act);

impl fmt::Write for Formatter {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        // The action formats the client too, so it runs only once.
        if self.0.0.done.load(Ordering::SeqCst) == 0 {
            self.0.run();
        }
        Ok(())
    }
}

struct Store {
    act: Act,
    on_set: bool,
}

impl CookieStore for Store {
    fn set_cookies(&self, _: &mut dyn Iterator<Item = &HeaderValue>, _: &Url) {
        if self.on_set {
            self.act.run();
        }
    }

    fn cookies(&self, _: &Url) -> Option<HeaderValue> {
        if !self.on_set {
            self.act.run();
        }
        None
    }
}
