//! Tests of the parts of the file, in its order.

mod route {
    use std::hash::DefaultHasher;

    use super::super::IdentityUse::{Shown, Withheld};
    use super::super::*;

    fn url(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    fn proxy(text: &str) -> Option<Arc<ProxyServer>> {
        (!text.is_empty()).then(|| Arc::new(ProxyServer::named(text).unwrap()))
    }

    fn hash(write: impl FnOnce(&mut DefaultHasher)) -> u64 {
        let mut state = DefaultHasher::new();
        write(&mut state);
        state.finish()
    }

    /// Each route matches its own requests, and no other.
    #[test]
    fn a_route_includes_origin_proxy_and_security() {
        let ways = [
            ("http://a.example/x", ""),
            ("http://a.example:8080/x", ""),
            ("https://a.example/x", ""),
            ("https://a.example.:443/x", ""),
            ("https://b.example/x", ""),
            ("http://[::1]/", ""),
            ("http://127.0.0.1/", ""),
            ("http://a.example/", "http://p"),
            ("http://a.example/", "https://p"),
            ("http://a.example/", "http://q"),
            ("http://a.example/", "http://u:x@p"),
            ("https://a.example/", "http://p"),
            ("https://a.example/", "http://u:x@p"),
            ("https://b.example/", "http://p"),
            ("http://a.example/", "socks5://p"),
            ("http://a.example/", "socks5h://p"),
            ("http://b.example/", "socks5://p"),
            ("https://a.example/", "socks5://p"),
        ];
        let ways = ways.map(|(to, by)| (url(to), proxy(by)));
        for (i, (to, by)) in ways.iter().enumerate() {
            let route = Route::of(to, by.as_ref(), Shown);
            for (j, (other, by)) in ways.iter().enumerate() {
                assert_eq!(route == Route::of(other, by.as_ref(), Shown), i == j, "{to} {other}");
                assert_eq!(
                    route.leads_to(other, by.as_ref(), Shown),
                    i == j,
                    "{to} {other} {by:?}"
                );
                let other = hash(|state| Route::hash_to(other, by.as_ref(), Shown, state));
                assert_eq!(hash(|state| route.hash(state)) == other, i == j, "{to} {by:?}");
            }
        }
    }

    /// Connections with and without the client certificate are not interchangeable.
    #[test]
    fn the_client_certificate_is_part_of_the_route() {
        let to = url("https://a.example/");
        for by in ["", "http://p", "socks5://p"] {
            let by = proxy(by);
            for (one, other) in [(Shown, Withheld), (Withheld, Shown)] {
                let route = Route::of(&to, by.as_ref(), one);
                assert!(route.leads_to(&to, by.as_ref(), one), "{by:?} {one:?}");
                assert!(!route.leads_to(&to, by.as_ref(), other), "{by:?} {one:?}");
                assert_ne!(route, Route::of(&to, by.as_ref(), other), "{by:?} {one:?}");
            }
        }
    }

    #[test]
    fn only_https_is_encrypted() {
        for (url, scheme) in [
            ("http://a.example:443/", Scheme::Http),
            ("https://a.example:80/", Scheme::Https),
            ("HTTPS://a.example/", Scheme::Https),
        ] {
            assert_eq!(Url::parse(url).unwrap().http_scheme(), Ok(scheme), "{url}");
        }
    }

    #[test]
    fn path_query_and_fragment_are_not_part_of_the_route() {
        let route = Route::of(&url("http://A.example:80/p?q#f"), None, Shown);
        assert_eq!(route.authority(), "a.example:80");
        assert!(route.leads_to(&url("http://user:pass@a.example/other"), None, Shown));
    }

    /// Two proxies with equal settings are the same route, even if created separately.
    #[test]
    fn a_forwarding_proxy_serves_all_plain_origins() {
        let one = Route::of(&url("http://a.example/"), proxy("http://u:x@p").as_ref(), Shown);
        let again = proxy("http://u:x@p");
        assert!(one.leads_to(&url("http://b.example:81/"), again.as_ref(), Shown));
        assert!(!one.leads_to(&url("https://a.example/"), again.as_ref(), Shown));
        assert!(!one.leads_to(&url("http://a.example/"), None, Shown));
        assert_eq!(one.authority(), "p:80");
    }

    #[test]
    fn the_first_hop_and_the_lookup_depend_on_the_proxy() {
        let cases = [
            ("", ("a.example", 80), None),
            ("http://p:3128", ("p", 3128), None),
            ("socks5://p", ("p", 1080), Some("a.example")),
            ("socks4://p", ("p", 1080), Some("a.example")),
            ("socks5h://p", ("p", 1080), None),
            ("socks4a://[::1]", ("[::1]", 1080), None),
        ];
        for (by, stop, looked_up) in cases {
            let route = Route::of(&url("http://a.example/"), proxy(by).as_ref(), Shown);
            assert_eq!(route.next_stop(), stop, "{by}");
            assert_eq!(route.looked_up_here().map(Target::host), looked_up, "{by}");
            let by = proxy(by);
            assert_eq!(route.proxy(), by.as_ref());
        }
    }

    /// RFC 3986 §3.2.2: only an IPv6 address is in brackets.
    #[test]
    fn ip_address_literals_are_recognized() {
        let cases = [
            ("http://127.0.0.1/", Some("127.0.0.1")),
            ("http://[::1]:81/", Some("::1")),
            ("http://a.example/", None),
        ];
        for (to, expected) in cases {
            let expected: Option<IpAddr> = expected.map(|address| address.parse().unwrap());
            assert_eq!(Target::of(&url(to), Shown).address(), expected, "{to}");
        }
    }
}

mod early_closers {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::*;
    use crate::url::Url;

