//! The answer to a raw request: a head in a buffer, with the start of the body behind it.

use std::io::{Error, ErrorKind, Read};

use httparse::{EMPTY_HEADER, Header, Response, Status};

use crate::Outcome;

pub struct Answer {
    pub framing: Framing,
    /// Where in the buffer the body begins, and how far the buffer is filled.
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
            let mut fields = [EMPTY_HEADER; 16];
            let mut head = Response::new(&mut fields);
            if let Status::Complete(start) = head.parse(&space[..end])? {
                if head.code != Some(200) {
                    return Err(format!("status {:?}", head.code).into());
                }
                return Ok(Self { framing: framing(head.headers)?, start, end });
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

    pub fn drain_chunks(&self, stream: &mut impl Read, space: &mut [u8]) -> Outcome<u64> {
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
                left -= end - start;
                start = 0;
                end = more(stream, space)?;
            }
            start += left;
            if size == 0 {
                return Ok(total);
            }
        }
    }
}

fn framing(fields: &[Header<'_>]) -> Outcome<Framing> {
    for field in fields {
        if field.name.eq_ignore_ascii_case("content-length") {
            return Ok(Framing::Sized(str::from_utf8(field.value)?.parse()?));
        }
        if field.name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok(Framing::Chunked);
        }
    }
    Err("no framing".into())
}

/// The size that a chunk's first line tells, and how long the line is; nothing when it is incomplete.
fn size_line(held: &[u8]) -> Outcome<Option<(usize, usize)>> {
    let Some(length) = held.iter().take(20).position(|&byte| byte == b'\n') else {
        return Ok(None);
    };
    let line = str::from_utf8(&held[..length])?;
    Ok(Some((usize::from_str_radix(line.trim_end(), 16)?, length + 1)))
}

/// One read, which must bring something.
fn more(stream: &mut impl Read, space: &mut [u8]) -> Outcome<usize> {
    match stream.read(space)? {
        0 => Err(Box::new(Error::from(ErrorKind::UnexpectedEof))),
        count => Ok(count),
    }
}
