use std::time::Instant;

use super::*;
use crate::call::SharedState;
use crate::config::Config;
use crate::testing::harness::fuzzing::call::{self, Given};
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

/// The prepared lines are those that would be written one by one, in the same order.
#[test]
fn prepared_lines_are_those_of_the_fields() {
    use header::{ACCEPT, ACCEPT_ENCODING, HOST, RANGE, USER_AGENT, VIA};
    let mut config = Config::default();
    for (name, value) in [(USER_AGENT, "lean"), (ACCEPT, "*/*")] {
        config.defaults.push((name, HeaderValue::from_static(value)));
    }
    let shared = SharedState::default();
    let rows: [(&[(HeaderName, &str)], bool); 8] = [
        (&[], true),
        (&[(VIA, "a"), (VIA, "b")], true),
        (&[(HOST, "other"), (VIA, "a")], true),
        (&[(USER_AGENT, "own")], false),
        (&[(VIA, "a"), (ACCEPT, "text/html")], false),
        (&[(RANGE, "bytes=1-")], false),
        (&[(ACCEPT_ENCODING, "br")], false),
        (&[], true),
    ];
    for (fields, is_prepared) in rows {
        let url = Url::parse("http://a.example/").unwrap();
        let mut request = Box::new(RequestParts::<Given>::new(Method::GET, url));
        for (name, value) in fields {
            request.headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let call = Call::new(&config, &shared, request, Instant::now());
        let (mut one_by_one, mut prepared) = (Buffer::default(), Buffer::default());
        call.write_fields(&mut HeadWriter::go_on(&mut one_by_one));
        assert_eq!(call.default_lines().is_some(), is_prepared, "{fields:?}");
        if let Some(lines) = call.default_lines() {
            call.write_default_lines(&mut HeadWriter::go_on(&mut prepared), lines);
            assert_eq!(prepared.data(), one_by_one.data(), "{fields:?}");
        }
    }
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
