//! Sequences of operations on a cookie jar: what servers set, and what is sent back to them. (The
//! unit tests of `src/cookie/date.rs` run the set of cookie dates.)

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use leanhttp::{
    cookie::{CookieStore, Jar},
    url::Url,
};
use serde_json::Value;

use super::support::{self, Outcome};

/// The set about public suffixes of several labels, which need the list.
const NEED_SUFFIX_LIST: [&str; 5] = [
    "psl-kyoto-jp",
    "psl-couk-self",
    "psl-trailing-dot-host-and-domain",
    "go-basics-disallow-domain-cookie-on-public-suffix",
    "go-chromiumBasics-testnondottedandtld-5",
];

#[test]
fn jar() {
    support::run("cookies/jar", |case| outcome(case, &|jar| Box::new(Direct(jar))));
}

/// The same sequences between a server and a client with the jar.
#[cfg(all(feature = "blocking", feature = "tls"))]
#[test]
fn jar_of_a_client() {
    let tls = crate::support_servers::pki::Pki::new()
        .server_config(crate::support_servers::pki::Leaf::Good);
    support::run("cookies/jar", |case| {
        outcome(case, &|jar| Box::new(over_http::OverHttp::new(jar, &tls)))
    });
}

/// Access to a jar: sets cookies of a server, and returns those for a request.
trait Carrier {
    fn set(&self, fields: &[Vec<u8>], url: &Url);

    fn get(&self, url: &Url) -> Option<Vec<u8>>;
}

fn outcome(case: &Value, carrier: &dyn Fn(Arc<Jar>) -> Box<dyn Carrier>) -> Outcome {
    if needs_idna(case) {
        return Outcome::Skipped("needs the feature idna");
    }
    let needs_list = !cfg!(feature = "public-suffix")
        && case["name"].as_str().is_some_and(|name| NEED_SUFFIX_LIST.contains(&name));
    match (play(case, carrier), needs_list) {
        (Ok(()), false) => Outcome::Passed,
        (Err(_), true) => Outcome::Skipped("needs the feature public-suffix"),
        (Err(why), false) => Outcome::Failed(why),
        (Ok(()), true) => Outcome::Failed("as expected, so it need not be listed".into()),
    }
}

fn play(case: &Value, carrier: &dyn Fn(Arc<Jar>) -> Box<dyn Carrier>) -> Result<(), String> {
    let start = instant(case["now"].as_str().unwrap());
    let second = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&second);
    let jar = Jar::with_clock(move || start + Duration::from_secs(clock.load(Ordering::Relaxed)));
    let carrier = carrier(Arc::new(jar));

    let steps = case["steps"].as_array().unwrap();
    for (number, step) in steps.iter().enumerate() {
        second.store(step["at"].as_u64().unwrap_or(0), Ordering::Relaxed);
        let url = step["url"].as_str().unwrap();
        if let Some(fields) = byte_strings(step, "set") {
            let url = Url::parse(url).map_err(|error| error.to_string())?;
            carrier.set(&fields, &url);
            continue;
        }
        let got = match Url::parse(url) {
            Ok(url) => carrier.get(&url),
            Err(error) if url.starts_with("http") => return Err(error.to_string()),
            // There is no request, and so no header field, for schemes other than `http` and
            // `https`.
            Err(_) => None,
        };
        let is_expected = got == byte_strings(step, "get").map(|values| values.concat());
        let is_last = number + 1 == steps.len();
        let is_accepted = is_expected || (is_last && is_also_ok(case, got.as_deref()));
        if !is_accepted {
            let got = got.map(|bytes| bytes.escape_ascii().to_string());
            return Err(format!("{url}: {got:?} instead of {}", step["get"]));
        }
    }
    Ok(())
}

/// The jar itself.
struct Direct(Arc<Jar>);

impl Carrier for Direct {
    fn set(&self, fields: &[Vec<u8>], url: &Url) {
        fields.iter().for_each(|field| set(&self.0, field, url));
    }

    fn get(&self, url: &Url) -> Option<Vec<u8>> {
        self.0.cookies(url).map(|header| header.as_bytes().to_vec())
    }
}

/// Sets cookies through the jar if a header field cannot carry them.
fn set(jar: &Jar, field: &[u8], url: &Url) {
    match HeaderValue::from_bytes(field) {
        Ok(header) => jar.set_cookies(&mut [header].iter(), url),
        Err(_) => jar.add_cookie_str(std::str::from_utf8(field).unwrap(), url),
    }
}

/// The string or strings under `key`, or under `key` with `_b64`.
fn byte_strings(step: &Value, key: &str) -> Option<Vec<Vec<u8>>> {
    let strings = |key: &str| match step.get(key)? {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(texts) => Some(texts.iter().map(|t| t.as_str().unwrap().into()).collect()),
        _ => None,
    };
    if let Some(texts) = strings(key) {
        return Some(texts.into_iter().map(String::into_bytes).collect());
    }
    let texts: Vec<String> = strings(&format!("{key}_b64"))?;
    Some(texts.iter().map(|text| BASE64_STANDARD.decode(text).unwrap()).collect())
}

