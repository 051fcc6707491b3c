//! Reads one request as strictly as RFC 9112 permits a server to.

use std::io::{self, BufRead, BufReader, Read};

use super::super::stream::Stream;
use super::form;

/// Longer lines and heads are refused; generous, for tests of large requests.
const MAX_LINE: u64 = 128 * 1024;
const MAX_FIELDS: usize = 1000;
const MAX_BODY: u64 = 256 * 1024 * 1024;

#[derive(Debug, Default)]
pub struct Request {
    pub method: String,
    /// The request target as received.
    pub target: String,
    /// The target's path, not decoded.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub is_http10: bool,
    /// In the order and the case of the wire.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The reason why there is no request.
#[derive(Debug)]
pub enum Refusal {
    /// The peer has disconnected.
    Gone,
    /// The peer violated the protocol: the status of the response, and the reason.
    Answer(u16, &'static str),
}

impl From<io::Error> for Refusal {
    fn from(_: io::Error) -> Refusal {
        Refusal::Gone
    }
}

impl Request {
    /// Reads a request up to its blank line and checks it.
    pub fn read_head(reader: &mut BufReader<Stream>) -> Result<Request, Refusal> {
        let mut request = request_line(&line(reader)?)?;
        loop {
            let line = line(reader)?;
            if line.is_empty() {
                break;
            }
            request.fields.push(field(&line)?);
            if request.fields.len() > MAX_FIELDS {
                return Err(Refusal::Answer(431, "too many fields"));
            }
        }
        request.check_host()?;
        request.framing()?;
        Ok(request)
    }

    /// Reads the body that belongs to a head.
    pub fn read_body(&mut self, reader: &mut BufReader<Stream>) -> Result<(), Refusal> {
        self.body = match self.framing()? {
            Framing::None => Vec::new(),
            Framing::Sized(length) => read_sized(reader, length)?,
            Framing::Chunked => read_chunked(reader)?,
        };
        Ok(())
    }

    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let is_named = move |field: &(String, String)| field.0.eq_ignore_ascii_case(name);
        self.fields.iter().filter(move |field| is_named(field)).map(|(_, value)| value.as_str())
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns whether a list field, over all of its lines, has this element.
    pub fn lists(&self, name: &str, element: &str) -> bool {
        self.values(name).flat_map(|v| v.split(',')).any(|e| e.trim().eq_ignore_ascii_case(element))
    }

