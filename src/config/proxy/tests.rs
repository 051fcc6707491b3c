use super::*;

#[test]
fn nothing_shows_credentials() {
    let mut fields = HeaderMap::new();
    fields.insert("x-token", HeaderValue::from_static("secret"));
    let proxies = [
        Proxy::all("http://user:secret@p").unwrap(),
        Proxy::http("socks5://user:secret@p").unwrap(),
        Proxy::all("p").unwrap().basic_auth("user", "secret"),
        Proxy::all("p").unwrap().custom_http_auth(HeaderValue::from_static("secret")),
        Proxy::all("p").unwrap().headers(fields),
        Proxy::custom(|_: &Url| Some("http://user:secret@p")),
    ];
    for proxy in proxies {
        let shown = format!("{proxy:?} {:?}", proxy.clone().into_rule().unwrap());
        assert!(!shown.contains("secret") && !shown.contains("user"), "{shown}");
    }
}

#[test]
fn settings_that_the_protocol_does_not_support_are_refused() {
    let proxies = [
        Proxy::all("http://p").unwrap().basic_auth("a:b", "c"),
        Proxy::all("socks4://p").unwrap().basic_auth("a", "c"),
        Proxy::all("socks5://p").unwrap().custom_http_auth(HeaderValue::from_static("x")),
        Proxy::all("http://p")
            .unwrap()
            .headers(HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("x"))])),
    ];
    for proxy in proxies {
        assert!(proxy.clone().into_rule().unwrap_err().is_builder(), "{proxy:?}");
    }
}
