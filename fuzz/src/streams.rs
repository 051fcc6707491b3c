//! Lines and events, as slowly and plainly as their rules can be read: from the whole text, with no state but what
//! the rules name.

use std::time::Duration;

/// All that an event stream gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Name, data and last event ID.
    pub events: Vec<[String; 3]>,
    pub retry: Option<Duration>,
    pub last_event_id: String,
    /// An event or a line was larger than the limit, and nothing behind it counts.
    pub is_too_large: bool,
}

/// WHATWG HTML §9.2.6, with a limit on lines and on data.
pub fn events(body: &[u8], limit: usize) -> Read {
    let mut read = Read::default();
    let (mut data, mut name, mut id): (Vec<String>, _, _) =
        (Vec::new(), String::new(), String::new());
    for (line, is_ended) in event_lines(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)) {
        if line.len() > limit {
            read.is_too_large = true;
            return read;
        }
        if !is_ended {
            break;
        }
        if line.is_empty() {
            read.last_event_id = id.clone();
            if !data.is_empty() {
                let name = if name.is_empty() { "message" } else { &name };
                read.events.push([name.to_owned(), data.join("\n"), id.clone()]);
            }
            data.clear();
            name.clear();
            continue;
        }
        let text = String::from_utf8_lossy(line);
        let (field, value) = text.split_once(':').unwrap_or((&text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = value.to_owned(),
            "data" => data.push(value.to_owned()),
            "id" if !value.contains('\0') => id = value.to_owned(),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                let number = value.parse().ok().filter(|number| *number <= i64::MAX as u64);
                read.retry = Some(Duration::from_millis(number.unwrap_or(u64::MAX)));
            }
            _ => {}
        }
        if data.join("\n").len() > limit {
            read.is_too_large = true;
            return read;
        }
    }
    read
}

/// The lines of an event stream, and whether each has an end.
fn event_lines(mut rest: &[u8]) -> Vec<(&[u8], bool)> {
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let Some(at) = rest.iter().position(|byte| b"\r\n".contains(byte)) else {
            lines.push((rest, false));
            break;
        };
        lines.push((&rest[..at], true));
        let end = if rest[at..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = &rest[at + end..];
    }
    lines
}

/// The lines of a text, or why one is none: its number and the reason.
pub fn lines(body: &[u8], limit: usize) -> Vec<Result<String, (u64, &'static str)>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut pieces: Vec<_> = body.split(|byte| *byte == b'\n').collect();
    if pieces.last().is_some_and(|last| last.is_empty()) {
        pieces.pop();
    }
    let mut lines = Vec::new();
    for (number, piece) in (1..).zip(pieces) {
        let line = piece.strip_suffix(b"\r").unwrap_or(piece);
        if line.len() > limit {
            lines.push(Err((number, "too long")));
            break;
        }
        let text = String::from_utf8(line.to_vec());
        lines.push(text.map_err(|_| (number, "not UTF-8")));
    }
    lines
}
