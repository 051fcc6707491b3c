//! A naive parser of `multipart/form-data` that searches the whole body for delimiters.

/// A part as written.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub file_name: Option<String>,
    pub content_type: Option<String>,
    pub content: Vec<u8>,
}

pub fn parse(body: &[u8], boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}");
    // Makes the first delimiter like the others.
    let body = [b"\r\n", body].concat();
    let mut pieces = split(&body, delimiter.as_bytes());
    (pieces.pop()? == b"--\r\n").then_some(())?;
    let (before, parts) = pieces.split_first()?;
    before.is_empty().then_some(())?;
    parts.iter().map(|piece| part(piece)).collect()
}

fn split<'a>(text: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    for at in 0..text.len() {
        if at >= start && text[at..].starts_with(separator) {
            pieces.push(&text[start..at]);
            start = at + separator.len();
        }
    }
    pieces.push(&text[start..]);
    pieces
}

fn part(piece: &[u8]) -> Option<Part> {
    let end = (0..piece.len()).find(|&at| piece[at..].starts_with(b"\r\n\r\n"))?;
    let mut lines = std::str::from_utf8(&piece[..end]).ok()?.strip_prefix("\r\n")?.split("\r\n");
    let disposition = lines.next()?.strip_prefix("Content-Disposition: form-data; name=\"")?;
    let disposition = disposition.strip_suffix('"')?;
    let (name, file_name) = match disposition.split_once("\"; filename=\"") {
        Some((name, file_name)) => (name, Some(file_name)),
        None => (disposition, None),
    };
    let content_type = match lines.next() {
        Some(line) => Some(line.strip_prefix("Content-Type: ")?.to_owned()),
        None => None,
    };
    let is_quoted = |text: &str| !text.contains(['"', '\r', '\n']);
    let is_whole = lines.next().is_none() && is_quoted(name) && file_name.is_none_or(is_quoted);
    is_whole.then(|| Part {
        name: name.to_owned(),
        file_name: file_name.map(str::to_owned),
        content_type,
        content: piece[end + 4..].to_vec(),
    })
}
