//! Digest authentication (RFC 7616) over real sockets.

#![cfg(all(feature = "blocking", feature = "digest"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers may stop a test as tests do"
)]

mod support;

use std::io;

use leanhttp::{Body, Client, StatusCode};
use support::script::{Connection, Script, Step, ok, send};

/// A 401 with this challenge.
fn refuse(challenge: &str) -> Step {
    send(format!(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 2\r\n\r\nno"
    ))
}

/// One connection that sends these responses in turn.
fn answers(answers: impl IntoIterator<Item = Step>) -> Connection {
    answers.into_iter().flat_map(|answer| [Step::ExpectRequest, answer]).collect()
}

fn nonce(name: &str) -> Step {
    refuse(&format!("Digest realm=\"r\", nonce=\"{name}\", qop=\"auth\", algorithm=SHA-256"))
}

fn stale(name: &str) -> Step {
    refuse(&format!("Digest realm=\"r\", nonce=\"{name}\", qop=\"auth\", stale=true"))
}

/// The credentials of each request, without the random part: `n1 00000001`.
fn credentials(peer: &Script, connection: usize) -> Vec<String> {
    let received = String::from_utf8(peer.received(connection)).unwrap();
    let heads = received.split("\r\n\r\n").filter(|head| head.contains(" HTTP/1.1\r\n"));
    heads.map(|head| head.lines().find_map(shown).unwrap_or_default()).collect()
}

fn shown(line: &str) -> Option<String> {
    let value = line.strip_prefix("authorization: ")?;
    let Some(digest) = value.strip_prefix("Digest ") else { return Some(value.to_owned()) };
    let of = |name: &str| {
        let parts = digest.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        parts.unwrap_or_default().trim_matches('"').to_owned()
    };
    assert_eq!((of("username"), of("uri")), ("u".to_owned(), "/x?y".to_owned()));
    Some(format!("{} {}", of("nonce"), of("nc")))
}

#[test]
fn the_first_request_is_challenged_and_the_next_is_not() {
    let peer = Script::serve(vec![answers([nonce("n1"), send(ok("a")), send(ok("b"))])]);
    let client = Client::builder().digest_auth("u", "p").build().unwrap();
    for body in ["a", "b"] {
        let response = client.get(peer.url("/x?y")).send().unwrap();
        assert_eq!(response.text().unwrap(), body);
    }
    peer.join();
    assert_eq!(credentials(&peer, 0), ["", "n1 00000001", "n1 00000002"]);
}

/// RFC 7616 §3.3: a challenge with a known nonce that is not stale means that the password is
/// wrong.
#[test]
fn a_wrong_password_is_a_401_and_not_sent_again() {
    let peer = Script::serve(vec![answers([nonce("n1"), nonce("n2"), send(ok(""))])]);
    let client = Client::new();
    let response = client.get(peer.url("/x?y")).digest_auth("u", "wrong").send().unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.text().unwrap(), "no");
    client.get(peer.url("/x?y")).digest_auth("u", "p").send().unwrap();
    peer.join();
    assert_eq!(credentials(&peer, 0), ["", "n1 00000001", ""]);
}

#[test]
fn a_stale_nonce_is_renewed_once() {
    let first = [nonce("n1"), stale("n2"), send(ok(""))];
    let second = [stale("n3"), stale("n4"), stale("n5")];
    let peer = Script::serve(vec![answers(first.into_iter().chain(second))]);
    let client = Client::builder().digest_auth("u", "p").build().unwrap();
    let status = || client.get(peer.url("/x?y")).send().unwrap().status();
    assert_eq!(status(), StatusCode::OK);
    assert_eq!(status(), StatusCode::UNAUTHORIZED);
    peer.join();
    let expected = ["", "n1 00000001", "n2 00000001", "n2 00000002", "n3 00000001", "n4 00000001"];
    assert_eq!(credentials(&peer, 0), expected);
}

/// A restarted server does not know its old nonces.
#[test]
fn an_unknown_nonce_is_renewed_without_the_stale_flag() {
    let peer = Script::serve(vec![answers([nonce("n1"), send(ok("")), nonce("n2"), send(ok(""))])]);
    let client = Client::builder().digest_auth("u", "p").build().unwrap();
    for _ in 0..2 {
        assert_eq!(client.get(peer.url("/x?y")).send().unwrap().status(), StatusCode::OK);
    }
    peer.join();
    assert_eq!(credentials(&peer, 0), ["", "n1 00000001", "n1 00000002", "n2 00000001"]);
}

#[test]
fn a_repeatable_body_is_sent_again() {
    let peer = Script::serve(vec![answers([nonce("n1"), send(ok("")), nonce("n2")])]);
    let client = Client::new();
    let post = || client.post(peer.url("/x?y")).digest_auth("u", "p");
    assert_eq!(post().body("twice").send().unwrap().status(), StatusCode::OK);
    let reader = Body::sized(io::Cursor::new("single"), 6);
    assert_eq!(post().body(reader).send().unwrap().status(), StatusCode::UNAUTHORIZED);
    peer.join();
    let received = String::from_utf8(peer.received(0)).unwrap();
    assert_eq!((received.matches("twice").count(), received.matches("single").count()), (2, 1));
}

/// RFC 7616 §3.4: with `auth-int` alone, an unknown body cannot be hashed, so the challenge is not
/// answered.
#[test]
fn auth_int_needs_a_known_body() {
    let int = || refuse("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"");
    let peer = Script::serve(vec![answers([int(), send(ok(""))])]);
    let post = Client::new().post(peer.url("/x?y")).digest_auth("u", "p").body("bytes");
    assert_eq!(post.send().unwrap().status(), StatusCode::OK);
    peer.join();
    assert!(String::from_utf8(peer.received(0)).unwrap().contains("qop=auth-int, nc=00000001"));
}

#[test]
fn the_callers_authorization_wins() {
    let peer = Script::serve(vec![answers([nonce("n1"), nonce("n2"), refuse("Basic realm=r")])]);
    let client =
        Client::builder().digest_auth("u", "p").basic_auth("b", Some("c")).build().unwrap();
    let plain = client.get(peer.url("/x?y"));
    let explicit = client.get(peer.url("/x?y")).header("Authorization", "Other");
    let of_url = client.get(peer.url("/x?y").replace("http://", "http://a:b@"));
    for request in [explicit, of_url, plain] {
        assert_eq!(request.send().unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    peer.join();
    assert_eq!(credentials(&peer, 0), ["Other", "Basic YTpi", ""]);
}
