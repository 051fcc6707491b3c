//! `Content-Disposition` (RFC 6266) and the file name in it.

use super::cursor::{Cursor, lower, text};
use super::ext_value;

/// What a response wants done with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disposition {
    /// `attachment`, `inline` … in lower case.
    pub(crate) kind: String,
    /// As the server wrote it: it may be a path, or worse.
    pub(crate) file_name: Option<String>,
}

/// None, if the value does not start with a disposition. The parameters are read as forgivingly as
/// browsers read them, since many a server forgets the quotes around a name with spaces.
pub(crate) fn parse(value: &[u8]) -> Option<Disposition> {
    let mut cursor = Cursor::new(value);
    cursor.skip_whitespace();
    let kind = lower(cursor.token());
    cursor.skip_whitespace();
    if kind.is_empty() || !matches!(cursor.peek(), None | Some(b';')) {
        return None;
    }
    let (mut plain, mut extended) = (None, None);
    while cursor.eat(b';') {
        let parameter = cursor.parameter(None);
        if parameter.name.eq_ignore_ascii_case(b"filename") {
            plain.get_or_insert_with(|| text(&parameter.value));
        } else if parameter.name.eq_ignore_ascii_case(b"filename*") && extended.is_none() {
            extended = ext_value::decode(&parameter.value);
        }
        cursor.take_while(|byte| byte != b';');
    }
    // RFC 6266 §4.3: the extended one is preferred, wherever it stands, if it names anything.
    let extended = extended.filter(|name| !name.is_empty());
    Some(Disposition { kind, file_name: extended.or(plain) })
}

/// What can be used as the name of a file in some folder, on every system: the last component of
/// a path at most, without dots at its start, without what controls a terminal or turns the
/// reading direction, without what Windows takes for something else. None, if nothing is left.
pub(crate) fn safe_file_name(name: &str) -> Option<String> {
    let component = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let start = component.trim_start_matches(is_padding);
    let mut safe: String = start.chars().map(|c| if is_hazard(c) { '_' } else { c }).collect();
    while safe.len() > MAX_LENGTH {
        safe.pop();
    }
    safe.truncate(safe.trim_end_matches(is_padding).len());
    if is_device(&safe) {
        safe.insert(0, '_');
    }
    (!safe.is_empty()).then_some(safe)
}

/// Windows drops dots and spaces at the end; at the start dots hide a file or lead upwards.
fn is_padding(c: char) -> bool {
    c == '.' || c.is_whitespace()
}

fn is_hazard(c: char) -> bool {
    c.is_control()
        || matches!(c, '"' | '*' | ':' | '<' | '>' | '?' | '|')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Windows opens these devices in every folder, whatever extension follows.
fn is_device(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_number = |port: &str| {
        let mut chars = port.chars();
        let digit = matches!(chars.next(), Some('0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'));
        digit && chars.next().is_none()
    };
    DEVICES.contains(&stem.as_str()) || port.is_some_and(is_number)
}

/// What most file systems take, less the underscore that may be added.
const MAX_LENGTH: usize = 254;

#[cfg(test)]
mod tests;
