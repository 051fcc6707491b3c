//! Requests whose source is pending: the client still reacts to the server.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use real::Certificate;
use real::error::Kind;
use real::tokio::{Body, Client};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::support::pki::{Leaf, Pki};
use super::support::stream::{Stream, read_head};

/// Much more than a response takes, and much less than any limit of the client.
const SOON: Duration = Duration::from_secs(8);

/// Returns one byte, and is pending ever after.
struct OneByte {
    is_given: bool,
}

impl AsyncRead for OneByte {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::replace(&mut self.is_given, true) {
            return Poll::Pending;
        }
        into.put_slice(b"x");
        Poll::Ready(Ok(()))
    }
}

/// The ways to set its length.
fn bodies() -> [Body; 2] {
    let source = || OneByte { is_given: false };
    [Body::new(source()), Body::sized(source(), 1000)]
}

fn serve(
    tls: Option<Arc<ServerConfig>>,
    act: impl FnOnce(&mut Stream) -> io::Result<()> + Send + 'static,
) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = match tls {
        Some(_) => format!("https://localhost:{port}/"),
        None => format!("http://127.0.0.1:{port}/"),
    };
    thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = Stream::new(socket, tls).unwrap();
        act(&mut stream).unwrap();
        stream.linger();
    });
    url
}

#[derive(Clone, Copy, Debug)]
enum End {
    Open,
    Fin,
    CloseNotify,
    Reset,
}

/// Reads the byte, waits 100 ms so that the client is sure to wait by then, and responds.
fn late(response: &'static str, end: End) -> impl FnOnce(&mut Stream) -> io::Result<()> {
    move |stream| {
        read_head(stream)?;
        stream.read_exact(&mut [0])?;
        thread::sleep(Duration::from_millis(100));
        stream.write_all(response.as_bytes())?;
        stream.flush()?;
        match end {
            End::Open => thread::sleep(2 * SOON),
            End::Fin => stream.cut(),
            End::CloseNotify => stream.end(),
            End::Reset => {
                let socket = socket2::SockRef::from(stream.tcp());
                socket.set_linger(Some(Duration::ZERO))?;
                // With unread data, and without waiting for more.
                stream.tcp().shutdown(std::net::Shutdown::Both)?;
            }
        }
        Ok(())
    }
}

const NO_BODY: &str = "content-length: 0\r\n\r\n";

/// The action of the server, and the status that the client sees, if any.
fn rows() -> Vec<(String, End, Option<u16>)> {
    let head = |status: u16| format!("HTTP/1.1 {status} Status\r\n{NO_BODY}");
    vec![
        (head(401), End::Open, Some(401)),
        (head(401), End::Fin, Some(401)),
        (head(413), End::Reset, Some(413)),
        (head(200), End::Open, Some(200)),
        (head(204).replace(NO_BODY, "\r\n"), End::Open, Some(204)),
        (String::new(), End::Fin, None),
        (String::new(), End::CloseNotify, None),
        (String::new(), End::Reset, None),
        ("HTTP/1.1 103 Early Hints\r\n\r\n".to_owned() + &head(403), End::Open, Some(403)),
    ]
}

async fn check(client: &Client, tls: Option<Arc<ServerConfig>>) {
    for (response, end, status) in rows() {
        for body in bodies() {
            let row = format!("{response:?} {end:?} {body:?}");
            let url = serve(tls.clone(), late(response.clone().leak(), end));
            let sent = timeout(SOON, client.post(url).body(body).send()).await;
            assert!(sent.is_ok(), "nothing is heard: {row}");
            match (sent.unwrap(), status) {
                (Ok(response), status) => {
                    assert_eq!(Some(response.status().as_u16()), status, "{row}")
                }
                (Err(error), None) => {
                    assert!(matches!(error.kind(), Kind::Io | Kind::Tls), "{row}: {error}");
                }
                (Err(error), Some(status)) => assert_eq!(error.to_string(), "", "{row}: {status}"),
            }
        }
    }
}

#[tokio::test]
async fn s14_the_server_is_noticed_while_the_source_is_pending() {
    check(&Client::builder().no_proxy().build().unwrap(), None).await;
}

