//! The head of the current hop's request: the caller's fields, then the client's defaults for
//! fields that the caller did not set.

use std::borrow::Cow;

use http::Version;
use http::header::{self, HeaderName, HeaderValue};

use super::{Call, OriginTrust, Proxied};
use crate::base::buffer::Buffer;
use crate::body::Source;
use crate::error::{Error, Result};
use crate::http1::exchange::{Expectation, Outgoing};
use crate::http1::head::HeadWriter;
use crate::http1::name_case::Spelling;
use crate::http1::upgrade::Offer;
use crate::policy::auth::credentials::is_secret;
use crate::policy::proxy::server::Protocol;
use crate::policy::route::{self, Security};
use crate::url::Url;

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

    fn write_usual_head(&self, out: &mut Buffer) {
        let mut head =
            HeadWriter::start(out, &self.request.method, &self.target(), self.request.version);
        match self.request.headers.get(header::HOST) {
            Some(host) => head.field(&header::HOST, host),
            None => head.host(self.request.url.host_header()),
        }
        match self.default_lines() {
            Some(lines) => head.lines(lines),
            None => self.write_fields(&mut head),
        }
        if !self.is_trace() {
            self.write_credentials(&mut head);
            self.write_cookies(&mut head);
        }
        if let Some(proxied) = &self.proxy {
            self.write_proxy_fields(&mut head, proxied);
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
        head.end();
    }

    /// Returns the prepared default lines if the request needs no others, as most requests do.
    fn default_lines(&self) -> Option<&Buffer> {
        let is_usual = self.request.headers.is_empty()
            && self.trust == OriginTrust::Origin
            && !self.is_trace()
            && self.request.version == Version::HTTP_11
            && self.codings == self.config.codings;
        let written = || {
            let mut lines = Buffer::default();
            self.write_fields(&mut HeadWriter::go_on(&mut lines));
            lines
        };
        is_usual.then(|| self.config.default_lines.get_or_init(written))
    }

    fn write_fields(&self, head: &mut HeadWriter<'_>) {
        for (name, value) in self.config.defaults.iter().filter(|(n, v)| self.takes(n, v)) {
            head.field(name, value);
        }
        for (name, value) in self.request.headers.iter().filter(|(name, _)| *name != header::HOST) {
            head.field(name, value);
        }
        self.write_accept_encoding(head);
    }

    /// Returns the request target. A forwarding proxy gets the absolute URL (RFC 9112 §3.2.2), and
    /// `*` as a URL without a path (§3.2.4).
    fn target(&self) -> Cow<'_, str> {
        let target = self.request.target.as_deref().unwrap_or(self.request.url.request_target());
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
    fn write_proxy_fields(&self, head: &mut HeadWriter<'_>, proxied: &Proxied) {
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
        let stays = match self.trust {
            OriginTrust::Origin => self.is_trace() && is_secret(name, value),
            OriginTrust::Foreign => self.stays_behind(name, value, &self.request.url),
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
        self.config.redirect.strips(name, value)
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

    /// Writes `Accept-Encoding`, but not for a range request: a part of a coded body cannot be
    /// decoded.
    fn write_accept_encoding(&self, head: &mut HeadWriter<'_>) {
        let Some(codings) = self.codings.accept_encoding() else { return };
        if !self.has(&header::RANGE) && !self.has(&header::ACCEPT_ENCODING) {
            head.field(&header::ACCEPT_ENCODING, &codings);
        }
    }

    fn write_credentials(&self, head: &mut HeadWriter<'_>) {
        let credentials = match &self.digest {
            Some(digest) => digest.answer(),
            None => self.config.credentials.as_ref(),
        };
        let Some(credentials) = credentials else { return };
        if self.trust == OriginTrust::Origin && !self.has(&header::AUTHORIZATION) {
            head.field(&header::AUTHORIZATION, credentials);
        }
    }

    fn write_cookies(&self, head: &mut HeadWriter<'_>) {
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
    let in_the_clear = is_secure && Security::of(target) == Security::Plain;
    in_the_clear || referer.iter().any(|byte| matches!(byte, b'@' | b'#'))
}