    fn route(host: usize) -> Route {
        Route::of(
            &Url::parse(&format!("http://h{host}.example/")).unwrap(),
            None,
            IdentityUse::Shown,
        )
    }

    #[test]
    fn a_route_is_not_pooled_for_a_while() {
        let (start, route, other) = (Instant::now(), route(1), route(2));
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut closers = EarlyClosers::default();
        assert!(!closers.include(&route, start));
        closers.found(&route, start);
        for (seconds, expected) in [(0, true), (9, true), (10, false), (1000, false)] {
            assert_eq!(closers.include(&route, at(seconds)), expected, "{seconds}");
        }
        assert!(!closers.include(&other, start));
        // Several connections that idled at the same time count once.
        closers.found(&route, at(1));
        assert!(!closers.include(&route, at(11)));
        // The route is pooled again, and the peer still closes early.
        closers.found(&route, at(12));
        assert!(closers.include(&route, at(31)) && !closers.include(&route, at(32)));
        // Much later the entry is gone.
        closers.found(&route, at(60));
        assert!(closers.include(&route, at(69)) && !closers.include(&route, at(70)));
    }

    #[test]
    fn the_pause_is_limited() {
        let (mut closers, route, mut now) = (EarlyClosers::default(), route(1), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..10 {
            closers.found(&route, now);
            let pause = closers.found[0].pause;
            pauses.push(pause.as_secs());
            now += pause;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 600, 600, 600, 600]);
    }

    proptest! {
        /// The table has a limit; it contains no route that was last found longer than the longest
        /// pause ago, and contains each route found within the shortest pause, unless many others
        /// followed.
        #[test]
        fn the_table_is_bounded_and_entries_expire(
            steps in prop::collection::vec((0..200_usize, 0..30_u64), 1..400),
        ) {
            let mut closers = EarlyClosers::default();
            let mut now = Instant::now();
            let mut last = HashMap::new();
            for (step, (host, pause)) in steps.into_iter().enumerate() {
                now += Duration::from_secs(pause);
                let host = host % 90;
                closers.found(&route(host), now);
                last.insert(host, (now, step));
                prop_assert!(closers.found.len() <= MOST);
                for host in 0..90 {
                    let paused = closers.include(&route(host), now);
                    match last.get(&host) {
                        None => prop_assert!(!paused),
                        Some((at, _)) if paused => prop_assert!(now - *at < LONGEST),
                        Some((at, then)) => {
                            let few_since = step - then < MOST;
                            prop_assert!(now - *at >= FIRST || !few_since);
                        }
                    }
                }
            }
        }
    }
}
