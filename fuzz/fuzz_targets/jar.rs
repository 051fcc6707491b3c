//! The cookie jar: over any sequence of cookies, requests and waits it contains and sends the same
//! as a naive reference jar (`src/cookies.rs`).
//!
//! Each line of the input is a step: a letter, for most a host and a path (a letter each, see
//! [`url`]), and the other arguments. `s`et, `g`et, `f`ill with many cookies, `c`lear; capital
//! letters for `https`; `w`ait so many seconds as the next character says.
#![no_main]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use leanhttp::Url;
use leanhttp::cookie::{CookieStore, Jar};
use leanhttp::header::HeaderValue;
use leanhttp_fuzz::cookies::Model;
use libfuzzer_sys::fuzz_target;

const HOSTS: [&str; 10] = [
    "example.com",
    "www.example.com",
    "a.www.example.com",
    "b.www.example.com",
    "xexample.com",
    "example.com.",
    "com",
    "localhost",
    "1.2.3.4",
    "[::1]",
];
const PATHS: [&str; 8] = ["/", "/a", "/a/", "/a/b", "/ab", "/A", "//", "/%61"];

fuzz_target!(|input: &[u8]| {
    let seconds = Arc::new(AtomicU64::new(1_700_000_000));
    let clock = Arc::clone(&seconds);
    let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed));
    let jar = Jar::with_clock(now.clone());
    let mut model = Model::default();
    let mut fills = 0;
    for line in input.split(|byte| *byte == b'\n').take(64) {
        let [kind, rest @ ..] = line else { continue };
        let scheme = if kind.is_ascii_uppercase() { "https" } else { "http" };
        match (kind.to_ascii_lowercase(), rest) {
            (b's', [host, path, field @ ..]) => {
                set(&jar, &mut model, &url(scheme, *host, *path), field, now());
            }
            (b'f', [host, path, field @ ..]) if fills < 3 => {
                fills += 1;
                for n in 0..PER_STEP {
                    let field = [n.to_string().as_bytes(), b"=", field].concat();
                    set(&jar, &mut model, &url(scheme, *host, *path), &field, now());
                }
            }
            (b'g', [host, path, ..]) => {
                let url = url(scheme, *host, *path);
                let shown = jar.cookies_for(&url).len();
                let header = jar.cookies(&url);
                assert!(header.as_ref().is_none_or(|header| header.is_sensitive()));
                let expected = model.header(&url, now());
                assert_eq!(
                    header.as_ref().map(HeaderValue::as_bytes),
                    expected.as_deref(),
                    "{url}"
                );
                assert_eq!(shown > 0, header.is_some());
            }
            (b'w', [wait, ..]) => drop(seconds.fetch_add(u64::from(*wait), Ordering::Relaxed)),
            (b'c', _) => {
                jar.clear();
                model = Model::default();
            }
            _ => {}
        }
        model.forget_expired(now());
        let cookies = jar.to_vec();
        assert_eq!((cookies.len(), jar.len()), (model.cookies.len(), model.cookies.len()));
        let mut pairs = model.cookies.iter().zip(&cookies);
        assert!(pairs.all(|(cookie, stored)| cookie.is_shown_as(stored)), "{cookies:?}");
    }
});

/// One less than the limit of a domain, and the same names a second time.
const PER_STEP: usize = 49;

fn url(scheme: &str, host: u8, path: u8) -> Url {
    let host = HOSTS[usize::from(host) % HOSTS.len()];
    let path = PATHS[usize::from(path) % PATHS.len()];
    Url::parse(&format!("{scheme}://{host}{path}")).unwrap()
}

fn set(jar: &Jar, model: &mut Model, url: &Url, field: &[u8], now: SystemTime) {
    let Ok(field) = HeaderValue::from_bytes(field) else { return };
    jar.set_cookies(&mut [&field].into_iter(), url);
    model.set(&field, url, now);
}
