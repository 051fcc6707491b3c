//! A server that can check every body that it sends and receives.
//!
//! | request | response |
//! | --- | --- |
//! | `GET /content/START/LENGTH/FRAMING` | that content, framed so |
//! | `PUT`, `POST /content/START/LENGTH/ID` | 200 if that was the body, else 422 |
//! | `POST /form/START/LENGTH/ID` | 200 if that was the only part of a multipart body, else 422 |
//! | `GET /redirect/HOPS/START/LENGTH/FRAMING` | the content after that many redirects |
//! | `GET /cookie/NAME/VALUE` | sets that cookie |
//! | `GET /cookies` | the `Cookie` field |

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::ServerConfig;

use super::content::Content;
use crate::support::stream::Stream;

pub struct Server {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    tls: Option<Arc<ServerConfig>>,
    stopping: AtomicBool,
    open: AtomicUsize,
    accepted: AtomicUsize,
    requests: AtomicUsize,
    faults: Mutex<Vec<String>>,
    posts: Mutex<Posts>,
}

/// The latest POSTs of each worker, which must not arrive twice.
#[derive(Default)]
struct Posts(HashMap<String, VecDeque<String>>);

impl Posts {
    /// Records `WORKER-NUMBER`; returns whether it arrived before.
    fn is_known(&mut self, id: &str) -> bool {
        let (worker, number) = id.split_once('-').unwrap_or((id, ""));
        let latest = self.0.entry(worker.to_owned()).or_default();
        if latest.iter().any(|known| known == number) {
            return true;
        }
        latest.push_back(number.to_owned());
        if latest.len() > 64 {
            latest.pop_front();
        }
        false
    }
}

