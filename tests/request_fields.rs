//! Fields that the caller sets are sent exactly once; settings that could have no effect are
//! errors.
#![cfg(all(
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart"
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io;
use std::sync::Arc;

use leanhttp::blocking::{Body, Client, ClientBuilder, RequestBuilder};
use leanhttp::header::{HeaderMap, HeaderName, HeaderValue};
use leanhttp::multipart::Form;
use leanhttp::{Error, Proxy, Url};

use support::script::{Script, Step, answer, expect, ok, send};

/// The head of the request, and its body.
fn sent(build: impl FnOnce(RequestBuilder) -> RequestBuilder) -> (String, String) {
    let server = Script::serve(vec![answer(ok(""))]);
    let client = Client::builder().resolve("a.test", server.addr()).build().unwrap();
    build(client.post("http://a.test/")).send().unwrap();
    drop(client);
    server.join();
    let text = server.received_text(0);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The values of a field, in their order.
fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    map
}

mod singletons {
    use super::*;

    /// Fields of requests that may occur once: their definitions in RFC 9110 (section in front),
    /// and in other RFCs, are not lists.
    const SINGLETONS: [(&str, &str, &str); 22] = [
        ("authorization", "Own one", "Own two"),         // 11.6.2
        ("content-location", "/one", "/two"),            // 8.7
        ("content-range", "bytes 0-1/2", "bytes 0-2/3"), // 14.4
        ("content-type", "a/one", "a/two"),              // 8.3
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"), // 6.6.1
        ("etag", "\"one\"", "\"two\""),                  // 8.8.3
        ("from", "one@a.test", "two@a.test"),            // 10.1.2
        ("host", "one.test", "two.test"),                // 7.2
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"), // 13.1.3
        ("if-range", "\"one\"", "\"two\""), // 13.1.5
        ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"), // 13.1.4
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"), // 8.8.2
        ("location", "/one", "/two"),                     // 10.2.2
        ("max-forwards", "1", "2"),                       // 7.6.2
        ("range", "bytes=0-1", "bytes=0-2"),              // 14.2
        ("referer", "/one", "/two"),                      // 10.1.3
        ("retry-after", "1", "2"),                        // 10.2.3
        ("user-agent", "one", "two"),                     // 10.1.5
        ("origin", "http://one.test", "http://two.test"), // RFC 6454 section 7.3
        ("content-disposition", "attachment", "inline"),  // RFC 6266 section 4.1
        ("sec-websocket-key", "one", "two"),              // RFC 6455 section 11.3.1
        ("sec-websocket-version", "12", "13"),            // RFC 6455 section 11.3.5
    ];

    /// The second value may be set by any method.
    #[test]
    fn the_last_value_of_a_singleton_counts() {
        type Say = fn(RequestBuilder, &'static str, &'static str) -> RequestBuilder;
        let ways: [(&str, Say); 4] = [
            ("header", |ask, name, value| ask.header(name, value)),
            ("title case", |ask, name, value| {
                ask.header(name.to_ascii_uppercase().as_str(), value)
            }),
            ("raw_header", |ask, name, value| ask.raw_header(name, value)),
            ("headers", |ask, name, value| ask.headers(map(&[(name, value)]))),
        ];
        for (name, one, two) in SINGLETONS {
            for (first, say_first) in ways {
                for (second, say_second) in ways {
                    let (head, _) = sent(|ask| say_second(say_first(ask, name, one), name, two));
                    assert_eq!(values(&head, name), [two], "{first} {second}\n{head}");
                }
            }
        }
    }

    /// Two values in one map: the last counts too, in requests and in defaults.
    #[test]
    fn the_last_value_of_a_singleton_in_a_map_counts() {
        for (name, one, two) in SINGLETONS {
            let both = map(&[(name, one), (name, two)]);
            let (head, _) = sent(|ask| ask.headers(both.clone()));
            assert_eq!(values(&head, name), [two], "{head}");

            let server = Script::serve(vec![answer(ok(""))]);
            let client = Client::builder().resolve("a.test", server.addr()).default_headers(both);
            client.build().unwrap().get("http://a.test/").send().unwrap();
            server.join();
            let expected: &[&str] = if name == "host" { &["a.test"] } else { &[two] };
            assert_eq!(values(&server.received_text(0), name), expected);
        }
    }

