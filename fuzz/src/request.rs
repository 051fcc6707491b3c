//! A strict parser of requests, straight from RFC 9112, that accepts only what a careful client
//! writes: a more lenient server must not be able to see two requests where one was intended.

use crate::{chunked, find};

/// A request as a server reads it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub target: String,
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub version: String,
    /// The fields with names in lower case, in the order of the lines.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The names in their spelling.
    pub names: Vec<String>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, Vec<u8>)>,
    /// Number of bytes; for a head alone, those of the head.
    pub length: usize,
}

impl Request {
    /// The values of this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.fields.iter().filter(move |(own, _)| own == name);
        named.map(|(_, value)| value.as_slice())
    }
}

/// The request at the start of `input`, if it is complete.
pub fn parse(input: &[u8]) -> Option<Request> {
    let mut request = head(input)?;
    let rest = &input[request.length..];
    let codings: Vec<_> = request.values("transfer-encoding").collect();
    let lengths: Vec<_> = request.values("content-length").collect();
    match (&codings[..], &lengths[..]) {
        ([], []) => {}
        ([], [length]) => {
            let digits = std::str::from_utf8(length).ok()?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
            request.body = rest.get(..digits.parse().ok()?)?.to_vec();
            request.length += request.body.len();
        }
        ([b"chunked"], []) if request.version == "HTTP/1.1" => {
            let body = chunked::decode(rest);
            request.length += body.length?;
            (request.body, request.trailers) = (body.data, body.trailers);
        }
        _ => return None,
    }
    Some(request)
}

/// The head of the request, if it is complete.
pub fn head(input: &[u8]) -> Option<Request> {
    let end = find(input, b"\r\n\r\n")?;
    let mut lines = split_lines(&input[..end]);
    let line = String::from_utf8(lines.next()?.to_vec()).ok()?;
    let words: Vec<_> = line.split(' ').collect();
    let [method, target, version @ ("HTTP/1.0" | "HTTP/1.1")] = words[..] else { return None };
    let is_target = !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_graphic());
    (is_token(method.as_bytes()) && is_target).then_some(())?;
    let lines: Vec<_> = lines.map(field).collect::<Option<_>>()?;
    Some(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        version: version.to_owned(),
        fields: lines.iter().map(|(it, value)| (it.to_ascii_lowercase(), value.clone())).collect(),
        names: lines.into_iter().map(|(name, _)| name).collect(),
        length: end + 4,
        ..Request::default()
    })
}

/// The pieces between CRLFs, without any other CR or LF.
fn split_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(head);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = find(text, b"\r\n");
        rest = end.map(|end| &text[end + 2..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// RFC 9110 §5.5: visible characters, spaces and tabs.
fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], line[colon + 1..].strip_prefix(b" ")?);
    let is_text = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    (is_token(name) && value.iter().all(is_text)).then_some(())?;
    Some((String::from_utf8(name.to_vec()).ok()?, value.trim_ascii().to_vec()))
}

fn is_token(text: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_tchar)
}