impl Server {
    pub fn start(tls: Option<Arc<ServerConfig>>) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { tls, ..Shared::default() });
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &for_acceptor));
        Server { addr, shared, acceptor: Some(acceptor) }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// The protocol errors of the client.
    pub fn faults(&self) -> Vec<String> {
        self.shared.faults.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which is blocked in `accept`.
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        shared.open.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            if let Ok(stream) = Stream::new(socket, shared.tls.clone()) {
                // A connection may break at any time here.
                let _ = serve(BufReader::new(stream), &shared);
            }
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn serve(mut reader: BufReader<Stream>, shared: &Shared) -> io::Result<()> {
    while let Some(head) = read_head(&mut reader)? {
        shared.requests.fetch_add(1, Ordering::SeqCst);
        let target = head.target.clone();
        let path: Vec<&str> = target.split('/').skip(1).collect();
        let number = |at: usize| path.get(at).and_then(|text| text.parse().ok()).unwrap_or(0);
        let content = |at| Content { start: number(at), length: number(at + 1) };
        match (head.method.as_str(), path.as_slice()) {
            ("GET" | "HEAD", ["content", _, _, framing]) => {
                if send(reader.get_mut(), &head.method, content(1), framing)? == After::Close {
                    reader.get_mut().end();
                    reader.get_mut().linger();
                    return Ok(());
                }
            }
            ("PUT" | "POST", [kind @ ("content" | "form"), _, _, id]) => {
                let verdict = check(&mut reader, &head, content(1), *kind == "form")?;
                shared.note(&head, id, &verdict);
                let answer = if verdict.is_ok() { "200 OK" } else { "422 Wrong" };
                reply(reader.get_mut(), answer, "", "")?;
            }
            ("GET", ["redirect", _, start, length, framing]) => {
                let location = match number(1) {
                    0 | 1 => format!("location: /content/{start}/{length}/{framing}\r\n"),
                    hops => {
                        format!("location: /redirect/{}/{start}/{length}/{framing}\r\n", hops - 1)
                    }
                };
                reply(reader.get_mut(), "302 Found", &location, "elsewhere")?;
            }
            ("GET", ["cookie", name, value]) => {
                let field = format!("set-cookie: {name}={value}; path=/\r\n");
                reply(reader.get_mut(), "200 OK", &field, "set")?;
            }
            ("GET", ["cookies"]) => {
                let cookies = head.value("cookie").unwrap_or_default().to_owned();
                reply(reader.get_mut(), "200 OK", "", &cookies)?;
            }
            _ => {
                shared.fault(format!("{} {target}", head.method));
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Shared {
    fn fault(&self, fault: String) {
        self.faults.lock().unwrap().push(fault);
    }

    fn note(&self, head: &Head, id: &str, verdict: &Result<(), String>) {
        if let Err(wrong) = verdict {
            self.fault(format!("{} {}: {wrong}", head.method, head.target));
        }
        if head.method == "POST" && self.posts.lock().unwrap().is_known(id) {
            self.fault(format!("{} arrived twice", head.target));
        }
    }
}

struct Head {
    method: String,
    target: String,
    fields: Vec<(String, String)>,
}

impl Head {
    fn value(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Returns the next request, or `None` at the end.
fn read_head(reader: &mut BufReader<Stream>) -> io::Result<Option<Head>> {
    let Some(line) = read_line(reader)? else { return Ok(None) };
    let (method, rest) = line.split_once(' ').unwrap_or_default();
    let target = rest.split(' ').next().unwrap_or_default().to_owned();
    let mut head = Head { method: method.to_owned(), target, fields: Vec::new() };
    loop {
        let line = read_line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let Some((name, value)) = line.split_once(": ") else { return Ok(Some(head)) };
        head.fields.push((name.to_owned(), value.to_owned()));
    }
}

/// `None` at the end of the connection, orderly or in the middle of a line.
fn read_line(reader: &mut BufReader<Stream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.strip_suffix("\r\n").map(str::to_owned))
}

fn reply(stream: &mut Stream, status: &str, fields: &str, body: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes())?;
    stream.flush()
}

#[derive(PartialEq, Eq)]
enum After {
    Keep,
    Close,
}

fn send(stream: &mut Stream, method: &str, content: Content, framing: &str) -> io::Result<After> {
    let (fields, after) = match framing {
        "chunked" => ("transfer-encoding: chunked", After::Keep),
        "gzip" => ("transfer-encoding: chunked\r\ncontent-encoding: gzip", After::Keep),
        "close" => ("connection: close", After::Close),
        _ => ("", After::Keep),
    };
    let head = match fields {
        "" => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", content.length),
        fields => format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"),
    };
    stream.write_all(head.as_bytes())?;
    if method == "GET" {
        let mut body = content.reader();
        match framing {
            "chunked" => io::copy(&mut body, &mut Chunks(stream)).and_then(|_| finish(stream))?,
            "gzip" => {
                let mut encoder = GzEncoder::new(Chunks(stream), Compression::fast());
                io::copy(&mut body, &mut encoder)?;
                encoder.finish().and_then(|chunks| finish(chunks.0))?;
            }
            _ => io::copy(&mut body, stream).map(drop)?,
        }
    }
    stream.flush()?;
    Ok(after)
}

struct Chunks<'a>(&'a mut Stream);

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            let line = format!("{:x}\r\n", bytes.len());
            self.0.write_all(&[line.as_bytes(), bytes, b"\r\n"].concat())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn finish(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(b"0\r\n\r\n")
}

/// Checks that the body of the request is that content, or a multipart body that holds it.
fn check(
    reader: &mut BufReader<Stream>,
    head: &Head,
    content: Content,
    is_form: bool,
) -> io::Result<Result<(), String>> {
    if head.value("expect") == Some("100-continue") {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        reader.get_mut().flush()?;
    }
    let mut body = Body::of(reader, head);
    if is_form {
        let mut whole = Vec::new();
        body.read_to_end(&mut whole)?;
        let expected = content.bytes();
        let part = whole.windows(4).position(|end| end == b"\r\n\r\n").map(|at| &whole[at + 4..]);
        let rest = part.and_then(|part| part.strip_prefix(&expected[..]));
        let is_right = rest.is_some_and(|rest| rest.starts_with(b"\r\n--") && rest.len() < 100);
        return Ok(if is_right { Ok(()) } else { Err("wrong form".to_owned()) });
    }
    let mut checker = content.checker();
    let mut space = vec![0; 16 * 1024];
    let mut wrong = Ok(());
    loop {
        let count = body.read(&mut space)?;
        if count == 0 {
            break;
        }
        if wrong.is_ok() {
            wrong = checker.write_all(&space[..count]);
        }
    }
    Ok(wrong.and_then(|()| checker.finish()).map_err(|error| error.to_string()))
}

/// The body of a request.
struct Body<'a> {
    reader: &'a mut BufReader<Stream>,
    /// The bytes left of the body, or of its current chunk.
    left: u64,
    is_chunked: bool,
    is_over: bool,
}

impl<'a> Body<'a> {
    fn of(reader: &'a mut BufReader<Stream>, head: &Head) -> Body<'a> {
        let is_chunked = head.value("transfer-encoding") == Some("chunked");
        let length = head.value("content-length").and_then(|length| length.parse().ok());
        Body { reader, left: length.unwrap_or(0), is_chunked, is_over: false }
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let mut line = read_line(self.reader)?;
        if line.as_deref() == Some("") {
            line = read_line(self.reader)?; // that was the end of the previous chunk
        }
        let size = line.and_then(|size| u64::from_str_radix(&size, 16).ok());
        self.left = size.ok_or(io::ErrorKind::UnexpectedEof)?;
        if self.left == 0 {
            self.is_over = true;
            read_line(self.reader)?;
        }
        Ok(())
    }
}

impl Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_chunked && self.left == 0 && !self.is_over {
            self.next_chunk()?;
        }
        if self.left == 0 {
            return Ok(0);
        }
        let room = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.reader.read(&mut into[..room])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into()); // never a whole request
        }
        self.left -= count as u64;
        Ok(count)
    }
}
