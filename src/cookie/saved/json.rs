//! Cookies as JSON lines: one flat object per line. Strings are UTF-8, as JSON requires; other
//! bytes are encoded in base64 under the same key with `_b64` appended.
//!
//! The parser is for the part of JSON (RFC 8259) that a line needs: an object of strings, whole numbers,
//! booleans and nulls. Nothing nests, so there is no recursion.

use std::collections::BTreeMap;
use std::str;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Record, SavedLine, from_unix, to_unix};
use crate::base::number;
use crate::cookie::SameSite;
use crate::cookie::stored::StoredCookie;

/// Appends the line of `cookie`.
pub(in crate::cookie) fn write(cookie: &StoredCookie, out: &mut Vec<u8>) {
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

pub(in crate::cookie) fn read(line: &[u8]) -> SavedLine {
    if line.trim_ascii().is_empty() {
        return SavedLine::Blank;
    }
    let members = str::from_utf8(line).ok().and_then(parse_object);
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
        host_only: members.flag("host_only")?,
        secure: members.flag("secure")?,
        http_only: members.flag("http_only")?,
        expires: members.optional("expires", |expires| match expires {
            Scalar::Number(seconds) => from_unix(seconds),
            _ => None,
        })?,
        same_site: members.optional("same_site", |same_site| match same_site {
            Scalar::Text(name) => SameSite::parse(name.as_bytes()),
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

/// A value of a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Text(String),
    Number(u64),
    Bool(bool),
    Null,
}

/// Parses `text` as an object and returns its members. An object with a duplicate name is refused,
/// because it is ambiguous which member counts.
pub(super) fn parse_object(text: &str) -> Option<BTreeMap<String, Scalar>> {
    let mut scanner = Scanner { rest: text };
    let members = scanner.object()?;
    scanner.skip_space();
    scanner.rest.is_empty().then_some(members)
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn object(&mut self) -> Option<BTreeMap<String, Scalar>> {
        let mut members = BTreeMap::new();
        self.eat("{")?;
        if self.eat("}").is_some() {
            return Some(members);
        }
        loop {
            let name = self.string()?;
            self.eat(":")?;
            let value = self.scalar()?;
            if members.insert(name, value).is_some() {
                return None;
            }
            if self.eat(",").is_none() {
                break;
            }
        }
        self.eat("}")?;
        Some(members)
    }

    fn scalar(&mut self) -> Option<Scalar> {
        for (word, scalar) in
            [("true", Scalar::Bool(true)), ("false", Scalar::Bool(false)), ("null", Scalar::Null)]
        {
            if self.eat(word).is_some() {
                return Some(scalar);
            }
        }
        if self.rest.starts_with('"') {
            return self.string().map(Scalar::Text);
        }
        self.number().map(Scalar::Number)
    }

    /// RFC 8259 §6: without leading zeros.
    fn number(&mut self) -> Option<u64> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        let is_padded = digits.len() > 1 && digits.starts_with('0');
        number::decimal(digits.as_bytes()).filter(|_| !is_padded)
    }

    fn string(&mut self) -> Option<String> {
        self.eat("\"")?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escaped()?),
                c if c < ' ' => return None,
                c => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        match self.next()? {
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.code_point(),
            c => matches!(c, '"' | '\\' | '/').then_some(c),
        }
    }

    /// Reads one UTF-16 code unit, or a surrogate pair.
    fn code_point(&mut self) -> Option<char> {
        let unit = self.code_unit()?;
        if let Some(c) = char::from_u32(unit.into()) {
            return Some(c);
        }
        self.rest = self.rest.strip_prefix("\\u")?;
        char::decode_utf16([unit, self.code_unit()?]).next()?.ok()
    }

    fn code_unit(&mut self) -> Option<u16> {
        (0..4).try_fold(0, |unit, _| {
            let digit = self.next()?.to_digit(16)?;
            Some(unit << 4 | u16::try_from(digit).ok()?)
        })
    }

    /// Consumes `token`, after optional white space.
    fn eat(&mut self, token: &str) -> Option<()> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        Some(next)
    }
}
