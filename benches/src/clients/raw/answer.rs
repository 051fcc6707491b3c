//! The response to a raw request: a head in a buffer, followed by the start of the body.

use std::io::{Error, ErrorKind, Read};

use httparse::{EMPTY_HEADER, Header, Response, Status};

use crate::Outcome;

pub struct Answer {
    pub framing: Framing,
    /// The start of the body in the buffer, and the end of the filled part.
    start: usize,
    end: usize,
}

#[derive(Clone, Copy)]
pub enum Framing {
    Sized(u64),
    Chunked,
}

impl Answer {
    pub fn read(stream: &mut impl Read, space: &mut [u8]) -> Outcome<Self> {
        let mut end = 0;
        loop {
            end += more(stream, &mut space[end..])?;
            let parsed = match parse::<16>(&space[..end]) {
                Err(httparse::Error::TooManyHeaders) => parse::<1_024>(&space[..end]),
                parsed => parsed,
            };
            if let Some((framing, start)) = parsed? {
                return Ok(Self {
                    framing: framing.ok_or("no answer, or no framing")?,
                    start,
                    end,
                });
            }
        }
    }

    pub fn drain(&self, size: u64, stream: &mut impl Read, space: &mut [u8]) -> Outcome<u64> {
        let mut left = usize::try_from(size)? - (self.end - self.start);
        while left > 0 {
            let room = left.min(space.len());
            left -= more(stream, &mut space[..room])?;
        }
        Ok(size)
    }

    pub fn collect(&self, size: u64, stream: &mut impl Read, space: &[u8]) -> Outcome<Vec<u8>> {
        let mut body = Vec::with_capacity(usize::try_from(size)?);
        body.extend_from_slice(&space[self.start..self.end]);
        stream.take(size - body.len() as u64).read_to_end(&mut body)?;
        Ok(body)
    }

    pub fn drain_chunks(
        &self,
        stream: &mut impl Read,
        space: &mut [u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Outcome<u64> {
        let (mut start, mut end) = (self.start, self.end);
        let mut total = 0;
        loop {
            let Some((size, line)) = size_line(&space[start..end])? else {
                space.copy_within(start..end, 0);
                end -= start;
                start = 0;
                end += more(stream, &mut space[end..])?;
                continue;
            };
            start += line;
            total += size as u64;
            let mut left = size + 2;
            while left > end - start {
                // The CRLF after the data is not data.
                sink(&space[start..end.min(start + left.saturating_sub(2))]);
                left -= end - start;
                start = 0;
                end = more(stream, space)?;
            }
            sink(&space[start..start + left.saturating_sub(2)]);
            start += left;
            if size == 0 {
                return Ok(total);
            }
        }
    }
}

/// The framing and the start of the body of a successful response; `None` while the head is
/// incomplete.
fn parse<const FIELDS: usize>(
    held: &[u8],
) -> Result<Option<(Option<Framing>, usize)>, httparse::Error> {
    let mut fields = [EMPTY_HEADER; FIELDS];
    let mut head = Response::new(&mut fields);
    Ok(match head.parse(held)? {
        Status::Complete(start) => {
            let good = head.code.filter(|&code| code == 200);
            Some((good.and_then(|_| framing(head.headers)), start))
        }
        Status::Partial => None,
    })
}

fn framing(fields: &[Header<'_>]) -> Option<Framing> {
    for field in fields {
        if field.name.eq_ignore_ascii_case("content-length") {
            return str::from_utf8(field.value).ok()?.parse().ok().map(Framing::Sized);
        }
        if field.name.eq_ignore_ascii_case("transfer-encoding") {
            return Some(Framing::Chunked);
        }
    }
    None
}

/// The size in a chunk's first line, and the length of the line; `None` while it is incomplete.
fn size_line(held: &[u8]) -> Outcome<Option<(usize, usize)>> {
    let Some(length) = held.iter().take(20).position(|&byte| byte == b'\n') else {
        return Ok(None);
    };
    let line = str::from_utf8(&held[..length])?;
    Ok(Some((usize::from_str_radix(line.trim_end(), 16)?, length + 1)))
}

/// Reads once; no bytes are an error.
fn more(stream: &mut impl Read, space: &mut [u8]) -> Outcome<usize> {
    match stream.read(space)? {
        0 => Err(Box::new(Error::from(ErrorKind::UnexpectedEof))),
        count => Ok(count),
    }
}
