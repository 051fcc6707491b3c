//! User name and password of a URL: serialized, redacted for messages, and removed before sending.
//!
//! A URL is shown in errors, logs and `Debug`, and a password in it must not be. Three steps:
//!
//! 1. The first thing that a call does with a URL is to take the user out of it
//!    (`Url::take_userinfo`); it becomes `Authorization`, so no later message can show it.
//! 2. A URL that is shown before that is `redacted`.
//! 3. A text that is not a URL is shown only if it certainly contains no user
//!    ([`may_hold_userinfo`]). What a program meant by `htp//user:secret@host` cannot be known, so
//!    the answer errs on the side of hiding.

use std::fmt;

use super::text::{is_scheme, without_tabs_and_newlines};
use super::{Component, Url};
use crate::base::text::{C0_CONTROL, Table, percent_decode};

static USERINFO: Table = C0_CONTROL.encoding(b" \"#<>?^`{}/:;=@[\\]|");

/// Writes `username:password@`, or the parts of it that are not empty. Existing percent-encoding is
/// kept.
pub(super) fn push(out: &mut String, username: &str, password: &str) {
    if username.is_empty() && password.is_empty() {
        return;
    }
    USERINFO.push(out, username);
    if !password.is_empty() {
        out.push(':');
        USERINFO.push(out, password);
    }
    out.push('@');
}

/// The user name and password of a URL, percent-decoded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Userinfo {
    pub(crate) username: Vec<u8>,
    pub(crate) password: Option<Vec<u8>>,
}

impl fmt::Debug for Userinfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Userinfo(***)")
    }
}

impl Url {
    /// Removes user name and password from the URL and returns them, so that neither `Host`, nor the
    /// request target, nor a message contains them (RFC 9110 §4.2.4).
    pub(crate) fn take_userinfo(&mut self) -> Option<Userinfo> {
        if !self.has_userinfo() {
            return None;
        }
        let (username, password) = self.userinfo();
        let decode = |text: &str| percent_decode(text.as_bytes()).into_owned();
        let userinfo = Userinfo { username: decode(username), password: password.map(decode) };
        self.replace(Component::Userinfo, "");
        Some(userinfo)
    }

    /// Returns the URL for messages, with `***` instead of user name and password.
    pub(crate) fn redacted(&self) -> impl fmt::Display + '_ {
        Redacted(self)
    }

    /// Returns user name and password, percent-encoded.
    pub(super) fn userinfo(&self) -> (&str, Option<&str>) {
        let userinfo = self.part(Component::Userinfo);
        let userinfo = userinfo.strip_suffix('@').unwrap_or(userinfo);
        match userinfo.split_once(':') {
            Some((username, password)) => (username, Some(password)),
            None => (userinfo, None),
        }
    }
}

/// Describes a text that is not a valid URL by its beginning, or without it if it may contain userinfo.
pub(crate) fn shown(what: &str, text: &str) -> String {
    if may_hold_userinfo(text) {
        return what.to_owned();
    }
    let excerpt: String = text.chars().take(80).collect();
    format!("{what} {excerpt:?}")
}

/// Returns whether a text that is not a valid URL may contain a user name or a password.
///
/// The meaning of such a text is unknown, so this is false only if it certainly contains neither: it has
/// no `@` in any encoding, and only a host and a port where an authority may be.
pub(crate) fn may_hold_userinfo(text: &str) -> bool {
    let text = without_tabs_and_newlines(text.trim_matches(|c| c <= ' '));
    if has_any(&text, &['@', '\u{ff20}', '\u{fe6b}'], "40") {
        return true;
    }
    let authority = match text.split_once(':') {
        Some((scheme, _)) if OPAQUE.iter().any(|name| name.eq_ignore_ascii_case(scheme)) => {
            return false;
        }
        Some((scheme, rest)) if is_scheme(scheme) && has_authority(scheme, rest) => rest,
        _ => &text,
    };
    let authority = authority.trim_start_matches(['/', '\\']);
    let authority = authority.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    !is_host_and_port(authority)
}

/// Schemes of URLs without an authority.
const OPAQUE: [&str; 17] = [
    "about",
    "blob",
    "cid",
    "data",
    "geo",
    "intent",
    "javascript",
    "magnet",
    "mailto",
    "news",
    "sip",
    "sms",
    "tel",
    "unix",
    "urn",
    "vbscript",
    "view-source",
];

/// Returns whether an authority follows a scheme: for special schemes even without slashes.
fn has_authority(scheme: &str, rest: &str) -> bool {
    const SPECIAL: [&str; 5] = ["http", "https", "ws", "wss", "ftp"];
    let is_special = SPECIAL.iter().any(|name| name.eq_ignore_ascii_case(scheme));
    is_special || rest.starts_with(['/', '\\'])
}

fn has_colon(text: &str) -> bool {
    has_any(text, &[':', '\u{ff1a}', '\u{fe55}', '\u{fe13}'], "3a")
}

/// Returns whether a text contains a character: literally, as a code point that UTS #46 maps to it in a
/// host, or percent-encoded once or more.
fn has_any(text: &str, forms: &[char], code: &str) -> bool {
    let is_encoded = |tail: &str| {
        let digits = tail.trim_start_matches("25").get(..2);
        digits.is_some_and(|digits| digits.eq_ignore_ascii_case(code))
    };
    text.contains(forms) || text.split('%').skip(1).any(is_encoded)
}

/// Returns whether the authority is certainly only a host and a port. Without a colon there is no
/// password, and the caller has excluded an `@`.
fn is_host_and_port(authority: &str) -> bool {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !has_colon(authority) {
        return true;
    }
    if let Some(address) = authority.strip_prefix('[') {
        let (address, rest) = address.split_once(']').unwrap_or((address, ""));
        return is_address(address) && is_port(rest.strip_prefix(':').unwrap_or(rest));
    }
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    !has_colon(host) && is_port(port)
}

/// Returns whether a text looks like an IPv6 address, with or without a zone (RFC 6874).
fn is_address(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, ""));
    let is_of_zone = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    address.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        && zone.bytes().all(is_of_zone)
}

struct Redacted<'a>(&'a Url);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Redacted(url) = self;
        // Not a URL with a user, but perhaps meant to be: `user:password@host`.
        if !url.has_host() && !url.is_special() && may_hold_userinfo(url.as_str()) {
            return f.write_str("***");
        }
        f.write_str(url.part(Component::Scheme))?;
        f.write_str(match url.userinfo() {
            ("", None) => "",
            (_, None) => "***@",
            (_, Some(_)) => "***:***@",
        })?;
        f.write_str(url.span(Component::Host, Component::Fragment))
    }
}

#[cfg(test)]
mod tests;
