//! Interim responses (RFC 9110 §15.2): which are shown to the program, in which order, and what its callback may do.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use leanhttp::blocking::{Client, ClientBuilder};
use leanhttp::error::Kind;
use leanhttp::redirect::Policy;
use leanhttp::response::Response;

use support::pki::{Leaf, Pki};
use support::script::{Script, Step, answer, expect, ok, send, send_split};

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nlink: <style.css>; rel=preload\r\n\r\n";
const BUSY: &str = "HTTP/1.1 102 Processing\r\nx-done: 50\r\n\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// The arguments of the callback: a status and a URL.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn callback(&self) -> impl Fn(Response<()>) + Send + Sync + 'static {
        let seen = self.clone();
        move |response| {
            let line = format!("{} {}", response.status().as_u16(), response.url().path());
            seen.0.lock().unwrap().push(line);
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn client() -> ClientBuilder {
    Client::builder().no_proxy()
}

/// RFC 9110 §15.2, RFC 8297.
#[test]
fn each_interim_response_is_shown_in_order() {
    let all = [HINTS, BUSY, CONTINUE, HINTS, "HTTP/1.1 199 Own\r\n\r\n", "HTTP/1.1 204 No\r\n\r\n"];
    let expected = ["103 /a", "102 /a", "100 /a", "103 /a", "199 /a"];
    for size in [1, 7, 64, 1 << 16] {
        let steps = vec![Step::ExpectRequest, send_split(all.concat(), size)];
        let server = Script::serve(vec![steps]);
        let seen = Seen::default();
        let client = client().on_informational(seen.callback()).build().unwrap();
        assert_eq!(client.get(server.url("/a")).send().unwrap().status(), 204);
        assert_eq!(seen.take(), expected, "{size}");
    }
}

#[test]
fn an_interim_response_has_its_fields_and_links() {
    let server = Script::serve(vec![answer([HINTS.as_bytes(), &ok("")].concat())]);
    let links = Arc::new(Mutex::new(Vec::new()));
    let found = Arc::clone(&links);
    let request = client().build().unwrap().get(server.url("/dir/page"));
    let request = request.on_informational(move |response| {
        assert_eq!(response.headers().len(), 1);
        found.lock().unwrap().extend(response.link("preload"));
    });
    request.send().unwrap();
    assert_eq!(links.lock().unwrap()[0].as_str(), server.url("/dir/style.css"));
}

/// The wait for the final head goes on: the callback runs when the interim head has arrived.
#[test]
fn an_interim_response_is_shown_before_the_final_one_is_sent() {
    // The server sends no final response, so the call ends only because the callback cancels it.
    let server = Script::serve(vec![vec![Step::ExpectRequest, send(HINTS), Step::Silent]]);
    let client = client().build().unwrap();
    let seen = Seen::default();
    let callback = seen.callback();
    let token = leanhttp::CancelToken::new();
    let other = token.clone();
    let request = client.get(server.url("/")).cancel_token(&token).on_informational(move |head| {
        callback(head);
        other.cancel();
    });
    assert!(request.send().unwrap_err().is_cancelled());
    assert_eq!(seen.take(), ["103 /"]);
}

#[test]
fn the_callback_of_a_request_replaces_that_of_the_client() {
    let answered = [HINTS.as_bytes(), &ok("")].concat();
    let server = Script::serve(vec![[answer(&answered), answer(&answered)].concat()]);
    let (of_client, own) = (Seen::default(), Seen::default());
    let client = client().on_informational(of_client.callback()).build().unwrap();
    client.get(server.url("/own")).on_informational(own.callback()).send().unwrap();
    client.get(server.url("/")).send().unwrap();
    assert_eq!((of_client.take(), own.take()), (vec!["103 /".into()], vec!["103 /own".into()]));
}

/// The URL is that of the hop, which a redirect may have changed.
#[test]
fn interim_responses_of_each_hop_are_shown() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: /to\r\ncontent-length: 0\r\n\r\n";
    let hops = [answer([BUSY, moved].concat()), answer([HINTS.as_bytes(), &ok("")].concat())];
    let server = Script::serve(vec![hops.concat()]);
    let seen = Seen::default();
    let client = client().on_informational(seen.callback()).build().unwrap();
    client.get(server.url("/from")).send().unwrap();
    assert_eq!(seen.take(), ["102 /from", "103 /to"]);
}

