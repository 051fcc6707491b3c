//! Other protocols on a connection, after `101 Switching Protocols` (RFC 9110 §7.8).
#![cfg(all(feature = "blocking", feature = "ring", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use leanhttp::blocking::{Client, ClientBuilder, RequestBuilder, Response, Upgraded};
use leanhttp::error::{Fault, Kind, Phase};
use leanhttp::header::{HeaderMap, HeaderValue};
use leanhttp::{CancelToken, Certificate, Error, Method, Proxy, Version};

use support::pki::{Leaf, Pki};
use support::proxy::Proxy as Tunnels;
use support::script::{
    Connection, Script, Step, answer, expect, moved, ok, pause, send, send_split,
};
use support::stream::read_head;

const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";

/// Enough to fill every buffer on the way several times.
const MANY: usize = 8 << 20;

fn offer(request: RequestBuilder) -> RequestBuilder {
    request.header("Upgrade", "echo").header("Connection", "upgrade")
}

fn switch(client: &Client, url: &str) -> leanhttp::Result<Response> {
    offer(client.get(url)).send()
}

fn upgraded(client: &Client, url: &str) -> Upgraded {
    let response = switch(client, url).unwrap();
    assert_eq!(response.status(), 101);
    response.upgrade().unwrap()
}

fn trusting(pki: &Pki) -> ClientBuilder {
    Client::builder().tls_certs_only([Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()])
}

/// Accepts the upgrade, then plays these steps.
fn after_switch(steps: impl IntoIterator<Item = Step>) -> Connection {
    answer(SWITCH).into_iter().chain(steps).collect()
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count as u64).map(|i| ((i * 7919) >> 5) as u8).collect()
}

/// The `leanhttp::Error` inside an error of `Read` or `Write`.
fn inner(error: &io::Error) -> &Error {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

mod bytes_both_ways {
    use super::*;

    /// A server that sends first, echoes a word and ends.
    fn words() -> Connection {
        after_switch([send("first"), expect("hello"), send("world"), Step::Close])
    }

    fn talk(mut echo: Upgraded) {
        let mut first = [0; 5];
        echo.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"first");
        echo.write_all(b"hello").unwrap();
        echo.flush().unwrap();
        let mut rest = String::new();
        echo.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "world");
        assert_eq!(echo.read(&mut first).unwrap(), 0, "the end stays the end");
    }

    #[test]
    fn in_the_clear() {
        let server = Script::serve(vec![words()]);
        let echo = upgraded(&Client::new(), &server.url("/a?b"));
        assert_eq!(echo.headers()["upgrade"], "echo");
        assert_eq!(echo.url().as_str(), server.url("/a?b"));
        assert_eq!(echo.remote_addr(), Some(server.addr()));
        let local = echo.local_addr().unwrap();
        assert!(local.ip().is_loopback() && local.port() != server.addr().port());
        talk(echo);
        let request = server.received_text(0);
        assert!(request.starts_with("GET /a?b HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nupgrade: echo\r\nconnection: upgrade\r\n"), "{request}");
        server.join();
    }

    /// Bytes in the same segment as the head are the protocol's, and no byte is lost at any split.
    #[test]
    fn pass_at_every_split() {
        let together = [SWITCH, "first"].concat();
        let rest = || [expect("hello"), send_split("world", 1), Step::Close];
        for begin in [send(&together), send_split(&together, 1), send_split(&together, 60)] {
            let steps = [Step::ExpectRequest, begin].into_iter().chain(rest()).collect();
            let server = Script::serve(vec![steps]);
            talk(upgraded(&Client::new(), &server.url("/")));
        }
    }

    #[test]
    fn over_tls() {
        let pki = Pki::new();
        let server = Script::serve_tls(vec![words()], pki.server_config(Leaf::Good));
        talk(upgraded(&trusting(&pki).build().unwrap(), &server.url("/")));
    }

    #[test]
    fn pass_through_tunnels() {
        let pki = Pki::new();
        let plain = || Script::serve(vec![words()]);
        let tls = || Script::serve_tls(vec![words()], pki.server_config(Leaf::Good));
        let ways = [
            (tls(), Tunnels::http as fn(_) -> _, "http"),
            (tls(), Tunnels::socks, "socks5"),
            (plain(), Tunnels::socks, "socks4"),
            (plain(), Tunnels::socks, "socks5h"),
        ];
        for (server, start, scheme) in ways {
            let proxy: Tunnels = start(server.addr());
            let by = Proxy::all(proxy.url(scheme)).unwrap();
            talk(upgraded(&trusting(&pki).proxy(by).build().unwrap(), &server.url("/")));
            assert_eq!(proxy.asked().len(), 1, "{scheme}");
        }
        // TLS in TLS.
        let server = tls();
        let proxy = Tunnels::https(server.addr(), pki.server_config(Leaf::Good));
        let by = Proxy::all(proxy.url("https")).unwrap();
        talk(upgraded(&trusting(&pki).proxy(by).build().unwrap(), &server.url("/")));
        assert_eq!(proxy.asked().len(), 1);
    }

    /// A proxy that receives absolute URLs switches protocols itself, if it does.
    #[test]
    fn pass_to_a_forwarding_proxy() {
        let proxy = Script::serve(vec![words()]);
        let by = Proxy::all(format!("http://{}", proxy.addr())).unwrap();
        let client = Client::builder().proxy(by).build().unwrap();
        talk(upgraded(&client, "http://h.invalid/"));
        assert!(proxy.received_text(0).starts_with("GET http://h.invalid/ HTTP/1.1\r\n"));
    }

    #[cfg(unix)]
    #[test]
    fn pass_over_a_unix_socket() {
        let name = format!("leanhttp-upgrade-{}.sock", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            read_head(&mut stream).unwrap();
            stream.write_all([SWITCH, "first"].concat().as_bytes()).unwrap();
            let mut hello = [0; 5];
            stream.read_exact(&mut hello).unwrap();
            assert_eq!(&hello, b"hello");
            stream.write_all(b"world").unwrap();
        });
        let client = Client::builder().unix_socket(&path).build().unwrap();
        let echo = upgraded(&client, "http://docker/");
        assert_eq!((echo.remote_addr(), echo.local_addr()), (None, None));
        talk(echo);
        server.join().unwrap();
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn pass_in_large_amounts() {
        let pki = Pki::new();
        let big = bytes(2 << 20);
        let steps =
            || after_switch([expect(&big), send("all"), expect("go on"), send(&big), Step::Close]);
        for server in [
            Script::serve(vec![steps()]),
            Script::serve_tls(vec![steps()], pki.server_config(Leaf::Good)),
        ] {
            let mut echo = upgraded(&trusting(&pki).build().unwrap(), &server.url("/"));
            echo.write_all(&big).unwrap();
            let mut all = [0; 3];
            echo.read_exact(&mut all).unwrap();
            echo.write_all(b"go on").unwrap();
            let mut received = Vec::new();
            echo.read_to_end(&mut received).unwrap();
            assert!(received == big, "{} bytes", received.len());
            server.join();
        }
    }

    #[test]
    fn empty_reads_and_writes_do_nothing() {
        let server = Script::serve(vec![after_switch([Step::Silent])]);
        let mut echo = upgraded(&Client::new(), &server.url("/"));
        assert_eq!((echo.read(&mut []).unwrap(), echo.write(&[]).unwrap()), (0, 0));
        echo.flush().unwrap();
    }
}