    pub fn argument(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn expects_continue(&self) -> bool {
        !self.is_http10 && self.lists("expect", "100-continue")
    }

    /// RFC 9112, 9.3: persistent by default; HTTP/1.0 only on request.
    pub fn keeps_alive(&self) -> bool {
        !self.lists("connection", "close")
            && (!self.is_http10 || self.lists("connection", "keep-alive"))
    }

    /// RFC 9112, 3.2: exactly one valid Host.
    fn check_host(&self) -> Result<(), Refusal> {
        let hosts: Vec<&str> = self.values("host").collect();
        match hosts.as_slice() {
            [] if self.is_http10 => Ok(()),
            [host] if is_authority(host) => Ok(()),
            [] => Err(Refusal::Answer(400, "no Host")),
            [_] => Err(Refusal::Answer(400, "invalid Host")),
            _ => Err(Refusal::Answer(400, "more than one Host")),
        }
    }

    /// RFC 9112, 6.3, without any of the leniency that it allows.
    fn framing(&self) -> Result<Framing, Refusal> {
        let lengths: Vec<&str> = self.values("content-length").collect();
        let codings: Vec<&str> = self.values("transfer-encoding").collect();
        match (lengths.as_slice(), codings.as_slice()) {
            ([], []) => Ok(Framing::None),
            (_, [_, ..]) if self.is_http10 => {
                Err(Refusal::Answer(400, "Transfer-Encoding in HTTP/1.0"))
            }
            ([_, ..], [_, ..]) => {
                Err(Refusal::Answer(400, "Content-Length with Transfer-Encoding"))
            }
            ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            ([], _) => Err(Refusal::Answer(501, "unknown Transfer-Encoding")),
            ([length], []) => match decimal(length.as_bytes()) {
                Some(length) if length <= MAX_BODY => Ok(Framing::Sized(length)),
                Some(_) => Err(Refusal::Answer(413, "body too large")),
                None => Err(Refusal::Answer(400, "invalid Content-Length")),
            },
            _ => Err(Refusal::Answer(400, "more than one Content-Length")),
        }
    }
}

enum Framing {
    None,
    Sized(u64),
    Chunked,
}

/// One line without its CRLF; a bare CR or LF is refused.
fn line(reader: &mut BufReader<Stream>) -> Result<Vec<u8>, Refusal> {
    let mut line = Vec::new();
    reader.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.len() as u64 == MAX_LINE {
        return Err(Refusal::Answer(431, "line too long"));
    }
    if line.last() != Some(&b'\n') {
        return Err(Refusal::Gone);
    }
    match line.strip_suffix(b"\r\n") {
        None => Err(Refusal::Answer(400, "bare LF")),
        Some(line) if line.contains(&b'\r') => Err(Refusal::Answer(400, "bare CR")),
        Some(line) => Ok(line.to_vec()),
    }
}

fn request_line(line: &[u8]) -> Result<Request, Refusal> {
    let bad = |what| Err(Refusal::Answer(400, what));
    let parts: Vec<&[u8]> = line.split(|&b| b == b' ').collect();
    let [method, target, version] = parts.as_slice() else { return bad("malformed request line") };
    if !is_token(method) {
        return bad("method is not a token");
    }
    if !target.iter().all(|b| b.is_ascii_graphic() && *b != b'#') {
        return bad("request target has characters that no URI has");
    }
    let target = latin1(target);
    if !(target.starts_with('/') || (target == "*" && *method == b"OPTIONS")) {
        return bad("request target is not in origin form");
    }
    let is_http10 = match *version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        _ => return Err(Refusal::Answer(505, "not HTTP/1.1")),
    };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Ok(Request {
        method: latin1(method),
        path: path.to_owned(),
        query: form::parse_urlencoded(query.as_bytes()),
        is_http10,
        target,
        ..Request::default()
    })
}

fn field(line: &[u8]) -> Result<(String, String), Refusal> {
    let bad = |what| Err(Refusal::Answer(400, what));
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return bad("folded field line");
    }
    let Some(colon) = line.iter().position(|&b| b == b':') else {
        return bad("field line without colon");
    };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.last().is_some_and(|b| b.is_ascii_whitespace()) {
        return bad("space before colon");
    }
    if !is_token(name) {
        return bad("field name is not a token");
    }
    if value.iter().any(|&b| b != b'\t' && b.is_ascii_control()) {
        return bad("control character in field value");
    }
    Ok((latin1(name), latin1(value).trim_matches([' ', '\t']).to_owned()))
}

fn read_sized(reader: &mut BufReader<Stream>, length: u64) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    if body.len() as u64 == length { Ok(body) } else { Err(Refusal::Gone) }
}

/// RFC 9112, 7.1; the trailer section is checked and dropped.
fn read_chunked(reader: &mut BufReader<Stream>) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    loop {
        let size = chunk_size(&line(reader)?)?;
        if size == 0 {
            break;
        }
        if body.len() as u64 + size > MAX_BODY {
            return Err(Refusal::Answer(413, "body too large"));
        }
        body.extend(read_sized(reader, size)?);
        if !line(reader)?.is_empty() {
            return Err(Refusal::Answer(400, "chunk longer than announced"));
        }
    }
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Ok(body);
        }
        field(&line)?;
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, Refusal> {
    let digits = line.split(|&b| b == b';').next().unwrap_or_default();
    let size = (1..=15).contains(&digits.len()).then(|| {
        digits.iter().try_fold(0_u64, |size, &b| Some(size * 16 + u64::from(hex_digit(b)?)))
    });
    size.flatten().ok_or(Refusal::Answer(400, "invalid chunk size"))
}

/// `1*DIGIT` and nothing else: no sign, no space, no list.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if !(1..=19).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number, b| number * 10 + u64::from(b - b'0')))
}

pub fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn is_token(bytes: &[u8]) -> bool {
    let is_tchar = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    !bytes.is_empty() && bytes.iter().all(is_tchar)
}

/// `uri-host [ ":" port ]`, without userinfo.
fn is_authority(host: &str) -> bool {
    let after_bracket = host.rfind(']').map_or(0, |end| end + 1);
    let (name, port) = match host[after_bracket..].split_once(':') {
        None => (host, None),
        Some((rest, port)) => (&host[..after_bracket + rest.len()], Some(port)),
    };
    let is_name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(literal) => literal.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&b)),
    };
    let is_port = |port: &str| decimal(port.as_bytes()).is_some_and(|port| port <= 65535);
    !name.is_empty() && is_name && port.is_none_or(is_port)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char::from(b)).collect()
}
