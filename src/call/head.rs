//! The head of a request: the request is validated once, and then the head of each hop is written.
//!
//! [`RequestParts::validate`] compares the caller's framing fields with the body (RFC 9112 §6) and
//! returns the framing; the client writes those fields itself. [`Call::write_head`] writes the request
//! line, `Host`, the client's default fields, the caller's fields, credentials, cookies, the fields for
//! a forwarding proxy, and the framing. A request that replaces no default field, the usual one, takes the
//! default lines as they were serialized for the first such request of the client.
//!
//! # The framing of a request
//!
//! The caller may set framing fields, and they must say what the body says. What each combination
//! gives:
//!
//! | body | `Content-Length` | `Transfer-Encoding: chunked` | neither |
//! | --- | --- | --- | --- |
//! | none | 0 is sent; any other is an error | error | POST, PUT, PATCH send 0, others nothing |
//! | known length | must be equal | chunks | the length |
//! | unknown length | the source must keep it | chunks | chunks |
//! | with trailers | error | chunks | chunks |
//!
//! Both fields together are an error, and so are chunks in HTTP/1.0 (RFC 9112 §6.1). The fields are
//! then removed and written anew by the client, in one place and once: two `Content-Length` lines,
//! or one that disagrees with the bytes, would let a server see another request in the rest
//! (request smuggling). `framing_follows_from_the_body` and `contradictory_framing_is_refused`
//! below have the rows; `tests/hostile_input.rs` (`i09`, `i14`) sends them to a server.
//!
//! # The order of the lines
//!
//! ```text
//! POST /path HTTP/1.1
//! host: example.org                 the caller's own, else that of the URL
//! user-agent, accept, ...           default fields of the client, unless the request has the name
//! x-own: 1                          fields of the request
//! accept-encoding: gzip             the codings that can be decoded; not with Range
//! authorization, cookie             unless the request has its own
//! proxy-authorization, ...          only if a forwarding proxy reads this head
//! expect: 100-continue              if there is a body to wait with
//! content-length or transfer-encoding
//! ```
//!
//! # Which fields leave with which hop
//!
//! | field | same origin | another origin | TRACE |
//! | --- | --- | --- | --- |
//! | credentials, sensitive values | sent | left behind | refused, or left out if by default |
//! | `Upgrade` | sent | left behind | sent |
//! | `Referer` | sent | left behind if it tells too much | sent |
//! | cookies of the store | those that match the URL | those that match the URL | none |
//! | fields for the proxy | to a forwarding proxy only, never through a tunnel | the same | without secrets |
//!
//! A TRACE comes back as the server received it, so nothing secret may be in it (RFC 9110 §9.3.8;
//! `tests/hostile_credentials.rs`, `s18_trace_refuses_credentials_of_the_caller`). The rules for
//! "sensitive" are in [`policy::auth`](crate::policy::auth).
//!
//! # Spelling
//!
//! A program may ask for title case or for exact names in an exact order
//! ([`Spelling`]). Then the head is written as usual into a buffer of
//! its own and rewritten, so that the order and the rules above are the same in both cases.
//!
//! # Tests
//!
//! `framing_follows_from_the_body`, `contradictory_framing_is_refused` and
//! `versions_that_cannot_be_sent_are_refused` below; on the wire `tests/request_fields.rs`
//! (repeated and conflicting fields), `tests/proxy.rs` (`the_proxy_receives_the_absolute_url`,
//! `a_request_target_of_the_caller_is_sent_unchanged`, `r11_a_request_target_must_name_the_host_of_the_url`) and the
//! conformance vectors of `tests/conformance/request_building.rs`.

use std::borrow::Cow;

#[cfg(any(feature = "middleware", feature = "export"))]
use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Version};

use super::{Call, Proxied, RequestParts};
use crate::base::buffer::Buffer;
use crate::base::text::decimal;
use crate::body::{Body, Presence, Source};
use crate::config::is_continue;
use crate::error::{Error, Result};
use crate::fields::singleton;
use crate::http1::exchange::{Expectation, Outgoing};
use crate::http1::request_head::Spelling;
use crate::http1::request_head::{FieldSink, HeadWriter};
use crate::http1::upgrade::Offer;
use crate::policy::auth::is_secret;
#[cfg(any(feature = "middleware", feature = "export"))]
use crate::policy::auth::mark_sensitive;
use crate::policy::proxy::Protocol;
use crate::policy::route;
use crate::url::Scheme;
use crate::url::Url;

