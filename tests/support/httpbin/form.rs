//! The server's own parsers of both form encodings, independent of the client's writers.

use super::message::hex_digit;

/// `application/x-www-form-urlencoded`, and query strings.
pub fn parse_urlencoded(input: &[u8]) -> Vec<(String, String)> {
    let pieces = input.split(|&b| b == b'&').filter(|piece| !piece.is_empty());
    pieces.map(parse_pair).collect()
}

fn parse_pair(piece: &[u8]) -> (String, String) {
    let equals = piece.iter().position(|&b| b == b'=');
    let (name, value) = match equals {
        Some(at) => (&piece[..at], &piece[at + 1..]),
        None => (piece, &b""[..]),
    };
    (decode_plus(name), decode_plus(value))
}

fn decode_plus(bytes: &[u8]) -> String {
    let spaced: Vec<u8> = bytes.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    percent_decode(&spaced)
}

pub fn percent_decode(bytes: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        rest = tail;
        let escape = match tail {
            [high, low, ..] if *first == b'%' => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        decoded.push(escape.map_or(*first, |(high, low)| high * 16 + low));
        if escape.is_some() {
            rest = &tail[2..];
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// One part of a `multipart/form-data` body (RFC 7578).
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// As written, with `%22`, `%0D` and `%0A` still escaped.
    pub name: String,
    pub filename: Option<String>,
    pub content_type: Option<String>,
    pub content: Vec<u8>,
}

/// Parses a whole body; strict in that no data may precede the first boundary or follow the last,
/// and that every line ends with CRLF.
pub fn parse_multipart(content_type: &str, body: &[u8]) -> Result<Vec<Part>, &'static str> {
    let boundary = boundary(content_type).ok_or("multipart without a valid boundary")?;
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let mut rest = body.strip_prefix(&delimiter[2..]).ok_or("no boundary at the start")?;
    let mut parts = Vec::new();
    loop {
        if let Some(epilogue) = rest.strip_prefix(b"--") {
            let is_end = epilogue.is_empty() || epilogue == b"\r\n";
            return if is_end { Ok(parts) } else { Err("bytes after the last boundary") };
        }
        rest = rest.strip_prefix(b"\r\n").ok_or("boundary line does not end")?;
        let end = find(rest, &delimiter).ok_or("part without an end")?;
        parts.push(parse_part(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let parameters = content_type.strip_prefix("multipart/form-data")?.trim_start();
    let value = parameters.strip_prefix(';')?.trim_start().strip_prefix("boundary=")?;
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    let is_bchar = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    // RFC 2046, 5.1.1: 1 to 70 characters, the last not a space.
    let is_valid = (1..=70).contains(&value.len()) && value.bytes().all(is_bchar);
    (is_valid && !value.ends_with(' ')).then(|| value.to_owned())
}

fn parse_part(part: &[u8]) -> Result<Part, &'static str> {
    let end = find(part, b"\r\n\r\n").ok_or("part without a blank line")?;
    let head = std::str::from_utf8(&part[..end]).map_err(|_| "part head is not UTF-8")?;
    let mut disposition = None;
    let mut content_type = None;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(": ").ok_or("part field without colon")?;
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" => disposition = Some(value),
            "content-type" => content_type = Some(value.to_owned()),
            _ => {}
        }
    }
    let (name, filename) = parse_disposition(disposition.ok_or("part without a disposition")?)?;
    Ok(Part { name, filename, content_type, content: part[end + 4..].to_vec() })
}

/// Parses `form-data; name="…"[; filename="…"]`, where a quote must be escaped as `%22`.
fn parse_disposition(value: &str) -> Result<(String, Option<String>), &'static str> {
    let rest = value.strip_prefix("form-data; name=\"").ok_or("part without a name")?;
    let (name, rest) = rest.split_once('"').ok_or("name without an end")?;
    if rest.is_empty() {
        return Ok((name.to_owned(), None));
    }
    let rest = rest.strip_prefix("; filename=\"").ok_or("unknown disposition parameter")?;
    let filename = rest.strip_suffix('"').ok_or("file name without an end")?;
    if filename.contains('"') {
        return Err("quote in a file name");
    }
    Ok((name.to_owned(), Some(filename.to_owned())))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
