//! A request as a command of curl for a POSIX shell (feature `export`).
//!
//! The command sends the bytes that the client would send, but for the connection: what curl adds by itself is
//! taken away (`--header 'User-Agent:'`), and the framing is left to curl, which computes the same. The rules:
//!
//! | rule | why |
//! | --- | --- |
//! | single quotes, `'\''` for a quote; never `$'…'` | only some shells know it |
//! | `--data-raw`, never `--data` | a body that begins with `@` would be read from a file |
//! | `--request` only where curl would choose another method | it would also hold for redirects |
//! | `--globoff` for `[]{}`, `--path-as-is` for dot segments | curl would change the URL |
//! | a body of other bytes than text, or over 128 KiB, by `printf` through a pipe | an argument ends at a NUL, and has a limit |
//! | `--header 'X-A;'` for an empty value | `X-A:` would remove the field |
//! | secrets are replaced by `REDACTED` unless asked for (`redact.rs`) | commands are pasted into bug reports |
//!
//! `tests/export.rs` runs the commands with the real curl and compares what a server receives.

use std::fmt::Write as _;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version};

use crate::extra::redact;
use crate::url::Url;

/// A request as it would be sent.
pub(crate) struct Outline<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) version: Version,
    /// All fields, with those of the client.
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Payload<'a>,
}

/// The body of an [`Outline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    None,
    Bytes(&'a [u8]),
    /// It is read from a source, and cannot be shown.
    Source,
}

/// The length of a body from which on it is not an argument of curl: Linux allows 128 KiB for one.
const LONGEST_ARGUMENT: usize = 120 * 1024;

/// The length of a body from which on some version of curl adds `Expect: 100-continue`.
const EXPECTING: usize = 1024;

/// Returns the command, without a line end.
pub(crate) fn command(request: &Outline<'_>, with_secrets: bool) -> String {
    let Outline { method, url, version, headers, body } = request;
    let mut words = vec!["curl".to_owned()];
    let has_data = *body != Payload::None || headers.contains_key(header::CONTENT_LENGTH);
    words.extend(method_words(method, has_data).map(|word| quoted(word.as_bytes())));
    match (*version, url.scheme()) {
        (Version::HTTP_10, _) => words.push("--http1.0".to_owned()),
        (_, "https") => words.push("--http1.1".to_owned()),
        _ => {}
    }
    let shown = if with_secrets { url.as_str().to_owned() } else { redact::url(url) };
    if shown.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    if has_dot_segment(url.path()) {
        words.push("--path-as-is".to_owned());
    }
    for (name, value) in headers.iter().filter(|(name, value)| is_shown(name, value, url)) {
        words.push("--header".to_owned());
        words.push(field(name, value, with_secrets));
    }
    let length = if let Payload::Bytes(bytes) = body { bytes.len() } else { 0 };
    for (name, is_added) in [
        (header::USER_AGENT, true),
        (header::ACCEPT, true),
        (header::CONTENT_TYPE, has_data),
        (header::EXPECT, length > EXPECTING),
    ] {
        if is_added && !headers.contains_key(&name) {
            words.extend(["--header".to_owned(), format!("{}:", capitalized(&name))]);
        }
    }
    let mut before = String::new();
    match body {
        Payload::Bytes(bytes) if !is_argument(bytes) => {
            before = format!("{} | ", printed(bytes));
            words.extend(["--data-binary".to_owned(), "@-".to_owned()]);
        }
        Payload::Bytes(bytes) => words.extend(["--data-raw".to_owned(), quoted(bytes)]),
        Payload::None if has_data => words.extend(["--data-raw".to_owned(), "''".to_owned()]),
        Payload::None => {}
        Payload::Source => {
            before =
                "# The body is read from a source and is not shown: give it to curl's input.\n"
                    .to_owned();
            words.extend(["--data-binary".to_owned(), "@-".to_owned()]);
        }
    }
    words.push(quoted(shown.as_bytes()));
    before + &words.join(" ")
}

/// Returns the words for the method, if curl would choose another one.
fn method_words(method: &Method, has_data: bool) -> impl Iterator<Item = &str> {
    let words = match (method.as_str(), has_data) {
        ("GET", false) | ("POST", true) => [None, None],
        ("HEAD", false) => [Some("--head"), None],
        (method, _) => [Some("--request"), Some(method)],
    };
    words.into_iter().flatten()
}

/// Returns whether a field has to be named: curl writes the framing itself, and the host of the URL.
fn is_shown(name: &HeaderName, value: &HeaderValue, url: &Url) -> bool {
    let is_framing = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name);
    let is_host_of_url = *name == header::HOST && value.as_bytes() == url.host_header().as_bytes();
    !is_framing && !is_host_of_url
}

/// Returns a field as an argument. Only the scheme of credentials is shown.
fn field(name: &HeaderName, value: &HeaderValue, with_secrets: bool) -> String {
    let spelled = capitalized(name);
    if value.is_empty() {
        return quoted(format!("{spelled};").as_bytes());
    }
    let mut line = format!("{spelled}: ").into_bytes();
    match redact::field(name, value).filter(|_| !with_secrets) {
        Some(redacted) => line.extend_from_slice(&redacted),
        None => line.extend_from_slice(value.as_bytes()),
    }
    if std::str::from_utf8(&line).is_ok() {
        quoted(&line)
    } else {
        format!("\"$({})\"", printed(&line))
    }
}

/// Returns the usual spelling of a field name, such as `Content-Type`.
fn capitalized(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

/// Returns whether the path has a segment that curl would remove.
fn has_dot_segment(path: &str) -> bool {
    path.split('/').any(|segment| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    })
}

fn is_argument(bytes: &[u8]) -> bool {
    bytes.len() <= LONGEST_ARGUMENT && !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok()
}

/// Returns a word of the shell for UTF-8 without NUL.
fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Returns a command that prints these bytes. Each byte with a meaning for `printf` (a first `-` too) or the
/// shell is three octal digits, so that a digit behind it is not taken for one more.
fn printed(bytes: &[u8]) -> String {
    let mut command = "printf '".to_owned();
    for byte in bytes {
        match byte {
            b'0'..=b'9'
            | b'A'..=b'Z'
            | b'a'..=b'z'
            | b' '..=b'$'
            | b'('..=b','
            | b'.'..=b'/'
            | b':'..=b'@'
            | b'_' => {
                command.push(char::from(*byte));
            }
            byte => {
                let _ = write!(command, "\\{byte:03o}");
            }
        }
    }
    command + "'"
}

#[cfg(test)]
mod tests;
