//! Authentication: this file has Basic and Bearer credentials (RFC 7617, RFC 6750) and decides which
//! fields count as credentials; `digest` answers Digest challenges (RFC 7616); [`netrc`] finds
//! passwords in a file.
//!
//! Two questions about a field are different. [`stays_with_origin`]: it carries credentials by
//! definition, or the caller marked it sensitive; no redirect policy sends it to another origin.
//! [`is_credential`]: its name looks like it, judged word by word; a redirect policy can name
//! exceptions. [`is_secret`] is either of them: such fields are not shown by `Debug` and not sent in a
//! TRACE.
//!
//! Digest nonces are shared by the calls of a client, so that the next request needs no challenge;
//! [`digest::Nonces`] is a table with a bound, locked by the call. The client nonce is random, from
//! the operating system: it is the one thing in this folder that is not computed from arguments.
//!
//! # Where credentials come from
//!
//! In this order; the first that is there is used, and none replaces a field that the request has
//! (`tests/credentials.rs`, `the_most_specific_credentials_win`):
//!
//! | source | set by | sent to |
//! | --- | --- | --- |
//! | the field `Authorization` of the request | `header`, `basic_auth`, `bearer_auth` | the request's origin |
//! | the user of the URL, with a password from there or from netrc | the URL | that origin |
//! | the client's login | `ClientBuilder::basic_auth`, `digest_auth` | the origin of each request |
//! | the netrc file | `ClientBuilder` | hosts with an entry |
//!
//! None of them follows a redirect to another origin. A login for a proxy is a setting of the
//! proxy, or `Proxy-Authorization` of the request, which a forwarding proxy gets and an origin
//! never.

#[cfg(feature = "digest")]
pub(crate) mod digest;
#[cfg(not(feature = "digest"))]
pub(crate) use crate::off::digest;
pub(crate) mod netrc;

use crate::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The properties of the request that Digest credentials depend on.
#[cfg_attr(not(feature = "digest"), allow(dead_code))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    /// The request target in the form in which it is sent.
    pub(crate) target: &'a str,
    /// The body; `None` if it is not known before it is sent.
    pub(crate) body: Option<&'a [u8]>,
}

/// Returns `Basic …`, the value of `Authorization` (RFC 7617 §2), marked sensitive.
///
/// A colon would end the user name early; control characters are not allowed at all (RFC 7617 §2).
pub(crate) fn basic(username: &[u8], password: &[u8]) -> Result<HeaderValue, Error> {
    if username.contains(&b':') {
        return Err(Error::builder("a user name for Basic authentication cannot hold a colon"));
    }
    let pair = [username, b":", password].concat();
    if pair.iter().any(u8::is_ascii_control) {
        return Err(Error::builder("credentials for Basic authentication cannot hold controls"));
    }
    sensitive(format!("Basic {}", STANDARD.encode(pair)).as_bytes())
}

/// Returns `Bearer …`, the value of `Authorization` (RFC 6750 §2.1), marked sensitive.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    sensitive(format!("Bearer {token}").as_bytes())
}

pub(crate) fn sensitive(value: &[u8]) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_bytes(value)
        .map_err(|error| Error::invalid_field("invalid Authorization value", error))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns whether a field may only be sent to the origin that the caller named, whatever the
/// redirect policy: fields that carry credentials by definition, and values marked sensitive
/// (`HeaderValue::set_sensitive`).
pub(crate) fn stays_with_origin(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive()
        || [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION].contains(name)
        || matches!(name.as_str(), "cookie2" | "www-authenticate" | "proxy-authenticate")
}

/// Returns whether a field carries credentials, judging by its name and value.
pub(crate) fn is_secret(name: &HeaderName, value: &HeaderValue) -> bool {
    stays_with_origin(name, value) || is_credential(name)
}

/// Returns whether a field name indicates credentials.
///
/// There is no registry of such names, so the words of a name decide; words end at `-`, `_` or `.`.
/// The list consists of the words that servers and proxies use and that secret scanners look for;
/// the docs of [`redirect::Policy`](crate::policy::redirect::Policy) show it in full.
pub(crate) fn is_credential(name: &HeaderName) -> bool {
    let mut previous = "";
    name.as_str().split(['-', '_', '.']).any(|word| {
        let before = std::mem::replace(&mut previous, word);
        match word {
            "key" => !KEYS_OF_DATA.contains(&before),
            _ => is_credential_word(word),
        }
    }) || name.as_str() == "x-jfrog-art-api"
}

/// The words before `key` that make it an identifier instead of a secret.
const KEYS_OF_DATA: [&str; 8] =
    ["idempotency", "websocket", "surrogate", "cache", "partition", "routing", "sort", "shard"];

fn is_credential_word(word: &str) -> bool {
    const WHOLE: [&str; 24] = [
        "assertion",
        "auth",
        "bearer",
        "cert",
        "credential",
        "credentials",
        "creds",
        "crumb",
        "dpop",
        "hmac",
        "jwt",
        "oauth",
        "otp",
        "pass",
        "passcode",
        "passphrase",
        "passwd",
        "pwd",
        "saml",
        "sign",
        "signature",
        "sso",
        "totp",
        "webauth",
    ];
    const BEGINNINGS: [&str; 6] = ["authentic", "authoris", "authoriz", "cookie", "csrf", "xsrf"];
    const ENDINGS: [&str; 9] = [
        "accesskey",
        "apikey",
        "authkey",
        "password",
        "secret",
        "secretkey",
        "session",
        "sessionid",
        "token",
    ];
    WHOLE.contains(&word)
        || BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
        || ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Marks fields whose name indicates credentials as sensitive, so that `Debug` does not show them.
pub(crate) fn mark_sensitive(headers: &mut HeaderMap) {
    for (_, value) in headers.iter_mut().filter(|(name, value)| stays_with_origin(name, value)) {
        value.set_sensitive(true);
    }
}

#[cfg(test)]
mod tests;