#[test]
fn a_body_waits_for_the_100_that_is_shown() {
    let steps = [Step::ExpectHead, send(BUSY), send(CONTINUE), expect("hello"), send(ok(""))];
    let server = Script::serve(vec![steps.to_vec()]);
    let seen = Seen::default();
    let client = client().on_informational(seen.callback()).build().unwrap();
    client.post(server.url("/")).expect_continue(true).body("hello").send().unwrap();
    assert_eq!(seen.take(), ["102 /", "100 /"]);
}

#[test]
fn interim_responses_over_tls_are_shown() {
    let pki = Pki::new();
    let steps = answer([HINTS.as_bytes(), BUSY.as_bytes(), &ok("")].concat());
    let server = Script::serve_tls(vec![steps], pki.server_config(Leaf::Good));
    let seen = Seen::default();
    let client = client().danger_accept_invalid_certs(true).on_informational(seen.callback());
    client.build().unwrap().get(server.url("/")).send().unwrap();
    assert_eq!(seen.take(), ["103 /", "102 /"]);
}

/// The last HTTP message of a connection is final (RFC 9110 §15.2.2).
#[test]
fn a_101_is_no_interim_response() {
    let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: own\r\n\r\n";
    let server = Script::serve(vec![answer([HINTS, switch].concat())]);
    let seen = Seen::default();
    let client = client().on_informational(seen.callback()).build().unwrap();
    let request = client.get(server.url("/")).header("upgrade", "own");
    assert_eq!(request.header("connection", "upgrade").send().unwrap().status(), 101);
    assert_eq!(seen.take(), ["103 /"]);
}

#[test]
fn the_number_of_interim_responses_is_limited() {
    let server = Script::serve(vec![answer(HINTS.repeat(17))]);
    let seen = Seen::default();
    let client = client().on_informational(seen.callback()).build().unwrap();
    let error = client.get(server.url("/")).send().unwrap_err();
    assert_eq!(error.kind(), Kind::Limit, "{error}");
    assert!(error.to_string().contains("more than 16 interim (1xx) responses"), "{error}");
    assert_eq!(seen.take().len(), 16);
}

/// The connection is closed, since its next response was not read, and its permit is given back.
#[test]
fn a_panic_of_the_callback_leaves_the_client_usable() {
    let first = answer([HINTS.as_bytes(), &ok("lost")].concat());
    let server = Script::serve(vec![first, answer(ok("good"))]);
    let client = client().pool_max_open_per_host(1).build().unwrap();
    let request = client.get(server.url("/")).on_informational(|_| panic!("of the program"));
    assert!(catch_unwind(AssertUnwindSafe(|| request.send())).is_err());
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "good");
    assert_eq!(server.accepted(), 2);
}

/// No lock is held: the callback may use the client, also for a request.
#[test]
fn the_callback_may_use_the_client() {
    let (hinted, other) = ([HINTS.as_bytes(), &ok("")].concat(), answer(ok("style")));
    let server = Script::serve(vec![answer(hinted), other]);
    let client = client().redirect(Policy::none()).build().unwrap();
    let texts = Arc::new(Mutex::new(Vec::new()));
    let (found, preload) = (Arc::clone(&texts), client.clone());
    let request = client.get(server.url("/")).on_informational(move |response| {
        preload.close_idle_connections();
        let (url, client) = (response.link("preload").unwrap(), preload.clone());
        // On a thread of its own, because a runtime of tokio cannot block.
        let fetch = move || client.get(url).send().unwrap().text().unwrap();
        found.lock().unwrap().push(std::thread::spawn(fetch).join().unwrap());
    });
    request.send().unwrap();
    assert_eq!(*texts.lock().unwrap(), ["style"]);
}
