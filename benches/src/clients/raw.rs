//! The floor: a prepared request, one write, one read, one httparse call, without a client.

mod answer;
mod tasks;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::AsFd;

use flate2::read::GzDecoder;

use self::answer::{Answer, Framing as Length};
use super::{Client, Job, PART, drain, points, source, space};
use crate::Outcome;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Row, Shape, Way};

/// It follows no redirect.
pub fn can(row: &Row) -> bool {
    let is_reading = matches!(row.shape, Shape::Stream(Way::Copy | Way::Chunks, ..));
    let is_stream = matches!(row.shape, Shape::Stream(..));
    row.is_plain() && (is_reading || !is_stream) && !matches!(row.shape, Shape::Redirects(_))
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    boxed(job, Tcp(job.target.address(job.row)))
}

/// The raw client over any kind of connection.
pub fn boxed(job: &Job, dialer: impl Dialer) -> Outcome<Box<dyn Client>> {
    let request = request(job)?;
    Ok(Box::new(Raw {
        job: job.clone(),
        dialer,
        request,
        last: None,
        idle: Vec::new(),
        space: space(),
    }))
}

/// A source of connections.
pub trait Dialer: Clone + Send + 'static {
    type Stream: Read + Write + AsFd + Send;

    /// Connects, and may reuse the buffers of a finished connection.
    fn dial(&self, spent: Option<Self::Stream>) -> Outcome<Self::Stream>;

    /// Frees the buffers that an idle connection does not need.
    fn lighten(_idle: &mut Self::Stream) {}

    fn turn_to(&mut self, address: SocketAddrV4);
}

#[derive(Clone)]
struct Tcp(SocketAddr);

impl Dialer for Tcp {
    type Stream = TcpStream;

    fn dial(&self, spent: Option<TcpStream>) -> Outcome<TcpStream> {
        drop(spent);
        let socket = TcpStream::connect(self.0)?;
        socket.set_nodelay(true)?;
        Ok(socket)
    }

    fn turn_to(&mut self, address: SocketAddrV4) {
        self.0 = address.into();
    }
}

struct Raw<D: Dialer> {
    job: Job,
    dialer: D,
    /// The head, and the part of the body that has arrived.
    request: Vec<u8>,
    last: Option<D::Stream>,
    /// The connections that are left open on other ports.
    idle: Vec<D::Stream>,
    space: Vec<u8>,
}

impl<D: Dialer> Client for Raw<D> {
    fn perform(&mut self) -> Outcome<u64> {
        let mut stream = match self.last.take() {
            Some(open) if !self.job.row.closes() => open,
            spent => self.dialer.dial(spent)?,
        };
        self.send(&mut stream)?;
        let total = self.receive(&mut stream)?;
        self.last = Some(stream);
        Ok(total)
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        boxed(&self.job, self.dialer.clone())
    }

    fn turn_to(&mut self, address: SocketAddrV4) -> Outcome<()> {
        self.dialer.turn_to(address);
        if let Some(mut idle) = self.last.take() {
            D::lighten(&mut idle);
            self.idle.push(idle);
        }
        Ok(())
    }

    fn perform_in_tasks(&mut self, tasks: u64, each: u64) -> Outcome<()> {
        if self.job.row.has_queue() {
            return self.repeat(tasks * each, &self.job.clone());
        }
        let dial = || self.dialer.dial(None);
        let missing = usize::try_from(tasks)?.saturating_sub(self.idle.len());
        self.idle.extend((0..missing).map(|_| dial()).collect::<Outcome<Vec<_>>>()?);
        tasks::perform(&mut self.idle, &self.request, &mut self.space, each)
    }
}

impl<D: Dialer> Raw<D> {
    fn send(&mut self, stream: &mut D::Stream) -> Outcome<()> {
        stream.write_all(&self.request)?;
        match self.job.shape() {
            Shape::Upload(Framing::Sized, size) => copy(source(size), stream, &mut self.space),
            Shape::Upload(Framing::Chunked, size) => send_chunks(source(size), stream),
            Shape::Multipart(_) => {
                copy(File::open(self.job.file()?)?, stream, &mut self.space)?;
                Ok(stream.write_all(PART_END)?)
            }
            _ => Ok(()),
        }
    }

