//! One response, and how it is written.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::message::Request;

/// The largest body that is sent in one write with its head.
const SMALL_BODY: usize = 16 * 1024;

pub struct Reply {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Body,
    closes: bool,
}

pub enum Body {
    Sized(Vec<u8>),
    /// Sent with the chunked coding, each piece a chunk.
    Chunks(Vec<Vec<u8>>),
    /// Sent with a Content-Length, a byte at a time with a pause before each but the first.
    Drip(Vec<u8>, Duration),
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        let fields = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Reply { status, fields, body: Body::Sized(body.into()), closes: false }
    }

    pub fn empty(status: u16) -> Reply {
        Reply { fields: Vec::new(), ..Reply::new(status, "", "") }
    }

    pub fn text(status: u16, text: &str) -> Reply {
        Reply::new(status, "text/plain; charset=utf-8", text)
    }

    pub fn json(value: &Value) -> Reply {
        Reply::new(200, "application/json", format!("{value:#}\n"))
    }

    /// With a body, as most servers send it, so that clients have something to drain.
    pub fn redirect(location: &str) -> Reply {
        Reply::new(302, "text/html; charset=utf-8", "<h1>Redirecting...</h1>\n")
            .with("Location", location)
    }

    pub fn with(mut self, name: &str, value: &str) -> Reply {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn with_body(self, body: Body) -> Reply {
        Reply { body, ..self }
    }

    /// Announces that the connection is closed.
    pub fn closing(self) -> Reply {
        Reply { closes: true, ..self }
    }

    /// Writes the response to `request`; head and a small body in one write.
    pub fn send(&self, request: &Request, out: &mut impl Write) -> io::Result<()> {
        let mut start = self.head(request).into_bytes();
        let is_bodiless = request.method == "HEAD" || matches!(self.status, 204 | 304);
        if is_bodiless {
            return out.write_all(&start).and_then(|()| out.flush());
        }
        match &self.body {
            Body::Sized(body) if body.len() <= SMALL_BODY => {
                start.extend(body);
                out.write_all(&start)?;
            }
            Body::Sized(body) => {
                out.write_all(&start)?;
                out.write_all(body)?;
            }
            Body::Chunks(chunks) if request.is_http10 => {
                start.extend(chunks.concat());
                out.write_all(&start)?;
            }
            Body::Chunks(chunks) => {
                out.write_all(&start)?;
                write_chunks(chunks, out)?;
            }
            Body::Drip(bytes, pause) => {
                out.write_all(&start)?;
                write_slowly(bytes, *pause, out)?;
            }
        }
        out.flush()
    }

    fn head(&self, request: &Request) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let mut push = |name: &str, value: &str| {
            head.push_str(&format!("{name}: {value}\r\n"));
        };
        push("Server", "embedded-httpbin");
        for (name, value) in &self.fields {
            push(name, value);
        }
        match &self.body {
            _ if matches!(self.status, 204 | 304) => {}
            Body::Sized(body) | Body::Drip(body, _) => {
                push("Content-Length", &body.len().to_string());
            }
            Body::Chunks(chunks) if request.is_http10 => {
                push("Content-Length", &chunks.concat().len().to_string());
            }
            Body::Chunks(_) => push("Transfer-Encoding", "chunked"),
        }
        if self.closes || !request.keeps_alive() {
            push("Connection", "close");
        } else if request.is_http10 {
            push("Connection", "keep-alive");
        }
        head.push_str("\r\n");
        head
    }
}

fn write_chunks(chunks: &[Vec<u8>], out: &mut impl Write) -> io::Result<()> {
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
        let size = format!("{:x}\r\n", chunk.len());
        out.write_all(&[size.as_bytes(), chunk, b"\r\n"].concat())?;
        out.flush()?;
    }
    out.write_all(b"0\r\n\r\n")
}

fn write_slowly(bytes: &[u8], pause: Duration, out: &mut impl Write) -> io::Result<()> {
    for (position, byte) in bytes.iter().enumerate() {
        if position > 0 {
            thread::sleep(pause);
        }
        out.write_all(&[*byte])?;
        out.flush()?;
    }
    Ok(())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        417 => "Expectation Failed",
        418 => "I'm a Teapot",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}
