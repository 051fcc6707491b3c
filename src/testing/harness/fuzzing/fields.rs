//! The parsers of field values and of netrc files.
//!
//! The results are plain strings, so that the target can print what was understood and have it
//! parsed again: the second result must equal the first.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Method, header};

use super::text;
use crate::fields::challenge::Details;
use crate::fields::media_type::MediaType;
use crate::fields::{self, challenge, date, disposition, link};
use crate::policy::auth::Asked;
use crate::policy::auth::digest::{self, DigestLogin, Nonces};
use crate::policy::auth::netrc::Netrc;
use crate::url::Url;

/// Parameters: names and values.
pub type Parameters = Vec<(String, String)>;

/// Parses an HTTP-date.
pub fn date(value: &[u8], now: SystemTime) -> Option<SystemTime> {
    date::parse(value, now)
}

/// Parses `Retry-After`.
pub fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    date::retry_after(value, now)
}

/// Parses `Link`: targets and their parameters.
pub fn links(value: &[u8]) -> Vec<(String, Parameters)> {
    link::parse(value).map(|link| (link.target, link.parameters)).collect()
}

/// Parses `Content-Disposition`: its type, and the file name as the server sent it.
pub fn disposition(value: &[u8]) -> Option<(String, Option<String>)> {
    disposition::parse(value).map(|disposition| (disposition.kind, disposition.file_name))
}

/// Returns the part of a name that is safe as a file name.
pub fn safe_file_name(name: &str) -> Option<String> {
    disposition::safe_file_name(name)
}

/// Parses `Content-Type`: the type and its parameters.
pub fn media_type(value: &[u8]) -> Option<(String, Parameters)> {
    MediaType::parse(value).map(|media_type| (media_type.essence, media_type.parameters))
}

/// A challenge: its scheme, and a token or parameters.
pub type Challenge = (String, Result<Parameters, String>);

/// Parses `WWW-Authenticate`.
pub fn challenges(value: &[u8]) -> Vec<Challenge> {
    let shown = |challenge: challenge::Challenge| match challenge.details {
        Details::Token68(token) => (challenge.scheme, Err(token)),
        Details::Parameters(parameters) => {
            let parameters =
                parameters.into_iter().map(|(name, value)| (name, fields::text(&value)));
            (challenge.scheme, Ok(parameters.collect()))
        }
    };
    challenge::parse(value).map(shown).collect()
}

/// Parses a netrc file and returns the credentials for each of these URLs.
pub fn netrc(file: &str, urls: &[Url]) -> Result<Vec<Option<HeaderValue>>, String> {
    let netrc = Netrc::parse(file).map_err(text)?;
    Ok(urls.iter().map(|url| netrc.authorization(url).ok().flatten()).collect())
}

/// Returns the answer to a Digest challenge, and to the same challenge when it is repeated.
pub fn digest(
    challenge: &HeaderValue,
    username: &str,
    password: &str,
    target: &str,
) -> Option<[Option<HeaderValue>; 2]> {
    let asked = Asked { method: &Method::POST, target, body: Some(b"body") };
    let headers = HeaderMap::from_iter([(header::WWW_AUTHENTICATE, challenge.clone())]);
    let challenge = digest::DigestChallenge::choose(&headers, asked)?;
    let login = DigestLogin { username: username.to_owned(), password: password.to_owned() };
    let origin = Url::parse("http://a.example/").ok()?.origin();
    let mut nonces = Nonces::default();
    nonces.keep(origin.clone(), challenge, [7; 16]);
    Some([(); 2].map(|()| nonces.answer(&origin, &login, asked)))
}