mod the_end {
    use super::*;

    #[test]
    fn of_the_peer_is_reported() {
        let pki = Pki::new();
        let steps = || {
            vec![
                after_switch([send("x"), Step::Close]),
                after_switch([send("x"), Step::Cut]),
                after_switch([expect("go"), Step::Reset]),
            ]
        };
        let clear = [None, None, Some(ErrorKind::ConnectionReset)];
        let tls = [None, Some(ErrorKind::UnexpectedEof), Some(ErrorKind::ConnectionReset)];
        for (server, ends) in [
            (Script::serve(steps()), clear),
            (Script::serve_tls(steps(), pki.server_config(Leaf::Good)), tls),
        ] {
            let client = trusting(&pki).build().unwrap();
            for end in ends {
                let mut echo = upgraded(&client, &server.url("/"));
                echo.write_all(b"go").unwrap();
                for again in 0..2 {
                    let ended = echo.read_to_end(&mut Vec::new());
                    let kind = ended.as_ref().err().map(io::Error::kind);
                    if again == 0 || end != Some(ErrorKind::ConnectionReset) {
                        assert_eq!(kind, end, "{ended:?}");
                    }
                }
            }
        }
    }

    /// The end of the peer's bytes does not end the client's direction.
    #[test]
    fn of_one_direction_leaves_the_other_open() {
        let server = Script::serve(vec![after_switch([send("x"), Step::Close])]);
        let mut echo = upgraded(&Client::new(), &server.url("/"));
        echo.read_to_end(&mut Vec::new()).unwrap();
        echo.write_all(b"still here").unwrap();
        drop(echo);
        server.join();
        assert!(server.received_text(0).ends_with("\r\n\r\nstill here"));
    }

