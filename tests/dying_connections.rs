//! Connections that end at any time, and responses that arrive at any time (RFC 9112 §9.3.1, §9.5).
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use leanhttp::blocking::{Body, Client, ClientBuilder, Response};
use leanhttp::error::{Kind, Phase};
use leanhttp::{Certificate, Method};
use socket2::SockRef;

use support::pki::{Leaf, Pki};
use support::script::{Connection, Script, Step, answer, ok, pause, send};
use support::stream::read_head;

fn text(response: leanhttp::Result<Response>) -> String {
    response.unwrap().text().unwrap()
}

fn answered(bytes: impl AsRef<[u8]>) -> [Step; 2] {
    [Step::ExpectRequest, send(bytes)]
}

fn trusting(pki: &Pki) -> ClientBuilder {
    Client::builder().tls_certs_only([Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()])
}

/// A connection may end at any time.
mod dying {
    use super::*;

    /// A peer that the test plays itself, so that it knows the order of events.
    struct Peer {
        listener: TcpListener,
    }

    impl Peer {
        fn start() -> Peer {
            Peer { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
        }

        fn url(&self) -> String {
            format!("http://{}/", self.listener.local_addr().unwrap())
        }

        /// Responds to one request on a new connection while `ask` runs.
        fn answer<T: Send>(&self, body: &str, ask: impl FnOnce() -> T + Send) -> (TcpStream, T) {
            thread::scope(|scope| {
                let asking = scope.spawn(ask);
                let (mut stream, _) = self.listener.accept().unwrap();
                read_head(&mut stream).unwrap();
                stream.write_all(&ok(body)).unwrap();
                (stream, asking.join().unwrap())
            })
        }
    }

    /// If the peer of an idle connection closes it, resets it or sends data, the next request uses
    /// another one, even a request that must not be sent twice.
    #[test]
    fn an_idle_connection_that_ended_is_replaced() {
        let evil = ok("evil");
        type End<'a> = (&'a str, &'a dyn Fn(&mut TcpStream));
        let ends: [End<'_>; 4] = [
            ("FIN", &|stream| stream.shutdown(Shutdown::Write).unwrap()),
            ("RST", &|stream| SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).unwrap()),
            ("an answer to nothing", &|stream| stream.write_all(&evil).unwrap()),
            ("a byte", &|stream| stream.write_all(b"\n").unwrap()),
        ];
        for (what, end) in ends {
            let peer = Peer::start();
            let client = Client::new();
            let (mut first, body) = peer.answer("1", || text(client.get(peer.url()).send()));
            assert_eq!(body, "1");
            end(&mut first);
            let first = (what != "RST").then_some(first);
            let (_second, body) = peer.answer("2", || text(client.post(peer.url()).send()));
            assert_eq!(body, "2", "{what}");
            drop(first);
        }
    }

    /// One successful request, then one that the peer reads without responding.
    fn stale(end: Step) -> Connection {
        let second = [Step::ExpectRequest, end];
        [&answered(ok("first"))[..], &second].concat()
    }

