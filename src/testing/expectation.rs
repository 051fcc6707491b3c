//! The requirements of one expectation of a mock, and the differences of a request from it.

use std::fmt;

use http::Method;

use super::request::ReceivedRequest;
use crate::base::text::Excerpt;
use crate::url::Url;

/// The conditions that a request has to meet.
pub(super) struct Expected {
    method: Method,
    /// The pattern as it was written.
    shown: String,
    /// The pattern, on some origin if it is only a path.
    url: Option<Url>,
    is_of_any_origin: bool,
    /// The reason why nothing can match.
    pub(super) mistake: Option<String>,
    pub(super) query: Vec<(String, String)>,
    /// Field names in lower case, and their values.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: BodyRule,
}

/// The body that a request has to have.
pub(super) enum BodyRule {
    Any,
    Bytes(Vec<u8>),
    #[cfg(feature = "json")]
    Json(serde_json::Value),
}

/// Fields whose values are secrets, which are compared but not shown.
const SECRET: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

/// The weight of a URL or method that differs, beside that of another condition.
const URL_WEIGHT: usize = 100;
const METHOD_WEIGHT: usize = 50;

impl Expected {
    pub(super) fn new(method: Method, pattern: &str) -> Self {
        let is_of_any_origin = pattern.starts_with('/');
        let url = match is_of_any_origin {
            true => Url::parse(&format!("http://any.invalid{pattern}")),
            false => Url::parse(pattern),
        };
        let mistake = url.as_ref().err().map(|error| format!("its URL: {error}"));
        let url = url.ok();
        let query = url.iter().flat_map(Url::query_pairs);
        let query = query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Self {
            method,
            shown: pattern.to_owned(),
            url,
            is_of_any_origin,
            mistake,
            query,
            headers: Vec::new(),
            body: BodyRule::Any,
        }
    }

    /// Returns in what a request differs, in words, and how much that weighs.
    pub(super) fn differences(&self, request: &ReceivedRequest) -> (usize, Vec<String>) {
        let mut differences = Vec::new();
        let mut weight = 0;
        if let Some(mistake) = &self.mistake {
            differences.push(format!("nothing can match it because of {mistake}"));
            weight += URL_WEIGHT + METHOD_WEIGHT;
        }
        if *request.method() != self.method {
            weight += METHOD_WEIGHT;
            differences.push(format!("the method is {}, not {}", request.method(), self.method));
        }
        if let Some(difference) = self.url_difference(request.url()) {
            weight += URL_WEIGHT;
            differences.push(difference);
        }
        differences.extend(self.query.iter().filter_map(|pair| query_difference(pair, request)));
        differences
            .extend(self.headers.iter().filter_map(|field| field_difference(field, request)));
        differences.extend(self.body.difference(request));
        (weight + differences.len(), differences)
    }

    fn url_difference(&self, url: &Url) -> Option<String> {
        let pattern = self.url.as_ref()?;
        if !self.is_of_any_origin && url.origin() != pattern.origin() {
            let origin = |url: &Url| format!("{}://{}", url.scheme(), host_and_port(url));
            return Some(format!("the origin is {}, not {}", origin(url), origin(pattern)));
        }
        let is_match = matches_path(pattern.path(), url.path());
        (!is_match).then(|| format!("the path is {}, not {}", url.path(), pattern.path()))
    }
}

/// Shows the expectation as it was written: its method and pattern.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.shown)
    }
}

fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Shows enough to tell values apart.
fn excerpt(bytes: &[u8]) -> Excerpt {
    Excerpt::bounded(bytes, 100)
}

/// Compares segment by segment.
fn matches_path(pattern: &str, path: &str) -> bool {
    let mut rest = path.split('/');
    for segment in pattern.split('/') {
        match (segment, rest.next()) {
            ("**", _) => return true,
            ("*", Some("")) | (_, None) => return false,
            (segment, Some(found)) if matches_segment(segment, found) => {}
            _ => return false,
        }
    }
    rest.next().is_none()
}