impl<S: Source> RequestParts<S> {
    /// Validates the request before anything is sent. The caller's framing fields must agree with
    /// the body (RFC 9112 §6.2, §6.3); they are then removed, because the client writes its own.
    pub(crate) fn validate(&mut self) -> Result<Outgoing> {
        if self.method == Method::CONNECT {
            return Err(Error::builder("CONNECT cannot be sent as a request"));
        }
        if self.version != Version::HTTP_11 && self.version != Version::HTTP_10 {
            return Err(Error::builder(format!("{:?} cannot be sent", self.version)));
        }
        if self.method == Method::TRACE {
            self.check_trace()?;
        }
        if self.headers.is_empty() {
            return self.outgoing(None, false);
        }
        if self.version == Version::HTTP_10 && self.headers.contains_key(header::UPGRADE) {
            return Err(Error::builder("Upgrade cannot be sent in HTTP/1.0 (RFC 9110 \u{a7}7.8)"));
        }
        singleton::check(&mut self.headers)?;
        const FRAMING: [HeaderName; 3] =
            [header::EXPECT, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        if !self.headers.keys().any(|name| FRAMING.contains(name)) {
            return self.outgoing(None, false);
        }
        if self.headers.get(header::EXPECT).is_some_and(is_continue) {
            self.headers.remove(header::EXPECT); // the client writes the field itself
            self.expectation = Some(Expectation::Continue);
        }
        let announced = self.announced_length()?;
        let is_chunked = self.asks_for_chunked()?;
        let outgoing = self.outgoing(announced, is_chunked)?;
        self.headers.remove(header::CONTENT_LENGTH);
        self.headers.remove(header::TRANSFER_ENCODING);
        Ok(outgoing)
    }

    /// Refuses a TRACE with a body or a secret: its response shows the request as received (RFC
    /// 9110 §9.3.8).
    fn check_trace(&self) -> Result<()> {
        if self.body.as_ref().is_some_and(|body| {
            body.length() != Some(0) || body.presence_of_trailers() != Presence::No
        }) {
            return Err(Error::builder("TRACE cannot have a body (RFC 9110 \u{a7}9.3.8)"));
        }
        let mut fields = self.headers.iter();
        let Some((name, _)) = fields.find(|(name, value)| is_secret(name, value)) else {
            return Ok(());
        };
        let why = "the response would show it (RFC 9110 \u{a7}9.3.8)";
        Err(Error::builder(format!("TRACE cannot carry {name}: {why}")))
    }

    /// Returns the framing by the table above. The caller's announcement is compared with the body
    /// here; a source of unknown length is bound to it, so that it is checked while it is read.
    fn outgoing(&mut self, announced: Option<u64>, is_chunked: bool) -> Result<Outgoing> {
        let Some(body) = &mut self.body else {
            return match (announced, is_chunked) {
                (None | Some(0), false) => Ok(self.without_body(announced)),
                _ => Err(Error::builder("a framing field announces a body and there is none")),
            };
        };
        // A body from `http_body` may have trailers. They are sent if the body is chunked or the
        // caller announces them.
        let may_announce = announced.is_none() && self.version == Version::HTTP_11;
        match body.presence_of_trailers() {
            Presence::Yes => return self.with_trailers(announced),
            Presence::Perhaps if may_announce && self.headers.contains_key(header::TRAILER) => {
                body.read_to_its_end();
                return self.with_trailers(announced);
            }
            Presence::Perhaps | Presence::No => {}
        }
        if let (Some(length), None) = (announced, body.length()) {
            body.announce(length).map_err(|_| Error::builder(NO_ACCOUNT))?;
        }
        match (body.length(), announced, is_chunked) {
            (_, Some(_), true) => {
                Err(Error::builder("both Content-Length and Transfer-Encoding are set"))
            }
            (Some(length), Some(said), false) if said != length => Err(Error::builder(format!(
                "Content-Length is {said} but the body has {length} bytes"
            ))),
            (Some(length), _, false) => Ok(Outgoing::Length(length)),
            (_, _, true) if self.version == Version::HTTP_10 => {
                let detail = "Transfer-Encoding cannot be sent in HTTP/1.0 (RFC 9112 \u{a7}6.1)";
                Err(Error::builder(detail))
            }
            _ if self.version == Version::HTTP_10 => {
                Err(Error::builder("HTTP/1.0 cannot send a body of unknown length"))
            }
            _ => Ok(Outgoing::Chunked),
        }
    }

    /// Returns the framing of a body with trailers, which only the chunked coding supports (RFC
    /// 9112 §7.1.2).
    fn with_trailers(&mut self, announced: Option<u64>) -> Result<Outgoing> {
        if announced.is_some() || self.version == Version::HTTP_10 {
            let detail = "trailers need Transfer-Encoding: chunked, without Content-Length, in 1.1";
            return Err(Error::builder(detail));
        }
        let names = self.body.as_ref().map(Body::announced_trailers);
        let names = names.transpose().map_err(|error| Error::builder("body").cause(error))?;
        if let Some(names) = names.flatten() {
            self.default_header(header::TRAILER, names)?;
        }
        Ok(Outgoing::Chunked)
    }

    /// Returns the framing without a body. Methods that usually have one send `Content-Length: 0`
    /// (RFC 9110 §8.6).
    fn without_body(&self, announced: Option<u64>) -> Outgoing {
        let usual = [Method::POST, Method::PUT, Method::PATCH].contains(&self.method);
        if usual || announced.is_some() { Outgoing::Length(0) } else { Outgoing::None }
    }

    fn announced_length(&self) -> Result<Option<u64>> {
        let Some(value) = self.headers.get(header::CONTENT_LENGTH) else { return Ok(None) };
        let invalid = || Error::builder("invalid Content-Length");
        decimal(value.as_bytes()).map(Some).ok_or_else(invalid)
    }

    fn asks_for_chunked(&self) -> Result<bool> {
        let mut values = self.headers.get_all(header::TRANSFER_ENCODING).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(false),
            (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(true),
            _ => Err(Error::builder("only `chunked` can be sent as Transfer-Encoding")),
        }
    }
}

/// The lines that the requests of a client have in common.
#[derive(Debug)]
pub(super) struct DefaultLines {
    lines: Buffer,
    /// The position of the request's own lines among them.
    own_at: usize,
}

const NO_ACCOUNT: &str = "Content-Length is set, but the length of a part is not known";

impl<S: Source> Call<'_, S> {
    /// Writes the head, with the field names in the caller's spelling.
    pub(crate) fn write_head(&self, out: &mut Buffer) {
        let spelling = Spelling { case: self.config.case, names: &self.request.names };
        if spelling.is_usual() {
            return self.write_usual_head(out);
        }
        let mut usual = Buffer::default();
        self.write_usual_head(&mut usual);
        out.push(&spelling.apply(usual.data()));
    }