    /// RFC 9110 §9.2.2: an idempotent request is sent again, once, and the caller sees no
    /// difference.
    #[test]
    fn an_idempotent_request_is_sent_again() {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS] {
            for end in [Step::Close, Step::Reset] {
                let server = Script::serve(vec![stale(end), answer(ok("again"))]);
                let client = Client::new();
                assert_eq!(text(client.get(server.url("/")).send()), "first");
                let mut ask = client.request(method.clone(), server.url("/"));
                if method == Method::PUT {
                    ask = ask.body("body");
                }
                assert_eq!(ask.send().unwrap().status(), 200, "{method}");
                server.join();
                let again = String::from_utf8(server.received(1)).unwrap();
                assert!(again.starts_with(method.as_str()), "{again}");
                assert_eq!(again.ends_with("\r\n\r\nbody"), method == Method::PUT, "{again}");
            }
        }
    }

    /// RFC 9110 §9.2.2: the request may have been carried out. And a reader cannot be read twice.
    #[test]
    fn another_request_is_not_sent_again() {
        type Ask = fn(&Client, &str) -> leanhttp::Result<Response>;
        let asks: [(&str, Ask); 4] = [
            ("POST", |client, url| client.post(url).body("body").send()),
            ("POST without body", |client, url| client.post(url).send()),
            ("PATCH", |client, url| client.patch(url).body("body").send()),
            ("PUT of a reader", |client, url| client.put(url).body(Body::new(&b"body"[..])).send()),
        ];
        for (what, ask) in asks {
            for end in [Step::Close, Step::Reset] {
                let server = Script::serve(vec![stale(end)]);
                let client = Client::new();
                assert_eq!(text(client.get(server.url("/")).send()), "first");
                let error = ask(&client, &server.url("/")).unwrap_err();
                assert_eq!((error.kind(), error.phase()), (Kind::Io, Phase::Head), "{what}");
                assert!(error.is_request(), "{what}");
                server.join();
                assert_eq!(server.accepted(), 1, "{what}");
            }
        }
    }

    /// A fresh connection is not stale: its end is the server's decision, and the client does not
    /// retry.
    #[test]
    fn a_request_on_a_new_connection_is_not_sent_again() {
        for end in [Step::Close, Step::Reset] {
            let server = Script::serve(vec![vec![Step::ExpectRequest, end]]);
            let error = Client::new().get(server.url("/")).send().unwrap_err();
            assert_eq!((error.kind(), error.phase()), (Kind::Io, Phase::Head));
        }
    }

    /// RFC 9112 §9.3.1: an automatic retry is not retried.
    #[test]
    fn a_retry_is_not_retried() {
        let second = vec![Step::ExpectRequest, Step::Close];
        let server = Script::serve(vec![stale(Step::Close), second]);
        let client = Client::new();
        assert_eq!(text(client.get(server.url("/")).send()), "first");
        let error = client.get(server.url("/")).send().unwrap_err();
        assert_eq!(error.kind(), Kind::Io);
        server.join();
        assert_eq!(server.accepted(), 2);
    }

    /// A partial response shows that the request was carried out.
    #[test]
    fn a_partial_response_is_not_retried() {
        let first = [&answered(ok("first"))[..], &answered("HTTP/1.1 2"), &[Step::Close]].concat();
        let server = Script::serve(vec![first]);
        let client = Client::new();
        assert_eq!(text(client.get(server.url("/")).send()), "first");
        let error = client.get(server.url("/")).send().unwrap_err();
        assert_eq!((error.kind(), error.phase()), (Kind::Truncated, Phase::Head));
    }

    /// The second attempt uses a fresh connection even if another one is idle: that may be stale
    /// too.
    #[test]
    fn a_retry_uses_a_fresh_connection() {
        let server = Script::serve(vec![
            answered(ok("first")).to_vec(),
            stale(Step::Close),
            answer(ok("again")),
        ]);
        let client = Client::new();
        let get = || client.get(server.url("/")).send();
        let (one, two) = (get().unwrap(), get().unwrap());
        drop((one, two));
        assert_eq!(text(get()), "again");
    }

    /// Each hop of a redirect may be sent again once.
    #[test]
    fn each_hop_may_be_retried_once() {
        let moved = "HTTP/1.1 302 Found\r\nlocation: /next\r\ncontent-length: 0\r\n\r\n";
        let second = [&answered(moved)[..], &[Step::ExpectRequest, Step::Close]].concat();
        // Not at its first reuse: then the route would no longer be pooled.
        let first = [&answered(ok("zeroth"))[..], &stale(Step::Close)].concat();
        let server = Script::serve(vec![first, second, answer(ok("there"))]);
        let client = Client::new();
        assert_eq!(text(client.get(server.url("/")).send()), "zeroth");
        assert_eq!(text(client.get(server.url("/")).send()), "first");
        assert_eq!(text(client.get(server.url("/")).send()), "there");
    }

    #[test]
    fn a_stale_tls_connection_is_replaced() {
        let pki = Pki::new();
        let idle = [&answered(ok("first"))[..], &[Step::Close]].concat();
        let cut = [&answered(ok("first"))[..], &[Step::ExpectRequest, Step::Cut]].concat();
        for first in [idle, stale(Step::Close), cut, stale(Step::Reset)] {
            let config = pki.server_config(Leaf::Good);
            let server = Script::serve_tls(vec![first, answer(ok("again"))], config);
            let client = trusting(&pki).build().unwrap();
            assert_eq!(text(client.get(server.url("/")).send()), "first");
            assert_eq!(text(client.get(server.url("/")).send()), "again");
        }
    }
}

