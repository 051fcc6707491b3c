use super::*;
use crate::url::tests::url;

#[test]
fn conversions() {
    let url = url("https://u:p@h:81/a?b#c");
    assert_eq!(url.as_str().parse(), Ok(url.clone()));
    assert_eq!(Url::try_from(url.as_str()), Ok(url.clone()));
    assert_eq!(Url::try_from(url.to_string()), Ok(url.clone()));
    assert_eq!(url.as_ref() as &str, url.as_str());
    assert_eq!(String::from(url.clone()), url.as_str());
    assert_eq!(Uri::try_from(&url).unwrap(), "https://u:p@h:81/a?b");
    assert_eq!(Url::try_from(Uri::from_static("HTTP://H/a?b")).unwrap().as_str(), "http://h/a?b");
    assert_eq!(Url::try_from(Uri::from_static("/a")), Err(ParseError::RelativeUrlWithoutBase));
    assert_eq!(Url::try_from(Uri::from_static("h:80")), Err(ParseError::RelativeUrlWithoutBase));
    for other in ["http://a`/", "h:80", "mailto:a@b", "file:///a", "a:/b"] {
        assert!(Uri::try_from(&Url::parse(other).unwrap()).is_err(), "{other}");
    }
    assert_eq!(Uri::try_from(&Url::parse("socks5://h:1080").unwrap()).unwrap(), "socks5://h:1080");
}

#[cfg(feature = "url")]
#[test]
fn the_crate_url_round_trips() {
    let here = url("https://u:p@[::1]:81/a?b#c");
    let there = whatwg_url::Url::try_from(&here).unwrap();
    assert_eq!(there.as_str(), here.as_str());
    assert_eq!(there, here);
    assert_eq!(here, there);
    assert_ne!(url("https://u:p@[::1]:81/a?b"), there);
    assert_eq!(Url::try_from(&there), Ok(here.clone()));
    assert_eq!(Url::try_from(there.clone()), Ok(here.clone()));
    assert_eq!(whatwg_url::Url::try_from(here), Ok(there));
}

/// Both parsers refuse these for the same reason, and each reason can be passed on as the other's.
#[cfg(feature = "url")]
#[test]
fn parse_errors_of_the_crate_url_round_trip() {
    for text in ["", "/a", "http://", "http://h:x", "http://1.2.3.4.5", "http://[1", "foo://a b"] {
        let here = Url::parse(text).unwrap_err();
        let there = whatwg_url::Url::parse(text).unwrap_err();
        assert_eq!(whatwg_url::ParseError::from(here.clone()), there, "{text}");
        let back = ParseError::from(there);
        assert_eq!(whatwg_url::ParseError::from(back), there, "{text}");
    }
    let base = "mailto:a@b";
    let here = url(base).join("c").unwrap_err();
    let there = whatwg_url::Url::parse(base).unwrap().join("c").unwrap_err();
    assert_eq!((ParseError::from(there), here.into()), (ParseError::CannotBeABase, there));
}

#[cfg(feature = "url")]
#[test]
fn every_scheme_round_trips() {
    for text in ["ftp://h/", "file:///C:/a", "mailto:a@b?c#d", "foo:/.//a", "socks5://u:p@h:1080"] {
        let there = whatwg_url::Url::parse(text).unwrap();
        let here = Url::try_from(&there).unwrap();
        assert_eq!((here.as_str(), there.as_str()), (text, text));
        assert_eq!(whatwg_url::Url::try_from(&here), Ok(there));
    }
}

#[cfg(feature = "json")]
#[test]
fn a_url_is_a_string_of_serde() {
    let here = url("https://u:p@h:81/a?b=\u{e9}#c");
    let json = serde_json::to_string(&here).unwrap();
    assert_eq!(json, format!("{:?}", here.as_str()));
    assert_eq!(serde_json::from_str::<Url>(&json).unwrap(), here);
    assert_eq!(serde_json::from_str::<Url>("\"mailto:a@b\"").unwrap(), self::url("mailto:a@b"));
    let error = serde_json::from_str::<Url>("\"ftp://u:secret@h:x/\"").unwrap_err().to_string();
    assert!(error.contains("the port is") && !error.contains("secret"), "{error}");
    let error = serde_json::from_str::<Url>("1").unwrap_err().to_string();
    assert!(error.contains("expected a URL"), "{error}");
}
