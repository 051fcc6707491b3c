//! The parts of a request and a response that are not shown: credentials in fields, URLs and texts (features `export`
//! and `log`).
//!
//! One list decides for commands of curl, HAR files, `explain` and the lines of the wire: that of
//! `policy::auth`, by which redirects take fields away too. A parameter of a query or a fragment is judged by its
//! name as a field is.
//!
//! | in | stays | becomes `REDACTED` |
//! | --- | --- | --- |
//! | `Authorization` and the like | the scheme | the rest |
//! | `Set-Cookie` | the name and the attributes | the value |
//! | other fields with credentials, values marked sensitive | the name | the value |
//! | fields with URLs, such as `Location` | all but the secrets of the URL | |
//! | a URL | the user name | the password, and the values of parameters that are credentials |

use http::header::{self, HeaderName, HeaderValue};

use crate::base::text::percent_decode;
use crate::policy::auth::{is_credential, is_secret};
#[cfg(feature = "export")]
use crate::url::Url;

/// The text in the place of a secret.
pub(crate) const REDACTED: &str = "REDACTED";

/// Returns a URL without its secrets.
#[cfg(feature = "export")]
pub(crate) fn url(url: &Url) -> String {
    text(url.as_str())
}

/// Returns the lines of a head without their secrets, of which there are more in the fields of a request than a
/// name tells: `marked` are the values that the program has marked as sensitive.
#[cfg(feature = "log")]
pub(crate) fn head(head: &[u8], marked: &[&HeaderValue]) -> Vec<String> {
    let lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let mut lines = lines.filter(|line| !line.is_empty());
    let first = lines.next().map(|line| text(&String::from_utf8_lossy(line)));
    first.into_iter().chain(lines.map(|line| field_line(line, marked))).collect()
}

/// Returns a field line without its secrets, and nothing of a line that has no valid name and value: it may
/// continue the value of the line before.
#[cfg(feature = "log")]
fn field_line(line: &[u8], marked: &[&HeaderValue]) -> String {
    let parsed = line.iter().position(|byte| *byte == b':').and_then(|colon| {
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii();
        let (parsed, value) =
            (HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
        Some((name, parsed, value))
    });
    let Some((spelled, name, mut value)) = parsed else { return REDACTED.to_owned() };
    value.set_sensitive(marked.iter().any(|marked| **marked == value));
    let shown = field(&name, &value).unwrap_or_else(|| value.as_bytes().to_vec());
    format!("{}: {}", String::from_utf8_lossy(spelled), String::from_utf8_lossy(&shown))
}

/// Returns the value of a field without its secrets; `None` if it has none.
pub(crate) fn field(name: &HeaderName, value: &HeaderValue) -> Option<Vec<u8>> {
    const WITH_URLS: [HeaderName; 5] = [
        header::LOCATION,
        header::CONTENT_LOCATION,
        header::REFERER,
        header::LINK,
        header::REFRESH,
    ];
    if *name == header::SET_COOKIE {
        return Some(set_cookie(value.as_bytes()));
    }
    // A challenge says how to log in, and is no secret.
    let is_challenge = [header::WWW_AUTHENTICATE, header::PROXY_AUTHENTICATE].contains(name);
    if (!is_challenge || value.is_sensitive()) && is_secret(name, value) {
        let login = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION].contains(name);
        let scheme = value.to_str().ok().filter(|_| login).and_then(|value| value.split_once(' '));
        return Some(match scheme {
            Some((scheme, _)) => format!("{scheme} {REDACTED}").into_bytes(),
            None => REDACTED.as_bytes().to_vec(),
        });
    }
    let shown =
        WITH_URLS.contains(name).then(|| text(&String::from_utf8_lossy(value.as_bytes())))?;
    (shown.as_bytes() != value.as_bytes()).then(|| shown.into_bytes())
}

/// Returns a text without the secrets of the URLs in it, which may be relative references.
pub(crate) fn text(text: &str) -> String {
    let without_passwords = without_passwords(text);
    without_parameters(&without_passwords, true)
}

/// Returns the `Set-Cookie` field with a placeholder for the value of the cookie.
fn set_cookie(value: &[u8]) -> Vec<u8> {
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let (pair, attributes) = value.split_at(end);
    let name = pair.iter().position(|byte| *byte == b'=').map(|at| pair.split_at(at).0);
    let name = name.unwrap_or_default();
    [name, b"=", REDACTED.as_bytes(), attributes].concat()
}

/// Replaces each password between `//` and `@`.
fn without_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("//") {
        shown.push_str(before);
        shown.push_str("//");
        let (authority, next) = split_before(after, |c| c == '/' || c == '?' || is_end_of_value(c));
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => {
                let name = user.split(':').next().unwrap_or_default();
                shown.extend([name, ":", REDACTED, "@", host]);
            }
            _ => shown.push_str(authority),
        }
        rest = next;
    }
    shown + rest
}

/// Replaces the values of parameters that are credentials, wherever a query or a fragment may begin. Takes linear
/// time: what follows a mark is looked at up to the next one, unless it is replaced.
fn without_parameters(text: &str, looks_inside: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['?', '&', '#']) {
        let (before, after) = rest.split_at(at + 1); // behind an ASCII character
        shown.push_str(before);
        rest = after;
        let (pair, _) = split_before(after, |c| c == '?' || is_end_of_value(c));
        let Some((name, value)) = pair.split_once('=') else { continue };
        let has_value = !value.is_empty() || after.split_at(pair.len()).1.starts_with('?');
        if (has_value && is_secret_parameter(name)) || (looks_inside && holds_secret(value)) {
            shown.extend([name, "=", REDACTED]);
            rest = split_before(after, is_end_of_value).1; // a `?` does not end a value
        }
    }
    shown + rest
}

fn is_end_of_value(c: char) -> bool {
    "&#<>\"".contains(c) || c.is_whitespace()
}

fn split_before(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

/// Returns whether a value is an encoded URL, such as the target of a login, with secrets of its own.
fn holds_secret(value: &str) -> bool {
    let decoded = percent_decode(value.as_bytes());
    let decoded = String::from_utf8_lossy(&decoded);
    decoded != value && without_parameters(&without_passwords(&decoded), false) != *decoded
}

/// Returns whether a parameter is a credential by its name, as for fields, or a signature.
fn is_secret_parameter(name: &str) -> bool {
    let name = String::from_utf8_lossy(&percent_decode(name.as_bytes())).to_ascii_lowercase();
    let in_words = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let is_signature = in_words.split('-').any(|word| matches!(word, "sig" | "signature"));
    is_signature
        || HeaderName::from_bytes(in_words.as_bytes()).is_ok_and(|name| is_credential(&name))
}

#[cfg(all(test, feature = "export"))]
mod tests;
