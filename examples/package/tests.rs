//! Each example does what it says, run as a program against a local server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, process};

use leanhttp_examples::{Clients, Httpbin, Leaf, Pki, Proxy};

/// An example that was built together with this test.
fn example(name: &str) -> Command {
    let this = env::current_exe().unwrap();
    let target = this.ancestors().nth(2).unwrap();
    let program = target.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is built by `cargo test` without `--test`", program.display());
    let mut command = Command::new(program);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    command.current_dir(root).env("NO_PROXY", "*");
    command
}

/// Runs an example; returns what it prints.
#[track_caller]
fn run(name: &str, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = example(name).args(arguments).output().unwrap();
    let stdout = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{name}: {status}\n{stdout}\n{}", String::from_utf8_lossy(&stderr));
    stdout
}

#[track_caller]
fn assert_has(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
}

/// A file in the folder for temporary ones, which is deleted at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let scratch = Self(env::temp_dir().join(format!("leanhttp-{}-{name}", process::id())));
        let _ = fs::remove_file(&scratch.0);
        scratch
    }

    fn with(name: &str, content: &str) -> Self {
        let scratch = Self::new(name);
        fs::write(&scratch.0, content).unwrap();
        scratch
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn recipe() {
    let rows: Vec<String> = (1..=10).map(|number| format!("{number}. ")).collect();
    let text = run("recipe", &[]);
    assert_has(&text, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    assert_has(&text, &["name1 is \"value1\"", "the jar has flavor=oat", "connections opened: 1"]);
    let server = Httpbin::start();
    assert_has(&run("recipe", &[&server.url("/")]), &["without TLS", "connections opened: 1"]);
}

#[test]
fn get() {
    let text = run("get", &[&Httpbin::start().url("/get")]);
    assert_has(&text, &["200 OK from http://127.0.0.1", "page=2&sort=name", "application/json"]);
}

#[cfg(feature = "json")]
#[test]
fn json() {
    let text = run("json", &[&Httpbin::start().url("/post")]);
    assert_has(&text, &["has received 2 times coffee"]);
}

#[test]
fn form() {
    let text = run("form", &[&Httpbin::start().url("/post")]);
    assert_has(&text, &["50 % & more", "first line"]);
}

#[test]
fn login() {
    let (server, file) = (Httpbin::start(), Scratch::new("cookies.json"));
    let site = server.url("");
    let first = run("login", &[&site, file.path()]);
    assert_has(&first, &["logging in", "abc123"]);
    let second = run("login", &[&site, file.path()]);
    assert_has(&second, &["1 cookies from", "abc123"]);
    assert!(!second.contains("logging in"), "{second}");
}

#[cfg(feature = "progress")]
#[test]
fn upload_progress() {
    let file = Scratch::with("upload", &"line\n".repeat(60_000));
    let text = run("upload_progress", &[&Httpbin::start().url("/put"), file.path()]);
    assert_has(&text, &["300000 bytes sent: 200 OK"]);
}

#[cfg(feature = "progress")]
#[test]
fn download_progress() {
    let file = Scratch::new("download");
    let text = run("download_progress", &[&Httpbin::start().url("/bytes/100000"), file.path()]);
    assert_has(&text, &["100000 bytes, SHA-256"]);
    assert_eq!(fs::metadata(file.path()).unwrap().len(), 100_000);
}

#[test]
fn mtls() {
    let pki = Pki::new();
    let config = pki.server_config_for(Leaf::Good, rustls::ALL_VERSIONS, Clients::Certified);
    let server = Httpbin::start_tls_with(config);
    let ca = Scratch::with("ca.pem", &pki.ca_pem());
    let client = Scratch::with("client.pem", &pki.client_pem());
    let text = run("mtls", &[&server.url("/get"), ca.path(), client.path()]);
    assert_has(&text, &["TLS", "/get"]);
}

#[test]
fn proxy() {
    let server = Httpbin::start();
    let proxy = Proxy::socks_with_login(server.addr(), "user:passwd");
    let url = "http://only-the-proxy-knows.test/get";
    assert_has(&run("proxy", &[url, &proxy.url("socks5h")]), &[url]);
    assert_eq!(proxy.asked(), ["5 user:passwd only-the-proxy-knows.test:80"]);
}

#[test]
fn retries() {
    let server = Httpbin::start();
    let text = run("retries", &[&server.url("/status/503")]);
    assert_has(&text, &[": attempt 2 in", ": attempt 4 in", "in the end: 503"]);
    assert_eq!(server.requests_seen().len(), 4);
}

#[cfg(all(unix, feature = "ctrl-c"))]
#[test]
fn cancel() {
    use std::process::Stdio;

    let server = Httpbin::start();
    let url = server.url("/delay/10");
    let mut command = example("cancel");
    let child = command.arg(url).stdout(Stdio::piped()).spawn().unwrap();
    while server.requests_seen().is_empty() {
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert_has(&text, &["cancelled: "]);
}

#[test]
fn crawl() {
    let server = Httpbin::start();
    let text = run("crawl", &[&server.url("/links/12/0")]);
    assert_has(&text, &["/links/12/11: 11 links", "\n12 pages"]);
    assert_eq!(server.requests_seen().len(), 12);
    assert!(server.connections_opened() <= 8);
}

#[test]
fn webhook() {
    assert_has(&run("webhook", &[]), &["not delivered: ", "169.254.169.254"]);
    let server = Httpbin::start();
    assert_has(&run("webhook", &[&server.url("/post")]), &["not delivered: "]);
    assert_eq!(server.connections_opened(), 0);
}

#[cfg(feature = "tokio")]
#[test]
fn concurrent() {
    let server = Httpbin::start();
    assert_has(&run("concurrent", &[&server.url("/bytes/10")]), &["1000 bytes"]);
    assert_eq!(server.requests_seen().len(), 100);
    assert!(server.connections_opened() <= 10);
}

#[cfg(feature = "tower")]
#[test]
fn tower() {
    let text = run("tower", &[&Httpbin::start().url("/get")]);
    assert_has(&text, &["200 OK", "application/json", "/get"]);
}

#[cfg(feature = "websocket")]
#[test]
fn websocket() {
    assert_has(&run("websocket", &[]), &["hello"]);
}

#[cfg(feature = "aws")]
#[test]
fn aws_sigv4() {
    let text = run("aws_sigv4", &[&Httpbin::start().url("/headers")]);
    let signed = "SignedHeaders=host;x-amz-content-sha256;x-amz-date,";
    assert_has(&text, &["200 OK", "AWS4-HMAC-SHA256 Credential=", signed]);
}

/// It has a test of its own.
#[cfg(feature = "aws")]
#[allow(dead_code, reason = "the example runs as a program")]
#[path = "../aws_sigv4.rs"]
mod signature;
