//! Logins from a netrc file, over real sockets.

#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, reason = "helpers may stop a test as tests do")]

mod support;

use std::path::PathBuf;
use std::{env, fs, process};

use leanhttp::Client;
use leanhttp::blocking::{ClientBuilder, RequestBuilder};
use leanhttp::header::HeaderValue;
use support::script::{Script, Step, ok, send};

/// A file that is deleted at the end of the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        let path = env::temp_dir().join(format!("leanhttp-netrc-{}-{name}", process::id()));
        fs::write(&path, text).unwrap();
        File(path)
    }

    fn client(&self) -> ClientBuilder {
        Client::builder().netrc_file(&self.0)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The `Authorization` of a request to `http://{userinfo}127.0.0.1…`.
fn sent(
    client: ClientBuilder,
    userinfo: &str,
    and: impl FnOnce(RequestBuilder) -> RequestBuilder,
) -> Option<String> {
    let peer = Script::serve(vec![vec![Step::ExpectRequest, send(ok(""))]]);
    let url = peer.url("/").replace("//", &format!("//{userinfo}"));
    and(client.build().unwrap().get(url)).send().unwrap();
    peer.join();
    authorization(&peer)
}

fn authorization(peer: &Script) -> Option<String> {
    let head = String::from_utf8(peer.received(0)).unwrap();
    head.lines().find_map(|line| line.strip_prefix("authorization: ")).map(str::to_owned)
}

#[test]
fn an_entry_is_used_without_other_credentials() {
    let file = File::new(
        "entry",
        "machine 127.0.0.1 login a password b\nmachine 127.0.0.1 login u password p\n",
    );
    let none = |request| request;
    let basic = |text| Some(format!("Basic {text}"));
    assert_eq!(sent(file.client(), "", none), basic("YTpi"));
    assert_eq!(sent(file.client(), "u@", none), basic("dTpw"), "the password of that user");
    assert_eq!(sent(file.client(), "x@", none), basic("eDo="), "no such user");
    assert_eq!(sent(file.client(), "u:q@", none), basic("dTpx"));
    assert_eq!(sent(file.client().basic_auth("c", Some("d")), "", none), basic("Yzpk"));
    let own = sent(file.client(), "", |request| request.bearer_auth("token"));
    assert_eq!(own.as_deref(), Some("Bearer token"));
    assert_eq!(sent(Client::builder(), "", none), None, "off by default");
}

/// The URL names the user, the file has the password.
#[test]
fn a_password_without_a_user_is_for_the_user_of_the_url() {
    let file = File::new("any-user", "machine 127.0.0.1 password p");
    let none = |request| request;
    assert_eq!(sent(file.client(), "u@", none).as_deref(), Some("Basic dTpw"));
    assert_eq!(sent(file.client(), "u:q@", none).as_deref(), Some("Basic dTpx"));
    assert_eq!(sent(file.client(), "", none).as_deref(), Some("Basic OnA="));
}

#[test]
fn other_hosts_get_the_default_or_nothing() {
    let none = |request| request;
    let other = File::new("other", "machine 127.0.0.1.example login a password b");
    assert_eq!(sent(other.client(), "", none), None);
    let default = File::new("default", "machine example login a password b default login d");
    assert_eq!(sent(default.client(), "", none).as_deref(), Some("Basic ZDo="));
}

#[test]
fn an_invalid_file_is_reported_without_its_secrets() {
    let file = File::new("broken", "machine h login name\npassword \"secret");
    let error = file.client().build().unwrap_err();
    let line = error.to_string();
    assert!(error.is_builder() && line.contains("a quote is not closed in line 2"), "{line}");
    assert!(!line.contains("secret") && !format!("{error:?}").contains("secret"));
    let missing = Client::builder().netrc_file(env::temp_dir().join("leanhttp-no-such-file"));
    assert!(missing.build().unwrap_err().to_string().contains("leanhttp-no-such-file"));
}

/// `HeaderMap` holds no more than 24,576 names and panics beyond.
#[test]
fn a_login_that_exceeds_the_field_limit_is_an_error() {
    let file = File::new("room", "machine a.test login u password p");
    let names = (0..24_576).map(|i| format!("x-{i}").parse().unwrap());
    let fields = names.map(|name| (name, HeaderValue::from_static(""))).collect();
    let request = file.client().build().unwrap().get("http://a.test/").headers(fields);
    let error = request.send().unwrap_err();
    assert!(error.to_string().contains("too many header fields"), "{error}");
}