    /// RFC 8446 §6.1: over TLS the peer receives `close_notify`.
    #[test]
    fn of_the_client_reaches_the_peer() {
        let pki = Pki::new();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let config = pki.server_config(Leaf::Good);
        let server = thread::spawn(move || {
            let mut stream = accept_tls(&listener, config);
            read_head(&mut stream).unwrap();
            stream.write_all(SWITCH.as_bytes()).unwrap();
            let mut word = String::new();
            stream.read_to_string(&mut word).map(|_| word) // an error without close_notify
        });
        let mut echo = upgraded(&trusting(&pki).build().unwrap(), &url);
        echo.write_all(b"bye").unwrap();
        drop(echo);
        assert_eq!(server.join().unwrap().unwrap(), "bye");
    }

    /// An upgraded connection serves no other request, and holds its permit until it is closed.
    #[test]
    fn releases_the_permit() {
        let server = Script::serve(vec![
            after_switch([send("x"), Step::ExpectEnd]),
            after_switch([Step::ExpectEnd]),
            answer(ok("next")),
        ]);
        let client = Client::builder().pool_max_open_per_host(1).build().unwrap();
        let count = || (client.pool_stats().open, client.pool_stats().idle);
        let echo = upgraded(&client, &server.url("/"));
        assert_eq!(count(), (1, 0));
        let early = client.get(server.url("/")).connect_timeout(Duration::from_millis(50)).send();
        assert_eq!(early.unwrap_err().phase(), Phase::Queue);
        drop(echo);
        assert_eq!(count(), (0, 0));
        drop(switch(&client, &server.url("/")).unwrap());
        assert_eq!(count(), (0, 0), "a 101 that is not upgraded");
        assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "next");
        assert_eq!(count(), (1, 1));
    }

    #[test]
    fn of_the_client_value_leaves_the_connection_open() {
        let server = Script::serve(vec![after_switch([expect("a"), send("b")])]);
        let mut echo = upgraded(&Client::new(), &server.url("/")); // the client is gone
        echo.write_all(b"a").unwrap();
        echo.read_exact(&mut [0]).unwrap();
    }

    /// As with a socket: the peer reads the end, and responds. `copy_bidirectional` depends on
    /// that.
    #[test]
    fn of_each_direction_is_separate() {
        let pki = Pki::new();
        let steps = || after_switch([Step::ExpectEnd, send("after the end"), Step::Close]);
        for server in [
            Script::serve(vec![steps()]),
            Script::serve_tls(vec![steps()], pki.server_config(Leaf::Good)),
        ] {
            let mut echo = upgraded(&trusting(&pki).build().unwrap(), &server.url("/"));
            echo.shutdown_write().unwrap();
            echo.shutdown_write().unwrap();
            let mut text = String::new();
            echo.read_to_string(&mut text).unwrap();
            assert_eq!(text, "after the end");
            let error = echo.write_all(b"more").and_then(|()| echo.flush()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
            drop(echo);
            server.join();
        }
    }
}

mod timeouts {
    use super::*;

    const SHORT: Duration = Duration::from_millis(30);

    /// The deadline of the call ends with its response.
    #[test]
    fn of_the_call_end_with_its_response() {
        let server = Script::serve(vec![after_switch([pause(400), send("late")])]);
        let request = offer(Client::new().get(server.url("/"))).timeout(Duration::from_millis(300));
        let mut echo = request.send().unwrap().upgrade().unwrap();
        let mut late = [0; 4];
        echo.read_exact(&mut late).unwrap();
        assert_eq!(&late, b"late");
    }

    #[test]
    fn of_reads_are_those_of_the_client_until_they_are_set() {
        let server = Script::serve(vec![after_switch([expect("go"), send("late"), Step::Silent])]);
        let client = Client::builder().read_timeout(SHORT).build().unwrap();
        let mut echo = upgraded(&client, &server.url("/"));
        let mut late = [0; 4];
        for _ in 0..2 {
            let error = echo.read(&mut late).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            let line = format!(
                "using the upgraded connection to {} for {}: timed out: no byte came for 30ms (read timeout)",
                server.addr(),
                server.url("/")
            );
            assert_eq!(inner(&error).to_string(), line);
            let error = inner(&error);
            assert_eq!((error.kind(), error.phase()), (Kind::Timeout, Phase::Upgrade));
        }
        echo.set_read_timeout(None);
        echo.write_all(b"go").unwrap();
        echo.read_exact(&mut late).unwrap();
        assert_eq!(&late, b"late", "nothing is lost by a timeout");
        echo.set_read_timeout(Some(Duration::ZERO));
        assert_eq!(echo.read(&mut late).unwrap_err().kind(), ErrorKind::TimedOut);
    }

