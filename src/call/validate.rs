//! Validates a request before it is sent: its framing fields against its body.

use http::{Method, Version, header};

use super::request::RequestParts;
use crate::base::text::decimal;
use crate::body::{Body, Presence, Source};
use crate::config::is_continue;
use crate::error::{Error, Result};
use crate::fields::singleton;
use crate::http1::exchange::{Expectation, Outgoing};
use crate::policy::auth::credentials;

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
            return self.outgoing(None, None);
        }
        if self.version == Version::HTTP_10 && self.headers.contains_key(header::UPGRADE) {
            return Err(Error::builder("Upgrade cannot be sent in HTTP/1.0 (RFC 9110 \u{a7}7.8)"));
        }
        singleton::check(&mut self.headers)?;
        self.take_expectation();
        let announced = self.announced_length()?;
        let chunked = self.asks_for_chunked()?;
        let outgoing = self.outgoing(announced, chunked)?;
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
        let Some((name, _)) = fields.find(|(name, value)| credentials::is_secret(name, value))
        else {
            return Ok(());
        };
        let why = "the response would show it (RFC 9110 \u{a7}9.3.8)";
        Err(Error::builder(format!("TRACE cannot carry {name}: {why}")))
    }

    /// Turns the caller's `Expect: 100-continue` into the setting; the client writes the field
    /// itself.
    fn take_expectation(&mut self) {
        if self.headers.get(header::EXPECT).is_some_and(is_continue) {
            self.headers.remove(header::EXPECT);
            self.expectation = Some(Expectation::Continue);
        }
    }

    fn outgoing(&mut self, announced: Option<u64>, chunked: Option<Chunked>) -> Result<Outgoing> {
        let Some(body) = &mut self.body else {
            return match (announced, chunked) {
                (None | Some(0), None) => Ok(self.without_body(announced)),
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
        match (body.length(), announced, chunked) {
            (_, Some(_), Some(_)) => {
                Err(Error::builder("both Content-Length and Transfer-Encoding are set"))
            }
            (Some(length), Some(said), None) if said != length => Err(Error::builder(format!(
                "Content-Length is {said} but the body has {length} bytes"
            ))),
            (Some(length), _, None) => Ok(Outgoing::Length(length)),
            (_, _, Some(_)) if self.version == Version::HTTP_10 => {
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

    fn asks_for_chunked(&self) -> Result<Option<Chunked>> {
        let mut values = self.headers.get_all(header::TRANSFER_ENCODING).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked") => {
                Ok(Some(Chunked))
            }
            _ => Err(Error::builder("only `chunked` can be sent as Transfer-Encoding")),
        }
    }
}

const NO_ACCOUNT: &str = "Content-Length is set, but the length of a part is not known";

/// A marker: the caller asked for the chunked coding.
struct Chunked;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::fuzzing::call::{self, Given};
    use crate::url::Url;

    const TEXT: &str = "hello";

    fn bytes() -> Option<Body<Given>> {
        Some(TEXT.into())
    }

    fn reader() -> Option<Body<Given>> {
        Some(call::reader(std::io::empty(), None))
    }

    fn validate(
        method: Method,
        body: Option<Body<Given>>,
        fields: &[(header::HeaderName, &'static str)],
    ) -> Result<Outgoing> {
        let mut request = RequestParts::new(method, Url::parse("http://a.example/").unwrap());
        request.body = body;
        for (name, value) in fields {
            request.headers.append(name, header::HeaderValue::from_static(value));
        }
        let outgoing = request.validate();
        let framing = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        let left = framing.iter().any(|name| request.headers.contains_key(name));
        assert!(outgoing.is_err() || !left, "the client writes them itself");
        outgoing
    }

    /// RFC 9110 §8.6, RFC 9112 §6.2, §6.3.
    #[test]
    fn framing_follows_from_the_body() {
        use Outgoing::{Chunked, Length, None as Nothing};
        use header::{CONTENT_LENGTH as CL, TRANSFER_ENCODING as TE};
        let cases = [
            (Method::GET, None, vec![], Nothing),
            (Method::DELETE, None, vec![], Nothing),
            (Method::POST, None, vec![], Length(0)),
            (Method::PUT, None, vec![], Length(0)),
            (Method::GET, None, vec![(CL, "0")], Length(0)),
            (Method::GET, bytes(), vec![], Length(5)),
            (Method::POST, bytes(), vec![(CL, "5")], Length(5)),
            (Method::POST, bytes(), vec![(TE, "chunked")], Chunked),
            (Method::POST, reader(), vec![], Chunked),
            (Method::POST, reader(), vec![(CL, "7")], Length(7)),
        ];
        for (method, body, fields, expected) in cases {
            assert_eq!(validate(method, body, &fields).unwrap(), expected, "{fields:?}");
        }
    }

    #[test]
    fn contradictory_framing_is_refused() {
        use header::{CONTENT_LENGTH as CL, HOST, TRANSFER_ENCODING as TE};
        let cases = [
            (bytes(), vec![(CL, "3")], "Content-Length is 3 but the body has 5 bytes"),
            (bytes(), vec![(CL, "5"), (CL, "5")], "more than one content-length field"),
            (bytes(), vec![(CL, "+5")], "invalid Content-Length"),
            (bytes(), vec![(CL, "99999999999999999999")], "invalid Content-Length"),
            (bytes(), vec![(CL, "5"), (TE, "chunked")], "both Content-Length and"),
            (bytes(), vec![(TE, "gzip")], "only `chunked` can be sent"),
            (bytes(), vec![(TE, "gzip, chunked")], "only `chunked` can be sent"),
            (bytes(), vec![(TE, "chunked"), (TE, "chunked")], "only `chunked` can be sent"),
            (None, vec![(CL, "5")], "announces a body and there is none"),
            (None, vec![(TE, "chunked")], "announces a body and there is none"),
            (None, vec![(HOST, "a"), (HOST, "b")], "more than one host field"),
        ];
        for (body, fields, expected) in cases {
            let error = validate(Method::POST, body, &fields).unwrap_err();
            assert!(error.is_builder() && error.to_string().contains(expected), "{error}");
        }
        assert!(validate(Method::CONNECT, None, &[]).unwrap_err().is_builder());
    }

    #[test]
    fn versions_that_cannot_be_sent_are_refused() {
        let mut request = RequestParts::<Given>::new(Method::GET, Url::parse("http://a/").unwrap());
        request.version = Version::HTTP_2;
        assert!(request.validate().unwrap_err().to_string().contains("HTTP/2.0 cannot be sent"));
        request.version = Version::HTTP_10;
        assert!(request.validate().is_ok());
        let mut upgrade = RequestParts::<Given>::new(Method::GET, Url::parse("http://a/").unwrap());
        upgrade.headers.insert(header::UPGRADE, header::HeaderValue::from_static("a"));
        assert!(upgrade.validate().is_ok());
        upgrade.version = Version::HTTP_10;
        assert!(upgrade.validate().unwrap_err().to_string().contains("Upgrade cannot be sent"));
        request.body = reader();
        let error = request.validate().unwrap_err().to_string();
        assert!(error.contains("HTTP/1.0 cannot send a body of unknown length"), "{error}");
        request.body = bytes();
        let chunked = header::HeaderValue::from_static("chunked");
        request.headers.insert(header::TRANSFER_ENCODING, chunked);
        let error = request.validate().unwrap_err().to_string();
        assert!(error.contains("Transfer-Encoding cannot be sent in HTTP/1.0"), "{error}");
    }
}
