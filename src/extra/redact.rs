//! The parts of a request and a response that are not shown: credentials in fields, URLs and texts (feature `export`).
//!
//! One list decides for commands of curl, HAR files and `explain`: that of
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
use crate::url::Url;

/// The text in the place of a secret.
pub(crate) const REDACTED: &str = "REDACTED";

/// Returns a URL without its secrets.
pub(crate) fn url(url: &Url) -> String {
    text(url.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_urls_are_redacted_and_nothing_else() {
        let rows = [
            ("http://a.test/p?x=1&y=a%20b&x=2&z#f", "http://a.test/p?x=1&y=a%20b&x=2&z#f"),
            ("http://u:s3cret@a.test/p", "http://u:REDACTED@a.test/p"),
            ("http://u@a.test/p", "http://u@a.test/p"),
            ("//u:s3cret@a.test", "//u:REDACTED@a.test"),
            ("/x?token=s3cret", "/x?token=REDACTED"),
            ("?a=1&access_token=s3cret?s3cret&b=2", "?a=1&access_token=REDACTED&b=2"),
            ("/x#id_token=s3cret&state=1", "/x#id_token=REDACTED&state=1"),
            ("/x?next=/y?token=s3cret", "/x?next=/y?token=REDACTED"),
            ("/x?next=%2Fy%3Ftoken%3Ds3cret&a=1", "/x?next=REDACTED&a=1"),
            ("/x?next=http%3A%2F%2Fu%3As3cret%40h", "/x?next=REDACTED"),
            ("/x?user%5Bpassword%5D=s3cret", "/x?user%5Bpassword%5D=REDACTED"),
            ("/x?user[password]=s3cret", "/x?user[password]=REDACTED"),
            ("/x?%74oken=s3cret", "/x?%74oken=REDACTED"),
            (
                "/x?apiKey=s3cret&X-Amz-Signature=s3cret",
                "/x?apiKey=REDACTED&X-Amz-Signature=REDACTED",
            ),
            ("</a?sig=s3cret>; rel=next, </b?c=1>", "</a?sig=REDACTED>; rel=next, </b?c=1>"),
            ("token=", "token="),
            ("?token=", "?token="),
            ("?token=?s3cret", "?token=REDACTED"),
            ("\u{e4}?\u{e4}=\u{e4}&token=\u{e4}", "\u{e4}?\u{e4}=\u{e4}&token=REDACTED"),
        ];
        for (given, expected) in rows {
            assert_eq!(text(given), expected);
        }
    }

    #[test]
    fn long_texts_take_linear_time() {
        for part in ["?", "?a=", "//", "//a:", "&token=", "=", "#a=%25"] {
            let long = part.repeat(1 << 18);
            let started = std::time::Instant::now();
            text(&long);
            assert!(started.elapsed() < std::time::Duration::from_secs(20), "{part}"); // quadratic: minutes
        }
    }

    #[test]
    fn secrets_of_fields_are_redacted_and_nothing_else() {
        let rows = [
            ("authorization", "Bearer s3cret", Some("Bearer REDACTED")),
            ("authorization", "s3cret", Some("REDACTED")),
            ("cookie", "a=s3cret; b=s3cret", Some("REDACTED")),
            ("set-cookie", "sid=s3cret; Path=/; Secure", Some("sid=REDACTED; Path=/; Secure")),
            ("set-cookie", "s3cret", Some("=REDACTED")),
            ("location", "/x?token=s3cret", Some("/x?token=REDACTED")),
            ("location", "/x?y=1", None),
            ("referer", "http://a.test/?sig=s3cret", Some("http://a.test/?sig=REDACTED")),
            ("www-authenticate", "Digest nonce=\"1\"", None),
            ("x-api-key", "s3cret", Some("REDACTED")),
            ("accept", "*/*", None),
        ];
        for (name, value, expected) in rows {
            let name = HeaderName::from_static(name);
            let shown = field(&name, &HeaderValue::from_static(value));
            assert_eq!(shown.as_deref(), expected.map(str::as_bytes), "{name}: {value}");
        }
        let mut marked = HeaderValue::from_static("s3cret");
        marked.set_sensitive(true);
        assert_eq!(field(&header::ACCEPT, &marked).as_deref(), Some(REDACTED.as_bytes()));
    }
}
