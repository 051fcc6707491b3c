//! Files of cookies: cookies that were loaded are saved and loaded again unchanged, whatever is in
//! the file; a loaded cookie is one that a server could have set.
//!
//! The first letter selects the kind of the rest: `j`son lines, a `n`etscape file, or the
//! `s`et-cookie fields of a server; after a capital one, the text between NUL bytes is repeated.
#![no_main]

use std::io;
use std::time::{Duration, SystemTime};

use leanhttp::Url;
use leanhttp::cookie::{CookieStore, Jar, LoadReport, SessionCookies, StoredCookie};
use leanhttp::header::HeaderValue;
use leanhttp_fuzz::stretched;
use libfuzzer_sys::fuzz_target;

const MAX_LINES: usize = 10_000;

fuzz_target!(|input: &[u8]| {
    let [kind, rest @ ..] = input else { return };
    let long = if kind.is_ascii_uppercase() { stretched(rest) } else { Vec::new() };
    let file = if kind.is_ascii_uppercase() { &long } else { rest };
    let jar = jar();
    match kind.to_ascii_lowercase() {
        b'j' => check_load(file, jar.load_json(file), &jar),
        b'n' => check_load(file, jar.load_netscape(file), &jar),
        b's' => set(&jar, file),
        _ => return,
    }
    let cookies = jar.to_vec();
    for cookie in &cookies {
        check(cookie);
    }
    let shown: Vec<_> = cookies.iter().map(show).collect();

    let json = saved(|file| jar.save_json(file, SessionCookies::Keep));
    let again = self::jar();
    let loaded = again.load_json(&*json).unwrap();
    assert_eq!((loaded.cookies, loaded.skipped, loaded.expired), (cookies.len(), 0, 0));
    assert_eq!(again.to_vec().iter().map(show).collect::<Vec<_>>(), shown);
    assert_eq!(saved(|file| again.save_json(file, SessionCookies::Keep)), json);

    // This format has no `SameSite`, and no name with a TAB in it.
    let netscape = saved(|file| jar.save_netscape(file, SessionCookies::Keep));
    let again = self::jar();
    let loaded = again.load_netscape(&*netscape).unwrap();
    let has_tab =
        |cookie: &&StoredCookie| cookie.name().contains('\t') || cookie.path().contains('\t');
    let without = cookies.iter().filter(has_tab).count();
    assert_eq!((loaded.cookies, loaded.skipped), (cookies.len() - without, 0));
    assert_eq!(saved(|file| again.save_netscape(file, SessionCookies::Keep)), netscape);
    let forgotten = saved(|file| jar.save_json(file, SessionCookies::Forget));
    let lasting = cookies.iter().filter(|cookie| cookie.expires().is_some()).count();
    assert_eq!(lines(&forgotten), lasting);
});

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn jar() -> Jar {
    Jar::with_clock(now)
}

fn check_load(file: &[u8], loaded: io::Result<LoadReport>, jar: &Jar) {
    assert_eq!(loaded.is_err(), lines(file) > MAX_LINES, "a file that is too long is refused");
    let Ok(loaded) = loaded else { return };
    assert!(loaded.cookies + loaded.expired + loaded.skipped <= lines(file));
    assert!(jar.len() <= loaded.cookies && jar.len() <= 3000);
    assert_eq!(loaded.first_skipped.is_some(), loaded.skipped > 0);
}

fn lines(file: &[u8]) -> usize {
    file.split_inclusive(|byte| *byte == b'\n').count()
}

fn set(jar: &Jar, fields: &[u8]) {
    let url = Url::parse("https://www.example.com/a/b").unwrap();
    for field in fields.split(|byte| *byte == b'\n') {
        let field = HeaderValue::from_bytes(field);
        jar.set_cookies(&mut field.iter(), &url);
    }
}

/// Rules for every cookie, from any source.
fn check(cookie: &StoredCookie) {
    let host = cookie.domain();
    let url = Url::parse(&format!("https://{host}/")).expect("it came from a host");
    assert_eq!(url.host_str(), Some(host));
    let texts = [cookie.name(), cookie.value(), cookie.path()];
    assert!(texts.iter().all(|text| text.chars().all(|c| c == '\t' || !c.is_ascii_control())));
    // The default path comes from a request and not from an attribute, so it may contain a `;`.
    assert!(texts[..2].iter().all(|text| !text.contains(';')) && cookie.path().starts_with('/'));
    assert!(!cookie.name().contains('=') && cookie.name().len() + cookie.value().len() <= 3 * 4096);
    assert!(cookie.host_only() || host.contains('.') || host == "localhost", "{host} is public");
    let name = cookie.name().to_ascii_lowercase();
    assert!(cookie.secure() || !(name.starts_with("__secure-") || name.starts_with("__host-")));
    assert!(!name.starts_with("__host-") || (cookie.host_only() && cookie.path() == "/"));
    let latest = now() + Duration::from_secs(400 * 24 * 60 * 60);
    assert!(cookie.expires().is_none_or(|expires| expires > now() && expires <= latest));
}

fn show(cookie: &StoredCookie) -> String {
    format!("{cookie:?} {:?}", cookie.value())
}

fn saved(save: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> Vec<u8> {
    let mut file = Vec::new();
    save(&mut file).unwrap();
    file
}
