//! `explain`: what would happen to a request, without sending it; and `to_curl` of responses and errors.
#![cfg(all(
    feature = "export",
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies"
))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::time::Duration;

use leanhttp::blocking::Client;
use leanhttp::client::Explanation;
use leanhttp::{EgressPolicy, NoProxy, Proxy, StatusCode};

use support::net::refused;
use support::script::{Script, answer, moved, ok};

fn addresses(explanation: &Explanation) -> Vec<(String, bool)> {
    let addresses = explanation.addresses().iter();
    addresses.map(|it| (it.address().to_string(), it.denied().is_some())).collect()
}

#[test]
fn the_proxy_is_named_with_the_rule_that_chose_it() {
    let proxy = |url: &str| Proxy::all(url).unwrap();
    let direct = Client::builder().no_proxy().build().unwrap();
    let http = Proxy::https("http://secure.test:1").unwrap();
    let other = proxy("http://user:s3cret@127.0.0.1:2").no_proxy(NoProxy::from_string("a.test"));
    let client = Client::builder().proxy(http).proxy(other).build().unwrap();
    let rows = [
        (&direct, "http://127.0.0.1/", None, "no proxy is set"),
        (&client, "http://b.test/", Some("http://127.0.0.1:2"), "chosen by proxy 2 of the client"),
        (&client, "http://a.test/", None, "proxy 2 of the client makes an exception for the host"),
        (
            &client,
            "https://b.test/",
            Some("http://secure.test:1"),
            "chosen by proxy 1 of the client",
        ),
    ];
    for (client, url, proxy, rule) in rows {
        let request = client.get(url).connect_timeout(Duration::from_millis(1));
        let explanation = request.explain().unwrap();
        assert_eq!((explanation.proxy(), explanation.proxy_rule()), (proxy, rule), "{url}");
        assert!(
            !explanation.to_string().contains("s3cret")
                && !format!("{explanation:?}").contains("s3cret")
        );
    }
    let explanation = client.explain("http://b.test/").unwrap();
    assert_eq!(addresses(&explanation), [("127.0.0.1:2".to_owned(), false)], "of the proxy");
}

#[test]
fn each_address_has_the_verdict_of_the_egress_policy() {
    let both = ["10.0.0.1:0".parse().unwrap(), "93.184.215.14:0".parse().unwrap()];
    let client = Client::builder()
        .no_proxy()
        .egress(EgressPolicy::public_only())
        .resolve_to_addrs("a.test", &both)
        .build()
        .unwrap();
    let explanation = client.explain("https://a.test/").unwrap();
    let expected = [("10.0.0.1:443", true), ("93.184.215.14:443", false)];
    assert_eq!(addresses(&explanation), expected.map(|(it, denied)| (it.to_owned(), denied)));
    assert!(explanation.to_string().contains("10.0.0.1:443 denied: "), "{explanation}");
    assert_eq!(explanation.obstacle(), None);
}

#[test]
fn what_would_fail_is_a_part_of_the_explanation() {
    let client = Client::builder()
        .no_proxy()
        .dns_resolver(leanhttp::dns::from_fn(|_: &str| Err(std::io::Error::other("no such name"))))
        .build()
        .unwrap();
    let explanation = client.explain("http://a.test/?token=s3cret").unwrap();
    assert!(explanation.obstacle().unwrap().contains("no such name"), "{explanation}");
    assert!(explanation.addresses().is_empty());
    assert_eq!(explanation.url(), "http://a.test/?token=REDACTED");
    assert!(client.explain("no url").unwrap_err().is_builder());
}