/// A server may respond before it has read the request.
mod early {
    use super::*;

    const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 8\r\n\r\ntoo much";
    const UPLOAD: usize = 16 << 20;

    fn bodies() -> [Body; 3] {
        let reader = || io::repeat(b'x').take(UPLOAD as u64);
        [vec![b'x'; UPLOAD].into(), Body::new(reader()), Body::sized(reader(), UPLOAD as u64)]
    }

    /// A refusal is delivered, and the rest of the upload is not sent.
    #[test]
    fn refusals_are_delivered() {
        for end in [Step::Silent, Step::Close, Step::Reset, Step::StopReading] {
            for body in bodies() {
                let first = vec![Step::ExpectHead, send(TOO_LARGE), end.clone()];
                let server = Script::serve(vec![first, answer(ok("next"))]);
                let timeout = Duration::from_millis(300);
                let client = Client::builder().write_timeout(timeout).build().unwrap();
                let response = client.post(server.url("/")).body(body).send().unwrap();
                assert_eq!(response.status(), 413, "{end:?}");
                assert_eq!(response.text().unwrap(), "too much", "{end:?}");
                assert_eq!(text(client.get(server.url("/")).send()), "next");
                server.join();
                assert!(server.received(0).len() < UPLOAD, "{end:?}");
            }
        }
    }

    /// RFC 9112 §8: if the end of the connection delimits the body, a broken connection does not
    /// complete it, even if a write noticed the break.
    #[test]
    fn truncated_responses_are_errors() {
        let bare = |status: &str| send(format!("HTTP/1.1 {status}\r\n\r\nsome of it"));
        let rows = [
            vec![bare("413 No"), Step::Reset],
            vec![pause(100), bare("413 No"), Step::Reset],
            vec![bare("200 OK"), pause(100), Step::Reset],
        ];
        for rest in rows {
            for body in bodies() {
                let server = Script::serve(vec![[vec![Step::ExpectHead], rest.clone()].concat()]);
                let outcome = Client::new().post(server.url("/")).body(body).send();
                let error = outcome.and_then(Response::text).unwrap_err();
                assert!(error.is_body(), "{rest:?} {error}");
            }
        }
        // After an orderly end, it is complete.
        let steps = vec![Step::ExpectHead, bare("413 No"), Step::Close];
        let server = Script::serve(vec![steps]);
        let [bytes, ..] = bodies();
        assert_eq!(text(Client::new().post(server.url("/")).body(bytes).send()), "some of it");
    }

    /// A peer that only closes the connection has not responded.
    #[test]
    fn a_close_without_a_response_is_an_error() {
        for end in [Step::Close, Step::Reset] {
            let server = Script::serve(vec![vec![Step::ExpectHead, end.clone()]]);
            let [bytes, ..] = bodies();
            let error = Client::new().post(server.url("/")).body(bytes).send().unwrap_err();
            assert_eq!(error.kind(), Kind::Io, "{end:?} {error}");
            assert!(error.is_request());
        }
    }

    /// A success may be work in progress: the rest of the request is still sent.
    #[test]
    fn successes_wait_for_the_rest() {
        let body = vec![b'x'; 1 << 20];
        let steps = [Step::ExpectHead, send(ok("early")), Step::Expect(body.clone())];
        let second = answered(ok("next"));
        let server = Script::serve(vec![[&steps[..], &second].concat()]);
        let client = Client::new();
        assert_eq!(text(client.post(server.url("/")).body(body).send()), "early");
        assert_eq!(text(client.get(server.url("/")).send()), "next");
    }

