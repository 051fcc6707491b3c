//! The Netscape cookie file: seven fields per line, separated by TABs. It has no `SameSite`.

use super::{Record, SavedLine, from_unix, to_unix};
use crate::base::number;
use crate::cookie::stored::{Scope, StoredCookie};

/// The first line, by which other programs recognize the format.
pub(crate) const HEADER: &[u8] = b"# Netscape HTTP Cookie File\n";

/// Appends the line of `cookie`, unless a TAB in it would end a field.
pub(crate) fn write(cookie: &StoredCookie, out: &mut Vec<u8>) {
    if cookie.name.contains(&b'\t') || cookie.path.contains(&b'\t') {
        return;
    }
    let flag = |is_set| if is_set { &b"TRUE"[..] } else { b"FALSE" };
    if cookie.http_only() {
        out.extend_from_slice(HTTP_ONLY);
    }
    // A host may begin with a dot itself, and the reader removes one dot.
    if cookie.scope == Scope::Domain || cookie.domain.starts_with('.') {
        out.push(b'.');
    }
    let expires = cookie.expires.map_or(0, to_unix).to_string();
    let fields = [
        cookie.domain.as_bytes(),
        flag(cookie.scope == Scope::Domain),
        &cookie.path,
        flag(cookie.secure),
        expires.as_bytes(),
        &cookie.name,
        &cookie.value,
    ];
    out.extend_from_slice(&fields.join(&b'\t'));
    out.push(b'\n');
}

pub(crate) fn read(line: &[u8]) -> SavedLine {
    let (line, http_only) = match line.strip_prefix(HTTP_ONLY) {
        Some(line) => (line, true),
        None => (line, false),
    };
    if line.trim_ascii().is_empty() || line.starts_with(b"#") {
        return SavedLine::Blank;
    }
    match record(line) {
        Some(record) => SavedLine::Cookie(Record { http_only, ..record }),
        None => SavedLine::Malformed,
    }
}

/// A value may contain TABs. The dot before a domain is redundant with the flag after it.
fn record(line: &[u8]) -> Option<Record> {
    let mut fields = line.splitn(7, |&byte| byte == b'\t');
    let domain = std::str::from_utf8(fields.next()?).ok()?;
    let is_below_too = flag(fields.next()?)?;
    let path = fields.next()?.to_vec();
    let secure = flag(fields.next()?)?;
    let expires = match fields.next()? {
        b"" | b"0" => None,
        digits => Some(from_unix(number::decimal(digits)?)?),
    };
    Some(Record {
        name: fields.next()?.to_vec(),
        // Some programs omit the last TAB if there is no value.
        value: fields.next().unwrap_or_default().to_vec(),
        domain: domain.strip_prefix('.').unwrap_or(domain).to_owned(),
        scope: if is_below_too { Scope::Domain } else { Scope::HostOnly },
        path,
        expires,
        secure,
        http_only: false,
        same_site: None,
    })
}

fn flag(field: &[u8]) -> Option<bool> {
    match field {
        _ if field.eq_ignore_ascii_case(b"TRUE") => Some(true),
        _ if field.eq_ignore_ascii_case(b"FALSE") => Some(false),
        _ => None,
    }
}

/// A prefix of the domain, which programs that do not know it read as a comment.
const HTTP_ONLY: &[u8] = b"#HttpOnly_";
