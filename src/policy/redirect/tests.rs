use http::HeaderMap;

use super::*;

const BASE: &str = "http://a.example/dir/page?q#frag";

fn follow(status: u16, locations: &[&[u8]]) -> Result<Option<String>, String> {
    let mut headers = HeaderMap::new();
    for location in locations {
        headers.append(header::LOCATION, HeaderValue::from_bytes(location).unwrap());
    }
    let base = Url::parse(BASE).unwrap();
    target(StatusCode::from_u16(status).unwrap(), &headers, &base)
        .map(|url| url.map(|url| url.to_string()))
        .map_err(|error| error.to_string())
}

#[test]
fn targets_are_resolved_and_inherit_the_fragment() {
    let cases: [(&[u8], &str); 7] = [
        (b"/next", "http://a.example/next#frag"),
        (b"next#own", "http://a.example/dir/next#own"),
        (b"?x", "http://a.example/dir/page?x#frag"),
        (b"//b.example/", "http://b.example/#frag"),
        (b"/\\b.example/", "http://b.example/#frag"),
        (b"https://b.example", "https://b.example/#frag"),
        (b"/caf\xe9", "http://a.example/caf%E9#frag"),
    ];
    for (location, expected) in cases {
        assert_eq!(follow(302, &[location]), Ok(Some(expected.to_owned())));
    }
}

#[test]
fn other_statuses_and_a_missing_location_are_responses() {
    for status in [200, 201, 300, 304, 305, 306, 404] {
        assert_eq!(follow(status, &[b"/next"]), Ok(None), "{status}");
    }
    assert_eq!(follow(301, &[]), Ok(None));
    assert_eq!(follow(301, &[b""]), Ok(None));
    let twice = follow(301, &[b"/a", b"/a"]);
    assert_eq!(twice, Ok(Some("http://a.example/a#frag".to_owned())));
}

#[test]
fn forbidden_targets_are_errors() {
    let cases: [(&[&[u8]], &str); 7] = [
        (&[b"/a", b"/b"], "two different Location fields"),
        (&[b"http://good@evil.example/"], "user name"),
        (&[b"http://:good@evil.example/"], "user name"),
        (&[b"http://good:@evil.example/"], "user name"),
        (&[b"file:///etc/passwd"], "file"),
        (&[b"javascript:alert(1)"], "javascript"),
        (&[b"http://a.example:99999/"], "port"),
    ];
    for (locations, expected) in cases {
        let line = follow(302, locations).unwrap_err();
        assert!(line.starts_with("following a redirect"), "{line}");
        assert!(line.contains(expected), "{line}");
    }
}

/// The table of RFC 9110 §15.4 as common clients apply it.
#[test]
fn methods_change_as_in_other_clients() {
    let get = Some(Method::GET);
    let cases = [
        (Method::GET, [None, None, None, None, None]),
        (Method::HEAD, [None, None, None, None, None]),
        (Method::POST, [get.clone(), get.clone(), get.clone(), None, None]),
        (Method::PUT, [None, None, get.clone(), None, None]),
        (Method::DELETE, [None, None, get, None, None]),
    ];
    for (method, expected) in cases {
        let changed = [301, 302, 303, 307, 308]
            .map(|status| changed_method(StatusCode::from_u16(status).unwrap(), &method));
        assert_eq!(changed, expected, "{method}");
    }
}

#[test]
fn fields_that_describe_the_body_are_dropped() {
    for name in ["content-type", "content-length", "transfer-encoding", "expect", "digest"] {
        assert!(describes_body(&HeaderName::from_static(name)), "{name}");
    }
    assert!(!describes_body(&header::ACCEPT));
}

#[test]
fn debug_shows_the_policy() {
    for (policy, shown) in [
        (Policy::none(), "Policy::none"),
        (Policy::default(), "Policy::limited(10)"),
        (Policy::custom(|attempt| attempt.stop()), "Policy::custom"),
    ] {
        assert_eq!(format!("{policy:?}"), shown);
    }
}

#[test]
fn a_limit_counts_redirects_not_requests() {
    let url = Url::parse(BASE).unwrap();
    let previous = vec![url.clone(); 3];
    let attempt = |seen| Attempt::new(StatusCode::FOUND, &url, &previous[..seen]);
    let policy = Policy::limited(2);
    assert!(matches!(policy.redirect(attempt(2)).choice, RedirectChoice::Follow));
    assert!(matches!(policy.redirect(attempt(3)).choice, RedirectChoice::Error(_)));
    assert!(matches!(Policy::none().redirect(attempt(1)).choice, RedirectChoice::Stop));
    assert!(Policy::none().is_none());
    assert!(!Policy::limited(0).is_none(), "a redirect is an error, not the response");
}

#[test]
fn a_custom_policy_sees_status_target_and_previous_urls() {
    let urls = ["http://a.example/", "http://a.example/b", "http://c.example/"];
    let [first, second, next] = urls.map(|url| Url::parse(url).unwrap());
    let policy = Policy::custom(|attempt| {
        let previous: Vec<_> = attempt.previous().iter().map(Url::as_str).collect();
        let told = format!("{} {previous:?} {}", attempt.status(), attempt.url());
        attempt.error(told)
    });
    assert!(!policy.is_none());
    let previous = [first, second];
    let attempt = Attempt::new(StatusCode::SEE_OTHER, &next, &previous);
    let RedirectChoice::Error(told) = policy.redirect(attempt).choice else { panic!("no error") };
    let expected = r#"303 See Other ["http://a.example/", "http://a.example/b"] "#;
    assert_eq!(told.to_string(), format!("{expected}http://c.example/"));
}
