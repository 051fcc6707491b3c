//! The names of the crate `url` that crates of others use, and that its `Url` is the one of reqwest.

use std::collections::HashMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use reqwest::IntoUrl;
use serde::Serialize;
use url::form_urlencoded;
use url::{Host, Origin, ParseError, ParseOptions, PathSegmentsMut, Position, Url};

#[test]
fn both_names_are_one_type() {
    let url: reqwest::Url = Url::parse("http://h/").unwrap();
    let same: &url::Url = &url;
    assert_eq!(same.clone().into_url().unwrap(), url);
    // `?` on the error of `Url::parse`, as in crates that have a variant for it.
    fn from(error: url::ParseError) -> Box<dyn Error + Send + Sync> {
        error.into()
    }
    assert!(reqwest::Url::parse("h").map_err(from).is_err());
}

#[test]
fn urls_are_parsed_taken_apart_and_sliced() -> Result<(), ParseError> {
    let url = Url::parse_with_params("https://u:p@h:81/a/b?c=d#e", [("f", "g")])?;
    let copy = Url::from_str(url.as_str())?;
    assert_eq!(copy, Url::try_from(url.as_str())?);
    assert_eq!((url.scheme(), url.username(), url.password()), ("https", "u", Some("p")));
    assert_eq!((url.host_str(), url.domain(), url.port()), (Some("h"), Some("h"), Some(81)));
    assert_eq!((url.path(), url.query(), url.fragment()), ("/a/b", Some("c=d&f=g"), Some("e")));
    assert_eq!(url.path_segments().unwrap().last(), Some("b"));
    let pairs: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(pairs["f"], "g");
    assert_eq!(url.host(), Some(Host::Domain("h")));
    assert_eq!(url.port_or_known_default(), Some(81));
    assert_eq!(&url[Position::BeforeHost..Position::AfterPort], "h:81");
    assert!(matches!(url.origin(), Origin::Tuple(..)) && url.origin().is_tuple());
    assert_eq!(url.origin().ascii_serialization(), "https://h:81");
    assert_eq!(url.socket_addrs(|| None).is_ok_and(|found| found.is_empty()), false);
    let options: ParseOptions = Url::options().base_url(Some(&url));
    assert_eq!(options.parse("c")?, url.join("c")?);
    assert_eq!(url.make_relative(&url.join("c")?).as_deref(), Some("c"));
    assert_eq!(format!("{url}"), String::from(url));
    Ok(())
}

#[test]
fn urls_are_changed() -> Result<(), ParseError> {
    let mut url = Url::parse("http://h/")?;
    url.set_scheme("https").unwrap();
    url.set_username("u").unwrap();
    url.set_password(Some("p")).unwrap();
    url.set_host(Some("g"))?;
    url.set_ip_host(IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
    url.set_port(Some(81)).unwrap();
    url.set_path("a");
    let mut segments: PathSegmentsMut<'_> = url.path_segments_mut().unwrap();
    segments.pop_if_empty().push("b c").extend(["d"]);
    drop(segments);
    url.set_query(Some("e"));
    url.query_pairs_mut()
        .clear()
        .append_pair("f", "g")
        .append_key_only("h")
        .extend_pairs([("i", "j")]);
    url.set_fragment(Some("k"));
    assert_eq!(url.as_str(), "https://u:p@127.0.0.1:81/a/b%20c/d?f=g&h&i=j#k");
    Ok(())
}

#[test]
fn errors_have_the_names_that_programs_compare() {
    for (text, error) in [
        ("/a", ParseError::RelativeUrlWithoutBase),
        ("http://", ParseError::EmptyHost),
        ("http://h:x", ParseError::InvalidPort),
        ("http://256.1", ParseError::InvalidIpv4Address),
        ("http://[1", ParseError::InvalidIpv6Address),
        ("http://xn--\u{e9}", ParseError::IdnaError),
    ] {
        assert_eq!(Url::parse(text), Err(error), "{text}");
    }
    assert!(Host::parse("a b").is_err());
}

#[test]
fn files_forms_and_serde() {
    let file = Url::from_file_path("/a/b").unwrap();
    assert_eq!(file.to_file_path().unwrap().to_str(), Some("/a/b"));
    assert!(Url::from_directory_path("/a").unwrap().path().ends_with('/'));
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("a", "b c").finish();
    assert_eq!(form, "a=b+c");
    assert_eq!(form_urlencoded::parse(form.as_bytes()).count(), 1);
    let encoded: String = form_urlencoded::byte_serialize("a b&\u{e9}*".as_bytes()).collect();
    assert_eq!(encoded, "a+b%26%C3%A9*");
    fn of_serde<T: serde::Serialize + for<'de> serde::Deserialize<'de>>(_: T) {}
    of_serde(file);
}

/// As crates do that fill a query from a value of serde: serde_urlencoded and `url` have the serializer in common.
#[test]
fn serde_urlencoded_writes_to_the_query() {
    fn fill(mut pairs: form_urlencoded::Serializer<'_, url::UrlQuery<'_>>) {
        pairs.append_pair("page", "1");
        [("per", "10"), ("q", "a b")]
            .serialize(serde_urlencoded::Serializer::new(&mut pairs))
            .unwrap();
    }
    let mut url = Url::parse("http://h/").unwrap();
    fill(url.query_pairs_mut());
    assert_eq!(url.as_str(), "http://h/?page=1&per=10&q=a+b");
    assert_eq!(serde_urlencoded::to_string([("a", "b c")]).unwrap(), "a=b+c");
    let read: Vec<(String, String)> = serde_urlencoded::from_str("a=b+c").unwrap();
    assert_eq!(read, [("a".to_owned(), "b c".to_owned())]);
}
