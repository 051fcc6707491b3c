//! The request as the caller built it, from which a call starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version};

use super::shown;
use crate::base::cancel::CancelToken;
#[cfg(feature = "multipart")]
use crate::body::multipart;
use crate::body::{Body, Source};
use crate::coding::Codings;
use crate::config::digest;
use crate::error::{Error, Result};
use crate::http1::exchange::Expectation;
use crate::policy::auth::credentials;
use crate::policy::auth::netrc::Netrc;
use crate::policy::deadline::budget::Timeouts;
use crate::policy::deadline::throughput::Pace;
use crate::policy::retry;
use crate::url::Url;
use crate::url::userinfo::Userinfo;

/// The request that the caller built, before the client adds anything.
pub(crate) struct RequestParts<S: Source> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Body<S>>,
    pub(crate) version: Version,
    pub(crate) timeouts: Option<Box<Overrides>>,
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) codings: Option<Codings>,
    pub(crate) digest: Option<digest::DigestLogin>,
    pub(crate) expectation: Option<Expectation>,
    pub(crate) retry: Option<Arc<retry::Policy>>,
    /// The spelling of field names, in the order of the lines.
    pub(crate) names: Vec<Box<str>>,
    /// The request target, if it replaces the URL's path and query.
    pub(crate) target: Option<Box<str>>,
    /// The media type of a form body, with its boundary.
    pub(crate) form_type: Option<Box<HeaderValue>>,
}

/// The timeouts of a single request. Unset ones are taken from the client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) total: Option<Duration>,
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) read: Option<Duration>,
    pub(crate) write: Option<Duration>,
    pub(crate) pace: Option<Pace>,
}

/// A timeout of a request that takes away the limit of the client.
pub(crate) const UNLIMITED: Duration = Duration::MAX;

impl Overrides {
    pub(crate) fn over(&self, client: &Timeouts) -> Timeouts {
        let limit = |own: Option<Duration>, client| match own {
            None => client,
            own => own.filter(|limit| *limit < UNLIMITED),
        };
        let mut timeouts = Timeouts {
            total: limit(self.total, client.total),
            connect: limit(self.connect, client.connect),
            write: limit(self.write, client.write),
            pace: self.pace.or(client.pace),
            ..*client
        };
        if self.read.is_some() {
            timeouts.set_read(limit(self.read, None));
        }
        if self.first_byte.is_some() {
            timeouts.set_first_byte(limit(self.first_byte, None));
        }
        timeouts
    }
}

impl<S: Source> RequestParts<S> {
    /// Creates a request without fields and body.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            version: Version::HTTP_11,
            timeouts: None,
            cancel: None,
            codings: None,
            digest: None,
            expectation: None,
            retry: None,
            names: Vec::new(),
            target: None,
            form_type: None,
        }
    }

    /// Moves the user name and password out of the URL, so that nothing that shows the URL reveals
    /// them, and uses them as credentials unless the request has others.
    #[inline]
    pub(crate) fn take_userinfo(&mut self, netrc: Option<&Netrc>) -> Result<()> {
        if !self.url.has_userinfo() {
            return Ok(()); // the common case
        }
        self.authorize_by_url(netrc)
    }

    #[cold]
    fn authorize_by_url(&mut self, netrc: Option<&Netrc>) -> Result<()> {
        let Some(Userinfo { username, password }) = self.url.take_userinfo() else { return Ok(()) };
        let of_file = || netrc?.password_of(&self.url, &username);
        let password = password.or_else(of_file).unwrap_or_default();
        let basic = credentials::basic(&username, &password)?;
        self.default_header(header::AUTHORIZATION, basic)
    }

    /// Sets the body and clears the form type.
    pub(crate) fn set_body(&mut self, body: Body<S>) {
        self.body = Some(body);
        self.form_type = None;
    }

    /// Adds the form's boundary to the caller's `Content-Type`: without it a server cannot parse
    /// the form (RFC 2046 §5.1.1).
    #[cfg(feature = "multipart")]
    pub(crate) fn complete_type(&mut self) -> Result<()> {
        let Some(own) = self.form_type.as_deref() else { return Ok(()) };
        let Some(given) = self.headers.get(header::CONTENT_TYPE) else { return Ok(()) };
        match multipart::completed(given, own)? {
            Some(completed) => self.set_header(header::CONTENT_TYPE, completed),
            None => Ok(()),
        }
    }

    #[cfg(not(feature = "multipart"))]
    pub(crate) fn complete_type(&mut self) -> Result<()> {
        Ok(())
    }

    /// Sets a field and replaces others of its name.
    pub(crate) fn set_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
        self.headers.try_insert(name, value).map_err(Error::too_many_fields)?;
        Ok(())
    }

    /// Sets a field unless the caller has set it.
    pub(crate) fn default_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
        let entry = self.headers.try_entry(name).map_err(Error::too_many_fields)?;
        entry.or_try_insert(value).map_err(Error::too_many_fields)?;
        Ok(())
    }

    /// Returns a copy, or `None` if the body can be read only once.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let body = match &self.body {
            Some(body) => Some(body.try_clone()?),
            None => None,
        };
        Some(self.with_body(body))
    }

    /// Returns a copy with another body, which may be for another runtime.
    pub(crate) fn with_body<T: Source>(&self, body: Option<Body<T>>) -> RequestParts<T> {
        RequestParts {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body,
            version: self.version,
            timeouts: self.timeouts.clone(),
            cancel: self.cancel.clone(),
            codings: self.codings,
            digest: self.digest.clone(),
            expectation: self.expectation,
            retry: self.retry.clone(),
            names: self.names.clone(),
            target: self.target.clone(),
            form_type: self.form_type.clone(),
        }
    }
}

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

/// Shows the fields, but hides values whose name says that they carry credentials, and users and
/// passwords of URLs inside values.
struct RedactedHeaders<'a>(&'a HeaderMap);

impl fmt::Debug for RedactedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            match credentials::is_secret(name, value) {
                true => map.entry(name, &"Sensitive"),
                false => match shown::hidden(value.as_bytes()) {
                    Some(hidden) => map.entry(name, &hidden),
                    None => map.entry(name, value),
                },
            };
        }
        map.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each timeout of a request replaces that of the client, and `UNLIMITED` takes it away.
    #[test]
    fn a_request_changes_or_removes_each_limit_of_its_client() {
        type Set = fn(&mut Overrides, Duration);
        type Get = fn(&Timeouts) -> Option<Duration>;
        let rows: [(Set, Get); 5] = [
            (|own, limit| own.total = Some(limit), |timeouts| timeouts.total),
            (|own, limit| own.connect = Some(limit), |timeouts| timeouts.connect),
            (|own, limit| own.write = Some(limit), |timeouts| timeouts.write),
            (|own, limit| own.read = Some(limit), |timeouts| timeouts.read),
            (|own, limit| own.first_byte = Some(limit), |timeouts| timeouts.first_byte),
        ];
        let second = Duration::from_secs(1);
        let mut client = Timeouts { total: Some(9 * second), ..Timeouts::default() };
        client.connect = Some(9 * second);
        client.write = Some(9 * second);
        client.set_read(Some(9 * second));
        client.set_first_byte(Some(9 * second));
        for (at, (set, get)) in rows.into_iter().enumerate() {
            assert_eq!(get(&Overrides::default().over(&client)), Some(9 * second), "row {at}");
            for (limit, expected) in [(second, Some(second)), (UNLIMITED, None)] {
                let mut own = Overrides::default();
                set(&mut own, limit);
                assert_eq!(get(&own.over(&client)), expected, "row {at}");
            }
        }
    }
}