/// Compares one segment, in which each `*` of the pattern stands for anything.
fn matches_segment(pattern: &str, segment: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = segment.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

fn query_difference((name, value): &(String, String), request: &ReceivedRequest) -> Option<String> {
    let pairs: Vec<_> = request.url().query_pairs().collect();
    if pairs.iter().any(|(known, found)| known == name && found == value) {
        return None;
    }
    Some(match pairs.iter().find(|(known, _)| known == name) {
        Some((_, found)) => format!("the query has {name}={found}, not {name}={value}"),
        None => format!("the query has no {name}={value}"),
    })
}

fn field_difference((name, value): &(String, String), request: &ReceivedRequest) -> Option<String> {
    let found: Vec<_> = request.headers().get_all(name.as_str()).iter().collect();
    if found.iter().any(|found| found.as_bytes() == value.as_bytes()) {
        return None;
    }
    let is_secret = SECRET.contains(&name.as_str()) || found.iter().any(|it| it.is_sensitive());
    Some(match found.first() {
        Some(_) if is_secret => format!("the field {name} has another value"),
        Some(found) => {
            let found = excerpt(found.as_bytes());
            format!("the field {name} is {found}, not {}", excerpt(value.as_bytes()))
        }
        None => format!("there is no field {name}"),
    })
}

impl BodyRule {
    fn difference(&self, request: &ReceivedRequest) -> Option<String> {
        let body = request.body();
        match self {
            Self::Any => None,
            Self::Bytes(expected) if body == expected => None,
            Self::Bytes(expected) => {
                Some(format!("the body is {}, not {}", excerpt(body), excerpt(expected)))
            }
            #[cfg(feature = "json")]
            Self::Json(expected) => json_body_difference(body, expected),
        }
    }
}

#[cfg(feature = "json")]
fn json_body_difference(body: &[u8], expected: &serde_json::Value) -> Option<String> {
    let Ok(found) = serde_json::from_slice(body) else {
        return Some(format!("the body is {}, which is not JSON", excerpt(body)));
    };
    let (at, found, expected) = json_difference(&found, expected)?;
    let place = if at.is_empty() { String::new() } else { format!(" at {at}") };
    let shown = |value: Option<&serde_json::Value>| match value {
        Some(value) => excerpt(value.to_string().as_bytes()).to_string(),
        None => "nothing".to_owned(),
    };
    Some(format!("the JSON of the body{place} is {}, not {}", shown(found), shown(expected)))
}

/// The place of a difference as a JSON pointer (RFC 6901), and what is there in each.
#[cfg(feature = "json")]
type JsonDifference<'v> = (String, Option<&'v serde_json::Value>, Option<&'v serde_json::Value>);

/// Returns the first difference. Values are as deep as the parser allows: 128 levels.
#[cfg(feature = "json")]
fn json_difference<'v>(
    found: &'v serde_json::Value,
    expected: &'v serde_json::Value,
) -> Option<JsonDifference<'v>> {
    use serde_json::Value::{Array, Object};

    let within = |name: String, pair: (Option<&'v _>, Option<&'v _>)| match pair {
        (Some(found), Some(expected)) => {
            let (at, found, expected) = json_difference(found, expected)?;
            Some((format!("/{name}{at}"), found, expected))
        }
        (found, expected) => Some((format!("/{name}"), found, expected)),
    };
    match (found, expected) {
        (Object(found), Object(expected)) => {
            let more = found.keys().filter(|name| !expected.contains_key(*name));
            let mut names = expected.keys().chain(more);
            names.find_map(|name| within(name.clone(), (found.get(name), expected.get(name))))
        }
        (Array(found), Array(expected)) => {
            let mut places = 0..found.len().max(expected.len());
            places.find_map(|at| within(at.to_string(), (found.get(at), expected.get(at))))
        }
        _ => (found != expected).then(|| (String::new(), Some(found), Some(expected))),
    }
}

#[cfg(test)]
mod tests;