    /// A request that was built by hand is checked too.
    #[test]
    fn two_values_of_a_singleton_in_a_request_are_refused() {
        for (name, one, two) in SINGLETONS {
            let client = Client::new();
            let mut request = client.get("http://a.test/").build().unwrap();
            *request.headers_mut() = map(&[(name, one), (name, two)]);
            let error = client.execute(request).unwrap_err();
            assert!(error.is_builder());
            let line = error.to_string().to_ascii_lowercase();
            assert_eq!(line, format!("more than one {name} field"));
        }
    }

    /// Lists may have several field lines (RFC 9110 §5.3), and unknown fields are the caller's own.
    #[test]
    fn lists_keep_all_their_field_lines() {
        for name in ["accept", "cache-control", "if-match", "via", "x-own", "accept-language"] {
            let (head, _) = sent(|ask| ask.header(name, "1").header(name, "2"));
            assert_eq!(values(&head, name), ["1", "2"], "{head}");
        }
    }

    /// RFC 6265 §5.4: one `Cookie` field, with all that the caller gave.
    #[test]
    fn cookies_of_the_caller_are_one_field() {
        let (head, _) = sent(|ask| ask.header("Cookie", "a=1").header("cookie", "b=2; c=3"));
        assert_eq!(values(&head, "cookie"), ["a=1; b=2; c=3"]);
        let both = map(&[("cookie", "a=1"), ("cookie", "b=2")]);
        let (head, _) = sent(|ask| ask.headers(both));
        assert_eq!(values(&head, "cookie"), ["a=1; b=2"]);
    }

    /// RFC 9110 §8.6: like any other singleton, and it has to match the body.
    #[test]
    fn the_last_content_length_counts() {
        let (head, body) = sent(|ask| {
            ask.header("Content-Length", "3").header("content-length", "5").body("hello")
        });
        assert_eq!((values(&head, "content-length"), &*body), (vec!["5"], "hello"));
    }

