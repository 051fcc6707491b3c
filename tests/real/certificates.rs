//! TLS with nginx and haproxy: trust, client certificates, protocol versions.

use leanhttp::error::{Kind, Phase};
use leanhttp::tls::{CertificateRevocationList, SpkiSha256, Version};
use leanhttp::{ClientBuilder, Identity};

use super::servers::{LOOPBACK, assert_told, named, pki, told, trusting};

const REFUSED: [(&str, &str); 6] = [
    ("expired.test", "certificate expired"),
    ("not-yet-valid.test", "certificate not valid yet"),
    ("wrong-name.test", "certificate not valid for name \"wrong-name.test\""),
    ("self-signed.test", "UnknownIssuer"),
    ("unknown-ca.test", "UnknownIssuer"),
    ("no-intermediate.test", "UnknownIssuer"),
];

fn lists() -> Vec<CertificateRevocationList> {
    CertificateRevocationList::from_pem_bundle(&pki("crl.pem")).unwrap()
}

fn assert_refused(host: &str, port: &str, client: ClientBuilder, reason: &str) {
    let url = format!("https://{host}:{port}/tls");
    let error = client.resolve(host, LOOPBACK).build().unwrap().get(&url).send().unwrap_err();
    let handshake = format!("TLS handshake with {host}:{port} for {url}");
    assert_told(&error, (Kind::Tls, Phase::Handshake), &[&handshake, reason]);
}

fn assert_taken(host: &str, port: &str, client: ClientBuilder) {
    let client = client.resolve(host, LOOPBACK).build().unwrap();
    told(&client, &format!("https://{host}:{port}/tls"));
}

#[test]
fn valid_certificates_are_accepted() {
    let Some([port]) = named(["TLS_PORT"]) else { return };
    for host in ["localhost", "127.0.0.1", "good.test"] {
        assert_taken(host, &port, trusting());
    }
}

#[test]
fn certificates_with_one_fault_are_refused() {
    let Some([port]) = named(["TLS_PORT"]) else { return };
    for (host, reason) in REFUSED {
        assert_refused(host, &port, trusting(), reason);
        // The server is otherwise valid.
        assert_taken(host, &port, trusting().danger_accept_invalid_certs(true));
    }
    let any_name = || trusting().danger_accept_invalid_hostnames(true);
    assert_taken("wrong-name.test", &port, any_name());
    assert_refused("expired.test", &port, any_name(), "certificate expired");
}

#[test]
fn a_revoked_certificate_is_refused() {
    let Some([port]) = named(["TLS_PORT"]) else { return };
    assert_taken("revoked.test", &port, trusting());
    assert_refused("revoked.test", &port, trusting().add_crls(lists()), "Revoked");
    assert_taken("good.test", &port, trusting().add_crls(lists()));
}

/// The pin was computed by OpenSSL.
#[test]
fn a_pinned_key_is_required() {
    let Some([port]) = named(["TLS_PORT"]) else { return };
    let pin = String::from_utf8(pki("good.pin")).unwrap();
    let right: SpkiSha256 = format!("sha256//{}", pin.trim()).parse().unwrap();
    assert_taken("good.test", &port, trusting().tls_pin_spki_sha256([right]));
    let wrong = || trusting().tls_pin_spki_sha256([SpkiSha256::from([7; 32])]);
    assert_refused("good.test", &port, wrong(), "is not a pinned one");
    let careless = wrong().danger_accept_invalid_certs(true);
    assert_refused("self-signed.test", &port, careless, "is not a pinned one");
}

#[test]
fn protocol_versions_are_limited() {
    let Some([port_12, port_13]) = named(["TLS12_PORT", "TLS13_PORT"]) else { return };
    let only = |version| trusting().tls_version_min(version).tls_version_max(version);
    let [v12, v13] = [Version::TLS_1_2, Version::TLS_1_3];
    for (port, own, other, name) in
        [(&port_12, v12, v13, "TLSv1.2"), (&port_13, v13, v12, "TLSv1.3")]
    {
        for client in [trusting(), only(own)] {
            let client = client.build().unwrap();
            let url = format!("https://localhost:{port}/tls");
            assert_eq!(told(&client, &url)["protocol"], name);
        }
        assert_refused("localhost", port, only(other), "ProtocolVersion");
    }
}

/// One client for each server, because sessions are stored by host name.
#[test]
fn sessions_are_resumed() {
    let Some(ports) = named(["TLS12_PORT", "TLS13_PORT"]) else { return };
    for port in ports {
        let client = trusting().pool_max_idle_per_host(0).build().unwrap();
        let url = format!("https://localhost:{port}/tls");
        let seen: Vec<_> = (0..4).map(|_| told(&client, &url)).collect();
        let resumed: Vec<_> = seen.iter().map(|told| told["reused"] == "r").collect();
        assert_eq!(resumed, [false, true, true, true], "{seen:?}");
        let connections: std::collections::HashSet<_> =
            seen.iter().map(|told| told["connection"].to_string()).collect();
        assert_eq!(connections.len(), 4, "{seen:?}");
    }
}

fn identity(file: &str) -> ClientBuilder {
    trusting().identity(Identity::from_pem(&pki(file)).unwrap())
}

/// nginx responds with a status to a client with no certificate or an unknown one.
#[test]
fn nginx_verifies_client_certificates() {
    let Some([port]) = named(["MUTUAL_PORT"]) else { return };
    let url = format!("https://mutual.test:{port}/tls");
    let rows = [(trusting(), 400), (identity("stranger.pem"), 400), (identity("client.pem"), 200)];
    for (client, status) in rows {
        let client = client.resolve("mutual.test", LOOPBACK).build().unwrap();
        let response = client.get(&url).send().unwrap();
        assert_eq!(response.status(), status);
        let text = response.text().unwrap();
        assert_eq!(text.contains("\"client\":\"SUCCESS\""), status == 200, "{text}");
    }
}

/// haproxy ends the connection with an alert, which in TLS 1.3 arrives after the handshake.
#[test]
fn haproxy_verifies_client_certificates() {
    let Some([port]) = named(["HAPROXY_MUTUAL_PORT"]) else { return };
    let url = format!("https://mutual.test:{port}/get");
    let ask = |client: ClientBuilder| {
        client.resolve("mutual.test", LOOPBACK).build().unwrap().get(&url).send()
    };
    assert_eq!(ask(identity("client.pem")).unwrap().status(), 200);
    for max in [Version::TLS_1_2, Version::TLS_1_3] {
        for client in [trusting(), identity("stranger.pem")] {
            let error = ask(client.tls_version_max(max)).unwrap_err();
            assert_eq!(error.kind(), Kind::Tls, "{error}");
            assert!(error.to_string().contains("received fatal alert: "), "{error}");
        }
    }
}
