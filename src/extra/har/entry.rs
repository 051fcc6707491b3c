//! An entry: the facts about one attempt, without secrets, and its JSON (HAR 1.2).

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode, Version};
use serde_json::{Map, Value, json};

use super::content::{HarContent, post_data};
use super::recorder::RecorderSettings;
use crate::base::calendar;
use crate::base::timings::Attempt;
use crate::extra::redact::{self, REDACTED};
use crate::extra::sent::{self, SentBody, SentRequest};
use crate::form;
use crate::http1::head::ResponseHead;

/// One attempt.
pub(super) struct HarEntry {
    started: SystemTime,
    request: HarRequest,
    response: Option<HarResponse>,
    pub(super) content: HarContent,
    pub(super) attempt: Attempt,
    /// The time from the head of the response to the last byte that was read.
    pub(super) receive: Option<Duration>,
    pub(super) remote: Option<IpAddr>,
    /// The local port, which tells the connections of a trace apart.
    pub(super) connection: Option<u16>,
    pub(super) error: Option<String>,
    /// Bodies are recorded.
    has_bodies: bool,
}

struct HarRequest {
    method: Method,
    url: String,
    version: Version,
    fields: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    head_size: usize,
    /// The bytes of the body that are kept; `None` if it is read from a source.
    body: Option<Vec<u8>>,
    /// The length of the body, if it is known.
    body_size: Option<u64>,
}

struct HarResponse {
    status: StatusCode,
    version: Version,
    reason: String,
    fields: Vec<(String, String)>,
    head_size: usize,
}

impl HarEntry {
    pub(super) fn new(
        started: SystemTime,
        sent: &SentRequest,
        length: Option<u64>,
        settings: RecorderSettings,
    ) -> Self {
        Self {
            started,
            request: HarRequest::new(sent, length, settings),
            response: None,
            content: HarContent::default(),
            attempt: Attempt::default(),
            receive: None,
            remote: None,
            connection: None,
            error: None,
            has_bodies: settings.body > 0,
        }
    }

    pub(super) fn set_request(
        &mut self,
        sent: &SentRequest,
        length: Option<u64>,
        settings: RecorderSettings,
    ) {
        self.request = HarRequest::new(sent, length, settings);
    }

    pub(super) fn set_response(&mut self, head: &ResponseHead, settings: RecorderSettings) {
        let raw = head.headers.raw();
        let reason = raw.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let reason = reason.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
        let fields = sent::fields(raw).map(|(spelled, name, value)| {
            (readable(spelled), shown(&name, &value, settings.with_secrets))
        });
        self.response = Some(HarResponse {
            status: head.status,
            version: head.version,
            reason: readable(reason),
            fields: fields.collect(),
            head_size: raw.len(),
        });
    }

    /// Returns the entry of the file.
    pub(super) fn to_json(&self) -> Value {
        let (timings, time) = timings(&self.attempt, self.receive);
        let mut entry = Map::new();
        entry.insert("startedDateTime".into(), calendar::iso_8601(self.started).into());
        entry.insert("time".into(), time.into());
        entry.insert("request".into(), self.request.to_json(self.has_bodies));
        entry.insert("response".into(), self.response());
        entry.insert("cache".into(), json!({}));
        entry.insert("timings".into(), timings);
        if let Some(remote) = self.remote {
            entry.insert("serverIPAddress".into(), remote.to_string().into());
        }
        if let Some(port) = self.connection {
            entry.insert("connection".into(), port.to_string().into());
        }
        let error = self.error.as_deref().or(self.response.is_none().then_some(UNANSWERED));
        if let Some(error) = error {
            entry.insert("_error".into(), error.into());
        }
        Value::Object(entry)
    }

    fn response(&self) -> Value {
        let Some(response) = &self.response else {
            return json!({
                "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
                "content": {"size": 0, "mimeType": ""},
                "redirectURL": "", "headersSize": -1, "bodySize": -1,
            });
        };
        let content_type = value_of(&response.fields, &header::CONTENT_TYPE);
        let is_coded = !value_of(&response.fields, &header::CONTENT_ENCODING).is_empty();
        let cookies =
            response.fields.iter().filter(|(name, _)| is_named(name, &header::SET_COOKIE));
        json!({
            "status": response.status.as_u16(),
            "statusText": response.reason,
            "httpVersion": format!("{:?}", response.version),
            "cookies": cookies.map(|(_, value)| cookie_that_is_set(value)).collect::<Vec<_>>(),
            "headers": pairs(&response.fields),
            "content": self.content.to_json(content_type, is_coded, self.has_bodies),
            "redirectURL": value_of(&response.fields, &header::LOCATION),
            "headersSize": response.head_size,
            "bodySize": size(self.content.received()),
        })
    }
}

