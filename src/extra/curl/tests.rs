use super::*;

fn curl(method: &str, url: &str, fields: &[(&str, &str)], body: Payload<'_>) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    let (method, url) = (method.parse().unwrap(), url.parse().unwrap());
    let version = Version::HTTP_11;
    command(&Outline { method: &method, url: &url, version, headers: &headers, body }, false)
}

const NO_DEFAULTS: &str = "--header User-Agent: --header Accept:";

#[test]
fn urls_and_methods() {
    let rows = [
        ("GET", "http://a.test/p", "http://a.test/p"),
        ("HEAD", "http://a.test/", "--head http://a.test/"),
        ("DELETE", "http://a.test/", "--request DELETE http://a.test/"),
        ("GET", "https://a.test/", "--http1.1 https://a.test/"),
        ("GET", "http://a.test/?a=1&b=2", "'http://a.test/?a=1&b=2'"),
        ("GET", "http://a.test/?f='x'", "'http://a.test/?f=%27x%27'"),
        ("GET", "http://a.test/?{a}", "--globoff 'http://a.test/?{a}'"),
        ("GET", "http://[::1]/", "--globoff 'http://[::1]/'"),
        ("GET", "http://a.test/%2E%2e", "http://a.test/"),
        ("GET", "http://a.test/a!b", "'http://a.test/a!b'"),
        // A method is a token (RFC 9110 §5.6.2), and a shell would run what stands in some of them.
        ("`id`", "http://a.test/", "--request '`id`' http://a.test/"),
        ("A|B$C'", "http://a.test/", "--request 'A|B$C'\\''' http://a.test/"),
    ];
    for (method, url, expected) in rows {
        let command = curl(method, url, &[], Payload::None);
        let without = command.replace(&format!("{NO_DEFAULTS} "), "");
        assert_eq!(without, format!("curl {expected}"));
    }
}

#[test]
fn fields() {
    let rows = [
        (("x-a", "1"), "--header 'X-A: 1'"),
        (("x-a", ""), "--header 'X-A;'"),
        (("x-a", "it's $HOME `id`"), "--header 'X-A: it'\\''s $HOME `id`'"),
        (("host", "a.test"), ""),
        (("host", "b.test"), "--header 'Host: b.test'"),
        (("transfer-encoding", "chunked"), ""),
    ];
    for (field, expected) in rows {
        let command = curl("GET", "http://a.test/", &[field], Payload::None);
        let separator = if expected.is_empty() { "" } else { " " };
        assert_eq!(command, format!("curl {expected}{separator}{NO_DEFAULTS} http://a.test/"));
    }
}

#[test]
fn bodies() {
    let rows: [(&[u8], &str, &str); 8] = [
        (b"", "", "--data-raw ''"),
        (b"a=1", "", "--data-raw a=1"),
        (b"@/etc/passwd", "", "--data-raw @/etc/passwd"),
        (b"'''", "", "--data-raw ''\\'''\\'''\\'''"),
        (b"a\\", "", "--data-raw 'a\\'"),
        (b"\x00777", "printf '\\000777' | ", "--data-binary @-"),
        (b"-n\xff", "printf '\\055n\\377' | ", "--data-binary @-"), // not an option
        (b"\xff%'\\", "printf '\\377\\045\\047\\134' | ", "--data-binary @-"),
    ];
    for (body, before, expected) in rows {
        let command = curl("POST", "http://a.test/", &[], Payload::Bytes(body));
        let head = format!("{before}curl {NO_DEFAULTS} --header Content-Type:");
        assert_eq!(command, format!("{head} {expected} http://a.test/"));
    }
    let command = curl("PUT", "http://a.test/", &[("content-length", "0")], Payload::None);
    assert!(command.contains("--request PUT") && command.contains("--data-raw ''"), "{command}");
    let command = curl("POST", "http://a.test/", &[], Payload::Source);
    assert!(command.starts_with("# The body") && command.contains("\ncurl "), "{command}");
    let long = vec![b'y'; LONGEST_ARGUMENT + 1];
    let command = curl("POST", "http://a.test/", &[], Payload::Bytes(&long));
    assert!(command.starts_with("printf 'yyy") && command.contains("--header Expect:"));
}

#[test]
fn secrets_are_redacted() {
    let rows = [
        (("authorization", "Bearer s3cret"), "http://a.test/", "Authorization: Bearer REDACTED"),
        (
            ("proxy-authorization", "Basic s3cret"),
            "http://a.test/",
            "Proxy-Authorization: Basic REDACTED",
        ),
        (("authorization", "s3cret"), "http://a.test/", "Authorization: REDACTED"),
        (("cookie", "a=s3cret"), "http://a.test/", "Cookie: REDACTED"),
        (("x-api-key", "s3cret"), "http://a.test/", "X-Api-Key: REDACTED"),
        (("x-a", "1"), "http://u:s3cret@a.test/", "u:REDACTED@"),
        (
            ("x-a", "1"),
            "http://a.test/?X-Amz-Signature=s3cret&d=2",
            "?X-Amz-Signature=REDACTED&d=2",
        ),
        (("x-a", "1"), "http://a.test/?access_token=s3cret", "access_token=REDACTED"),
        (("x-a", "1"), "http://a.test/?api_key=s3cret&sig=s3cret", "api_key=REDACTED&sig=REDACTED"),
    ];
    for (field, url, expected) in rows {
        let command = curl("GET", url, &[field], Payload::None);
        assert!(command.contains(expected) && !command.contains("s3cret"), "{command}");
    }
}