    /// Writes the head in lower case and in the order above. `Host` is first, also if the caller
    /// set it.
    fn write_usual_head(&self, out: &mut Buffer) {
        let mut head =
            HeadWriter::start(out, &self.request.method, &self.target(), self.request.version);
        #[cfg(feature = "middleware")]
        if let Some(fields) = &self.fields {
            fields.iter().for_each(|(name, value)| head.field(name, value));
            return head.end();
        }
        match self.request.headers.get(header::HOST) {
            Some(host) => head.field(&header::HOST, host),
            None => head.host(self.request.url.host_header()),
        }
        match self.default_lines() {
            Some(lines) => self.write_default_lines(&mut head, lines),
            None => self.write_fields(&mut head),
        }
        self.write_last_fields(&mut head);
        head.end();
    }

    /// Writes the fields after those of the program and the client: credentials, for the proxy, framing.
    fn write_last_fields(&self, head: &mut impl FieldSink) {
        if !self.is_trace() {
            self.write_credentials(head);
        }
        if let Some(proxied) = &self.proxy {
            self.write_proxy_fields(head, proxied);
        }
        if self.expectation() == Expectation::Continue {
            head.field(&header::EXPECT, &HeaderValue::from_static("100-continue"));
        }
        match self.outgoing {
            Outgoing::None => {}
            Outgoing::Length(length) => head.content_length(length),
            Outgoing::Chunked => {
                let chunked = HeaderValue::from_static("chunked");
                head.field(&header::TRANSFER_ENCODING, &chunked);
            }
        }
    }

    /// Returns all fields that the head has, as it would be written now. Values keep their mark of being sensitive.
    #[cfg(any(feature = "middleware", feature = "export"))]
    pub(super) fn final_fields(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        let own = self.request.headers.get(header::HOST).cloned();
        let host = own.or_else(|| HeaderValue::from_str(self.request.url.host_header()).ok());
        host.iter().for_each(|host| fields.field(&header::HOST, host));
        self.write_fields(&mut fields);
        self.write_last_fields(&mut fields);
        mark_sensitive(&mut fields);
        fields
    }