    /// A field that the caller names replaces that of a method; a method replaces only a field that
    /// another method has set, or its own subject.
    #[test]
    fn fields_of_the_caller_replace_those_of_methods() {
        type Step = fn(RequestBuilder) -> RequestBuilder;
        let rows: [(&str, Step, &str, &str); 9] = [
            (
                "form, header",
                |a| a.form(&[("a", "1")]).header("Content-Type", "x/y"),
                "content-type",
                "x/y",
            ),
            (
                "header, form",
                |a| a.header("Content-Type", "x/y").form(&[("a", "1")]),
                "content-type",
                "x/y",
            ),
            (
                "form, headers",
                |a| a.form(&[("a", "1")]).headers(map(&[("content-type", "x/y")])),
                "content-type",
                "x/y",
            ),
            (
                "form, raw",
                |a| a.form(&[("a", "1")]).raw_header("content-type", "x/y"),
                "content-type",
                "x/y",
            ),
            (
                "bearer, header",
                |a| a.bearer_auth("t").header("Authorization", "Own x"),
                "authorization",
                "Own x",
            ),
            (
                "header, bearer",
                |a| a.header("Authorization", "Own x").bearer_auth("t"),
                "authorization",
                "Bearer t",
            ),
            (
                "basic, header",
                |a| a.basic_auth("u", Some("p")).header("authorization", "Own x"),
                "authorization",
                "Own x",
            ),
            (
                "bearer, basic",
                |a| a.bearer_auth("t").basic_auth("u", Some("p")),
                "authorization",
                "Basic dTpw",
            ),
            (
                "gzip, header",
                |a| a.gzip(true).header("Accept-Encoding", "br"),
                "accept-encoding",
                "br",
            ),
        ];
        for (what, step, name, expected) in rows {
            let (head, _) = sent(step);
            assert_eq!(values(&head, name), [expected], "{what}\n{head}");
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_content_type_of_the_caller_replaces_that_of_json() {
        let (head, body) = sent(|ask| ask.json(&[1]).header("Content-Type", "application/ld+json"));
        assert_eq!(values(&head, "content-type"), ["application/ld+json"]);
        assert_eq!(body, "[1]");
    }
}

mod forms {
    use super::*;

    fn form() -> Form {
        Form::new().with_boundary("own").unwrap().text("a", "1")
    }

    /// A server cannot parse a form without its boundary (RFC 7578 §4.1), so it is added to a type
    /// that has none.
    #[test]
    fn a_form_keeps_its_boundary() {
        let rows = [
            ("multipart/form-data", "multipart/form-data; boundary=own"),
            ("Multipart/Form-Data", "Multipart/Form-Data; boundary=own"),
            (
                "multipart/form-data; charset=utf-8",
                "multipart/form-data; charset=utf-8; boundary=own",
            ),
            ("multipart/form-data;", "multipart/form-data; boundary=own"),
            ("multipart/related", "multipart/related; boundary=own"),
            ("multipart/form-data; boundary=own", "multipart/form-data; boundary=own"),
            ("multipart/form-data; boundary=\"own\"", "multipart/form-data; boundary=\"own\""),
            ("multipart/mixed; Boundary=own; a=b", "multipart/mixed; Boundary=own; a=b"),
            ("application/octet-stream", "application/octet-stream"),
        ];
        for (given, expected) in rows {
            let type_of = |head: &str| values(head, "content-type").join(" | ");
            let (head, body) =
                sent(|ask| ask.multipart(form()).headers(map(&[("content-type", given)])));
            assert_eq!(type_of(&head), expected);
            assert!(body.starts_with("--own\r\n"), "{body}");
            let (head, _) = sent(|ask| ask.multipart(form()).header("Content-Type", given));
            assert_eq!(type_of(&head), expected);
            // If the form comes last, it sets its type itself.
            let (head, _) = sent(|ask| ask.header("Content-Type", given).multipart(form()));
            assert_eq!(type_of(&head), "multipart/form-data; boundary=own");
        }
    }

    /// A form with a different boundary could not be parsed.
    #[test]
    fn another_boundary_is_an_error() {
        let ask = Client::new().post("http://a.test/").multipart(form());
        let error =
            ask.header("Content-Type", "multipart/form-data; boundary=x").build().unwrap_err();
        assert!(error.is_builder());
        let line = "Content-Type names another boundary than the form's";
        assert_eq!(error.to_string(), line);
    }

    /// Another body needs no boundary.
    #[test]
    fn a_body_that_replaces_a_form_drops_the_boundary() {
        let (head, body) = sent(|ask| {
            ask.multipart(form()).body("x").header("Content-Type", "multipart/form-data")
        });
        assert_eq!(values(&head, "content-type"), ["multipart/form-data"]);
        assert_eq!(body, "x");
    }
}

mod agents {
    use super::*;

    #[test]
    fn an_empty_user_agent_is_not_sent() {
        let server = Script::serve(vec![answer(ok("")), answer(ok(""))]);
        for builder in
            [Client::builder().user_agent(""), Client::builder().user_agent("one/1").user_agent("")]
        {
            builder.build().unwrap().get(server.url("/")).send().unwrap();
        }
        server.join();
        for i in 0..2 {
            let head = server.received_text(i);
            assert!(!head.contains("user-agent"), "{head}");
        }
    }

    /// RFC 9110 §10.1.5: a proxy receives the `User-Agent` too.
    #[test]
    fn connect_has_the_user_agent() {
        let own = format!("leanhttp/{}", env!("CARGO_PKG_VERSION"));
        type Set = fn(ClientBuilder) -> ClientBuilder;
        type Row<'a> = (Set, &'a [(&'static str, &'static str)], Vec<&'a str>);
        let rows: [Row<'_>; 4] = [
            (|client| client, &[], vec![&own]),
            (|client| client.user_agent("station/2"), &[], vec!["station/2"]),
            (|client| client.user_agent(""), &[], vec![]),
            (
                |client| client.user_agent("station/2"),
                &[("user-agent", "proxied/1")],
                vec!["proxied/1"],
            ),
        ];
        for (set, fields, expected) in rows {
            let server =
                Script::serve(vec![answer("HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n")]);
            let proxy = Proxy::all(server.url("")).unwrap().headers(map(fields));
            let client = set(Client::builder()).proxy(proxy).build().unwrap();
            client.get("https://a.test/").send().unwrap_err();
            server.join();
            let head = server.received_text(0);
            assert!(
                head.starts_with("CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\n"),
                "{head}"
            );
            assert_eq!(values(&head, "user-agent"), expected, "{head}");
        }
    }
}

mod settings {
    use super::*;

    fn told(builder: ClientBuilder) -> String {
        let error = builder.build().unwrap_err();
        assert!(error.is_builder());
        error.to_string()
    }

    /// A name that no URL can have would never be used.
    #[test]
    fn resolve_accepts_only_host_names() {
        let at = ([127, 0, 0, 1], 80).into();
        for name in
            ["h:80", "http://h", "h/", "u@h", "", "a b", "[::1", "h?", "h#", "[::1]:80", "h\\"]
        {
            let line = format!("resolve: {name:?} is not a host name");
            assert_eq!(told(Client::builder().resolve(name, at)), line);
            assert_eq!(told(Client::builder().resolve_to_addrs(name, &[at])), line);
        }
    }

    /// Names are compared as in URLs, in any notation.
    #[test]
    fn resolve_compares_names_as_urls_do() {
        let rows = [
            ("A.Test", "http://a.test/"),
            ("a.test.", "http://a.test./"),
            ("[::1]", "http://[::1]/"),
            ("::1", "http://[::1]/"),
            ("127.1", "http://127.0.0.1/"),
            ("a_b.test", "http://a_b.test/"),
            #[cfg(feature = "idna")]
            ("b\u{fc}cher.test", "http://xn--bcher-kva.test/"),
        ];
        for (name, url) in rows {
            let server = Script::serve(vec![answer(ok("found"))]);
            let client = Client::builder().resolve(name, server.addr()).build().unwrap();
            assert_eq!(client.get(url).send().unwrap().text().unwrap(), "found", "{name}");
        }
    }

    /// A request through the proxy would reach the host that `connect_to` replaces.
    #[test]
    fn connect_to_through_a_proxy_is_an_error() {
        let proxy = Script::serve(vec![]);
        let builder = |set: fn(&str) -> Proxy| {
            let client = Client::builder().proxy(set(&proxy.url("")));
            client.connect_to("a.test:80", "b.test:81").connect_to("a.test:443", "b.test:444")
        };
        let all = |url: &str| Proxy::all(url).unwrap();
        for url in ["http://a.test/", "https://a.test/"] {
            let error = builder(all).build().unwrap().get(url).send().unwrap_err();
            assert!(error.is_builder());
            let line = "connect_to: not supported for a request through a proxy";
            assert_eq!(error.to_string(), line);
            assert_eq!(error.url().unwrap().as_str(), url);
        }
        proxy.join();
        let other = Script::serve(vec![answer(ok("other"))]);
        let client = Client::builder().proxy(Proxy::http(other.url("")).unwrap());
        let client = client.connect_to("a.test:80", "b.test:81").build().unwrap();
        assert_eq!(client.get("http://b.test/").send().unwrap().text().unwrap(), "other");
    }

    #[test]
    fn connect_to_works_if_no_proxy_matches() {
        let server = Script::serve(vec![answer(ok("there"))]);
        let proxy = Proxy::all("http://p.test").unwrap();
        let proxy = proxy.no_proxy(leanhttp::NoProxy::from_string("a.test"));
        let client = Client::builder().proxy(proxy);
        let client = client.connect_to("a.test:80", &server.addr().to_string()).build().unwrap();
        assert_eq!(client.get("http://a.test/").send().unwrap().text().unwrap(), "there");
    }
}

mod sized {
    use super::*;

    /// For uploads of parts of files: no more than the length is read and sent.
    #[test]
    fn a_longer_reader_is_sent_in_part() {
        for length in [0_u64, 1, 5, 100_000, 200_000] {
            let size = usize::try_from(length).unwrap();
            for more in [0, 1, 70_000] {
                let reader = io::Cursor::new(vec![b'x'; size + more]);
                let (head, body) = sent(|ask| ask.body(Body::sized(reader, length)));
                assert_eq!(values(&head, "content-length"), [length.to_string()]);
                assert_eq!(body.len(), size, "{length} of {more} more");
            }
        }
        let (head, body) =
            sent(|ask| ask.header("Content-Length", "3").body(Body::new(io::Cursor::new("hello"))));
        assert_eq!((values(&head, "content-length"), &*body), (vec!["3"], "hel"));
    }

    /// The next request can use the connection.
    #[test]
    fn the_connection_is_reused_after_a_sized_body() {
        let server = Script::serve(vec![vec![
            Step::ExpectHead,
            expect("hel"),
            send(ok("")),
            Step::ExpectHead,
            send(ok("next")),
        ]]);
        let client = Client::new();
        let reader = io::Cursor::new("hello");
        client.post(server.url("/")).body(Body::sized(reader, 3)).send().unwrap().bytes().unwrap();
        assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "next");
    }

    #[test]
    fn a_shorter_reader_is_an_error() {
        let server = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
        let reader = io::Cursor::new("hello");
        let ask = Client::new().post(server.url("/")).body(Body::sized(reader, 7));
        let line = ask.send().unwrap_err().to_string();
        assert!(line.ends_with("the body ended 2 bytes before its announced length"), "{line}");
    }
}

#[cfg(all(feature = "json", feature = "charset"))]
mod json {
    use super::*;

