use super::super::tests::url_like;
use super::*;

#[test]
fn usual_urls_are_recognized() {
    for usual in [
        "http://h/",
        "https://example.com/",
        "http://127.0.0.1:8080/small",
        "https://a-b.xn--c_.example./d/e.f/~g;h=i/j%20/?j=k&l=%22/?#m?n#",
        "http://h:443/?",
        "https://h:80//a//b/#",
        "http://h:65535/a.../b%2e",
    ] {
        assert_eq!(recognize(usual), normalize(usual, None).ok(), "{usual}");
        assert!(recognize(usual).is_some(), "{usual}");
    }
}

/// URLs that the parser changes or rejects, and uncommon ones, which are left to it.
#[test]
fn other_urls_are_left_to_the_parser() {
    for other in [
        "",
        "http",
        "http:",
        "http:/h/",
        "HTTP://h/",
        "ftp://h/",
        "http://",
        "http:///",
        "http://h",
        "http://h?a",
        "http://H/",
        "http://h%41/",
        "http://u@h/",
        "http://[::1]/",
        "http://1.2.3/",
        "http://1.2.3.4./",
        "http://1.2.3.04/",
        "http://1.2.3.256/",
        "http://h.0x1/",
        "http://h.1/",
        "http://h:/",
        "http://h:80/",
        "https://h:443/",
        "http://h:081/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:+81/",
        "http://h:81a/",
        "http://h\\a",
        "http://h/a\\b",
        "http://h/.",
        "http://h/a/../b",
        "http://h/%2e",
        "http://h/.a",
        "http://h/a b",
        "http://h/a\n",
        "http://h/ ",
        "http://h/^",
        "http://h/\u{e9}",
        "http://h/?'",
        "http://h/?a b",
        "http://h/#`",
        "http://h/#a b",
        "http://h/#\u{e9}",
        "http://\u{e9}/",
    ] {
        assert_eq!(recognize(other), None, "{other}");
    }
}

proptest::proptest! {
    #[test]
    fn recognizing_agrees_with_parsing(input in url_like()) {
        if let Some(url) = recognize(&input) {
            proptest::prop_assert_eq!(Ok(url), normalize(&input, None));
        }
        if let Ok(url) = normalize(&input, None) {
            let again = recognize(url.as_str());
            proptest::prop_assert!(again.is_none_or(|again| again == url && again.ends == url.ends));
        }
    }
}
