//! Cookies as JSON lines: one flat object per line. Strings are UTF-8, as JSON requires; other
//! bytes are encoded in base64 under the same key with `_b64` appended.

use std::collections::BTreeMap;
use std::str;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::object::{self, Scalar};
use super::{Record, SavedLine, from_unix, to_unix};
use crate::cookie::parse;
use crate::cookie::stored::{Scope, StoredCookie};

/// Appends the line of `cookie`.
pub(crate) fn write(cookie: &StoredCookie, out: &mut Vec<u8>) {
    out.push(b'{');
    write_octets(out, "name", &cookie.name);
    write_octets(out, "value", &cookie.value);
    write_octets(out, "domain", cookie.domain.as_bytes());
    write_octets(out, "path", &cookie.path);
    let mut rest = format!(
        "\"host_only\":{},\"secure\":{},\"http_only\":{}",
        cookie.host_only(),
        cookie.secure,
        cookie.http_only()
    );
    if let Some(expires) = cookie.expires {
        rest += &format!(",\"expires\":{}", to_unix(expires));
    }
    if let Some(same_site) = cookie.same_site() {
        rest += &format!(",\"same_site\":\"{same_site:?}\"");
    }
    out.extend_from_slice(rest.as_bytes());
    out.extend_from_slice(b"}\n");
}

fn write_octets(out: &mut Vec<u8>, key: &str, bytes: &[u8]) {
    let member = match str::from_utf8(bytes) {
        Ok(text) => format!("\"{key}\":\"{}\",", escape(text)),
        Err(_) => format!("\"{key}_b64\":\"{}\",", BASE64_STANDARD.encode(bytes)),
    };
    out.extend_from_slice(member.as_bytes());
}

/// Cookies contain no control characters except TAB.
fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\t', r"\t")
}

pub(crate) fn read(line: &[u8]) -> SavedLine {
    if line.trim_ascii().is_empty() {
        return SavedLine::Blank;
    }
    let members = str::from_utf8(line).ok().and_then(object::parse);
    members
        .and_then(|members| record(Members(members)))
        .map_or(SavedLine::Malformed, SavedLine::Cookie)
}

fn record(mut members: Members) -> Option<Record> {
    Some(Record {
        name: members.octets("name")?,
        value: members.octets("value")?,
        domain: String::from_utf8(members.octets("domain")?).ok()?,
        path: members.octets("path")?,
        scope: if members.flag("host_only")? { Scope::HostOnly } else { Scope::Domain },
        secure: members.flag("secure")?,
        http_only: members.flag("http_only")?,
        expires: members.optional("expires", |expires| match expires {
            Scalar::Number(seconds) => from_unix(seconds),
            _ => None,
        })?,
        same_site: members.optional("same_site", |same_site| match same_site {
            Scalar::Text(name) => parse::same_site(name.as_bytes()),
            _ => None,
        })?,
    })
}

/// Unknown members are ignored.
struct Members(BTreeMap<String, Scalar>);

impl Members {
    fn octets(&mut self, key: &str) -> Option<Vec<u8>> {
        match (self.0.remove(key), self.0.remove(&format!("{key}_b64"))) {
            (Some(Scalar::Text(text)), None) => Some(text.into_bytes()),
            (None, Some(Scalar::Text(text))) => BASE64_STANDARD.decode(text).ok(),
            _ => None,
        }
    }

    fn flag(&mut self, key: &str) -> Option<bool> {
        match self.0.remove(key)? {
            Scalar::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    /// Returns `Some(None)` for an absent member or `null`.
    fn optional<T>(&mut self, key: &str, read: fn(Scalar) -> Option<T>) -> Option<Option<T>> {
        match self.0.remove(key) {
            None | Some(Scalar::Null) => Some(None),
            Some(scalar) => read(scalar).map(Some),
        }
    }
}