    /// Another thread can cancel it.
    #[test]
    fn are_cut_short_by_a_cancellation() {
        let server = Script::serve(vec![after_switch([Step::Silent])]);
        let token = CancelToken::new();
        let client = Client::builder().read_timeout(None).build().unwrap();
        let request = offer(client.get(server.url("/"))).cancel_token(&token);
        let mut echo = request.send().unwrap().upgrade().unwrap();
        thread::scope(|scope| {
            let reader = scope.spawn(|| echo.read(&mut [0]));
            thread::sleep(SHORT);
            token.cancel();
            let error = reader.join().unwrap().unwrap_err();
            assert!(inner(&error).is_cancelled(), "{error}");
        });
        assert!(inner(&echo.write(b"x").unwrap_err()).is_cancelled());
    }

    #[test]
    fn of_writes_apply_too() {
        let pki = Pki::new();
        for server in [
            Script::serve(vec![after_switch([Step::StopReading])]),
            Script::serve_tls(
                vec![after_switch([Step::StopReading])],
                pki.server_config(Leaf::Good),
            ),
        ] {
            let mut echo = upgraded(&trusting(&pki).build().unwrap(), &server.url("/"));
            echo.set_write_timeout(Some(SHORT));
            let error = echo.write_all(&bytes(MANY)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(inner(&error).to_string().ends_with("(write timeout)"), "{error}");
        }
    }

    /// A write that is retried after a timeout sends nothing twice and leaves nothing out.
    #[test]
    fn of_writes_lose_nothing() {
        let pki = Pki::new();
        let big = bytes(MANY);
        let steps = || after_switch([pause(200), expect(&big), send("all"), Step::Close]);
        for server in [
            Script::serve(vec![steps()]),
            Script::serve_tls(vec![steps()], pki.server_config(Leaf::Good)),
        ] {
            let mut echo = upgraded(&trusting(&pki).build().unwrap(), &server.url("/"));
            echo.set_write_timeout(Some(Duration::from_millis(10)));
            let (mut sent, mut waits) = (0, 0);
            while sent < big.len() {
                match echo.write(&big[sent..]) {
                    Ok(count) => sent += count,
                    Err(error) if error.kind() == ErrorKind::TimedOut => waits += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            assert!(waits > 0, "the server was not too slow");
            echo.set_write_timeout(None);
            echo.flush().unwrap();
            let mut all = String::new();
            echo.read_to_string(&mut all).unwrap();
            assert_eq!(all, "all");
        }
    }
}

mod refusals {
    use super::*;

    /// RFC 9110 §7.8: a server may ignore the protocol.
    #[test]
    fn a_refused_upgrade_keeps_the_response() {
        let server = Script::serve(vec![
            answer(ok("no echo here")),
            answer("HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n"),
        ]);
        for (status, text) in [(200, "no echo here"), (426, "")] {
            let response = switch(&Client::new(), &server.url("/")).unwrap();
            let error = response.upgrade().unwrap_err();
            assert!(error.is_upgrade() && error.get_ref().is_none());
            assert_eq!(error.status().unwrap(), status);
            assert_eq!((error.kind(), error.fault()), (Kind::Upgrade, Fault::Peer));
            let line = error.to_string();
            let start = format!(
                "upgrading the connection for {}: the server answered {status} ",
                server.url("/")
            );
            assert!(line.starts_with(&start), "{line}");
            assert_eq!(Response::try_from(error).unwrap().text().unwrap(), text);
        }
    }

    #[test]
    fn a_response_is_upgraded_as_long_as_it_is_open() {
        let server = Script::serve(vec![after_switch([send("x"), Step::ExpectEnd])]);
        let mut response = switch(&Client::new(), &server.url("/")).unwrap();
        assert_eq!(response.read(&mut [0; 9]).unwrap(), 0, "a 101 has no body");
        let error = response.upgrade().unwrap_err();
        assert!(error.is_upgrade() && error.to_string().ends_with("read to its end"), "{error}");
    }

    /// RFC 9110 §7.8: a 101 has both fields, is HTTP/1.1, and names one of the offered protocols.
    #[test]
    fn a_101_that_does_not_match_the_offer_is_an_error() {
        let other = SWITCH.replace("echo", "h2c");
        let server = Script::serve(
            [SWITCH, SWITCH, SWITCH, &other].map(|switch| answer([switch, "x"].concat())).into(),
        );
        let client = Client::new();
        let get = || client.get(server.url("/"));
        let requests = [
            get(),
            get().header("Upgrade", "echo"),
            get().header("Connection", "upgrade"),
            offer(get()),
        ];
        for request in requests {
            let error = request.send().unwrap_err();
            assert_eq!(error.kind(), Kind::Protocol);
            let line = error.to_string();
            assert!(
                line.ends_with(": 101 Switching Protocols for a protocol that was not offered"),
                "{line}"
            );
        }
        let error = offer(get()).version(Version::HTTP_10).send().unwrap_err();
        assert!(error.is_builder(), "{error}");
        assert_eq!(server.accepted(), 4);
    }

    /// RFC 9110 §7.8: HTTP/1.0 has no upgrades.
    #[test]
    fn a_default_offer_is_not_sent_with_http_1_0() {
        let old = [answer(ok("")), answer(SWITCH)].concat();
        let server = Script::serve(vec![after_switch([send("x")]), old]);
        let fields = [("upgrade", "echo"), ("connection", "upgrade")];
        let mut defaults = HeaderMap::new();
        for (name, value) in fields {
            defaults.insert(name, HeaderValue::from_static(value));
        }
        let client = Client::builder().default_headers(defaults).build().unwrap();
        let mut echo = client.get(server.url("/")).send().unwrap().upgrade().unwrap();
        echo.read_exact(&mut [0]).unwrap();
        for is_refused in [false, true] {
            let response = client.get(server.url("/")).version(Version::HTTP_10).send();
            assert_eq!(response.is_err(), is_refused);
        }
        assert!(server.received_text(0).contains("\r\nupgrade: echo\r\n"));
        assert!(!server.received_text(1).contains("\r\nupgrade: echo\r\n"));
    }
}

mod requests {
    use super::*;

    /// RFC 9110 §7.8: the whole request is sent first; 100 precedes 101.
    #[test]
    fn send_their_body_first() {
        let early = "HTTP/1.1 100 Continue\r\n\r\n";
        let body = "x".repeat(300_000);
        let server = Script::serve(vec![
            vec![Step::ExpectHead, send(early), expect(&body), send(SWITCH), expect("raw")],
            vec![Step::ExpectHead, send(SWITCH), expect(&body), expect("raw")],
        ]);
        let client = Client::new();
        for _ in 0..2 {
            let post = client.request(Method::POST, server.url("/")).body(body.clone());
            let response = offer(post).header("Expect", "100-continue").send().unwrap();
            response.upgrade().unwrap().write_all(b"raw").unwrap();
        }
        server.join();
    }

    #[test]
    fn repeat_the_offer_within_their_origin() {
        let server =
            Script::serve(vec![moved(307, "/there"), after_switch([send("x"), Step::ExpectEnd])]);
        let mut echo = upgraded(&Client::new(), &server.url("/"));
        assert_eq!(echo.url().path(), "/there");
        echo.read_exact(&mut [0]).unwrap();
    }

    /// A server that the caller did not name is not offered a protocol.
    #[test]
    fn make_no_offer_to_another_origin() {
        for answered in [ok("plain"), SWITCH.into()] {
            let other = Script::serve(vec![answer(&answered)]);
            let server = Script::serve(vec![moved(307, &other.url("/"))]);
            let response = switch(&Client::new(), &server.url("/"));
            match response {
                Ok(response) => assert!(response.upgrade().unwrap_err().is_upgrade()),
                Err(error) => assert_eq!(error.kind(), Kind::Protocol),
            }
            assert!(!other.received_text(0).contains("upgrade: echo"));
        }
    }

    /// A pooled connection can be upgraded as well as a fresh one.
    #[test]
    fn may_use_a_pooled_connection() {
        let server = Script::serve(vec![
            answer(ok("1")).into_iter().chain(after_switch([send("x"), Step::ExpectEnd])).collect(),
        ]);
        let client = Client::new();
        assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "1");
        upgraded(&client, &server.url("/")).read_exact(&mut [0]).unwrap();
    }
}

#[test]
fn an_upgraded_connection_is_send_and_hides_its_bytes() {
    fn is_shared<T: Send + Sync + 'static>(_: &T) {}
    let server = Script::serve(vec![after_switch([send("secret"), Step::Silent])]);
    let mut echo = upgraded(&Client::new(), &server.url("/"));
    is_shared(&echo);
    echo.read_exact(&mut [0]).unwrap();
    let expected =
        format!("Upgraded {{ url: Url({}), protocol: Some(\"echo\"), .. }}", server.url("/"));
    assert_eq!(format!("{echo:?}"), expected);
}

fn accept_tls(
    listener: &TcpListener,
    config: Arc<rustls::ServerConfig>,
) -> rustls::StreamOwned<rustls::ServerConnection, TcpStream> {
    let (socket, _) = listener.accept().unwrap();
    rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), socket)
}