    fn receive(&mut self, stream: &mut D::Stream) -> Outcome<u64> {
        let answer = Answer::read(stream, &mut self.space)?;
        if self.job.row.is_whole() || self.job.row.is_coded() {
            return self.collect(&answer, stream);
        }
        match answer.framing {
            Length::Sized(size) => answer.drain(size, stream, &mut self.space),
            Length::Chunked => answer.drain_chunks(stream, &mut self.space, |_| ()),
        }
    }

    fn collect(&mut self, answer: &Answer, stream: &mut D::Stream) -> Outcome<u64> {
        let mut body = match answer.framing {
            Length::Sized(size) => answer.collect(size, stream, &self.space)?,
            Length::Chunked => {
                let mut body = Vec::new();
                answer
                    .drain_chunks(stream, &mut self.space, |data| body.extend_from_slice(data))?;
                body
            }
        };
        if self.job.row.is_coded() {
            let mut decoder = GzDecoder::new(body.as_slice());
            if !self.job.row.is_whole() {
                return drain(decoder, &mut self.space);
            }
            let mut decoded = Vec::new();
            decoder.read_to_end(&mut decoded)?;
            body = decoded;
        }
        match self.job.shape() {
            Shape::Json(..) => points(&body),
            Shape::Text(..) => Ok(String::from_utf8(body)?.len() as u64),
            _ => Ok(body.len() as u64),
        }
    }
}

const PART_END: &[u8] = b"\r\n--raw--\r\n";

fn request(job: &Job) -> Outcome<Vec<u8>> {
    let (fields, start) = match job.shape() {
        Shape::Upload(Framing::Sized, size) => (length(size), String::new()),
        Shape::Upload(Framing::Chunked, _) => {
            ("Transfer-Encoding: chunked\r\n".to_owned(), String::new())
        }
        Shape::Multipart(size) => {
            let start = format!(
                "--raw\r\nContent-Disposition: form-data; name=\"{MULTIPART_NAME}\"; \
                 filename=\"raw.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            );
            let whole = start.len() as u64 + size + PART_END.len() as u64;
            let kind = "Content-Type: multipart/form-data; boundary=raw\r\n";
            (length(whole) + kind, start)
        }
        Shape::Parts(count) => {
            let part = |name| {
                let disposition = format!("Content-Disposition: form-data; name=\"{name}\"");
                format!("--raw\r\n{disposition}\r\n\r\n{PART}\r\n")
            };
            let body = Job::parts(count).map(part).collect::<String>() + "--raw--\r\n";
            let kind = "Content-Type: multipart/form-data; boundary=raw\r\n";
            (length(body.len() as u64) + kind, body)
        }
        Shape::Cookies(_) => ("Cookie: id=8f14e45f\r\n".to_owned(), String::new()),
        Shape::Form => {
            let body = form();
            let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
            (length(body.len() as u64) + kind, body)
        }
        _ => (String::new(), String::new()),
    };
    let sends = matches!(
        job.shape(),
        Shape::Upload(..) | Shape::Multipart(_) | Shape::Parts(_) | Shape::Form
    );
    let method = if sends { "POST" } else { "GET" };
    let (path, host) = (job.row.path(), job.target.address(job.row));
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n{fields}\r\n");
    Ok((head + &start).into_bytes())
}

fn length(size: u64) -> String {
    format!("Content-Length: {size}\r\n")
}

fn form() -> String {
    let encode = |text: &str| text.bytes().map(encode_byte).collect::<String>();
    let pairs = FORM.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.join("&")
}

fn encode_byte(byte: u8) -> String {
    match byte {
        b' ' => "+".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

fn copy(mut from: impl Read, to: &mut impl Write, space: &mut [u8]) -> Outcome<()> {
    loop {
        match from.read(space)? {
            0 => return Ok(()),
            count => to.write_all(&space[..count])?,
        }
    }
}

/// A chunk is one write: its size line has room in front of the data.
fn send_chunks(mut from: impl Read, to: &mut impl Write) -> Outcome<()> {
    const LINE: usize = "10000\r\n".len();
    let mut space = space();
    space.resize(LINE + space.len() + 2, 0);
    loop {
        let end = space.len() - 2;
        let count = from.read(&mut space[LINE..end])?;
        write!(&mut space[..LINE], "{count:05x}\r\n")?;
        space[LINE + count..][..2].copy_from_slice(b"\r\n");
        to.write_all(&space[..LINE + count + 2])?;
        if count == 0 {
            return Ok(());
        }
    }
}
