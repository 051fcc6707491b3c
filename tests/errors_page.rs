//! The page of errors in the guide shows what is really printed: each line of its tables is provoked here, against
//! peers on loopback. `LEANHTTP_ERRORS_PAGE=renew cargo test --all-features --test errors_page` writes the tables.
#![cfg(all(target_os = "linux", feature = "blocking", feature = "tls", feature = "ring"))]
#![cfg(all(feature = "gzip", feature = "json", feature = "platform-verifier"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;
use std::{env, fs, thread};

use leanhttp::tls::{CertificateRevocationList, Roots, SpkiSha256, Version};
use leanhttp::{
    Body, CancelToken, Certificate, Client, ClientBuilder, EgressPolicy, Error, Identity, Limits,
    Proxy, Response, dns, retry,
};

use support::httpbin::Httpbin;
use support::net::{self, Silent, Unreachable};
use support::pki::{Clients, Leaf, Pki};
use support::proxy;
use support::script::{Connection, Script, Step, answer, moved, ok, send};

const BEGIN: &str = "<!-- written by tests/errors_page.rs -->\n";
const END: &str = "<!-- end of the tables -->\n";

/// An error that is printed, and what to do about it.
type Row = (Error, &'static str);

#[test]
fn the_page_of_errors_shows_what_is_printed() {
    let sections = [
        ("The request", requests()),
        ("Finding and reaching the server", connections()),
        ("TLS", handshakes()),
        ("Proxies", proxies()),
        ("Time limits", time_limits()),
        ("The response", responses()),
        ("Redirects, statuses, upgrades", decisions()),
    ];
    let count: usize = sections.iter().map(|(_, rows)| rows.len()).sum();
    assert!(count >= 40, "{count} errors");
    let tables: String = sections.iter().map(|(title, rows)| table(title, rows)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/errors.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if env::var_os("LEANHTTP_ERRORS_PAGE").is_some_and(|value| value == "renew") {
        fs::write(&path, [before, BEGIN, &tables, END, after].concat()).unwrap();
        return;
    }
    for (printed, line) in tables.lines().zip(written.lines()) {
        assert_eq!(printed, line, "LEANHTTP_ERRORS_PAGE=renew writes the tables");
    }
    assert_eq!(tables.len(), written.len(), "LEANHTTP_ERRORS_PAGE=renew writes the tables");
}

fn table(title: &str, rows: &[Row]) -> String {
    let mut table =
        format!("\n# {title}\n\n| printed | `kind()` | what to do |\n| --- | --- | --- |\n");
    for (error, advice) in rows {
        let line = normalized(&error.to_string()).replace('|', "\\|");
        // A line with backticks is set off by two of them, and spaces keep its own apart.
        let line = if line.contains('`') { format!("`` {line} ``") } else { format!("`{line}`") };
        table += &format!("| {line} | `{:?}` | {advice} |\n", error.kind());
    }
    table
}

/// Replaces the ports that the system chose, the key that the test made, and the time.
fn normalized(line: &str) -> String {
    let mut text = line.to_owned();
    for host in ["127.0.0.1:", "localhost:"] {
        text = with_numbers(&text, host, 1, "PORT");
    }
    text = with_numbers(&text, "verification time ", 1, "SECONDS");
    text = with_numbers(&text, "(", 9, "SECONDS");
    match text.split_once("sha256//") {
        Some((before, rest)) => {
            let after = rest.split_once(' ').map_or("", |(_, after)| after);
            format!("{before}sha256//… {after}")
        }
        None => text,
    }
}

/// Puts a word in the place of each number of at least so many digits that follows these words.
fn with_numbers(line: &str, words: &str, digits: usize, name: &str) -> String {
    let mut parts = line.split(words);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let replaced = part.len() - rest.len() >= digits;
        text += words;
        text += if replaced { name } else { "" };
        text += if replaced { rest } else { part };
    }
    text
}

fn builder() -> ClientBuilder {
    Client::builder().no_proxy().tls_roots(Roots::Bundled)
}

fn client() -> Client {
    builder().build().unwrap()
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn http(addr: impl std::fmt::Display) -> String {
    format!("http://{addr}/")
}

/// Sends a GET and reads the body.
fn get(client: ClientBuilder, url: &str) -> Error {
    client.build().unwrap().get(url).send().and_then(Response::bytes).unwrap_err()
}

/// The same against a server with this script.
fn played(client: ClientBuilder, steps: Connection) -> Error {
    let server = Script::serve(vec![steps]);
    get(client, &server.url("/"))
}

fn requests() -> Vec<Row> {
    let sink = Script::serve(vec![vec![Step::Silent]]);
    let short = Body::sized(&b"short"[..], 9);
    let identity = Identity::from_pem(Pki::new().ca_pem().as_bytes());
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let encrypted = [Pki::new().ca_pem(), encrypted.to_owned()].concat();
    let line_break = client().get("http://example.org/").header("x-trace", "1\r\nhost: b");
    vec![
        (
            client().get("example.org/users").send().unwrap_err(),
            "Write the scheme. To send paths alone, set [`base_url`](crate::client::ClientBuilder::base_url).",
        ),
        (
            client().get("localhost:8080/users").send().unwrap_err(),
            "Write the scheme: up to the first colon, this is read as one.",
        ),
        (
            client().get("ftp://example.org/file").send().unwrap_err(),
            "Only `http` and `https` are supported.",
        ),
        (
            line_break.send().unwrap_err(),
            "Remove the line break, often the end of a line of a file that holds a token: `trim` it.",
        ),
        (
            get(builder().https_only(true), "http://example.org/"),
            "Use an `https` URL, or remove [`https_only`](crate::client::ClientBuilder::https_only). A redirect can \
             lead here too.",
        ),
        (
            client().post(sink.url("/")).body(short).send().unwrap_err(),
            "Announce the length that the reader has. A file that shrank while it was sent gives this too.",
        ),
        (
            Certificate::from_pem(b"hello").unwrap_err(),
            "Pass the contents of the file, not its path, and a certificate, not a key. For DER use `from_der`.",
        ),
        (
            identity.unwrap_err(),
            "Append the private key to the certificate, or use \
             [`Identity::from_pkcs8_pem`](crate::Identity::from_pkcs8_pem) with both.",
        ),
        (
            Identity::from_pem(encrypted.as_bytes()).unwrap_err(),
            "Decrypt the key, and restrict who can read the file.",
        ),
        (
            Identity::from_pem(&[0x30, 0x82, 0x0a, 0x20, 2, 1, 3, 0x30]).unwrap_err(),
            "Convert the file, often named `.p12` or `.pfx`, and restrict who can read the result.",
        ),
    ]
}

fn connections() -> Vec<Row> {
    // The text of the C library for a name that does not exist, without a question to a name server.
    let unknown = dns::from_fn(|_| {
        let text = "failed to lookup address information: Name or service not known";
        Err(io::Error::other(text))
    });
    let empty = dns::from_fn(|_| Ok(Vec::new()));
    let refused = [net::refused(), net::refused()];
    vec![
        (
            get(builder().dns_resolver(unknown), "http://api.example/"),
            "Check the spelling of the host and the name server of the machine (`getent hosts api.example`). In a \
             container, check its network.",
        ),
        (
            get(builder().dns_resolver(empty), "http://api.example/"),
            "The name exists and has no address of the family that is asked for: see \
             [`ip_family`](crate::client::ClientBuilder::ip_family).",
        ),
        (
            get(builder(), &http(refused[0])),
            "Nothing listens there: check the port, and that the server runs and listens on this address and not \
             only on loopback.",
        ),
        (
            get(builder().resolve_to_addrs("api.example", &refused), "http://api.example/"),
            "The same, for a host with several addresses: the line has the reason of each.",
        ),
        (
            get(builder().connect_timeout(millis(50)), &http(Unreachable::start().addr())),
            "Something drops the packets: a firewall, or a machine that is off. Check the address; \
             [`connect_timeout`](crate::client::ClientBuilder::connect_timeout) sets the limit.",
        ),
        (
            get(builder().egress(EgressPolicy::public_only()), &http(refused[0])),
            "The egress policy denies this address. If you trust its network, add it with `allow_network`; see \
             [security](crate::guide::security).",
        ),
        (
            get(builder().unix_socket("/run/no-such.sock"), "http://localhost/"),
            "Start the daemon, or correct the path of \
             [`unix_socket`](crate::client::ClientBuilder::unix_socket).",
        ),
        (
            queued(),
            "Read responses to their end or drop them; else allow more connections. See [the connection \
             pool](crate::guide::connection_pool).",
        ),
    ]
}

/// The second call while the first one holds the only connection that is allowed.
fn queued() -> Error {
    let server = Script::serve(vec![vec![
        Step::ExpectRequest,
        send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        Step::Silent,
    ]]);
    let client = builder().pool_max_open_per_host(1).pool_wait_timeout(millis(50));
    let client = client.build().unwrap();
    let held = client.get(server.url("/")).send().unwrap();
    let error = client.get(server.url("/")).send().unwrap_err();
    drop(held);
    error
}

fn handshakes() -> Vec<Row> {
    let pki = Pki::new();
    let trusting = || {
        let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        builder().add_root_certificate(root)
    };
    let meets = |client: ClientBuilder, config| {
        let server = Httpbin::start_tls_with(config);
        get(client, &server.url("/get"))
    };
    let presents = |leaf| meets(trusting(), pki.server_config(leaf));
    let good = || pki.server_config(Leaf::Good);
    let old = pki.server_config_for(Leaf::Good, &[&rustls::version::TLS12], Clients::Anyone);
    let certified =
        pki.server_config_for(Leaf::Good, &[&rustls::version::TLS13], Clients::Certified);
    let crl = CertificateRevocationList::from_pem(pki.crl_pem().as_bytes()).unwrap();
    let pinned = trusting().tls_pin_spki_sha256([SpkiSha256::from([7; 32])]);
    let plain = Script::serve(vec![vec![send("HTTP/1.1 400 Bad Request\r\n\r\n"), Step::Close]]);
    let tls = Httpbin::start_tls_with(good());
    let silent = Silent::start();
    vec![
        (
            meets(builder(), good()),
            "Add the root certificate of your company or of the server: see [TLS](crate::guide::tls). If public \
             servers give this too, a proxy opens TLS: trust the roots of the system.",
        ),
        (
            presents(Leaf::Expired),
            "Renew the certificate of the server. If the date is in the future, set the clock of this machine.",
        ),
        (
            presents(Leaf::WrongName),
            "Use a name that the certificate has. To reach a certain address by that name, set \
             [`resolve`](crate::client::ClientBuilder::resolve).",
        ),
        (
            meets(trusting().add_crl(crl), pki.server_config(Leaf::Revoked)),
            "The server needs a new certificate.",
        ),
        (
            meets(pinned, good()),
            "The server has another key: add its pin, the one in the line, if the change is expected.",
        ),
        (
            meets(trusting(), certified),
            "Set a client certificate: [`identity`](crate::client::ClientBuilder::identity). With TLS 1.2, servers say \
             `HandshakeFailure`, and the line that they may require one.",
        ),
        (
            meets(trusting().tls_version_min(Version::TLS_1_3), old),
            "The two have no version of TLS in common: lower \
             [`tls_version_min`](crate::client::ClientBuilder::tls_version_min), or update the server.",
        ),
        (
            get(builder(), &plain.url("/").replace("http:", "https:")),
            "The port does not speak TLS: use `http`, or the port for `https`.",
        ),
        (get(builder(), &http(tls.addr())), "The port speaks TLS: use `https`."),
        (
            get(
                builder().handshake_timeout(millis(50)),
                &http(silent.addr()).replace("http:", "https:"),
            ),
            "The server accepts connections and is silent: it is overloaded, or the port is not for TLS.",
        ),
    ]
}

fn proxies() -> Vec<Row> {
    let origin = net::refused();
    let through = |url: String| Client::builder().proxy(Proxy::all(url).unwrap());
    let secure = "https://secure.example/";
    let wants_login = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let asks = Script::serve(vec![vec![Step::ExpectHead, send(wants_login), Step::Close]]);
    let forbidden = "HTTP/1.1 403 Forbidden\r\ncontent-length: 11\r\n\r\nnot allowed";
    let forbids = Script::serve(vec![vec![Step::ExpectHead, send(forbidden), Step::Close]]);
    let socks = proxy::Proxy::socks_with_login(origin, "user:password");
    let with_login = format!("socks5h://user:wrong@{}", socks.addr());
    vec![
        (
            Proxy::all("ftp://proxy.example").unwrap_err(),
            "Correct the URL of the proxy. It may come from the environment, such as `HTTPS_PROXY`.",
        ),
        (
            get(through(http(net::refused())), secure),
            "The proxy does not run there. Check the variables of the environment, or set \
             [`no_proxy`](crate::client::ClientBuilder::no_proxy).",
        ),
        (
            get(through(http(asks.addr())), secure),
            "Add the login: `http://user:password@proxy`, or [`basic_auth`](crate::Proxy::basic_auth). Only Basic is \
             supported.",
        ),
        (
            get(through(http(forbids.addr())), secure),
            "The proxy does not allow this host or port; ask its administrator. The line ends with its explanation.",
        ),
        (
            get(through(with_login), secure),
            "Correct the user name and the password of the SOCKS proxy.",
        ),
    ]
}

fn time_limits() -> Vec<Row> {
    let silent = Silent::start();
    let url = http(silent.addr());
    let stalls = || {
        vec![
            Step::ExpectRequest,
            send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
            Step::Silent,
        ]
    };
    vec![
        (
            get(builder().timeout(millis(1000)), &url),
            "The deadline of the whole call: [`timeout`](crate::client::ClientBuilder::timeout). The line begins with \
             what the call was doing.",
        ),
        (
            get(builder().first_byte_timeout(millis(50)), &url),
            "The server works on the response for longer: raise \
             [`first_byte_timeout`](crate::client::ClientBuilder::first_byte_timeout) for slow requests.",
        ),
        (
            played(builder().read_timeout(millis(1000)), stalls()),
            "The server stopped within the response. For streams that pause, set `read_timeout(None)` on the request.",
        ),
        (
            played(builder().min_throughput(1000, millis(200)), stalls()),
            "The transfer is slower than [`min_throughput`](crate::client::ClientBuilder::min_throughput) allows.",
        ),
        (cancelled(), "Your program called [`CancelToken::cancel`](crate::CancelToken::cancel)."),
        (
            get(
                builder().retry(retry::Policy::new().max_attempts(2).backoff(millis(1), millis(1))),
                &http(net::refused()),
            ),
            "The error of the last attempt; a [retry policy](crate::guide::retries) made the others.",
        ),
    ]
}

/// A call that another thread cancels when the server has its request.
fn cancelled() -> Error {
    let silent = Silent::start();
    let (spoken, token) = (silent.is_spoken_to(), CancelToken::new());
    let request = client().get(http(silent.addr())).cancel_token(&token);
    let canceller = thread::spawn(move || {
        spoken();
        token.cancel();
    });
    let error = request.send().unwrap_err();
    canceller.join().unwrap();
    error
}

fn responses() -> Vec<Row> {
    let head = |limit| {
        let mut limits = Limits::default();
        limits.max_head_bytes = limit;
        builder().limits(limits)
    };
    let long = format!("HTTP/1.1 200 OK\r\nset-cookie: {}\r\n\r\n", "x".repeat(5000));
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhello";
    let chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let not_gzip = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello";
    let with = |bytes: &str, end| vec![Step::ExpectRequest, send(bytes), end];
    let html = Script::serve(vec![answer(ok("<html>Bad gateway</html>"))]);
    let json = client().get(html.url("/")).send().unwrap().json::<serde_json::Value>();
    vec![
        (
            played(builder(), vec![Step::ExpectRequest, Step::Close]),
            "The server closed the connection without a response: look into its log. It may have crashed, or speak \
             TLS on this port.",
        ),
        (
            closed_by_tls_port(),
            "The same on a port that is usually for TLS, such as 443 and 8443: use `https`.",
        ),
        (
            lost_post(),
            "The server closed a kept connection while the request was on its way. If the server recognizes \
             duplicates, let [`retry_on_reused_connection`](crate::retry::Policy::retry_on_reused_connection) send it \
             again.",
        ),
        (
            played(builder(), with("SSH-2.0-OpenSSH\r\n", Step::Silent)),
            "Another service has this port.",
        ),
        (
            played(head(4096), with(&long, Step::Silent)),
            "Often cookies that grow with each request. [`Limits::max_head_bytes`](crate::Limits::max_head_bytes) \
             raises the limit.",
        ),
        (
            played(builder(), with(cut, Step::Close)),
            "The transfer was cut short. Try again; with the feature `download`, \
             a download resumes by itself.",
        ),
        (played(builder(), with(chunk, Step::Close)), "The same for a body in chunks."),
        (
            played(builder().body_limit(4), answer(ok("hello"))),
            "Read the body piece by piece, or raise [`body_limit`](crate::client::ClientBuilder::body_limit).",
        ),
        (
            played(builder(), with(not_gzip, Step::Silent)),
            "The server names a coding that the body does not have. `gzip(false)` on the request does not ask for it.",
        ),
        (
            bomb(),
            "A body made to fill memory, or a very regular one: raise \
             [`Limits::max_decompression_ratio`](crate::Limits::max_decompression_ratio) only for a server that you \
             trust.",
        ),
        (
            json.unwrap_err(),
            "Call `error_for_status` before `json`: the body is often a page of a proxy with a status of 502.",
        ),
    ]
}

/// A request without TLS to a port that is usually for TLS.
fn closed_by_tls_port() -> Error {
    let server = Script::serve(vec![vec![Step::ExpectRequest, Step::Close]]);
    let client = builder().connect_to("api.example:8443", &server.addr().to_string());
    get(client, "http://api.example:8443/")
}

/// A POST on a connection that the server closes when it has read the request.
fn lost_post() -> Error {
    let steps = [answer(ok("first")), vec![Step::ExpectRequest, Step::Close]].concat();
    let server = Script::serve(vec![steps]);
    let client = client();
    client.get(server.url("/")).send().and_then(Response::bytes).unwrap();
    client.post(server.url("/orders")).body("{}").send().unwrap_err()
}

/// A body that grows to more than the allowed multiple of its size.
fn bomb() -> Error {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 1 << 20]).unwrap();
    let body = encoder.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut limits = Limits::default();
    limits.decompressed_ratio_threshold = 1000;
    played(builder().limits(limits), answer([head.as_bytes(), &body].concat()))
}

