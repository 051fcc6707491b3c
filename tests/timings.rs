//! The timings of a call: each attempt, on responses and on errors.
//!
//! The only assertions about time are lower bounds of waits that the servers make.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::thread;
use std::time::Duration;

use leanhttp::blocking::Client;
use leanhttp::timings::{Attempt, Timings};
use leanhttp::{Certificate, Proxy};

use support::httpbin::Httpbin;
use support::pki::Pki;
use support::script::{Script, Step, answer, ok, pause, send};

/// Phases that took place: q(ueue), l(ookup), c(onnect), h(andshake), r(equest), f(irst byte).
fn phases(timings: &Timings) -> Vec<String> {
    let of_hop = |hop: &Attempt| {
        let times = [
            ('q', hop.queue()),
            ('l', hop.resolve()),
            ('c', hop.connect()),
            ('h', hop.handshake()),
            ('r', hop.request()),
            ('f', hop.first_byte()),
        ];
        times.iter().filter(|(_, time)| time.is_some()).map(|(letter, _)| letter).collect()
    };
    timings.attempts().map(of_hop).collect()
}

#[test]
fn new_and_reused_connections_have_their_phases() {
    let pki = Pki::new();
    let (plain, tls) = (Httpbin::start(), Httpbin::start_tls(&pki));
    let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([root]).build().unwrap();
    for (url, first) in [(plain.url("/get"), "lcrf"), (tls.url("/get"), "lchrf")] {
        for expected in [first, "rf"] {
            let response = client.get(&*url).send().unwrap();
            assert_eq!(phases(response.timings().unwrap()), [expected], "{url}");
            let (local, remote) = (response.local_addr().unwrap(), response.remote_addr().unwrap());
            assert!(local.ip().is_loopback() && local != remote);
            response.bytes().unwrap();
        }
    }
}

#[test]
fn each_phase_has_its_time() {
    let wait = Duration::from_millis(60);
    let slow_name = move |_: &str| {
        thread::sleep(wait);
        Ok(vec![([127, 0, 0, 1], 0).into()])
    };
    let server = Script::serve(vec![vec![Step::ExpectRequest, pause(60), send(ok("late"))]]);
    let port = server.url("").rsplit(':').next().unwrap().to_owned();
    let client = Client::builder()
        .no_proxy()
        .dns_resolver(leanhttp::dns::from_fn(slow_name))
        .build()
        .unwrap();
    let response = client.get(format!("http://h.test:{port}/")).send().unwrap();
    let timings = response.timings().unwrap();
    let hop = timings.attempts().next().unwrap();
    assert!(hop.resolve().unwrap() >= wait && hop.first_byte().unwrap() >= wait, "{hop:?}");
    assert!(timings.total() >= 2 * wait);
}

#[test]
fn each_hop_has_its_timings() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
    // A redirect on the same connection, which then dies at its third use.
    let first = [answer(moved), answer(ok("there")), vec![Step::ExpectRequest, Step::Close]];
    let server = Script::serve(vec![first.concat(), answer(ok("again"))]);
    let client = Client::builder().no_proxy().build().unwrap();
    for (expected, body) in [(["lcrf", "rf"], "there"), (["rf", "lcrf"], "again")] {
        let response = client.get(server.url("/")).send().unwrap();
        let hops = phases(response.timings().unwrap());
        assert_eq!(hops.len(), 2);
        assert_eq!(response.text().unwrap(), body);
        assert_eq!(hops[1], expected[1]);
        assert!(hops[0].starts_with(expected[0].trim_end_matches('f')), "{hops:?}");
    }
}

/// The wait for a connection is a phase of its own.
#[test]
fn the_wait_for_a_connection_has_its_time() {
    let server = Script::serve(vec![[answer(ok("1")), answer(ok("2"))].concat()]);
    let client = Client::builder().no_proxy().pool_max_open_per_host(1).build().unwrap();
    let first = client.get(server.url("/")).send().unwrap();
    let next = thread::spawn({
        let request = client.get(server.url("/"));
        move || request.send().unwrap()
    });
    while client.pool_stats().waiting == 0 {
        thread::yield_now();
    }
    first.bytes().unwrap();
    assert_eq!(phases(next.join().unwrap().timings().unwrap()), ["qrf"]);
}

#[test]
fn errors_have_timings() {
    let silent = Script::serve(vec![vec![Step::ExpectRequest, Step::Silent]]);
    let limit = Duration::from_millis(100);
    let client = Client::builder().no_proxy().read_timeout(limit).build().unwrap();
    let error = client.get(silent.url("/")).send().unwrap_err();
    let timings = error.timings().unwrap();
    assert!((limit..Duration::from_secs(5)).contains(&timings.total()), "{timings:?}");
    assert!(timings.attempts().last().unwrap().first_byte() >= Some(limit), "{timings:?}");
    assert_eq!(phases(timings), ["lcrf"]);
    let proxied = Client::builder().proxy(Proxy::all("http://127.0.0.1:1").unwrap());
    let error = proxied.build().unwrap().get("http://h.test/").send().unwrap_err();
    assert_eq!(phases(error.timings().unwrap()), ["lc"]);
    assert!(client.get("no url").send().unwrap_err().timings().is_none());
}