#[test]
fn roots_limits_fields_and_cookies_are_those_of_the_request() {
    let server = Script::serve(vec![answer(
        "HTTP/1.1 200 OK\r\nset-cookie: sid=s3cret\r\nset-cookie: other=s3cret\r\ncontent-length: 0\r\n\r\n",
    )]);
    let client = Client::builder().no_proxy().cookie_store(true).timeout(Duration::from_secs(9));
    let client = client.body_limit(77).build().unwrap();
    let before = client.explain(server.url("/")).unwrap();
    assert_eq!((before.idle_connections(), before.tls_roots()), (0, None));
    client.get(server.url("/")).send().unwrap().text().unwrap();
    let request =
        client.post(server.url("/")).bearer_auth("s3cret").read_timeout(Duration::from_secs(2));
    let explanation = request.explain().unwrap();
    assert_eq!(explanation.idle_connections(), 1);
    assert_eq!(explanation.cookie_names().collect::<Vec<_>>(), ["sid", "other"]);
    let fields: Vec<_> = explanation.header_names().collect();
    assert!(fields.contains(&"authorization") && fields.contains(&"content-length"), "{fields:?}");
    let limits: Vec<_> =
        explanation.timeouts().filter(|(name, _)| ["total", "read"].contains(name)).collect();
    assert_eq!(limits, [("total", Duration::from_secs(9)), ("read", Duration::from_secs(2))]);
    assert!(explanation.limits().any(|limit| limit == ("body in memory", "77 bytes")));
    let shown = explanation.to_string();
    assert!(!shown.contains("s3cret") && shown.contains("cookies     sid, other"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    server.join();
    assert_eq!(server.accepted(), 1, "nothing is sent");
    let roots = client.explain("https://127.0.0.1/").unwrap();
    let built_in = [
        "Mozilla's (webpki-roots)",
        "those of the operating system",
        "those of SSL_CERT_FILE and SSL_CERT_DIR",
    ];
    assert!(built_in.contains(&roots.tls_roots().unwrap()), "{roots}");
    let trusting = Client::builder().danger_accept_invalid_certs(true).build().unwrap();
    let roots = trusting.explain("https://127.0.0.1/").unwrap();
    assert_eq!(roots.tls_roots(), Some("none: certificates are not verified"));
}

/// The default for the first byte, which the blocking client has, ends where the program says how long a call may take.
#[test]
fn a_total_timeout_replaces_the_default_limit_on_the_first_byte() {
    let second = Duration::from_secs(1);
    let names = |request: leanhttp::blocking::RequestBuilder| {
        let explanation = request.explain().unwrap();
        explanation.timeouts().map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    let url = "http://127.0.0.1:1/";
    let own = Client::new().get(url).timeout(120 * second);
    let client = Client::builder().timeout(120 * second).build().unwrap();
    for request in [own, client.get(url)] {
        assert_eq!(names(request), ["total", "connect", "read", "write"]);
    }
    let set = client.get(url).first_byte_timeout(5 * second);
    assert_eq!(names(set), ["total", "connect", "first byte", "read", "write"]);
    let lifted = names(client.get(url).timeout(None));
    assert_eq!(lifted, names(Client::new().get(url)), "as without a timeout");
}

#[test]
fn a_response_has_the_command_of_its_last_request() {
    let first = "HTTP/1.1 303 See\r\nset-cookie: a=1\r\nlocation: /b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let second = "HTTP/1.1 500 Oh\r\nset-cookie: a=2\r\ncontent-length: 0\r\n\r\n";
    let server = Script::serve(vec![answer(first), answer(second)]);
    let client = Client::builder().cookie_store(true).build().unwrap();
    let response = client.post(server.url("/a")).body("x").send().unwrap();
    let command = response.to_curl_with_secrets().unwrap();
    assert!(command.contains("'Cookie: a=1'"), "as it was sent: {command}");
    assert!(command.ends_with(&server.url("/b")) && !command.contains("--data"), "{command}");
    assert!(!response.to_curl().unwrap().contains("a=1"));
    let error = response.error_for_status().unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(error.to_curl_with_secrets(), Some(command));
}

#[test]
fn an_error_has_the_command_of_the_attempt_that_failed() {
    let gone = format!("http://{}/gone", refused());
    let server = Script::serve(vec![moved(307, &gone)]);
    let request = || Client::new().put(server.url("/")).body("text");
    let error = request().send().unwrap_err();
    let command = error.to_curl().unwrap();
    assert!(command.ends_with(&gone) && command.contains("--data-raw text"), "{command}");
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel";
    let server = Script::serve(vec![vec![
        support::script::Step::ExpectRequest,
        support::script::send(cut),
        support::script::Step::Close,
    ]]);
    let error = Client::new().get(server.url("/cut")).send().unwrap().text().unwrap_err();
    assert!(error.to_curl().unwrap().ends_with("/cut"), "the body failed");
    assert_eq!(Client::new().get("no url").send().unwrap_err().to_curl(), None);
}

#[test]
fn a_large_body_is_not_kept_beside_the_response() {
    let server = Script::serve(vec![answer(ok("")), answer(ok(""))]);
    let client = Client::builder().pool_max_idle(0).build().unwrap();
    for (length, is_shown) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let response = client.post(server.url("/")).body("x".repeat(length)).send().unwrap();
        let command = response.to_curl().unwrap();
        assert_eq!(command.contains("xxxx"), is_shown);
        assert_eq!(command.contains("is not shown"), !is_shown);
    }
}