impl HarRequest {
    fn new(sent: &SentRequest, length: Option<u64>, settings: RecorderSettings) -> Self {
        let RecorderSettings { body: most, with_secrets, .. } = settings;
        let fields = sent
            .fields()
            .map(|(spelled, name, value)| (readable(spelled), shown(&name, &value, with_secrets)));
        let cookies = sent.fields().filter(|(_, name, _)| *name == header::COOKIE);
        let cookies = cookies.flat_map(|(_, _, value)| cookies_of(value.as_bytes(), with_secrets));
        let mut url = sent.url.clone();
        url.set_fragment(None); // it is not sent
        Self {
            method: sent.method.clone(),
            url: if with_secrets { url.to_string() } else { redact::url(&url) },
            version: sent.version,
            fields: fields.collect(),
            cookies: cookies.collect(),
            head_size: sent.head.len(),
            body: match &sent.body {
                SentBody::None => Some(Vec::new()),
                SentBody::Bytes(bytes) => Some(bytes.iter().take(most).copied().collect()),
                SentBody::NotKept => None,
            },
            body_size: length,
        }
    }

    fn to_json(&self, has_bodies: bool) -> Value {
        let query = self.url.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let query: Vec<_> = form::parse(query.as_bytes()).collect();
        let mut request = Map::new();
        request.insert("method".into(), self.method.as_str().into());
        request.insert("url".into(), self.url.as_str().into());
        request.insert("httpVersion".into(), format!("{:?}", self.version).into());
        request.insert("cookies".into(), pairs(&self.cookies));
        request.insert("headers".into(), pairs(&self.fields));
        request.insert("queryString".into(), pairs(&query));
        if self.body_size != Some(0) && has_bodies {
            let content_type = value_of(&self.fields, &header::CONTENT_TYPE);
            let data = post_data(self.body.as_deref(), self.body_size, content_type);
            request.insert("postData".into(), data);
        }
        request.insert("headersSize".into(), self.head_size.into());
        request.insert("bodySize".into(), size(self.body_size));
        Value::Object(request)
    }
}

/// The error of an attempt that has neither a response nor an error, such as one whose future was dropped.
const UNANSWERED: &str = "no response: it is being sent, or was given up";

/// Returns the phases, and their sum, in which the handshake is counted once. What did not happen is -1, but for
/// the phases that the format requires.
fn timings(attempt: &Attempt, receive: Option<Duration>) -> (Value, f64) {
    let sum = |one: Option<Duration>, other: Option<Duration>| match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    };
    let connect = sum(attempt.connect(), attempt.handshake());
    let optional = [attempt.queue(), attempt.resolve(), connect];
    let required = [attempt.request(), attempt.first_byte(), receive];
    let [blocked, dns, connect] = optional.map(|time| time.map_or(-1.0, millis));
    let [send, wait, receive] = required.map(|time| time.map_or(0.0, millis));
    let all = optional.into_iter().chain(required).flatten();
    let time = all.fold(Duration::ZERO, Duration::saturating_add);
    let timings = json!({
        "blocked": blocked, "dns": dns, "connect": connect,
        "ssl": attempt.handshake().map_or(-1.0, millis),
        "send": send, "wait": wait, "receive": receive,
    });
    (timings, millis(time))
}

/// Returns milliseconds, in whole microseconds.
fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

fn size(size: Option<u64>) -> Value {
    size.map_or(Value::from(-1), Value::from)
}

fn pairs<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> Value {
    let pair = |(name, value): &(N, V)| json!({"name": name.as_ref(), "value": value.as_ref()});
    pairs.iter().map(pair).collect()
}

fn is_named(name: &str, wanted: &HeaderName) -> bool {
    name.eq_ignore_ascii_case(wanted.as_str())
}

/// Returns the first value with that name, or an empty text.
fn value_of<'a>(fields: &'a [(String, String)], wanted: &HeaderName) -> &'a str {
    let first = fields.iter().find(|(name, _)| is_named(name, wanted));
    first.map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// Returns the value of a field as it is recorded.
fn shown(name: &HeaderName, value: &HeaderValue, with_secrets: bool) -> String {
    match redact::field(name, value).filter(|_| !with_secrets) {
        Some(redacted) => readable(&redacted),
        None => readable(value.as_bytes()),
    }
}

/// Returns bytes as text: UTF-8, or else Latin-1, as HTTP once said (RFC 9110 §5.5).
fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Returns the cookies of a `Cookie` field; their names are no secrets.
fn cookies_of(value: &[u8], with_secrets: bool) -> Vec<(String, String)> {
    let cookies = value.split(|byte| *byte == b';').map(|pair| {
        let pair = readable(pair.trim_ascii());
        let (name, value) = pair.split_once('=').unwrap_or(("", &pair));
        (name.to_owned(), if with_secrets { value } else { REDACTED }.to_owned())
    });
    cookies.collect()
}

/// Returns the cookie of a `Set-Cookie` field, as it was recorded.
fn cookie_that_is_set(field: &str) -> Value {
    let mut parts = field.split(';').map(str::trim);
    let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
    let mut cookie = Map::new();
    cookie.insert("name".into(), name.into());
    cookie.insert("value".into(), value.into());
    for attribute in parts {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        match &*name.to_ascii_lowercase() {
            known @ ("path" | "domain") => drop(cookie.insert(known.to_owned(), value.into())),
            "httponly" => drop(cookie.insert("httpOnly".into(), true.into())),
            "secure" => drop(cookie.insert("secure".into(), true.into())),
            _ => {}
        }
    }
    Value::Object(cookie)
}
