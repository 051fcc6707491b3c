//! A small HTTP/1.1 server on std threads that shares no code with the client: it reads requests with
//! `Content-Length` or in chunks, and answers as a function says.
#![allow(dead_code, missing_docs, unreachable_pub)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    /// The value of a field, or nothing.
    pub fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[derive(Debug)]
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server that answers each request with these bytes.
    pub fn answering<A: AsRef<[u8]>>(answer: impl Fn(&Seen) -> A + Send + Sync + 'static) -> Self {
        Self::playing(move |request, stream| stream.write_all(answer(request).as_ref()).is_ok())
    }

    /// Starts a server that lets `play` answer each request; `false` closes the connection.
    pub fn playing(play: impl Fn(&Seen, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (play, all) = (Arc::new(play), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (play, seen) = (Arc::clone(&play), Arc::clone(&all));
                thread::spawn(move || serve(stream.unwrap(), &*play, &seen));
            }
        });
        Self { url, seen }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The last request.
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("no request came")
    }
}

/// An answer with a body.
pub fn ok(body: &str) -> Vec<u8> {
    with("200 OK", "", body)
}

/// An answer with a status and fields.
pub fn with(status: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\n\r\n{body}", body.len()).into()
}

fn serve(
    stream: TcpStream,
    play: &(impl Fn(&Seen, &mut TcpStream) -> bool + ?Sized),
    seen: &Mutex<Vec<Seen>>,
) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        seen.lock().unwrap().push(request.clone());
        if !play(&request, &mut writer) {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Seen> {
    let line = read_line(reader)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut seen = Seen { method, target, ..Seen::default() };
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ")?;
        seen.fields.push((name.to_owned(), value.to_owned()));
    }
    if seen.field("transfer-encoding") == "chunked" {
        loop {
            let size = usize::from_str_radix(&read_line(reader)?, 16).ok()?;
            let mut chunk = vec![0; size];
            reader.read_exact(&mut chunk).ok()?;
            read_line(reader)?;
            seen.body.extend(chunk);
            if size == 0 {
                break;
            }
        }
    } else {
        seen.body.resize(seen.field("content-length").parse().unwrap_or(0), 0);
        reader.read_exact(&mut seen.body).ok()?;
    }
    Some(seen)
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    line.strip_suffix("\r\n").map(str::to_owned)
}