    fn answered(content_type: &str, body: &[u8]) -> leanhttp::Result<serde_json::Value> {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let server = Script::serve(vec![answer([head.as_bytes(), body].concat())]);
        Client::new().get(server.url("/")).send().unwrap().json()
    }

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2], mark: bool) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
    }

    /// RFC 8259 §8.1: JSON is UTF-8, but servers send it in other charsets, which `text` can read
    /// too.
    #[test]
    fn json_reads_byte_order_marks_and_charsets() {
        const TEXT: &str = "{\"a\":\"\u{e9}\u{30c6}\"}";
        type Unit = fn(u16) -> [u8; 2];
        let (le, be): (Unit, Unit) = (u16::to_le_bytes, u16::to_be_bytes);
        let marked = ["\u{feff}", TEXT].concat();
        let rows: [(&str, Vec<u8>, &str); 10] = [
            ("application/json", TEXT.into(), "\u{e9}\u{30c6}"),
            ("application/json", marked.clone().into(), "\u{e9}\u{30c6}"),
            ("application/json; charset=utf-8", marked.into(), "\u{e9}\u{30c6}"),
            ("application/json", utf16(TEXT, le, true), "\u{e9}\u{30c6}"),
            ("application/json", utf16(TEXT, be, true), "\u{e9}\u{30c6}"),
            ("application/json; charset=utf-16le", utf16(TEXT, le, false), "\u{e9}\u{30c6}"),
            ("application/json; charset=utf-16be", utf16(TEXT, be, false), "\u{e9}\u{30c6}"),
            ("application/json; charset=iso-8859-1", b"{\"a\":\"\xe9\"}".to_vec(), "\u{e9}"),
            ("text/plain; charset=shift_jis", b"{\"a\":\"\x83e\"}".to_vec(), "\u{30c6}"),
            ("application/json; charset=latin1", TEXT.into(), "\u{e9}\u{30c6}"),
        ];
        for (content_type, body, expected) in rows {
            let value = answered(content_type, &body).unwrap();
            assert_eq!(value["a"], expected, "{content_type}");
        }
    }

    /// If no charset gives JSON, the error describes the text as it is.
    #[test]
    fn invalid_json_is_a_decode_error() {
        for (content_type, body) in [
            ("application/json", &b"{\"a\":\"\xe9\"}"[..]),
            ("application/json; charset=utf-8", b"{\"a\":\"\xe9\"}"),
            ("application/json", b"\xef\xbb\xbf"),
            ("application/json; charset=utf-16le", b"{\0"),
        ] {
            assert!(answered(content_type, body).unwrap_err().is_decode(), "{content_type}");
        }
    }
}

