//! The `Debug` output of a request: without credentials, and without the passwords of URLs inside
//! field values, such as that of `Referer`.
//!
//! Programs print requests into logs, so `Debug` must be safe by itself. Two kinds of secrets are
//! hidden: a value whose name says that it is one (`policy::auth::is_secret`), as a whole; and
//! within any other value the authority of each URL that may hold a user and a password:
//!
//! ```text
//! referer: https://user:secret@example.org/x     is shown as     https://***/x
//! x-next:  //me%40corp@example.org, http:a@b     is shown as     //***, http:***
//! ```
//!
//! The search is generous: whatever some parser could take for an authority with an `@` is hidden,
//! in any spelling of the slashes and of the sign. A value that is hidden too often costs a line in
//! a log; one that is shown once is a leak (`passwords_in_urls_are_hidden`;
//! `tests/hostile_credentials.rs`, `s17_an_invalid_url_with_a_possible_password_is_not_shown`).
//!
//! | part of a value | hidden if |
//! | --- | --- |
//! | the whole value | its name says that it is a credential, or it is marked sensitive |
//! | an authority after `http:` or `https:`, with any number of slashes | it contains `@`, `%40` or the full-width sign |
//! | an authority after two slashes of either kind | the same |
//!
//! An authority ends where any common parser would end it: at a slash, `?`, `#`, a quote, a blank,
//! a comma.
//!
//! The body is shown by its length (`Body`), and the rest of the parts not at all: timeouts and
//! policies are no secrets, but a line of `Debug` is read by a person.

use std::fmt;

use http::HeaderMap;

use super::RequestParts;
use crate::body::Source;
use crate::policy::auth;
#[cfg(any(feature = "log", feature = "tracing"))]
use crate::url::Url;

impl<S: Source> fmt::Debug for RequestParts<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &RedactedHeaders(&self.headers))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// Displays a URL in a log or a span, without the parts that may be secret.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(super) struct Page<'a>(pub(super) &'a Url);

#[cfg(any(feature = "log", feature = "tracing"))]
impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.0.scheme(), self.0.host_header(), self.0.path())
    }
}

/// Shows the fields, but hides values whose name says that they carry credentials, and users and
/// passwords of URLs inside values.
struct RedactedHeaders<'a>(&'a HeaderMap);

impl fmt::Debug for RedactedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            match hidden(value.as_bytes()) {
                _ if auth::is_secret(name, value) => map.entry(name, &"Sensitive"),
                Some(hidden) => map.entry(name, &hidden),
                None => map.entry(name, value),
            };
        }
        map.finish()
    }
}

/// Returns the value with `***` for each URL authority that may contain a user name and password,
/// or `None` if nothing has to be hidden.
fn hidden(value: &[u8]) -> Option<String> {
    let (mut shown, mut rest, mut is_hidden) = (Vec::new(), value, false);
    while let Some(start) = authority(rest) {
        let (before, from) = rest.split_at(start);
        let (authority, behind) = from.split_at(length(from));
        shown.extend_from_slice(before);
        let secret = may_hold_userinfo(authority);
        shown.extend_from_slice(if secret { b"***" } else { authority });
        is_hidden |= secret;
        rest = behind;
    }
    shown.extend_from_slice(rest);
    is_hidden.then(|| String::from_utf8_lossy(&shown).into_owned())
}

/// Finds the start of the first authority: after a scheme and its slashes (browsers accept any
/// number, of both kinds), or after two slashes.
fn authority(value: &[u8]) -> Option<usize> {
    let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    let begins = |at: &usize| {
        let from = value.get(*at..).unwrap_or_default();
        let scheme = |scheme: &[u8]| {
            from.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        scheme(b"http:")
            || scheme(b"https:")
            || from.iter().take(2).filter(|b| is_slash(b)).count() == 2
    };
    let at = (0..value.len()).find(begins)?;
    let from = value.get(at..)?;
    let scheme =
        from.iter().position(|byte| *byte == b':').filter(|_| !from.iter().take(1).all(is_slash));
    let behind = at + scheme.map_or(0, |colon| colon + 1);
    let slashes = value.get(behind..)?.iter().take_while(|byte| is_slash(byte)).count();
    Some(behind + slashes)
}

/// Returns the length of the authority.
fn length(from: &[u8]) -> usize {
    let ends = |byte: &u8| {
        matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'"' | b'<' | b'>' | b',' | b';' | b' ' | b'\t')
    };
    from.iter().position(ends).unwrap_or(from.len())
}

/// Returns whether the authority contains an `@` in any spelling.
fn may_hold_userinfo(authority: &[u8]) -> bool {
    let spellings: [&[u8]; 3] = [b"@", b"%40", "\u{ff20}".as_bytes()];
    spellings.iter().any(|spelling| authority.windows(spelling.len()).any(|part| part == *spelling))
}

#[cfg(test)]
mod tests;
