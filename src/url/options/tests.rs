use super::*;

#[test]
fn a_base_resolves_relative_urls_and_none_refuses_them() {
    let base = Url::parse("http://h/a/b").unwrap();
    let options = Url::options().base_url(Some(&base));
    assert_eq!(options.parse("../c?d").unwrap().as_str(), "http://h/c?d");
    assert_eq!(options.parse("ftp://g/").unwrap().as_str(), "ftp://g/");
    assert_eq!(Url::options().parse("http://g").unwrap().as_str(), "http://g/");
    let relative = Err(ParseError::RelativeUrlWithoutBase);
    assert_eq!(Url::options().parse("../c"), relative);
    assert_eq!(options.base_url(None).parse("../c"), relative);
}