fn decisions() -> Vec<Row> {
    let loops = Script::serve((0..11).map(|_| moved(302, "/again")).collect());
    let away = Script::serve(vec![moved(302, "ftp://files.example/")]);
    let kept = Script::serve(vec![moved(307, "/new")]);
    let reader = Body::new(Unseekable);
    let missing =
        Script::serve(vec![answer("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")]);
    let missing = client().get(missing.url("/users/7")).send().unwrap().error_for_status();
    let plain = Script::serve(vec![answer(ok("hello"))]);
    let request = client().get(plain.url("/chat"));
    let request = request.header("upgrade", "websocket").header("connection", "upgrade");
    vec![
        (
            get(builder(), &loops.url("/")),
            "The redirects are usually a circle, such as to a login that needs cookies: turn on \
             [`cookie_store`](crate::client::ClientBuilder::cookie_store).",
        ),
        (
            get(builder(), &away.url("/")),
            "The target is not `http` or `https`. `redirect(Policy::none())` returns the response itself.",
        ),
        (
            client().post(kept.url("/")).body(reader).send().unwrap_err(),
            "Send bytes or a file, which can be sent again, or send to the new URL at once. The error keeps the \
             response.",
        ),
        (
            missing.unwrap_err(),
            "The server's answer. `into_response` returns the response with its body, which often says why.",
        ),
        (
            request.send().unwrap().upgrade().unwrap_err(),
            "The server did not switch protocols: check the path and the `Upgrade` field.",
        ),
    ]
}

/// A body whose length is not known and which can be read once.
struct Unseekable;

impl io::Read for Unseekable {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}