    /// A peer that accepts no more bytes will send no more either.
    #[test]
    fn successes_are_delivered_after_the_write_timeout() {
        let steps = vec![Step::ExpectHead, send(ok("enough")), Step::StopReading];
        let server = Script::serve(vec![steps]);
        let client = Client::builder().write_timeout(Duration::from_millis(300)).build().unwrap();
        let [bytes, ..] = bodies();
        let begun = client.post(server.url("/")).body(bytes).send();
        assert_eq!(text(begun), "enough");
    }

    /// Responses that a peer sends without end during an upload are not read without end: they stay
    /// in the socket buffer until the request is sent.
    #[test]
    fn endless_responses_are_not_buffered() {
        const ENOUGH: usize = 64 << 20;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 64]).unwrap();
            let mut upload = stream.try_clone().unwrap();
            let reading = thread::spawn(move || io::copy(&mut upload, &mut io::sink()));
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").unwrap();
            let piece = [b'x'; 64 * 1024];
            let mut sent = 0;
            while sent < ENOUGH && stream.write_all(&piece).is_ok() {
                sent += piece.len();
            }
            drop(stream);
            let _ = reading.join().unwrap();
            sent
        });
        let [bytes, ..] = bodies();
        let response = Client::new().post(url).body(bytes).send().unwrap();
        assert_eq!(response.status(), 200);
        drop(response);
        let sent = peer.join().unwrap();
        assert!(sent < ENOUGH, "took {sent} bytes while it was writing");
    }
}

/// A server sends something while it accepts no more of a request.
mod stuffed {
    use std::sync::mpsc::{self, Sender};

    use super::*;

    /// More than the socket buffers of both sides hold.
    const UPLOAD: usize = 16 << 20;

    fn bodies() -> [Body; 3] {
        let reader = || io::repeat(b'x').take(UPLOAD as u64);
        [vec![b'x'; UPLOAD].into(), Body::new(reader()), Body::sized(reader(), UPLOAD as u64)]
    }

    /// Only the end of the call ends a write, and then a response no longer counts.
    fn client() -> Client {
        let patience = Duration::from_secs(20);
        Client::builder().write_timeout(None).timeout(patience).build().unwrap()
    }

    /// Reads a head and nothing more, responds once the upload is blocked, and shuts its side down.
    /// The connection stays open for as long as the sender lives.
    fn peer(says: &'static str) -> (String, Sender<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (open, is_over) = mpsc::channel();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            read_head(&mut stream).unwrap();
            thread::sleep(Duration::from_millis(200));
            stream.write_all(says.as_bytes()).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let _ = is_over.recv();
        });
        (url, open)
    }

    /// A closed peer accepts no more bytes, and its system may not announce that.
    #[test]
    fn the_end_is_noticed_during_a_blocked_write() {
        for body in bodies() {
            let (url, _open) = peer("");
            let error = client().post(url).body(body).send().unwrap_err();
            assert_eq!((error.kind(), error.phase()), (Kind::Io, Phase::Send), "{error}");
        }
    }

    #[test]
    fn refusals_are_noticed_during_a_blocked_write() {
        for body in bodies() {
            let (url, _open) =
                peer("HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\n\r\nlarge");
            let response = client().post(url).body(body).send().unwrap();
            assert_eq!(response.status(), 413);
            assert_eq!(response.text().unwrap(), "large");
        }
    }

    /// A server may send an interim response while it reads slowly.
    #[test]
    fn an_interim_response_does_not_stop_the_request() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            thread::sleep(Duration::from_millis(300));
            stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").unwrap();
            thread::sleep(Duration::from_millis(300));
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                line != "\r\n"
            } {}
            let read = io::copy(&mut reader.take(UPLOAD as u64), &mut io::sink()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            read
        });
        let post = client().post(url).body(vec![b'x'; UPLOAD]);
        assert_eq!(post.send().unwrap().status(), 200);
        assert_eq!(server.join().unwrap(), UPLOAD as u64);
    }
}