mod cookies {
    use super::*;
    use leanhttp::cookie::Jar;

    /// As in browsers, curl and Go: the path to the local host cannot be eavesdropped on.
    #[test]
    fn secure_cookies_of_localhost_are_stored() {
        let kept = [
            "http://localhost/",
            "http://LOCALHOST:8080/",
            "http://localhost./",
            "http://a.localhost/",
            "http://127.0.0.1/",
            "http://127.8.9.1/",
            "http://[::1]/",
            "https://a.test/",
        ];
        let refused = [
            "http://a.test/",
            "http://localhost.test/",
            "http://notlocalhost/",
            "http://128.0.0.1/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://[::2]/",
            "http://[::ffff:127.0.0.1]/",
        ];
        for (urls, expected) in [(kept, true), (refused, false)] {
            for url in urls {
                let url = Url::parse(url).unwrap();
                let jar = Jar::new();
                jar.add_cookie_str("a=1; Secure", &url);
                assert_eq!(jar.to_vec().len() == 1, expected, "{url}");
            }
        }
    }

    #[test]
    fn secure_cookies_of_localhost_are_sent_to_it() {
        const SET: &str = "HTTP/1.1 200 OK\r\nset-cookie: a=1; Secure\r\nset-cookie: __Host-b=2; Secure; Path=/\r\n\
             content-length: 0\r\n\r\n";
        let server = Script::serve(vec![[answer(SET), answer(ok(""))].concat()]);
        let client = Client::builder().cookie_store(true).resolve("localhost", server.addr());
        let client = client.build().unwrap();
        let url = format!("http://localhost:{}/", server.addr().port());
        for _ in 0..2 {
            client.get(&url).send().unwrap().bytes().unwrap();
        }
        drop(client);
        server.join();
        let second = server.received_text(0);
        assert_eq!(values(&second, "cookie"), ["a=1; __Host-b=2"]);
    }

