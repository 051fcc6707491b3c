//! Requests whose source has nothing to give for now: the server is heard all the same.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
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

/// Far more than an answer takes, and far less than any limit of the client's.
const SOON: Duration = Duration::from_secs(8);

/// Gives one byte, and nothing ever after.
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

/// The ways to say how long it is.
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

/// Reads the byte, takes 100 ms so that the client is sure to wait by then, and speaks.
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
                // With data unread, and none waited for.
                stream.tcp().shutdown(std::net::Shutdown::Both)?;
            }
        }
        Ok(())
    }
}

const NO_BODY: &str = "content-length: 0\r\n\r\n";

/// What the server does, and the status that the client sees, if any.
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
async fn s14_what_a_server_says_or_does_is_seen_while_the_source_pends() {
    check(&Client::builder().no_proxy().build().unwrap(), None).await;
}

#[tokio::test]
async fn s14_over_tls_as_well() {
    let pki = Pki::new();
    let certificate = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap();
    check(&client, Some(pki.server_config(Leaf::Good))).await;
}

/// What is there beats the total limit that ends the wait for the source.
#[tokio::test]
async fn a_success_is_told_although_the_source_pends_and_its_end_is_no_end_of_the_caller() {
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    for body in bodies() {
        let url = serve(None, late(response, End::Open));
        let client = Client::builder().no_proxy().build().unwrap();
        let text = async { client.post(url).body(body).send().await?.text().await };
        assert_eq!(timeout(SOON, text).await.unwrap().unwrap(), "ok");
        assert_eq!(client.pool_stats().open, 0, "the request was not sent to its end");
    }
}

/// Each piece of the request is made of the echo of the last: both bodies are open all the time.
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
async fn s15_a_conversation() {
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

/// Answers with the head at once, and then with what comes, byte by byte.
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

/// Bytes before the source that pends are not lost, nor sent twice, when something is heard meanwhile.
#[tokio::test]
async fn a_piece_that_is_broken_off_goes_on_where_it_was() {
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
async fn the_total_limit_holds_while_a_source_pends_and_the_response_is_read() {
    for body in bodies() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        let url = serve(None, late(head, End::Open));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(1));
        let mut response = client.build().unwrap().post(url).body(body).send().await.unwrap();
        let read = timeout(SOON, response.read(&mut [0; 10])).await.expect("there is a limit");
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
