//! URLs: what was parsed is printed and parsed again as itself, any reference can be joined to any
//! base, and nothing that is not visible ASCII ever comes out.
#![no_main]

use leanhttp::Url;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let (base, reference) = input.split_once('\n').unwrap_or((input, ""));
    check(Url::parse(input));
    let Some(base) = check(Url::parse(base)) else { return };
    let joined = check(base.join(reference));
    if let Ok(absolute) = Url::parse(reference) {
        assert_eq!(joined.as_ref().map(Url::scheme), Some(absolute.scheme()));
    }
    if let Some(joined) = joined {
        assert_eq!(base.join(joined.as_str()).as_ref(), Ok(&joined));
    }
    assert_eq!(base.join("").unwrap().as_str(), base.as_str().split('#').next().unwrap());
});

fn check(parsed: Result<Url, leanhttp::url::ParseError>) -> Option<Url> {
    let url = parsed.inspect_err(|error| assert!(!error.to_string().contains('\n'))).ok()?;
    assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    let again = Url::parse(url.as_str()).expect("it was printed by us");
    assert_eq!(again, url);
    assert_eq!(again.as_str(), url.as_str());
    assert!(matches!(url.scheme(), "http" | "https") && url.path().starts_with('/'));
    assert!(!url.host_str().unwrap_or_default().is_empty());
    assert!(url.port().is_none_or(|port| Some(port) == url.port_or_known_default()));
    Some(url)
}
