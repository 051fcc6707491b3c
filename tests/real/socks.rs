//! SOCKS proxies: microsocks and `ssh -D`.

use leanhttp::error::{Kind, Phase};
use leanhttp::{Client, Proxy};

use super::servers::{LOOPBACK, assert_told, named, told, trusting};

/// Scheme, login, and the variable with the address.
const PROXIES: [(&str, &str, &str); 8] = [
    ("socks5", "", "SOCKS5"),
    ("socks5h", "", "SOCKS5"),
    ("socks5", "user:pass@", "SOCKS5_AUTH"),
    ("socks5h", "user:pass@", "SOCKS5_AUTH"),
    ("socks4", "", "SSH"),
    ("socks4a", "", "SSH"),
    ("socks5", "", "SSH"),
    ("socks5h", "", "SSH"),
];

/// `here.test` has an address for the client only, so it needs a proxy that receives addresses.
fn by(url: &str) -> Client {
    trusting().proxy(Proxy::all(url).unwrap()).resolve("here.test", LOOPBACK).build().unwrap()
}

#[test]
fn http_and_https_pass_through_each_proxy() {
    let Some([plain, tls]) = named(["NGINX", "TLS_PORT"]) else { return };
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(&format!("{scheme}://{login}{proxy}"));
        for url in [format!("{plain}/idle"), format!("https://localhost:{tls}/tls")] {
            let [first, second] = [(); 2].map(|()| told(&client, &url)["connection"].clone());
            assert_eq!(first, second, "{scheme} {variable} {url}");
        }
    }
}

#[test]
fn bodies_pass_in_both_directions() {
    let Some([origin]) = named(["HTTPBIN_TLS"]) else { return };
    let body = "0123456789abcdef".repeat(40_000);
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(&format!("{scheme}://{login}{proxy}"));
        let response = client.post(format!("{origin}/post")).body(body.clone()).send().unwrap();
        assert!(response.text().unwrap().contains(&body), "{scheme} {variable}");
    }
}

/// With `socks4` and `socks5` the client looks names up, with `socks4a` and `socks5h` the proxy.
#[test]
fn the_scheme_decides_who_resolves_names() {
    let Some([origin]) = named(["NGINX"]) else { return };
    let url = origin.replace("127.0.0.1", "here.test");
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(&format!("{scheme}://{login}{proxy}"));
        let outcome = client.get(format!("{url}/idle")).send();
        match scheme {
            "socks4" | "socks5" => assert_eq!(outcome.unwrap().status(), 200, "{variable}"),
            _ => {
                let error = outcome.unwrap_err();
                assert_told(&error, (Kind::Proxy, Phase::Proxy), &["a tunnel to here.test:", &url]);
            }
        }
    }
}

#[test]
fn a_wrong_login_is_an_error() {
    let Some([origin, proxy]) = named(["HTTPBIN", "SOCKS5_AUTH"]) else { return };
    let rows = [
        ("user:secret@", "the proxy refused the user name or the password"),
        ("secret:pass@", "the proxy refused the user name or the password"),
        ("", "the proxy accepts none of the offered authentication methods"),
    ];
    for (login, reason) in rows {
        let error = by(&format!("socks5h://{login}{proxy}")).get(&origin).send().unwrap_err();
        let via = format!(" via the proxy socks5h://{proxy}: {reason}");
        assert_told(&error, (Kind::Proxy, Phase::Proxy), &["a tunnel to 127.0.0.1:", &via]);
    }
}

/// `ssh -D` closes the connection without a reply.
#[test]
fn an_unreachable_origin_is_reported() {
    let Some([_]) = named(["HTTPBIN"]) else { return };
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(&format!("{scheme}://{login}{proxy}"));
        for url in ["http://127.0.0.1:9/", "https://localhost:9/"] {
            let error = client.get(url).send().unwrap_err();
            let host = url.split('/').nth(2).unwrap();
            let via = format!(" via the proxy {scheme}://{proxy}: ");
            let target = format!("asking for a tunnel to {host} for {url}");
            assert_told(&error, (Kind::Proxy, Phase::Proxy), &[&target, &via]);
        }
    }
}
