//! The input of a connection: heads, and bodies that are discarded.

use std::io::{self, ErrorKind, Read, Write};

pub struct Request {
    pub path: String,
    pub body: Body,
}

#[derive(Clone, Copy)]
pub enum Body {
    Sized(u64),
    Chunked,
}

pub struct Inbox<S> {
    stream: S,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// Large, so that an upload is not held up here.
const BUFFER_SIZE: usize = 256 << 10;

impl<S: Read + Write> Inbox<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: vec![0; BUFFER_SIZE], start: 0, end: 0 }
    }

    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The head of the next request; `None` when the client is done.
    pub fn request(&mut self) -> io::Result<Option<Request>> {
        if self.start == self.end && !self.fill()? {
            return Ok(None);
        }
        let head = self.take_until(b"\r\n\r\n")?;
        let head = str::from_utf8(&self.buffer[head]).map_err(io::Error::other)?;
        Ok(Some(Request::parse(head)))
    }

    /// Reads a body to its end and returns its length.
    pub fn discard(&mut self, body: Body) -> io::Result<u64> {
        match body {
            Body::Sized(size) => self.skip(size),
            Body::Chunked => self.skip_chunks(),
        }
    }

    fn skip_chunks(&mut self) -> io::Result<u64> {
        let mut total = 0;
        loop {
            let line = self.take_until(b"\r\n")?;
            let line = str::from_utf8(&self.buffer[line]).map_err(io::Error::other)?;
            let size = u64::from_str_radix(line, 16).map_err(io::Error::other)?;
            self.skip(size)?;
            self.take_until(b"\r\n")?;
            if size == 0 {
                return Ok(total);
            }
            total += size;
        }
    }

    fn skip(&mut self, size: u64) -> io::Result<u64> {
        let mut left = size;
        loop {
            let held = (self.end - self.start).min(usize::try_from(left).unwrap_or(usize::MAX));
            self.start += held;
            left -= held as u64;
            if left == 0 {
                return Ok(size);
            }
            self.need_more()?;
        }
    }

    /// Consumes the bytes up to and including `mark`, and returns the range before it.
    fn take_until(&mut self, mark: &[u8]) -> io::Result<std::ops::Range<usize>> {
        loop {
            let held = &self.buffer[self.start..self.end];
            if let Some(length) = held.windows(mark.len()).position(|window| window == mark) {
                let taken = self.start..self.start + length;
                self.start = taken.end + mark.len();
                return Ok(taken);
            }
            self.need_more()?;
        }
    }

    fn need_more(&mut self) -> io::Result<()> {
        if self.fill()? { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    /// Reads once; false at the end of the input.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let count = self.stream.read(&mut self.buffer[self.end..])?;
        self.end += count;
        Ok(count > 0)
    }
}

impl Request {
    fn parse(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let mut body = Body::Sized(0);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                body = Body::Sized(value.trim().parse().unwrap_or(0));
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                body = Body::Chunked;
            }
        }
        Self { path: path.to_owned(), body }
    }
}
