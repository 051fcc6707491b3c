//! Tests of the parts of the file, in its order.

mod server {
    use super::super::*;

    fn login(username: &str, password: Option<&str>) -> Userinfo {
        let bytes = |text: &str| text.as_bytes().to_vec();
        Userinfo { username: bytes(username), password: password.map(bytes) }
    }

    #[test]
    fn proxy_urls_are_parsed() {
        let cases = [
            ("http://p.example:3128", "http://p.example:3128"),
            (" HTTP://P.example/ ", "http://p.example:80"),
            ("https://p.example/path?q#f", "https://p.example:443"),
            ("https://p.example:80", "https://p.example:80"),
            ("p.example", "http://p.example:80"),
            ("p.example:443", "http://p.example:443"),
            ("127.1:8080/", "http://127.0.0.1:8080"),
            ("[::1]:3128", "http://[::1]:3128"),
            ("socks4://p", "socks4://p:1080"),
            ("socks4a://p", "socks4a://p:1080"),
            ("SOCKS5://p:80", "socks5://p:80"),
            ("socks5h://p:443", "socks5h://p:443"),
            ("u:p@p.example:1", "http://p.example:1"),
        ];
        for (text, expected) in cases {
            assert_eq!(ProxyServer::parse(text).unwrap().0.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn invalid_proxy_urls_are_refused() {
        let cases = [
            "",
            " ",
            "ftp://p",
            "socks://p",
            "socks5:///run/socket",
            "http:///p",
            "http://\\p",
            "http://p:99999",
            "http://p:x",
            "http://:3128",
            "http://[::1%25lo]:1",
            "http://a..b",
            "direct://",
        ];
        for text in cases {
            let outcome = ProxyServer::parse(text);
            assert!(outcome.is_err(), "{text:?}: {outcome:?}");
        }
        for (text, reason) in [
            ("http:///p", "the URL has no host"),
            ("http://a..b", "the host name is not valid in the DNS"),
            ("socks://p", "a proxy is http, https, socks4, socks4a, socks5 or socks5h"),
        ] {
            assert_eq!(ProxyServer::parse(text).unwrap_err().to_string(), reason, "{text}");
        }
        let long = "h".repeat(64);
        assert_eq!(ProxyServer::parse(&long).unwrap_err(), ProxyServerError::UnresolvableHost);
    }

    /// The user name and password are percent-decoded once.
    #[test]
    fn logins_come_from_the_url() {
        let cases = [
            ("http://p", None),
            ("http://u@p", Some(login("u", None))),
            ("http://u:@p", Some(login("u", None))),
            ("socks5://u%40x:a%253Ab@p", Some(login("u@x", Some("a%3Ab")))),
            ("u:p@p:1", Some(login("u", Some("p")))),
        ];
        for (text, expected) in cases {
            assert_eq!(ProxyServer::parse(text).unwrap().1, expected, "{text}");
        }
    }

    #[test]
    fn logins_are_checked_and_hidden() {
        let hop = |text: &str| ProxyServer::parse(text).unwrap().0;
        let mut http = hop("http://p");
        http.log_in(&login("Aladdin", Some("open sesame"))).unwrap();
        let Protocol::Http { fields, .. } = &http.protocol else { panic!() };
        assert_eq!(fields["proxy-authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let mut socks = hop("socks5://p");
        socks.log_in(&login("Aladdin", Some("open sesame"))).unwrap();
        for hop in [http, socks] {
            let shown = format!("{hop:?} {hop}");
            assert_eq!(format!("{hop:?}"), hop.to_string());
            assert!(!shown.contains("Aladdin") && !shown.contains("QWxh"), "{shown}");
            assert!(!shown.contains("sesame"), "{shown}");
        }
        assert!(hop("http://p").log_in(&login("a:b", None)).unwrap_err().is_builder());
        assert!(hop("http://p").log_in(&login("a", Some("\r\n"))).unwrap_err().is_builder());
        assert!(hop("socks4a://p").log_in(&login("u", Some("p"))).unwrap_err().is_builder());
        assert!(hop("socks4a://p").log_in(&login("u", None)).is_ok());
    }

    #[test]
    fn fields_are_for_http_proxies_and_exclude_framing() {
        let fields = |name: &'static str| {
            HeaderMap::from_iter([(HeaderName::from_static(name), "x".parse().unwrap())])
        };
        let hop = |text: &str| ProxyServer::parse(text).unwrap().0;
        assert!(hop("socks5://p").add_fields(&fields("x-a")).unwrap_err().is_builder());
        for name in ["host", "content-length", "transfer-encoding"] {
            assert!(hop("http://p").add_fields(&fields(name)).unwrap_err().is_builder(), "{name}");
        }
        assert!(hop("socks5://p").add_fields(&HeaderMap::new()).is_ok(), "none is not too many");
        let mut twice = hop("http://p");
        twice.add_fields(&fields("x-a")).unwrap();
        twice.add_fields(&fields("x-a")).unwrap();
        let Protocol::Http { fields, .. } = &twice.protocol else { panic!() };
        assert_eq!(fields.len(), 1);
    }

    #[test]
    fn a_text_that_may_contain_a_password_is_not_shown() {
        let texts =
            ["u:s3c/ret@p", "u:s3cret@p:x", "s3c/ret@p", "http://s3c?@p", "u:1#s3c@p", "s3c|/@p"];
        for text in texts {
            let line = ProxyServer::named(text).unwrap_err().to_string();
            assert!(line.starts_with("proxy URL: ") && !line.contains("s3c"), "{line}");
        }
        let error = ProxyServer::named("ftp://p").unwrap_err().to_string();
        assert!(error.starts_with("proxy URL \"ftp://p\": a proxy is http, https,"), "{error}");
        let error = ProxyServer::named("p:x").unwrap_err().to_string();
        assert!(error.starts_with("proxy URL: ") && error.contains("port"), "{error}");
        let error = ProxyServer::named("p:99999").unwrap_err().to_string();
        let cause = error.strip_prefix("proxy URL \"p:99999\": ").unwrap();
        assert!(
            cause.contains("port"),
            "a URL without a login is shown, and why it is none: {error}"
        );
        let error = ProxyServer::named("http://a%3Ab:secret@p").unwrap_err();
        assert!(error.is_builder() && !error.to_string().contains("secret"), "{error}");
    }

    /// CVE-2026-3784 (curl): a connection set up with one login must not serve another.
    #[test]
    fn r14_proxies_with_different_settings_are_distinct() {
        let texts = [
            "http://p:1",
            "https://p:1",
            "http://p:2",
            "http://q:1",
            "http://u@p:1",
            "http://u:x@p:1",
            "http://v:x@p:1",
            "socks4://p:1",
            "socks4a://p:1",
            "socks5://p:1",
            "socks5h://p:1",
            "socks5h://u@p:1",
            "socks5h://u:x@p:1",
        ];
        let hops = texts.map(|text| ProxyServer::named(text).unwrap());
        for (i, one) in hops.iter().enumerate() {
            for (j, two) in hops.iter().enumerate() {
                assert_eq!(one == two, i == j, "{one:?} {two:?}");
            }
        }
    }
}

mod rules {
    use super::super::*;

    fn rule(scheme: Option<Scheme>, except: &str, proxy: &str) -> ProxyRule {
        let choice = ProxyChoice::Fixed(Arc::new(ProxyServer::named(proxy).unwrap()));
        ProxyRule { variable: None, scheme, except: NoProxyList::parse(except), choice }
    }

    fn chosen(proxies: &Proxies, url: &str) -> String {
        match proxies.choose(&Url::parse(url).unwrap()) {
            Ok(Some(hop)) => hop.to_string(),
            Ok(None) => "direct".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_first_matching_rule_applies() {
        let mut proxies = Proxies::default();
        assert_eq!(chosen(&proxies, "http://a.example/"), "direct");
        proxies.push(rule(Some(Scheme::Http), "a.example", "http://one:1"));
        proxies.push(rule(Some(Scheme::Https), "", "http://two:2"));
        proxies.push(rule(None, "b.example", "http://three:3"));
        let cases = [
            ("http://c.example/", "http://one:1"),
            ("http://a.example/", "http://three:3"),
            ("https://a.example/", "http://two:2"),
            ("https://b.example/", "http://two:2"),
            ("http://b.example/", "http://one:1"),
        ];
        for (url, expected) in cases {
            assert_eq!(chosen(&proxies, url), expected, "{url}");
        }
    }

    #[test]
    fn a_custom_rule_may_defer_to_the_next_rule() {
        let mut proxies = Proxies::default();
        let decide: Arc<Decide> = Arc::new(|url: &Url| match url.path() {
            "/proxied" => Some(ProxyServer::named("socks5://p:9")),
            "/broken" => Some(ProxyServer::named("p:99999")),
            _ => None,
        });
        let choice = ProxyChoice::Program(decide);
        proxies.push(ProxyRule {
            variable: None,
            scheme: None,
            except: NoProxyList::default(),
            choice,
        });
        proxies.push(rule(Some(Scheme::Https), "", "http://q:1"));
        assert_eq!(chosen(&proxies, "http://a/proxied"), "socks5://p:9");
        assert_eq!(chosen(&proxies, "http://a/"), "direct");
        assert_eq!(chosen(&proxies, "https://a/"), "http://q:1");
        assert!(chosen(&proxies, "http://a/broken").starts_with("proxy URL \"p:99999\": "));
    }

    /// For the `Debug` of a client.
    #[test]
    fn a_choice_is_shown_without_secrets() {
        let broken = "the environment variable x is not UTF-8";
        let cases = [
            (
                ProxyChoice::Fixed(Arc::new(ProxyServer::named("http://u:secret@p:1").unwrap())),
                "http://p:1",
            ),
            (ProxyChoice::Program(Arc::new(|_: &Url| None)), "as the program decides"),
            (ProxyChoice::Broken(broken.to_owned()), broken),
        ];
        for (choice, expected) in cases {
            assert_eq!(format!("{choice:?}"), expected);
        }
    }
}

mod environment {
    use super::super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn read(variables: Variables<'_>) -> Proxies {
        Proxies::from_environment(|name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    fn chosen(variables: Variables<'_>, url: &str) -> Result<String, Error> {
        let hop = read(variables).choose(&Url::parse(url).unwrap())?;
        Ok(hop.map_or("direct".to_owned(), |hop| hop.to_string()))
    }

    #[test]
    fn variables_take_precedence_in_order() {
        let cases: [(Variables<'_>, &str, &str); 12] = [
            (&[], "direct", "direct"),
            (&[("http_proxy", "l:1")], "http://l:1", "direct"),
            (&[("https_proxy", "l:1")], "direct", "http://l:1"),
            (&[("HTTP_PROXY", "u:1")], "http://u:1", "direct"),
            (&[("HTTPS_PROXY", "https://u:1")], "direct", "https://u:1"),
            (&[("all_proxy", "socks5h://l")], "socks5h://l:1080", "socks5h://l:1080"),
            (&[("ALL_PROXY", "u:1")], "http://u:1", "http://u:1"),
            (&[("http_proxy", "l:1"), ("HTTP_PROXY", "u:1")], "http://l:1", "direct"),
            (&[("https_proxy", "l:1"), ("HTTPS_PROXY", "u:1")], "direct", "http://l:1"),
            (&[("http_proxy", "l:1"), ("ALL_PROXY", "u:1")], "http://l:1", "http://u:1"),
            (&[("all_proxy", "l:1"), ("ALL_PROXY", "u:1")], "http://l:1", "http://l:1"),
            (&[("http_proxy", ""), ("ALL_PROXY", "u:1")], "http://u:1", "http://u:1"),
        ];
        for (variables, http, https) in cases {
            assert_eq!(chosen(variables, "http://a.example/").unwrap(), http, "{variables:?}");
            assert_eq!(chosen(variables, "https://a.example/").unwrap(), https, "{variables:?}");
        }
    }

    /// CVE-2016-5386 and related: the client of a CGI script controls `HTTP_PROXY`.
    #[test]
    fn r16_http_proxy_is_ignored_in_cgi() {
        let cgi = ("REQUEST_METHOD", "GET");
        let cases: [(Variables<'_>, &str); 4] = [
            (&[cgi, ("HTTP_PROXY", "evil:1")], "direct"),
            (&[cgi, ("HTTP_PROXY", "evil:1"), ("ALL_PROXY", "u:1")], "http://u:1"),
            (&[cgi, ("HTTP_PROXY", "evil:1"), ("http_proxy", "l:1")], "http://l:1"),
            (&[("REQUEST_METHOD", ""), ("HTTP_PROXY", "evil:1")], "direct"),
        ];
        for (variables, expected) in cases.into_iter().filter(|_| !ONE_CASE) {
            assert_eq!(chosen(variables, "http://a.example/").unwrap(), expected, "{variables:?}");
        }
        let https = [cgi, ("HTTPS_PROXY", "u:1")];
        assert_eq!(chosen(&https, "https://a.example/").unwrap(), "http://u:1");
    }

    #[test]
    fn no_proxy_is_read() {
        let all = ("all_proxy", "p:1");
        let cases: [(Variables<'_>, &str); 5] = [
            (&[all], "http://p:1"),
            (&[all, ("no_proxy", "a.example")], "direct"),
            (&[all, ("NO_PROXY", "a.example")], "direct"),
            (&[all, ("no_proxy", "b.example"), ("NO_PROXY", "a.example")], "http://p:1"),
            (&[all, ("no_proxy", ""), ("NO_PROXY", "a.example")], "direct"),
        ];
        for (variables, expected) in cases {
            assert_eq!(chosen(variables, "http://a.example/").unwrap(), expected, "{variables:?}");
        }
    }

    #[test]
    fn an_invalid_value_fails_only_the_requests_that_need_it() {
        let variables = [("HTTPS_PROXY", "ftp://p"), ("NO_PROXY", "b.example")];
        let error = chosen(&variables, "https://a.example/").unwrap_err();
        assert!(error.is_builder());
        let line = error.to_string();
        assert!(
            line.starts_with("the environment variable HTTPS_PROXY: proxy URL \"ftp"),
            "{line}"
        );
        assert_eq!(chosen(&variables, "http://a.example/").unwrap(), "direct");
        assert_eq!(chosen(&variables, "https://b.example/").unwrap(), "direct");
        let secret = [("https_proxy", "http://u:pass word@p:x")];
        let line = chosen(&secret, "https://a.example/").unwrap_err().to_string();
        assert_eq!(line, "the environment variable https_proxy: proxy URL: it is not valid");
    }

    #[cfg(unix)]
    #[test]
    fn a_non_unicode_value_is_invalid_too() {
        use std::os::unix::ffi::OsStringExt as _;
        let variable = |name: &str| {
            (name == "http_proxy").then(|| OsString::from_vec(b"http://p\xff:1".to_vec()))
        };
        let error = Proxies::from_environment(variable)
            .choose(&Url::parse("http://a/").unwrap())
            .unwrap_err();
        assert_eq!(error.to_string(), "the environment variable http_proxy is not UTF-8");
    }
}
