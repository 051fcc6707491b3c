//! Requests through a proxy: the bytes that each peer receives.

use leanhttp::{Client, NoProxy, Proxy};
use serde_json::Value;

use super::support::{self, Outcome};
use crate::support_servers::pki::{Leaf, Pki};
use crate::support_servers::proxy::Proxy as Tunnels;
use crate::support_servers::script::{Script, answer, ok};

#[test]
fn request_building() {
    let pki = Pki::new();
    support::run("misc/request_building", |case| {
        let request = &case["request"];
        let Some(proxy) = request["proxy"].as_str() else {
            return Outcome::Skipped("without a proxy it is in the other set");
        };
        let (tunnel, sent) = if request["url"].as_str().unwrap().starts_with("https") {
            let config = pki.server_config(Leaf::Good);
            let origin = Script::serve_tls(vec![answer(ok(""))], config);
            let tunnels = Tunnels::http(origin.addr());
            send(request, proxy, tunnels.addr());
            (tunnels.asked().concat(), origin.received_text(0))
        } else {
            // The proxy, or the origin if no proxy is used.
            let peer = Script::serve(vec![answer(ok(""))]);
            send(request, proxy, peer.addr());
            (String::new(), peer.received_text(0))
        };
        match is_as_expected(&case["expect"], &tunnel, &sent) {
            true => Outcome::Passed,
            false => Outcome::Failed(format!("{tunnel}{sent}")),
        }
    });
}

fn send(request: &Value, proxy: &str, addr: std::net::SocketAddr) {
    let no_proxy = NoProxy::from_string(request["no_proxy"].as_str().unwrap_or_default());
    let client = Client::builder()
        .proxy(Proxy::all(proxy).unwrap().no_proxy(no_proxy))
        .danger_accept_invalid_certs(true)
        .resolve("proxy.example", addr)
        .resolve("direct.example", addr)
        .build()
        .unwrap();
    let method = request["method"].as_str().unwrap().parse().unwrap();
    let mut building = client.request(method, request["url"].as_str().unwrap());
    for field in request["headers"].as_array().into_iter().flatten() {
        building = building.header(field[0].as_str().unwrap(), field[1].as_str().unwrap());
    }
    building.send().unwrap();
}

fn is_as_expected(expected: &Value, tunnel: &str, sent: &str) -> bool {
    let has = |head: &str, name: &Value| {
        let start = format!("{}:", name.as_str().unwrap().to_ascii_lowercase());
        head.lines().any(|line| line.to_ascii_lowercase().starts_with(&start))
    };
    expected.as_object().unwrap().iter().all(|(key, value)| {
        let absent = |head: &str| {
            !head.is_empty() && !value.as_array().unwrap().iter().any(|name| has(head, name))
        };
        match &**key {
            "request_line" => sent.lines().next() == value.as_str(),
            "connect_headers_absent" => absent(tunnel),
            "tunnel_headers_absent" | "headers_absent" => absent(sent),
            other => panic!("{other} is not known"),
        }
    })
}