    /// Returns the prepared lines if the request has all of the client's default fields as they are, as most
    /// requests do.
    ///
    /// The lines are the same for all such requests of a client, so they are written once and
    /// copied. Any deviation of the request, the method or the hop writes the fields one by one
    /// instead.
    fn default_lines(&self) -> Option<&DefaultLines> {
        let is_usual = !self.withholds
            && !self.is_trace()
            && self.request.version == Version::HTTP_11
            && self.codings == self.config.codings
            && !self.replaces_a_default();
        let written = || {
            let mut lines = Buffer::default();
            self.write_defaults(&mut HeadWriter::go_on(&mut lines));
            let own_at = lines.len();
            self.write_codings(&mut HeadWriter::go_on(&mut lines));
            DefaultLines { lines, own_at }
        };
        is_usual.then(|| self.shared.default_lines.get_or_init(written))
    }

    /// Returns whether a field of the request changes which default fields are sent.
    fn replaces_a_default(&self) -> bool {
        let own = &self.request.headers;
        let replaces = |name: &HeaderName| own.contains_key(name);
        !own.is_empty()
            && (replaces(&header::RANGE)
                || replaces(&header::ACCEPT_ENCODING)
                || self.config.defaults.iter().any(|(name, _)| replaces(name)))
    }

    fn write_default_lines(&self, head: &mut HeadWriter<'_>, lines: &DefaultLines) {
        if self.request.headers.is_empty() {
            return head.lines(lines.lines.data());
        }
        let (before, after) = lines.lines.data().split_at(lines.own_at);
        head.lines(before);
        self.write_own_fields(head);
        head.lines(after);
    }

    /// Writes default fields, fields of the request, and the codings that can be decoded.
    fn write_fields(&self, head: &mut impl FieldSink) {
        self.write_defaults(head);
        self.write_own_fields(head);
        self.write_codings(head);
    }

    fn write_defaults(&self, head: &mut impl FieldSink) {
        for (name, value) in self.config.defaults.iter().filter(|(n, v)| self.takes(n, v)) {
            head.field(name, value);
        }
    }

    fn write_own_fields(&self, head: &mut impl FieldSink) {
        for (name, value) in self.request.headers.iter().filter(|(name, _)| *name != header::HOST) {
            head.field(name, value);
        }
    }

    /// Writes the codings that can be decoded. Not for a range request: a part of a coded body cannot be decoded.
    fn write_codings(&self, head: &mut impl FieldSink) {
        if !self.has(&header::RANGE) && !self.has(&header::ACCEPT_ENCODING) {
            if let Some(codings) = self.codings.accept_encoding() {
                head.field(&header::ACCEPT_ENCODING, &codings);
            }
        }
    }

