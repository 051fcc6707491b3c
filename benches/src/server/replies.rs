//! The prepared responses.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::rows::{POINT_SIZE, SMALL};

pub struct Replies {
    pub small: Vec<u8>,
    pub close: Vec<u8>,
    pub cookie: Vec<u8>,
    text: Arc<Vec<u8>>,
    points: Arc<Vec<u8>>,
    /// The responses that were requested before, by path.
    prepared: Mutex<HashMap<String, Arc<Prepared>>>,
}

/// A response of any length. It is written in large pieces, so that the kernel and not this process
/// limits its speed.
pub struct Prepared {
    /// The head, and the part of the body that is not a whole block.
    start: Vec<u8>,
    block: Arc<Vec<u8>>,
    times: usize,
    end: Vec<u8>,
}

pub const REFUSAL: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The size of a write.
const BLOCK: usize = 1 << 20;

const POINT: &[u8; POINT_SIZE as usize] = b"[1234567,12.3456,-0.56789,true],";
/// Shorter by the brackets of the array.
const LAST_POINT: &[u8] = b"[1234567,12.3456,-0.5678,true]]";

impl Replies {
    pub fn new() -> Self {
        Self {
            small: reply(&length(SMALL.len()), SMALL),
            close: reply(&(length(SMALL.len()) + "Connection: close\r\n"), SMALL),
            cookie: reply(&(length(SMALL.len()) + "Set-Cookie: id=8f14e45f; Path=/\r\n"), SMALL),
            text: Arc::new(text()),
            points: Arc::new(POINT.repeat(BLOCK / POINT.len())),
            prepared: Mutex::default(),
        }
    }

    /// The response to `/kind/size/extra`, made on the first request; `None` for an unknown path.
    pub fn prepared(&self, path: &str) -> io::Result<Option<Arc<Prepared>>> {
        let mut all = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(path) {
            return Ok(Some(Arc::clone(known)));
        }
        let mut words = path.trim_start_matches('/').split('/');
        let kind = words.next().unwrap_or_default();
        let size = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let extra = words.next().unwrap_or_default();
        let made = match kind {
            "text" => self.text(size, extra)?,
            "json" => self.json(size, extra)?,
            "redirect" => Prepared::once(redirect(size)),
            "head" => Prepared::once(with_fields(size, extra.parse().unwrap_or(0))),
            _ => return Ok(None),
        };
        let made = Arc::new(made);
        all.insert(path.to_owned(), Arc::clone(&made));
        Ok(Some(made))
    }

    fn text(&self, size: usize, wire: &str) -> io::Result<Prepared> {
        let (times, rest) = (size / BLOCK, &self.text[..size % BLOCK]);
        Ok(match wire {
            "sized" => {
                let start = reply(&length(size), rest);
                Prepared { start, block: Arc::clone(&self.text), times, end: Vec::new() }
            }
            "gzip" => gzipped(&[&self.text.repeat(times), rest].concat())?,
            chunk => {
                let chunk = chunk.parse().map_err(io::Error::other)?;
                let block = Arc::new(chunks(&self.text, chunk));
                let start = reply(CHUNKED, &chunks(rest, chunk));
                Prepared { start, block, times, end: LAST_CHUNK.to_vec() }
            }
        })
    }

    /// An array of points; the size is rounded down to whole ones.
    fn json(&self, size: usize, wire: &str) -> io::Result<Prepared> {
        let count = size / POINT.len();
        if wire == "sized" {
            let inner = (count - 1) * POINT.len();
            let first = [b"[", &self.points[..inner % BLOCK]].concat();
            let start = reply(&length(count * POINT.len()), &first);
            let (block, times) = (Arc::clone(&self.points), inner / BLOCK);
            return Ok(Prepared { start, block, times, end: LAST_POINT.to_vec() });
        }
        let whole = [b"[", POINT.repeat(count - 1).as_slice(), LAST_POINT].concat();
        if wire == "gzip" {
            return gzipped(&whole);
        }
        let chunk = wire.parse().map_err(io::Error::other)?;
        let body = [&chunks(&whole, chunk), LAST_CHUNK].concat();
        Ok(Prepared::once(reply(CHUNKED, &body)))
    }
}

impl Prepared {
    fn once(start: Vec<u8>) -> Self {
        Self { start, block: Arc::default(), times: 0, end: Vec::new() }
    }

    /// A short body is sent with its head.
    pub fn write(&self, output: &mut impl Write) -> io::Result<()> {
        if self.times == 0 && self.start.len() < BLOCK && !self.end.is_empty() {
            return output.write_all(&[self.start.as_slice(), &self.end].concat());
        }
        output.write_all(&self.start)?;
        (0..self.times).try_for_each(|_| output.write_all(&self.block))?;
        output.write_all(&self.end)
    }
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The data as chunks of that size, the last of which may be shorter.
fn chunks(data: &[u8], size: usize) -> Vec<u8> {
    let frame = |data: &[u8]| [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat();
    data.chunks(size).flat_map(frame).collect()
}

fn gzipped(data: &[u8]) -> io::Result<Prepared> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data)?;
    let packed = encoder.finish()?;
    let fields = length(packed.len()) + "Content-Encoding: gzip\r\n";
    Ok(Prepared::once(reply(&fields, &packed)))
}

/// The first of so many redirects.
fn redirect(count: usize) -> Vec<u8> {
    let next = if count > 1 { format!("/redirect/{}", count - 1) } else { "/small".to_owned() };
    let answer = reply(&(length(0) + &format!("Location: {next}\r\n")), b"");
    [b"HTTP/1.1 302 Found", &answer[b"HTTP/1.1 200 OK".len()..]].concat()
}

/// The small response with so many more fields, which have so many bytes together.
fn with_fields(count: usize, bytes: usize) -> Vec<u8> {
    let each = bytes / count.max(1);
    let field = |number| {
        let name = format!("X-Field-{number}: ");
        let value = "v".repeat(each.saturating_sub(name.len() + 2).max(1));
        name + &value + "\r\n"
    };
    let fields: String = (0..count).map(field).collect();
    reply(&(length(SMALL.len()) + &fields), SMALL)
}

/// A head of eight fields, one of which says how the body is framed, and the body.
fn reply(framing: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\n\
         Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
         Server: leanhttp-benches\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Cache-Control: no-cache\r\n\
         ETag: \"33a64df551425fcc55e4d42a148795d9\"\r\n\
         Vary: Accept-Encoding\r\n\
         X-Request-Id: 7b4a1d92-0c1e-4f0a-9a3c-5d2f\r\n\
         {framing}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn length(size: usize) -> String {
    format!("Content-Length: {size}\r\n")
}

/// Text that compresses as prose does, to about a third; the same at every start.
fn text() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = |limit: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % limit
    };
    let words: Vec<Vec<u8>> = (0..2_000)
        .map(|_| (0..2 + next(8)).map(|_| b'a' + (next(26) * next(26) / 26) as u8).collect())
        .collect();
    let mut text = Vec::new();
    while text.len() < BLOCK {
        // The product of two random numbers prefers the first words, as languages do.
        text.extend(&words[(next(2_000) * next(2_000) / 2_000) as usize]);
        text.push(b' ');
    }
    text.truncate(BLOCK);
    text
}
