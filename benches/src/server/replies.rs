//! The prepared answers.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::rows::{POINT_SIZE, SMALL, TEXT_SIZE};

pub struct Replies {
    pub small: Vec<u8>,
    pub close: Vec<u8>,
    pub gzip: Vec<u8>,
    text: Vec<u8>,
    /// The number of points in one write.
    points: Vec<u8>,
    /// [`CHUNKS`] chunks of [`CHUNK_SIZE`], framed.
    chunks: Vec<u8>,
}

pub const REFUSAL: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The size of a usual write of a server that streams.
const CHUNK_SIZE: usize = 16 << 10;
const CHUNKS: usize = 16;

const POINT: &[u8; POINT_SIZE as usize] = b"[1234567,12.3456,-0.56789,true],";
/// Shorter by what the brackets of the array take.
const LAST_POINT: &[u8] = b"[1234567,12.3456,-0.5678,true]]";
const POINTS: usize = 32 << 10;

impl Replies {
    pub fn new() -> io::Result<Self> {
        let text = text();
        let packed = gzip(&text)?;
        Ok(Self {
            small: reply(&length(SMALL.len()), SMALL),
            close: reply(&(length(SMALL.len()) + "Connection: close\r\n"), SMALL),
            gzip: reply(&(length(packed.len()) + "Content-Encoding: gzip\r\n"), &packed),
            chunks: chunk(&text[..CHUNK_SIZE]).repeat(CHUNKS),
            points: POINT.repeat(POINTS),
            text,
        })
    }

    /// So many bytes of text with their length; a short body leaves with its head.
    pub fn sized(&self, output: &mut impl Write, size: u64) -> io::Result<()> {
        let whole = usize::try_from(size).unwrap_or(usize::MAX);
        let first = &self.text[..whole.min(CHUNK_SIZE)];
        output.write_all(&reply(&length(whole), first))?;
        let mut left = whole - first.len();
        while left > 0 {
            let piece = &self.text[..left.min(self.text.len())];
            output.write_all(piece)?;
            left -= piece.len();
        }
        Ok(())
    }

    /// An array of points; the size is rounded down to whole ones.
    pub fn json(&self, output: &mut impl Write, size: u64) -> io::Result<()> {
        let count = usize::try_from(size / POINT_SIZE).unwrap_or(usize::MAX);
        let head = reply(&length(count * POINT.len()), b"[");
        let mut left = count - 1;
        let first = left.min(CHUNK_SIZE / POINT.len());
        output.write_all(&[&head, &self.points[..first * POINT.len()]].concat())?;
        left -= first;
        while left > 0 {
            let now = left.min(POINTS);
            output.write_all(&self.points[..now * POINT.len()])?;
            left -= now;
        }
        output.write_all(LAST_POINT)
    }

    /// So many bytes of text in chunks; the size is rounded down to whole chunks.
    pub fn chunked(&self, output: &mut impl Write, size: u64) -> io::Result<()> {
        output.write_all(&reply("Transfer-Encoding: chunked\r\n", b""))?;
        let framed = self.chunks.len() / CHUNKS;
        let mut left = usize::try_from(size).unwrap_or(usize::MAX) / CHUNK_SIZE;
        while left > 0 {
            let now = left.min(CHUNKS);
            output.write_all(&self.chunks[..now * framed])?;
            left -= now;
        }
        output.write_all(b"0\r\n\r\n")
    }
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

fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

fn gzip(data: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data)?;
    encoder.finish()
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
    while (text.len() as u64) < TEXT_SIZE {
        // The product of two prefers the first words, as languages do.
        text.extend(&words[(next(2_000) * next(2_000) / 2_000) as usize]);
        text.push(b' ');
    }
    text.truncate(TEXT_SIZE as usize);
    text
}