    /// Returns the request target. A forwarding proxy gets the absolute URL (RFC 9112 §3.2.2), and
    /// `*` as a URL without a path (§3.2.4).
    fn target(&self) -> Cow<'_, str> {
        let target = self.request.target();
        if !self.is_forwarded() {
            return Cow::Borrowed(target);
        }
        let path = match target {
            "*" => "",
            path if path.starts_with('/') => path,
            whole => return Cow::Borrowed(whole),
        };
        Cow::Owned(format!(
            "{}://{}{path}",
            self.request.url.scheme(),
            self.request.url.host_header()
        ))
    }

    /// Checks that a forwarding proxy gets a target of the URL's own host. Such a proxy routes by
    /// the target alone, so another host would receive the credentials that are meant for the URL's
    /// host.
    pub(super) fn check_target(&self) -> Result<()> {
        match self.request.target.as_deref() {
            Some(target) if self.is_forwarded() && !is_within(target, &self.request.url) => {
                Err(Error::builder(OTHER_HOST).for_url(&self.request.url))
            }
            _ => Ok(()),
        }
    }

    fn is_forwarded(&self) -> bool {
        let forwards = |proxied: &Proxied| route::forwards(&proxied.hop, &self.request.url);
        self.proxy.as_deref().is_some_and(forwards)
    }

    /// Writes the fields for the proxy if the proxy reads this request.
    fn write_proxy_fields(&self, head: &mut impl FieldSink, proxied: &Proxied) {
        let Protocol::Http { fields, .. } = &proxied.hop.protocol else { return };
        if !self.is_forwarded() {
            return;
        }
        if let Some(login) = proxied.login.as_ref().filter(|_| !self.is_trace()) {
            head.field(&header::PROXY_AUTHORIZATION, login);
        }
        let is_said = |name: &HeaderName| match *name {
            header::PROXY_AUTHORIZATION => proxied.login.is_some(),
            _ => self.has(name),
        };
        let is_unsafe = |name, value| self.is_trace() && is_secret(name, value);
        for (name, value) in fields.iter().filter(|(n, v)| !is_said(n) && !is_unsafe(n, v)) {
            head.field(name, value);
        }
    }

    /// Returns whether a default field of the client is added to this request.
    fn takes(&self, name: &HeaderName, value: &HeaderValue) -> bool {
        const OURS: [HeaderName; 3] =
            [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        let stays = if self.withholds {
            self.stays_behind(name, value, &self.request.url)
        } else {
            self.is_trace() && is_secret(name, value)
        };
        let known = *name != header::UPGRADE || self.request.version == Version::HTTP_11;
        !stays && known && !self.request.headers.contains_key(name) && !OURS.contains(name)
    }

    /// Returns whether a field is removed on a redirect to `target`, another origin. `Upgrade` is
    /// always removed: the caller offered its protocols to the first origin only.
    pub(super) fn stays_behind(
        &self,
        name: &HeaderName,
        value: &HeaderValue,
        target: &Url,
    ) -> bool {
        if *name == header::UPGRADE {
            return true;
        }
        self.redirect_policy().strips(name, value)
            || (*name == header::REFERER && tells_too_much(value, target))
    }

    pub(super) fn has(&self, name: &HeaderName) -> bool {
        let default = self.config.defaults.iter().find(|(default, _)| default == name);
        self.request.headers.contains_key(name)
            || default.is_some_and(|(_, value)| self.takes(name, value))
    }

    /// Returns the protocols that the request offers in `Upgrade`.
    pub(crate) fn offer(&self) -> Option<Offer> {
        if !self.has(&header::UPGRADE) {
            return None;
        }
        let default = self.config.defaults.iter().filter(|(n, v)| self.takes(n, v));
        let default = default.map(|(name, value)| (name, value));
        let fields = self.request.headers.iter().chain(default);
        let fields = fields.filter(|(n, _)| [header::UPGRADE, header::CONNECTION].contains(n));
        Offer::new(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Writes `Authorization` and `Cookie`, unless the request has its own.
    fn write_credentials(&self, head: &mut impl FieldSink) {
        let credentials = match &self.digest {
            Some(digest) => digest.answer(),
            None => self.client_credentials(),
        };
        if let Some(credentials) = credentials {
            if !self.has(&header::AUTHORIZATION) {
                head.field(&header::AUTHORIZATION, credentials);
            }
        }
        let Some(cookies) = &self.config.cookies else { return };
        if self.has(&header::COOKIE) {
            return;
        }
        if let Some(value) = cookies.0.cookies(&self.request.url) {
            head.field(&header::COOKIE, &value);
        }
    }
}

const OTHER_HOST: &str = "request target: through a proxy it must be a path, `*` or a URL with the \
    host of the request";

/// Returns whether the caller's target leads to the origin of the URL for every parser: nothing
/// that a parser could take for a host precedes its path.
///
/// A forwarding proxy routes by the target alone. `http://a.example@b.example/` is a user at
/// b.example for one parser and the host a.example for another; so only the URL's own authority,
/// literally, is accepted.
fn is_within(target: &str, url: &Url) -> bool {
    let whole =
        target.strip_prefix("http://").and_then(|rest| rest.strip_prefix(url.host_header()));
    let is_own = whole.is_some_and(|path| path.is_empty() || path.starts_with(['/', '?']));
    is_own || target == "*" || target.starts_with('/')
}

/// Returns whether a `Referer` must not be sent to `target` (RFC 9110 §10.1.3): it is the URL of a
/// secure page and `target` is not secure, or it contains a user or a fragment.
fn tells_too_much(referer: &HeaderValue, target: &Url) -> bool {
    let referer = referer.as_bytes();
    let is_secure = referer.get(..6).is_some_and(|s| s.eq_ignore_ascii_case(b"https:"));
    let in_the_clear = is_secure && target.http_scheme() != Ok(Scheme::Https);
    in_the_clear || referer.iter().any(|byte| matches!(byte, b'@' | b'#'))
}

#[cfg(test)]
mod tests;