fn is_also_ok(case: &Value, got: Option<&[u8]>) -> bool {
    let also_ok = case["also_ok"].as_array().into_iter().flatten();
    also_ok.map(|value| value.as_str().map(str::as_bytes)).any(|accepted| accepted == got)
}

fn needs_idna(case: &Value) -> bool {
    let mut steps = case["steps"].as_array().unwrap().iter();
    let has_idn = steps.any(|step| !step["url"].as_str().unwrap().is_ascii());
    has_idn && !cfg!(feature = "idna")
}

/// Parses a time such as `2011-01-01T12:00:00Z`, after 1970.
fn instant(iso_8601: &str) -> SystemTime {
    let numbers: Vec<u64> =
        iso_8601.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let [year, month, day, hour, minute, second] = numbers[..] else { panic!("{iso_8601}") };
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum::<u64>()
        + months.iter().take(month as usize - 1).sum::<u64>()
        + day
        - 1;
    SystemTime::UNIX_EPOCH + Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(all(feature = "blocking", feature = "tls"))]
mod over_http {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};
    use std::thread;

    use http::HeaderValue;
    use leanhttp::cookie::Jar;
    use leanhttp::url::Url;
    use leanhttp::{Client, Limits, Proxy, redirect};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};

    use super::Carrier;

    /// A client, and a proxy that acts as every server.
    pub(super) struct OverHttp {
        jar: Arc<Jar>,
        client: Client,
        shared: Arc<Shared>,
    }

    struct Shared {
        tls: Arc<ServerConfig>,
        /// The `Set-Cookie` values of the next response.
        sets: Mutex<Vec<Vec<u8>>>,
        /// The `Cookie` lines of the last request.
        sent: Mutex<Vec<Vec<u8>>>,
    }

    impl OverHttp {
        pub(super) fn new(jar: Arc<Jar>, tls: &Arc<ServerConfig>) -> Self {
            let (sets, sent) = (Mutex::default(), Mutex::default());
            let shared = Arc::new(Shared { tls: Arc::clone(tls), sets, sent });
            let addr = start(Arc::clone(&shared));
            let mut limits = Limits::default();
            limits.max_head_bytes = 1024 * 1024;
            limits.max_line_bytes = 1024 * 1024; // one response sets a thousand cookies
            let client = Client::builder()
                .limits(limits)
                .cookie_provider(Arc::clone(&jar))
                .proxy(Proxy::all(format!("http://{addr}")).unwrap())
                .redirect(redirect::Policy::none())
                .danger_accept_invalid_certs(true)
                .build()
                .unwrap();
            Self { jar, client, shared }
        }

        fn request(&self, url: &Url, sets: Vec<Vec<u8>>) {
            *self.shared.sets.lock().unwrap() = sets;
            let text = self.client.get(url.clone()).send().and_then(|response| response.text());
            assert_eq!(text.unwrap(), "ok");
        }
    }

    impl Carrier for OverHttp {
        fn set(&self, fields: &[Vec<u8>], url: &Url) {
            let is_field = |field: &&Vec<u8>| HeaderValue::from_bytes(field).is_ok();
            if fields.iter().all(|field| is_field(&field)) {
                return self.request(url, fields.to_vec());
            }
            fields.iter().for_each(|field| super::set(&self.jar, field, url));
        }

        fn get(&self, url: &Url) -> Option<Vec<u8>> {
            if !url.scheme().starts_with("http") {
                assert!(self.client.get(url).send().is_err());
                return None;
            }
            self.request(url, Vec::new());
            let sent = self.shared.sent.lock().unwrap().clone();
            assert!(sent.len() <= 1, "more than one line (RFC 6265 5.4)");
            sent.into_iter().next()
        }
    }

    fn start(shared: Arc<Shared>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &shared));
            }
        });
        addr
    }

    fn serve(mut stream: TcpStream, shared: &Shared) {
        let Some(head) = read_head(&mut stream) else { return };
        if !head.starts_with(b"CONNECT ") {
            return answer_all(stream, Some(head), shared);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let connection = ServerConnection::new(Arc::clone(&shared.tls)).unwrap();
        answer_all(StreamOwned::new(connection, stream), None, shared);
    }

    fn answer_all(mut stream: impl Read + Write, first: Option<Vec<u8>>, shared: &Shared) {
        let mut next = first.or_else(|| read_head(&mut stream));
        while let Some(head) = next {
            let lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            let cookies = lines.filter_map(|line| line.strip_prefix(b"cookie: "));
            *shared.sent.lock().unwrap() = cookies.map(<[u8]>::to_vec).collect();
            let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n".to_vec();
            for value in shared.sets.lock().unwrap().iter() {
                answer.extend_from_slice(b"Set-Cookie: ");
                answer.extend_from_slice(value);
                answer.extend_from_slice(b"\r\n");
            }
            answer.extend_from_slice(b"\r\nok");
            if stream.write_all(&answer).and_then(|()| stream.flush()).is_err() {
                return;
            }
            next = read_head(&mut stream);
        }
    }

    fn read_head(stream: &mut impl Read) -> Option<Vec<u8>> {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        Some(head)
    }
}
