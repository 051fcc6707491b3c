//! The request parser of servers: small and strict.

use super::framing::{Extent, chunks};

/// A part of a request.
#[derive(Debug)]
pub(super) enum Heard {
    Head(Head),
    /// The whole body, at its end.
    End(Vec<u8>),
}

#[derive(Debug)]
pub(super) struct Head {
    pub(super) raw: Vec<u8>,
    pub(super) method: String,
    pub(super) target: String,
    fields: Vec<(String, String)>,
}

/// Parses requests from the received bytes.
#[derive(Debug, Default)]
pub(super) struct Reader {
    buffer: Vec<u8>,
    body: Option<Announced>,
}

#[derive(Debug, Clone, Copy)]
enum Announced {
    Length(usize),
    Chunked,
}

impl Reader {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns whether a request has begun that is not complete.
    pub(super) fn is_within(&self) -> bool {
        self.body.is_some() || !self.buffer.is_empty()
    }

    pub(super) fn next(&mut self) -> Result<Option<Heard>, String> {
        match self.body {
            None => self.head(),
            Some(Announced::Length(length)) if self.buffer.len() >= length => {
                Ok(Some(self.end(self.buffer[..length].to_vec(), length)))
            }
            Some(Announced::Length(_)) => Ok(None),
            Some(Announced::Chunked) => match chunks(&self.buffer) {
                (body, Extent::Complete(length)) => Ok(Some(self.end(body, length))),
                (_, Extent::Partial) => Ok(None),
                (_, Extent::Broken) => Err("its chunks are broken".to_owned()),
            },
        }
    }

    fn end(&mut self, body: Vec<u8>, length: usize) -> Heard {
        self.buffer.drain(..length);
        self.body = None;
        Heard::End(body)
    }

    fn head(&mut self) -> Result<Option<Heard>, String> {
        let end = self.buffer.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else { return Ok(None) };
        let raw: Vec<_> = self.buffer.drain(..end + 4).collect();
        let head = Head::parse(raw)?;
        self.body = Some(head.announced()?);
        Ok(Some(Heard::Head(head)))
    }
}

impl Head {
    fn parse(raw: Vec<u8>) -> Result<Self, String> {
        let text = String::from_utf8(raw.clone()).map_err(|error| error.to_string())?;
        let mut lines = text.trim_end_matches("\r\n").split("\r\n");
        let words: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
        let [method, target, "HTTP/1.1"] = words[..] else { return Err(format!("{words:?}")) };
        let fields = lines.map(|line| match line.split_once(": ") {
            Some((name, value)) => Ok((name.to_ascii_lowercase(), value.to_owned())),
            None => Err(format!("{line:?} is no field")),
        });
        let fields: Vec<_> = fields.collect::<Result<_, _>>()?;
        let head = Self { method: method.to_owned(), target: target.to_owned(), fields, raw };
        match head.all("host").count() {
            1 => Ok(head),
            count => Err(format!("{count} Host fields")),
        }
    }

    fn announced(&self) -> Result<Announced, String> {
        match (self.field("content-length"), self.field("transfer-encoding")) {
            (None, None) => Ok(Announced::Length(0)),
            (None, Some("chunked")) => Ok(Announced::Chunked),
            (Some(length), None) => match length.parse() {
                Ok(length) => Ok(Announced::Length(length)),
                Err(_) => Err(format!("a length of {length:?}")),
            },
            both => Err(format!("framing {both:?}")),
        }
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn says(&self, needle: &str) -> bool {
        self.raw.windows(needle.len()).any(|window| window == needle.as_bytes())
    }
}