    /// A jar with cookies of the local host does not send them to other hosts.
    #[test]
    fn secure_cookies_of_localhost_are_sent_nowhere_else() {
        let jar = Arc::new(Jar::new());
        jar.add_cookie_str("a=1; Secure", &Url::parse("https://a.test/").unwrap());
        let server = Script::serve(vec![answer(ok(""))]);
        let client = Client::builder().cookie_provider(jar).resolve("a.test", server.addr());
        client.build().unwrap().get("http://a.test/").send().unwrap();
        server.join();
        assert!(!server.received_text(0).contains("cookie"));
    }
}

mod lines {
    use super::*;

    /// Invisible characters, and those that change the direction of text or break a line.
    const UNSEEN: [char; 16] = [
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{61c}',
        '\u{200b}',
        '\u{200d}',
        '\u{200f}',
        '\u{2060}',
        '\u{feff}',
        '\u{ad}',
        '\u{2028}',
        '\u{85}',
        '\u{1b}',
        '\u{180e}',
        '\u{e0041}',
        '\u{115f}',
    ];

    #[track_caller]
    fn assert_escaped(error: &Error, c: char) {
        for line in [error.to_string(), format!("{error:?}")] {
            assert!(!line.contains(c), "{line:?}");
            assert!(line.contains("evil"), "{line}");
        }
    }

    /// The body of a refusal, a `Location`, and text in place of JSON.
    #[test]
    fn invisible_characters_of_a_peer_are_escaped() {
        for c in UNSEEN {
            let text = format!("evil{c}txt");
            let refusal =
                format!("HTTP/1.1 502 No\r\ncontent-length: {}\r\n\r\n{text}", text.len());
            let proxy = Script::serve(vec![answer(refusal)]);
            let client = Client::builder().proxy(Proxy::all(proxy.url("")).unwrap());
            let error = client.build().unwrap().get("https://a.test/").send().unwrap_err();
            assert_escaped(&error, c);
            if !c.is_control() {
                let server =
                    Script::serve(vec![support::script::moved(302, &format!("evil:{text}/"))]);
                let error = Client::new().get(server.url("/")).send().unwrap_err();
                assert!(!error.to_string().contains(c) && !format!("{error:?}").contains(c));
            }
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn invisible_characters_in_json_are_escaped() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "only its shape matters")]
        struct Known {
            known: u8,
        }
        for c in UNSEEN.into_iter().filter(|c| !c.is_control()) {
            let server = Script::serve(vec![answer(ok(format!("{{\"evil{c}txt\":1}}")))]);
            let error = Client::new().get(server.url("/")).send().unwrap().json::<Known>();
            assert_escaped(&error.unwrap_err(), c);
        }
    }
}

mod names {
    use super::*;

    /// rustls does not accept such a name, whatever the certificate says.
    #[cfg(any(feature = "ring", feature = "aws-lc-rs"))]
    #[test]
    fn a_label_with_a_hyphen_at_its_edge_fails_over_tls() {
        for host in ["-a.test", "a-.test", "x.-a.test", "x.a-.test"] {
            let server = Script::serve(vec![]);
            let client = Client::builder().resolve(host, server.addr()).build().unwrap();
            let line = client.get(format!("https://{host}/")).send().unwrap_err().to_string();
            let expected = format!(
                "TLS handshake with {host}:443 for https://{host}/: {host:?} cannot be the name of a \
                 certificate: rustls takes no label that begins or ends with a hyphen"
            );
            assert_eq!(line, expected);
        }
    }
}
