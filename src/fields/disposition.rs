//! Parses `Content-Disposition` (RFC 6266) and its file name.
//!
//! ```text
//! attachment; filename="na\"me.txt"; filename*=UTF-8''n%C3%A4me.txt
//! └ kind      └ plain                └ extended: preferred where a value is given
//! ```
//!
//! The name comes from the server and may be anything: `../../.ssh/authorized_keys`, `CON`, a name
//! whose extension is reversed by a directional character. So there are two functions. [`parse`]
//! returns the name as received, for programs that show it. [`safe_file_name`] returns one that
//! stays in its directory on any system, whichever system this one is: a file may be copied later.
//! It never returns an empty name and is idempotent (`is_one_component_and_stays_so`).
//!
//! The steps, in this order: the last component only; no dots or blanks at the start;
//! control and formatting characters, and those that Windows forbids, become `_`; no dots or blanks
//! at the end; at most 254 bytes, of which the extension is kept; a device name gets an `_` in front.

use super::cursor::{Cursor, extended_value, lower, text};

/// The disposition of a response body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disposition {
    /// The disposition type, such as `attachment` or `inline`, in lower case.
    pub(crate) kind: String,
    /// The file name as received. It is not safe to use: it may be a path, for instance.
    pub(crate) file_name: Option<String>,
}

/// Returns `None` if the value does not start with a disposition type. The parameters are parsed as
/// leniently as in browsers, since many servers omit the quotes around a name with spaces.
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
            extended = extended_value(&parameter.value);
        }
        cursor.take_while(|byte| byte != b';');
    }
    // RFC 6266 §4.3: the extended name is preferred, wherever it is, unless it is empty.
    let extended = extended.filter(|name| !name.is_empty());
    Some(Disposition { kind, file_name: extended.or(plain) })
}

/// Returns a name that is safe for a file in a directory of any system: at most the last component of a
/// path, without leading dots, control characters, directional formatting characters, and names that
/// Windows interprets differently. `None` if no character is left.
pub(crate) fn safe_file_name(name: &str) -> Option<String> {
    let component = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let start = component.trim_start_matches(is_padding);
    let mut safe: String = start.chars().map(|c| if is_hazard(c) { '_' } else { c }).collect();
    safe.truncate(safe.trim_end_matches(is_padding).len());
    if safe.len() > MAX_LENGTH {
        safe = shortened(&safe);
    }
    if is_device(&safe) {
        safe.insert(0, '_');
    }
    (!safe.is_empty()).then_some(safe)
}

/// Returns the beginning of a long name with its extension, by which programs choose how to open the file.
fn shortened(name: &str) -> String {
    let of_usual_length = |(_, extension): &(&str, &str)| extension.len() <= LONGEST_EXTENSION;
    let (stem, extension) = match name.rsplit_once('.').filter(of_usual_length) {
        Some((stem, extension)) => (stem, format!(".{extension}")),
        None => (name, String::new()),
    };
    let mut start = stem.to_owned();
    while start.len() + extension.len() > MAX_LENGTH {
        start.pop();
    }
    start.trim_end_matches(is_padding).to_owned() + &extension
}

/// Windows drops dots and spaces at the end; leading dots hide a file or refer to the parent directory.
fn is_padding(c: char) -> bool {
    c == '.' || c.is_whitespace()
}

fn is_hazard(c: char) -> bool {
    c.is_control()
        || matches!(c, '"' | '*' | ':' | '<' | '>' | '?' | '|')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Windows opens these devices in every directory, with any extension.
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

/// The limit of most file systems, minus the underscore that may be added.
const MAX_LENGTH: usize = 254;

/// The maximum length of an extension that is kept in full; longer ones are a part of the name.
const LONGEST_EXTENSION: usize = 32;

#[cfg(test)]
mod tests;