#[tokio::test]
async fn s14_the_server_is_noticed_over_tls_while_the_source_is_pending() {
    let pki = Pki::new();
    let certificate = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap();
    check(&client, Some(pki.server_config(Leaf::Good))).await;
}

/// The end of a response does not wait for a request without an announced length; one with a length
/// is sent to its end, within the limits of the call.
#[tokio::test]
async fn a_success_completes_while_the_source_is_pending() {
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    for (body, limit) in bodies().into_iter().zip([None, Some(Duration::from_secs(2))]) {
        let url = serve(None, late(response, End::Open));
        let client = Client::builder().no_proxy().timeout(limit).build().unwrap();
        let text = async { client.post(url).body(body).send().await?.text().await };
        assert_eq!(timeout(SOON, text).await.unwrap().unwrap(), "ok");
        assert_eq!(client.pool_stats().open, 0, "the request was not sent to its end");
    }
}

/// Each chunk of the request is made of the echo of the last: both bodies are open all the time.
async fn converse(client: &Client, url: String, sized: bool) {
    const TURNS: usize = 200;
    let (mut mouth, ear) = tokio::io::duplex(64);
    let length = (0..TURNS).map(|turn| format!("turn {turn}\n").len() as u64).sum();
    let body = if sized { Body::sized(ear, length) } else { Body::new(ear) };
    let mut response = client.post(url).body(body).send().await.unwrap();
    for turn in 0..TURNS {
        let said = format!("turn {turn}\n");
        mouth.write_all(said.as_bytes()).await.unwrap();
        let mut heard = vec![0; said.len()];
        response.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, said.as_bytes());
    }
    drop(mouth);
    assert_eq!(response.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn s15_both_bodies_stay_open() {
    let pki = Pki::new();
    let certificate = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap();
    for tls in [None, Some(pki.server_config(Leaf::Good))] {
        for sized in [false, true] {
            let url = serve(tls.clone(), mirror);
            timeout(SOON, converse(&client, url, sized)).await.unwrap();
        }
    }
}

/// Responds with the head immediately, and then echoes byte by byte.
fn mirror(stream: &mut Stream) -> io::Result<()> {
    let head = read_head(stream)?.to_ascii_lowercase();
    let framing = head.lines().find(|line| {
        line.starts_with("content-length: ") || line.starts_with("transfer-encoding: ")
    });
    write!(stream, "HTTP/1.1 200 OK\r\n{}\r\n\r\n", framing.unwrap())?;
    stream.flush()?;
    let mut memory = [0; 1024];
    loop {
        match stream.read(&mut memory) {
            Ok(0) | Err(_) => return Ok(()),
            Ok(count) => stream.write_all(&memory[..count])?,
        }
        stream.flush()?;
    }
}

/// Bytes before the pending source are neither lost nor sent twice when a response arrives
/// meanwhile.
#[tokio::test]
async fn an_interrupted_chunk_continues_where_it_was() {
    let url = serve(None, |stream| {
        let head = read_head(stream)?;
        assert!(head.contains("content-length: 2000"), "{head}");
        for _ in 0..3 {
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n")?;
            thread::sleep(Duration::from_millis(50));
        }
        let mut body = vec![0; 2000];
        stream.read_exact(&mut body)?;
        let expected: Vec<u8> = (0..2000).map(|at| (at / 100) as u8).collect();
        let status = if body == expected { 200 } else { 500 };
        write!(stream, "HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n")
    });
    let (mut mouth, ear) = tokio::io::duplex(64);
    let speaking = tokio::spawn(async move {
        for piece in 0..20 {
            mouth.write_all(&[piece; 100]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    });
    let client = Client::builder().no_proxy().build().unwrap();
    let response = client.post(url).body(Body::sized(ear, 2000)).send().await.unwrap();
    speaking.await.unwrap();
    assert_eq!(response.status(), 200);
}

/// Readers that make a new future for each poll must not lose the limit.
#[tokio::test]
async fn the_total_timeout_holds_while_source_and_response_are_pending() {
    for body in bodies() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        let url = serve(None, late(head, End::Open));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(1));
        let mut response = client.build().unwrap().post(url).body(body).send().await.unwrap();
        let read = timeout(SOON, response.read(&mut [0; 10])).await.expect("there is a limit");
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}

/// More than the socket buffers of both sides hold.
const LARGE: u64 = 32 << 20;

fn large() -> Body {
    Body::sized(tokio::io::repeat(b'x').take(LARGE), LARGE)
}

/// Responds after the first bytes of the body, and returns the number of bytes it received.
fn answer_first() -> (String, mpsc::Receiver<u64>) {
    let (told, came) = mpsc::channel();
    let url = serve(None, move |stream| {
        read_head(stream)?;
        stream.read_exact(&mut [0; 1000])?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?;
        stream.flush()?;
        let count = io::copy(&mut stream.take(LARGE - 1000), &mut io::sink()).unwrap_or(0);
        let _ = told.send(1000 + count);
        Ok(())
    });
    (url, came)
}

/// Forwarding a response sends the rest of its request too.
#[tokio::test]
async fn forwarding_a_response_sends_the_rest_of_its_request() {
    let client = Client::builder().no_proxy().build().unwrap();
    let (url, came) = answer_first();
    let upstream = serve(None, |stream| {
        let is_chunked = read_head(stream)?.to_ascii_lowercase().contains("chunked");
        let mut body = Vec::new();
        let end: &[u8] = if is_chunked { b"0\r\n\r\n" } else { b"ok" };
        while !body.ends_with(end) {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            body.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    });
    let original = client.post(url).body(large()).send().await.unwrap();
    timeout(SOON, client.put(upstream).body(original).send()).await.unwrap().unwrap();
    assert_eq!(tokio::task::spawn_blocking(move || came.recv().unwrap()).await.unwrap(), LARGE);
}

/// Servers that forward a body stop at its announced end.
#[cfg(feature = "tower")]
#[tokio::test]
async fn a_forwarded_body_ends_with_its_request() {
    use http_body::Body as _;
    let client = Client::builder().no_proxy().build().unwrap();
    let (url, came) = answer_first();
    let response = client.post(url).body(large()).send().await.unwrap();
    let mut body = http::Response::<real::tokio::ResponseBody>::from(response).into_body();
    assert_eq!(body.size_hint().exact(), None, "a reader of exactly that many bytes would cut it");
    let mut bytes = Vec::new();
    while !body.is_end_stream() {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let Some(frame) = frame else { break };
        bytes.extend(frame.unwrap().into_data().unwrap());
    }
    assert!(body.is_end_stream());
    drop(body);
    assert_eq!(bytes, b"ok");
    assert_eq!(tokio::task::spawn_blocking(move || came.recv().unwrap()).await.unwrap(), LARGE);
}

const SWITCH: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";

/// The new protocol begins after the request; a server that does not wait for that must neither
/// keep the client busy nor fill its memory.
#[tokio::test]
async fn an_early_101_is_bounded() {
    for floods in [false, true] {
        for body in bodies() {
            let (told, took) = mpsc::channel();
            let url = serve(None, move |stream| {
                read_head(stream)?;
                stream.read_exact(&mut [0])?;
                stream.write_all(SWITCH)?;
                let mut sent = 0_u64;
                stream.tcp().set_write_timeout(Some(Duration::from_secs(1)))?;
                while floods && sent < 64 << 20 && stream.write_all(&[0; 65536]).is_ok() {
                    sent += 65536;
                }
                if !floods {
                    stream.cut();
                }
                let _ = told.send(sent);
                Ok(())
            });
            let client = Client::builder().no_proxy().build().unwrap();
            let request = client.post(url).header("upgrade", "x").header("connection", "upgrade");
            let sent = timeout(SOON, request.body(body).send()).await.expect("it is over");
            let response = sent.unwrap();
            assert_eq!(response.status(), 101);
            assert_eq!(response.upgrade().await.unwrap_err().kind(), Kind::Upgrade);
            let sent = tokio::task::spawn_blocking(move || took.recv().unwrap()).await.unwrap();
            assert!(sent < 64 << 20, "{sent} bytes were taken");
        }
    }
}

/// A complete response stays complete whatever happens to the rest of the request.
#[tokio::test]
async fn a_failure_after_a_complete_response_is_not_its_error() {
    let pki = Pki::new();
    let certificate = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap();
    for body in bodies() {
        let url = serve(Some(pki.server_config(Leaf::Good)), |stream| {
            read_head(stream)?;
            stream.read_exact(&mut [0])?;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?;
            stream.flush()?;
            thread::sleep(Duration::from_millis(100));
            stream.tcp().write_all(b"\x17\x03\x03\x00\x20 this is no record of TLS at all..")?;
            thread::sleep(2 * SOON);
            Ok(())
        });
        let text = async { client.post(url).body(body).send().await?.text().await };
        assert_eq!(timeout(SOON, text).await.unwrap().unwrap(), "ok");
        assert_eq!(client.pool_stats().open, 0);
    }
}

/// A server that accepts no more in time may still send, up to an orderly end.
#[tokio::test]
async fn the_write_timeout_ends_the_request_and_not_the_response() {
    let pki = Pki::new();
    let certificate = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    for tls in [None, Some(pki.server_config(Leaf::Good))] {
        let url = serve(tls, |stream| {
            read_head(stream)?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            stream.flush()?;
            thread::sleep(Duration::from_millis(3000));
            stream.write_all(b"ok")?;
            stream.flush()?;
            stream.end();
            thread::sleep(SOON);
            Ok(())
        });
        let client = Client::builder().no_proxy().tls_certs_only([certificate.clone()]);
        let client = client.write_timeout(Duration::from_millis(300)).build().unwrap();
        let text = async { client.post(url).body(large()).send().await?.text().await };
        assert_eq!(timeout(SOON, text).await.unwrap().unwrap(), "ok");
    }
}

/// A wait for a source and a server ends when the response is no longer wanted.
#[tokio::test]
async fn a_cancelled_exchange_ends_immediately() {
    for body in bodies() {
        let url = serve(None, late("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", End::Open));
        let token = real::CancelToken::new();
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.post(url).cancel_token(&token).body(body);
        let mut response = request.send().await.unwrap();
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            token.cancel();
        };
        let (read, ()) = tokio::join!(timeout(SOON, response.chunk()), cancel);
        assert_eq!(read.unwrap().unwrap_err().kind(), Kind::Cancelled);
    }
}

/// Bytes, a pending source, and bytes again, while the server sends all the time.
#[tokio::test]
async fn parts_around_a_pending_source_keep_their_order() {
    use real::tokio::multipart::{Form, Part};
    for sized in [false, true] {
        let url = serve(None, move |stream| {
            let head = read_head(stream)?.to_ascii_lowercase();
            assert_eq!(head.contains("content-length: "), sized, "{head}");
            let mut body = Vec::new();
            let mut count = 0_usize;
            let end: &[u8] = if sized { b"--\r\n" } else { b"\r\n0\r\n\r\n" };
            while !body.ends_with(end) {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                body.push(byte[0]);
                count += 1;
                if count % 250 == 0 {
                    stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n")?;
                }
            }
            if !sized {
                body = without_chunk_lines(&body);
            }
            let letters: String = ('A'..='T').flat_map(|letter| [letter; 100]).collect();
            let body = String::from_utf8(body).unwrap();
            let places: Vec<_> = ["\r\n\r\nX\r\n", &letters, "\r\n\r\nY\r\n"]
                .iter()
                .filter_map(|part| body.find(part))
                .collect();
            let is_whole = places.len() == 3 && places.is_sorted();
            let status = if is_whole { 200 } else { 500 };
            write!(stream, "HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n")
        });
        let (mut mouth, ear) = tokio::io::duplex(64);
        let speaking = tokio::spawn(async move {
            for piece in b'A'..=b'T' {
                mouth.write_all(&[piece; 100]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let part = if sized { Part::reader_with_length(ear, 2000) } else { Part::reader(ear) };
        let form = Form::new().text("a", "X").part("b", part).text("c", "Y");
        let client = Client::builder().no_proxy().build().unwrap();
        let response = timeout(SOON, client.post(url).multipart(form).send()).await.unwrap();
        speaking.await.unwrap();
        assert_eq!(response.unwrap().status(), 200, "sized: {sized}");
    }
}

/// The data of a chunked body.
fn without_chunk_lines(mut body: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    loop {
        let line = body.windows(2).position(|end| end == b"\r\n").unwrap();
        let size = std::str::from_utf8(&body[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return data;
        }
        data.extend(&body[line + 2..line + 2 + size]);
        body = &body[line + 2 + size + 2..];
    }
}
