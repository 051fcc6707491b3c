//! TLS over real sockets: which peers are refused with which errors, the settings, session
//! resumption, and the TLS information of a response.
#![cfg(all(feature = "blocking", feature = "gzip", any(feature = "ring", feature = "aws-lc-rs")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use leanhttp::error::{Kind, Phase};
use leanhttp::tls::{CertificateRevocationList, RootSource, Roots, SpkiSha256, TlsInfo, Version};
use leanhttp::{Certificate, Client, ClientBuilder, Error, Identity, Proxy, Response};
use rustls::SupportedProtocolVersion;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};

use support::httpbin::Httpbin;
use support::late::{Late, Word};
use support::pki::{Clients, Leaf, Pki};
use support::script::{Script, Step, answer, moved, ok};

fn trusting(pki: &Pki) -> ClientBuilder {
    Client::builder().tls_certs_only([root(pki)])
}

fn root(pki: &Pki) -> Certificate {
    Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()
}

fn crl(pem: &str) -> CertificateRevocationList {
    CertificateRevocationList::from_pem(pem.as_bytes()).unwrap()
}

/// Sends one request to a server of that configuration, with a client that trusts its authority.
fn ask(pki: &Pki, leaf: Leaf, host: &str, set: Set<'_>) -> Outcome {
    let server = Httpbin::start_tls_as(pki, leaf);
    ask_of(pki, &server, host, set)
}

/// Returns the response, or the error's line without its beginning, which is checked.
type Outcome = Result<Response, String>;

fn ask_of(pki: &Pki, server: &Httpbin, host: &str, set: Set<'_>) -> Outcome {
    let client = set(trusting(pki)).resolve(host, server.addr()).build().unwrap();
    let peer = format!("{host}:{}", server.addr().port());
    let url = format!("https://{peer}/get");
    client.get(&url).send().map_err(|error| {
        let line = error.to_string();
        assert_eq!((error.kind(), error.phase()), (Kind::Tls, Phase::Handshake), "{line}");
        assert!(server.requests_seen().is_empty(), "{line}");
        let start = format!("TLS handshake with {peer} for {url}: ");
        line.strip_prefix(&start).unwrap_or_else(|| panic!("{line}")).to_owned()
    })
}

type Set<'a> = &'a dyn Fn(ClientBuilder) -> ClientBuilder;

fn as_it_is(builder: ClientBuilder) -> ClientBuilder {
    builder
}

/// Expects acceptance, or a refusal with this text; a text that ends in `…` is a prefix.
#[track_caller]
fn assert_outcome(what: &str, outcome: Outcome, expected: Result<(), &str>) {
    match (outcome, expected) {
        (Ok(response), Ok(())) => assert_eq!(response.status(), 200, "{what}"),
        (Err(line), Err(expected)) => match expected.strip_suffix('…') {
            Some(start) => assert!(line.starts_with(start), "{what}: {line}"),
            None => assert_eq!(line, expected, "{what}"),
        },
        (outcome, _) => panic!("{what}: {outcome:?} instead of {expected:?}"),
    }
}

mod certificates {
    use super::*;

    /// CVE-2014-0139, CVE-2009-2417 (curl): RFC 9110 §4.3.4 and RFC 9525 §6 in their strict reading.
    #[test]
    fn n05_certificates_must_match_the_name() {
        const ONE: &str = "invalid peer certificate: certificate not valid for name …";
        const NONE: &str = "invalid peer certificate: certificate not valid for name \"127.0.0.1\"; \
            certificate is not valid for any names (according to its subjectAltName extension)";
        let rows = [
            (Leaf::Good, "localhost", Ok(())),
            (Leaf::Good, "127.0.0.1", Ok(())),
            (Leaf::Named("a.test"), "a.test", Ok(())),
            (Leaf::Named("A.TEST"), "a.test", Ok(())),
            (Leaf::Named("a.test"), "b.test", Err(ONE)),
            (Leaf::Named("a.test"), "x.a.test", Err(ONE)),
            (Leaf::Named("*.w.test"), "a.w.test", Ok(())),
            (Leaf::Named("*.w.test"), "a.b.w.test", Err(ONE)),
            (Leaf::Named("*.w.test"), "w.test", Err(ONE)),
            (Leaf::Named("a*.w.test"), "ab.w.test", Err(ONE)),
            (Leaf::Named("*.*.w.test"), "a.b.w.test", Err(ONE)),
            (Leaf::Named("*"), "localhost", Err(ONE)),
            (Leaf::Named("localhost\0.evil.test"), "localhost", Err(ONE)),
            (Leaf::Named("127.0.0.1"), "127.0.0.1", Err(ONE)),
            (Leaf::Named("*.0.0.1"), "127.0.0.1", Err(ONE)),
            (Leaf::AddressInCommonName, "127.0.0.1", Err(NONE)),
        ];
        let pki = Pki::new();
        for (leaf, host, expected) in rows {
            let outcome = ask(&pki, leaf, host, &as_it_is);
            assert_outcome(&format!("{leaf:?} {host}"), outcome, expected);
        }
    }

    /// RFC 6066 §3, CVE-2022-30115 (curl): a trailing dot is not part of the name that is verified.
    #[test]
    fn n06_a_trailing_dot_is_not_part_of_the_name() {
        let pki = Pki::new();
        let outcome = ask(&pki, Leaf::Named("a.test"), "a.test.", &as_it_is);
        assert_outcome("a.test.", outcome, Ok(()));
        let outcome = ask(&pki, Leaf::Named("a.test"), "b.test.", &as_it_is);
        let line = "invalid peer certificate: certificate not valid for name \"b.test\"; \
                    certificate is only valid for DnsName(\"a.test\")";
        assert_outcome("b.test.", outcome, Err(line));
    }

    #[test]
    fn invalid_certificates_need_danger() {
        const UNKNOWN: &str = "invalid peer certificate: UnknownIssuer; …";
        const NAME: &str = "invalid peer certificate: certificate not valid for name \"localhost\"; \
            certificate is only valid for DnsName(\"other.example\")";
        const EXPIRED: &str = "invalid peer certificate: certificate expired: …";
        let rows = [
            (Leaf::SelfSigned, Err(UNKNOWN), Err(UNKNOWN)),
            (Leaf::UnknownIssuer, Err(UNKNOWN), Err(UNKNOWN)),
            (Leaf::Expired, Err(EXPIRED), Err(EXPIRED)),
            (Leaf::WrongName, Err(NAME), Ok(())),
        ];
        let pki = Pki::new();
        for (leaf, fully, for_any_name) in rows {
            let what = format!("{leaf:?}");
            assert_outcome(&what, ask(&pki, leaf, "localhost", &as_it_is), fully);
            let any_name = |builder: ClientBuilder| builder.danger_accept_invalid_hostnames(true);
            assert_outcome(&what, ask(&pki, leaf, "localhost", &any_name), for_any_name);
            let anything = |builder: ClientBuilder| builder.danger_accept_invalid_certs(true);
            assert_outcome(&what, ask(&pki, leaf, "localhost", &anything), Ok(()));
            let neither =
                |b: ClientBuilder| anything(any_name(b)).tls_danger_accept_invalid_certs(false);
            let neither = |b| neither(b).tls_danger_accept_invalid_hostnames(false);
            assert_outcome(&what, ask(&pki, leaf, "localhost", &neither), fully);
        }
    }

    /// RFC 5280 §6.3: a certificate on the list, one that is not, and one whose issuer has no list.
    #[test]
    fn revocation_lists_are_checked() {
        let pki = Pki::new();
        let (list, other) = (crl(&pki.crl_pem()), crl(&pki.unrelated_crl_pem()));
        let with_list = |builder: ClientBuilder| builder.add_crl(list.clone());
        let with_both = |builder: ClientBuilder| builder.add_crls([other.clone(), list.clone()]);
        let one_text = crl(&[pki.unrelated_crl_pem(), pki.crl_pem()].concat());
        let with_text = |builder: ClientBuilder| builder.add_crl(one_text.clone());
        let of_other = |builder: ClientBuilder| builder.add_crl(other.clone());
        let replaced = |builder: ClientBuilder| with_list(builder).tls_crls_only([other.clone()]);
        let any_name = |b: ClientBuilder| with_list(b).danger_accept_invalid_hostnames(true);
        const REVOKED: Result<(), &str> = Err("invalid peer certificate: Revoked");
        const UNKNOWN: Result<(), &str> = Err("invalid peer certificate: UnknownRevocationStatus");
        let rows: [(&str, Leaf, Set<'_>, _); 10] = [
            ("no list", Leaf::Revoked, &as_it_is, Ok(())),
            ("list", Leaf::Revoked, &with_list, REVOKED),
            ("list", Leaf::Good, &with_list, Ok(())),
            ("both", Leaf::Revoked, &with_both, REVOKED),
            ("both", Leaf::Good, &with_both, Ok(())),
            ("both in one text", Leaf::Revoked, &with_text, REVOKED),
            ("other", Leaf::Good, &of_other, UNKNOWN),
            ("replaced", Leaf::Revoked, &replaced, UNKNOWN),
            ("any name", Leaf::Revoked, &any_name, REVOKED),
            ("any name", Leaf::WrongName, &any_name, Ok(())),
        ];
        for (what, leaf, set, expected) in rows {
            let outcome = ask(&pki, leaf, "localhost", set);
            assert_outcome(&format!("{what} {leaf:?}"), outcome, expected);
        }
    }

    /// A self-signed certificate of an authority and a server at once, as `openssl req -x509` makes
    /// it: trusted as the server's if it is exactly the one that was added.
    #[test]
    fn a_trusted_self_signed_certificate_may_be_the_servers_own() {
        const NAME: &str = "invalid peer certificate: certificate not valid for name \"b.test\"…";
        const EXPIRED: &str = "invalid peer certificate: certificate expired…";
        const AUTHORITY: &str = "invalid peer certificate: CaUsedAsEndEntity; the server uses a CA \
            certificate as its own: to trust it, pass this very certificate to \
            `add_root_certificate`";
        let pki = Pki::new();
        let (given, other, expired) =
            (own_authority(4000), own_authority(4000), own_authority(2020));
        let as_root = |own: &rcgen::CertifiedKey<rcgen::KeyPair>| {
            let root = Certificate::from_der(own.cert.der()).unwrap();
            move |builder: ClientBuilder| builder.tls_certs_only([root.clone()])
        };
        let (root, expired_root) = (as_root(&given), as_root(&expired));
        let merged = |b: ClientBuilder| {
            b.add_root_certificate(Certificate::from_der(given.cert.der()).unwrap())
        };
        let judged = |b: ClientBuilder| root(b).tls_crls_only([]);
        let any_name = |b: ClientBuilder| root(b).danger_accept_invalid_hostnames(true);
        let right = |b: ClientBuilder| {
            root(b).tls_pin_spki_sha256([pin(&rcgen::PublicKeyData::subject_public_key_info(
                &given.signing_key,
            ))])
        };
        let wrong = |b: ClientBuilder| root(b).tls_pin_spki_sha256([SpkiSha256::from([7; 32])]);
        type Own = rcgen::CertifiedKey<rcgen::KeyPair>;
        let rows: Vec<(&Own, &str, Set<'_>, Result<(), &str>)> = vec![
            (&given, "a.test", &root, Ok(())),
            (&given, "a.test", &merged, Ok(())),
            (&given, "a.test", &judged, Ok(())),
            (&given, "a.test", &right, Ok(())),
            (&given, "b.test", &any_name, Ok(())),
            (&given, "b.test", &root, Err(NAME)),
            (&given, "b.test", &merged, Err(NAME)),
            (&given, "b.test", &judged, Err(NAME)),
            (&expired, "a.test", &expired_root, Err(EXPIRED)),
            (&given, "a.test", &wrong, Err("invalid peer certificate: the public key …")),
            // Another one by the same name, or one that was not added.
            (&other, "a.test", &root, Err(AUTHORITY)),
            (&given, "a.test", &as_it_is, Err(AUTHORITY)),
        ];
        for (at, (own, host, set, expected)) in rows.into_iter().enumerate() {
            for versions in [&TLS12, &TLS13] {
                let key =
                    rustls::pki_types::PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
                let config = server_builder(versions)
                    .with_single_cert(vec![own.cert.der().clone()], key.into())
                    .unwrap();
                let server = Httpbin::start_tls_with(Arc::new(config));
                let outcome = ask_of(&pki, &server, host, set);
                assert_outcome(&format!("row {at} {versions:?}"), outcome, expected);
            }
        }
    }

    fn own_authority(until: i32) -> rcgen::CertifiedKey<rcgen::KeyPair> {
        let mut params = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let signing_key = rcgen::KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        rcgen::CertifiedKey { cert, signing_key }
    }

    fn server_builder(
        version: &'static SupportedProtocolVersion,
    ) -> rustls::ConfigBuilder<rustls::ServerConfig, rustls::server::WantsServerCert> {
        rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
    }

    /// Any certificate is accepted, but the server still has to prove that it has the key: a caller
    /// that inspects the certificate afterwards must not see another server's.
    #[test]
    fn danger_still_requires_proof_of_the_key() {
        let pki = Pki::new();
        let (shown, had) = (own_authority(4000), own_authority(4000));
        for versions in [&TLS12, &TLS13] {
            let key = rustls::pki_types::PrivatePkcs8KeyDer::from(had.signing_key.serialize_der());
            let key = ring::sign::any_supported_type(&key.into()).unwrap();
            let certified = rustls::sign::CertifiedKey::new(vec![shown.cert.der().clone()], key);
            let resolver = rustls::sign::SingleCertAndKey::from(certified);
            let config = server_builder(versions).with_cert_resolver(Arc::new(resolver));
            let server = Httpbin::start_tls_with(Arc::new(config));
            let careless = |b: ClientBuilder| b.danger_accept_invalid_certs(true);
            let outcome = ask_of(&pki, &server, "a.test", &careless);
            assert_outcome("", outcome, Err("invalid peer certificate: BadSignature"));
        }
    }

    fn pin(key: &[u8]) -> SpkiSha256 {
        let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().unwrap();
        let hash = suite.common.hash_provider.hash(key);
        SpkiSha256::from(<[u8; 32]>::try_from(hash.as_ref()).unwrap())
    }

    /// Pins are checked in addition to all other verification, even if that is off.
    #[test]
    fn pinned_keys_are_required() {
        let pki = Pki::new();
        let (right, wrong) = (pin(&pki.server_key()), SpkiSha256::from([7; 32]));
        let refused =
            format!("invalid peer certificate: the public key {right} is not a pinned one");
        let refused = Err(refused.as_str());
        let unknown = Err("invalid peer certificate: UnknownIssuer; …");
        let careless = |b: ClientBuilder| b.danger_accept_invalid_certs(true);
        type Row<'a> = (Leaf, &'a [SpkiSha256], Set<'a>, Result<(), &'a str>);
        let rows: [Row<'_>; 8] = [
            (Leaf::Good, &[], &as_it_is, Ok(())),
            (Leaf::Good, &[right], &as_it_is, Ok(())),
            (Leaf::Good, &[wrong, right], &as_it_is, Ok(())),
            (Leaf::Good, &[wrong], &as_it_is, refused),
            (Leaf::UnknownIssuer, &[right], &as_it_is, unknown),
            (Leaf::UnknownIssuer, &[right], &careless, Ok(())),
            (Leaf::SelfSigned, &[wrong], &careless, refused),
            (Leaf::WrongName, &[wrong], &careless, refused),
        ];
        for (leaf, pins, set, expected) in rows {
            for versions in [&TLS12, &TLS13] {
                let config = pki.server_config_for(leaf, &[versions], Clients::Anyone);
                let server = Httpbin::start_tls_with(config);
                let set = |b| set(b).tls_pin_spki_sha256(pins.iter().copied());
                let outcome = ask_of(&pki, &server, "localhost", &set);
                assert_outcome(&format!("{leaf:?} {pins:?} {versions:?}"), outcome, expected);
            }
        }
    }

    /// Another certificate of the chain does not count, even if the server sends it.
    #[test]
    fn a_pin_of_the_authority_does_not_match() {
        let pki = Pki::new();
        let server = Httpbin::start_tls_with(pki.server_config_with_root());
        let response = ask_of(&pki, &server, "localhost", &as_it_is).unwrap();
        assert_eq!(response.tls().unwrap().peer_certificates().count(), 2);
        let (leaf, root) = (pin(&pki.server_key()), pin(&pki.ca_key()));
        let server = Httpbin::start_tls_with(pki.server_config_with_root());
        let set = |builder: ClientBuilder| builder.tls_pin_spki_sha256([root]);
        let line = format!("invalid peer certificate: the public key {leaf} is not a pinned one");
        assert_outcome("root", ask_of(&pki, &server, "localhost", &set), Err(&line));
    }
}

mod clients {
    use super::*;

    fn identity(pem: &str) -> Identity {
        Identity::from_pem(pem.as_bytes()).unwrap()
    }

    /// In TLS 1.3 a client learns that it is refused only after the handshake (RFC 8446 §4.4.2.4),
    /// in TLS 1.2 during it.
    #[test]
    fn a_server_decides_about_client_certificates() {
        const REQUIRED: &str = "CertificateRequired; the server requires a client certificate: set one with `identity`";
        let pki = Pki::new();
        let rows = [
            (None, [Some(REQUIRED), Some(REQUIRED)]),
            (Some(pki.strangers_pem()), [Some("UnknownCA"), Some("UnknownCA")]),
            (Some(pki.client_pem()), [None, None]),
        ];
        for (pem, refusals) in rows {
            for (version, refusal) in [&TLS13, &TLS12].into_iter().zip(refusals) {
                let config = pki.server_config_for(Leaf::Good, &[version], Clients::Certified);
                let server = Httpbin::start_tls_with(config);
                let builder = trusting(&pki);
                let builder = match &pem {
                    Some(pem) => builder.identity(identity(pem)),
                    None => builder,
                };
                let sent = builder.build().unwrap().get(server.url("/get")).send();
                match refusal {
                    None => assert_eq!(sent.unwrap().status(), 200),
                    Some(alert) => {
                        let error = sent.unwrap_err();
                        let end = format!(": received fatal alert: {alert}");
                        assert!(error.to_string().ends_with(&end), "{version:?}: {error}");
                        assert_eq!(error.kind(), Kind::Tls);
                        assert!(server.requests_seen().is_empty());
                    }
                }
            }
        }
    }

    /// The error of a server that a redirect named says why the certificate, which is set, was not sent.
    #[test]
    fn a_certificate_that_was_withheld_is_explained() {
        const NOTE: &str = "; the server requires a client certificate, and that of `identity` is not sent \
                            to another origin after a redirect";
        let pki = Pki::new();
        for version in [&TLS13, &TLS12] {
            let config = pki.server_config_for(Leaf::Good, &[version], Clients::Certified);
            let other = Httpbin::start_tls_with(config);
            let first = Script::serve_tls(
                vec![moved(302, &other.url("/get"))],
                pki.server_config(Leaf::Good),
            );
            let client = trusting(&pki).identity(identity(&pki.client_pem())).build().unwrap();
            let error = client.get(first.url("/")).send().unwrap_err();
            assert!(error.to_string().ends_with(NOTE), "{error}");
            assert!(other.requests_seen().is_empty());
        }
    }

    #[test]
    fn an_invalid_identity_is_an_error() {
        let pki = Pki::new();
        let client = pki.client_pem();
        let (certificate, key) = client.split_at(client.find("-----BEGIN PRIVATE").unwrap());
        let rows = [
            ("", "no certificate in the PEM text of an identity"),
            ("junk", "no certificate in the PEM text of an identity"),
            (
                key,
                "no certificate in the PEM text of an identity; there is a private key and no \
                 certificate: are the files swapped?",
            ),
            (
                certificate,
                "no private key in the PEM text of an identity; there are certificates and no private key: \
                 append the text of the key",
            ),
            (
                &client.replace("PRIVATE", "ENCRYPTED PRIVATE"),
                "the private key of an identity is encrypted (PKCS#8): `openssl pkey -in FILE -out key.pem` \
                 decrypts it",
            ),
            (
                &client.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n"),
                "the private key of an identity is encrypted (PEM, Proc-Type: 4,ENCRYPTED): `openssl pkey -in \
                 FILE -out key.pem` decrypts it",
            ),
            (&client.replace("KEY-----\n", "KEY-----\n%%%%\n"), "malformed PEM text: base64 …"),
            (&certificate[..80], "malformed PEM text: …"),
        ];
        for (pem, line) in rows {
            assert_told(&Identity::from_pem(pem.as_bytes()).unwrap_err(), line);
        }
        let pkcs12 = [0x30, 0x82, 0x0a, 0x20, 2, 1, 3, 0x30, 0x82, 0x0a, 0x16];
        let told = Identity::from_pem(&pkcs12).unwrap_err();
        assert_told(&told, "no certificate in the PEM text of an identity; this is PKCS#12: …");
        let told = Identity::from_pkcs8_pem(certificate.as_bytes(), &pkcs12).unwrap_err();
        assert_told(&told, "no private key in the PEM text of an identity; this is PKCS#12: …");
        let der = &[0x30, 0x81, 0x87, 2, 1, 0][..];
        let told = Identity::from_pkcs8_pem(certificate.as_bytes(), der).unwrap_err();
        assert_told(
            &told,
            "no private key in the PEM text of an identity; this is DER and not PEM",
        );
        let mark = '\u{feff}'; // written by Windows editors, here in both of two joined files
        let marked = format!("{mark}{certificate}\n{mark}{key}");
        let swapped = [key, certificate].concat();
        for pem in [swapped, marked] {
            assert_eq!(format!("{:?}", identity(&pem)), "Identity { certificates: 1, .. }");
        }
    }
}

mod texts {
    use super::*;

    /// RFC 7468 §2: a text may hold several certificates.
    #[test]
    fn every_authority_of_a_text_is_trusted() {
        let pki = Pki::new();
        let both = [pki.other_ca_pem(), pki.ca_pem()].concat();
        let builders = [
            Client::builder().tls_certs_only([Certificate::from_pem(both.as_bytes()).unwrap()]),
            Client::builder()
                .tls_certs_only([])
                .add_root_certificate(Certificate::from_pem(both.as_bytes()).unwrap()),
            Client::builder()
                .tls_certs_only(Certificate::from_pem_bundle(both.as_bytes()).unwrap()),
        ];
        for builder in builders {
            let client = builder.build().unwrap();
            for leaf in [Leaf::Good, Leaf::UnknownIssuer] {
                let server = Httpbin::start_tls_as(&pki, leaf);
                let sent = client.get(server.url("/get")).send();
                assert!(sent.is_ok(), "{leaf:?}: {sent:?}");
            }
        }
    }

    #[test]
    fn invalid_certificates_and_lists_are_errors() {
        let pki = Pki::new();
        let (pem, der) = (pki.ca_pem(), pki.ca_der());
        let broken = [&pem, &pem[..80]].concat();
        let client = pki.client_pem();
        let (_, key) = client.split_at(client.find("-----BEGIN PRIVATE").unwrap());
        let none = "no certificate in the PEM text";
        let rows: [(&[u8], &str); 4] = [
            (b"", none),
            (b"junk", none),
            (&der, "no certificate in the PEM text; this is DER: `from_der` reads it"),
            (broken.as_bytes(), "malformed PEM text: …"),
        ];
        for (text, line) in rows {
            assert_told(&Certificate::from_pem(text).unwrap_err(), line);
            assert_told(&Certificate::from_pem_bundle(text).unwrap_err(), line);
            let line = line.replace("certificate", "revocation list");
            if text != broken.as_bytes() {
                assert_told(&CertificateRevocationList::from_pem(text).unwrap_err(), &line);
                assert_told(&CertificateRevocationList::from_pem_bundle(text).unwrap_err(), &line);
            }
        }
        let told = Certificate::from_pem(key.as_bytes()).unwrap_err();
        assert_told(&told, "no certificate in the PEM text; …are the files swapped?");
        let pkcs12 = [0x30, 0x82, 0x0a, 0x20, 2, 1, 3, 0x30, 0x82, 0x0a, 0x16];
        let pkcs12 = [Certificate::from_pem(&pkcs12), Certificate::from_der(&pkcs12)];
        for told in pkcs12.map(Result::unwrap_err) {
            assert_told(
                &told,
                "…; this is PKCS#12: `openssl pkcs12 -in FILE -out identity.pem -nodes` \
                                makes PEM of it",
            );
        }
        let utf16: Vec<u8> =
            [0xfeff].into_iter().chain(pem.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let told = Certificate::from_pem(&utf16).unwrap_err();
        assert_told(&told, "no certificate in the PEM text; this is UTF-16: …");
        let marked = format!("\u{feff}{pem}\u{feff}{pem}");
        assert_eq!(Certificate::from_pem_bundle(marked.as_bytes()).unwrap().len(), 2);
        assert_told(&Certificate::from_der(b"junk").unwrap_err(), "invalid root certificate: …");
        let told = Certificate::from_der(pem.as_bytes()).unwrap_err();
        assert_told(&told, "invalid root certificate: …");
        assert!(told.to_string().ends_with("; this is PEM: `from_pem` reads it"), "{told}");
    }
}

/// Asserts an error of the builder, in one line.
#[track_caller]
fn assert_told(error: &Error, line: &str) {
    assert!(error.is_builder(), "{error}");
    let told = error.to_string();
    match line.split_once('…') {
        Some((start, end)) => {
            assert!(told.starts_with(start) && told.ends_with(end), "{told}");
        }
        None => assert_eq!(told, line),
    }
}

mod settings {
    use super::*;

    #[test]
    fn mistakes_are_told_when_the_client_is_built() {
        let pki = Pki::new();
        let [one, two] = [pki.client_pem(), pki.client_pem()];
        let at = |pem: &str| pem.find("-----BEGIN PRIVATE").unwrap();
        let mixed = [&one[..at(&one)], &two[at(&two)..]].concat();
        let mut h2 = rustls_config(&pki);
        h2.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let rows: Vec<(ClientBuilder, &str)> = vec![
            (
                Client::builder().tls_certs_only([]),
                "TLS settings: no root trust anchors were provided",
            ),
            (
                trusting(&pki).tls_version_min(Version::TLS_1_3).tls_version_max(Version::TLS_1_2),
                "TLS settings: there is no TLS version from the minimum to the maximum",
            ),
            (
                trusting(&pki).max_tls_version(Version::TLS_1_1),
                "TLS settings: there is no TLS version from the minimum to the maximum",
            ),
            (
                trusting(&pki).identity(Identity::from_pem(mixed.as_bytes()).unwrap()),
                "TLS settings: keys may not be consistent: …; the private key does not match the \
                 first certificate, which must be the client's own",
            ),
            (
                trusting(&pki).add_crl(CertificateRevocationList::from_der(b"junk")),
                "TLS settings: provided CRL could not be parsed: …",
            ),
            (
                Client::builder().use_preconfigured_tls(h2),
                "TLS settings: the rustls configuration offers protocols other than HTTP/1.1 \
                 (alpn_protocols)",
            ),
        ];
        for (builder, line) in rows {
            assert_told(&builder.build().unwrap_err(), line);
        }
    }

    #[test]
    fn protocol_versions_are_limited() {
        type Row = (&'static SupportedProtocolVersion, Option<Version>, Option<Version>, Expected);
        type Expected = Result<Version, &'static str>;
        const REFUSED: &str = "received fatal alert: ProtocolVersion";
        const ONE_TWO: Version = Version::TLS_1_2;
        const ONE_THREE: Version = Version::TLS_1_3;
        let rows: [Row; 7] = [
            (&TLS12, None, None, Ok(ONE_TWO)),
            (&TLS13, None, None, Ok(ONE_THREE)),
            (&TLS12, Some(Version::TLS_1_0), None, Ok(ONE_TWO)),
            (&TLS12, Some(ONE_THREE), None, Err(REFUSED)),
            (&TLS13, Some(ONE_THREE), None, Ok(ONE_THREE)),
            (&TLS13, None, Some(ONE_TWO), Err(REFUSED)),
            (&TLS12, Some(ONE_TWO), Some(ONE_TWO), Ok(ONE_TWO)),
        ];
        let pki = Pki::new();
        for (spoken, min, max, expected) in rows {
            let config = pki.server_config_for(Leaf::Good, &[spoken], Clients::Anyone);
            let server = Httpbin::start_tls_with(config);
            let set = |builder: ClientBuilder| {
                let builder = min.into_iter().fold(builder, ClientBuilder::min_tls_version);
                max.into_iter().fold(builder, ClientBuilder::max_tls_version)
            };
            let outcome = ask_of(&pki, &server, "localhost", &set);
            let version = outcome.map(|response| response.tls().unwrap().version().unwrap());
            assert_eq!(version, expected.map_err(str::to_owned), "{spoken:?} {min:?} {max:?}");
        }
    }

    fn rustls_config(pki: &Pki) -> rustls::ClientConfig {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(pki.ca_der().into()).unwrap();
        let provider = Arc::new(ring::default_provider());
        rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS12])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    /// A configuration of the caller is used unchanged.
    #[test]
    fn a_preconfigured_configuration_is_used() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        let builder = Client::builder().use_preconfigured_tls(rustls_config(&pki));
        let client = builder.tls_info(true).build().unwrap();
        let response = client.get(server.url("/get")).send().unwrap();
        assert_eq!(response.tls().unwrap().version(), Some(Version::TLS_1_2));
    }

    /// A setting that would have no effect beside it is an error, in any order; above all one that
    /// restricts trust.
    #[test]
    fn settings_beside_a_preconfigured_configuration_are_errors() {
        let pki = Pki::new();
        let pin = || SpkiSha256::from([7; 32]);
        type Setting = Box<dyn Fn(ClientBuilder) -> ClientBuilder>;
        let rows: Vec<(&str, Setting)> = vec![
            ("tls_pin_spki_sha256", Box::new(move |b| b.tls_pin_spki_sha256([pin()]))),
            ("add_crl", Box::new(|b| b.add_crl(CertificateRevocationList::from_der(b"x")))),
            ("tls_certs_only", Box::new(|b| b.tls_certs_only([]))),
            ("add_root_certificate", Box::new(|b| b.add_root_certificate(root(&Pki::new())))),
            (
                "identity",
                Box::new(|b| {
                    b.identity(Identity::from_pem(Pki::new().client_pem().as_bytes()).unwrap())
                }),
            ),
            ("tls_version_min", Box::new(|b| b.tls_version_min(Version::TLS_1_3))),
            ("tls_version_max", Box::new(|b| b.tls_version_max(Version::TLS_1_2))),
            ("tls_sni", Box::new(|b| b.tls_sni(false))),
            ("tls_sslkeylogfile", Box::new(|b| b.tls_sslkeylogfile(true))),
            ("danger_accept_invalid_certs", Box::new(|b| b.danger_accept_invalid_certs(true))),
            (
                "danger_accept_invalid_hostnames",
                Box::new(|b| b.danger_accept_invalid_hostnames(true)),
            ),
        ];
        for (name, set) in rows {
            let line = format!(
                "TLS settings: `{name}` has no effect beside `use_preconfigured_tls`: set it in the \
                 rustls configuration"
            );
            let before = set(Client::builder()).use_preconfigured_tls(rustls_config(&pki));
            let after = set(Client::builder().use_preconfigured_tls(rustls_config(&pki)));
            for builder in [before, after] {
                assert_told(&builder.build().unwrap_err(), &line);
            }
        }
        // A setting equal to the default is accepted.
        let builder = Client::builder().use_preconfigured_tls(rustls_config(&pki));
        let builder = builder.tls_sni(true).danger_accept_invalid_certs(false).use_rustls_tls();
        builder.build().unwrap();
    }

    /// RFC 6066 §3: a name, never an address, and nothing if the setting is off.
    #[test]
    fn server_names_are_sent_if_enabled() {
        let pki = Pki::new();
        let rows = [
            ("localhost", true, Some("localhost")),
            ("localhost.", true, Some("localhost")),
            ("127.0.0.1", true, None),
            ("localhost", false, None),
        ];
        for (host, sni, expected) in rows {
            let (names, config) = support::pki::recording_names(&pki.server_config(Leaf::Good));
            let server = Httpbin::start_tls_with(config);
            let set = |builder: ClientBuilder| builder.tls_sni(sni);
            assert_outcome(host, ask_of(&pki, &server, host, &set), Ok(()));
            assert_eq!(*names.lock().unwrap(), [expected.map(str::to_owned)], "{host}");
        }
    }

    #[test]
    fn https_only_refuses_http() {
        let server = Script::serve(vec![]);
        let client = Client::builder().https_only(true).build().unwrap();
        let error = client.get(server.url("/")).send().unwrap_err();
        let line = format!(
            "URL \"{}\": only https is allowed, because the client has `https_only`",
            server.url("/")
        );
        assert_told(&error, &line);
        let error = client.get("http://user:s3cret@a.test/").send().unwrap_err();
        assert!(error.to_string().contains("a.test/"), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
        assert_eq!(server.accepted(), 0);
    }
}

mod sessions {
    use super::*;

    /// Sends each request on its own connection; returns whether each resumed the session.
    fn resumed(clients: &[&Client], url: &str) -> Vec<bool> {
        let ask = |client: &&Client| {
            let response = client.get(url).header("connection", "close").send().unwrap();
            let resumed = response.tls().unwrap().is_resumed();
            assert!(response.tls().unwrap().peer_certificate().is_some());
            response.bytes().unwrap();
            resumed
        };
        clients.iter().map(ask).collect()
    }

    /// RFC 8446 §2.2, RFC 5077.
    #[test]
    fn a_second_connection_resumes() {
        let pki = Pki::new();
        for version in [&TLS12, &TLS13] {
            let config = pki.server_config_for(Leaf::Good, &[version], Clients::Anyone);
            let server = Httpbin::start_tls_with(config);
            let client = trusting(&pki).build().unwrap();
            let again = client.clone();
            let order = [&client, &client, &again, &client];
            assert_eq!(resumed(&order, &server.url("/get")), [false, true, true, true]);
            assert_eq!(server.connections_opened(), 4);
        }
    }

    /// The sessions of 32 hosts, as documented, or of 31 with the oldest supported rustls.
    #[test]
    fn the_number_of_stored_sessions_is_limited() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        let host = |n| format!("h{n}.test");
        let builder = trusting(&pki).danger_accept_invalid_hostnames(true);
        let hosts = (0..40).map(host);
        let client =
            hosts.fold(builder, |b, host| b.resolve(&host, server.addr())).build().unwrap();
        let is_resumed = |n| {
            let url = server.url("/get").replace("localhost", &host(n));
            resumed(&[&client], &url) == [true]
        };
        assert!(!(0..40).any(is_resumed), "each is another host");
        // From the last to the first: a host that was evicted evicts no other.
        let kept = (0..40).rev().take_while(|n| is_resumed(*n)).count();
        assert!((31..=32).contains(&kept), "{kept}");
    }

    /// A resumed session is not verified: a server that one client accepts must not be accepted by
    /// another.
    #[test]
    fn r14_sessions_are_not_shared_between_clients() {
        let pki = Pki::new();
        let server = Httpbin::start_tls_as(&pki, Leaf::UnknownIssuer);
        let careless = || trusting(&pki).danger_accept_invalid_certs(true);
        let [one, two] = [(); 2].map(|()| careless().build().unwrap());
        let url = server.url("/get");
        assert_eq!(resumed(&[&one, &one, &two, &two], &url), [false, true, false, true]);
        let strict = trusting(&pki).build().unwrap();
        assert!(strict.get(&url).send().unwrap_err().to_string().contains(": UnknownIssuer"));
        let pins = careless().tls_pin_spki_sha256([SpkiSha256::from([1; 32])]).build().unwrap();
        assert!(pins.get(&url).send().unwrap_err().to_string().contains("is not a pinned one"));
        assert_eq!(resumed(&[&one], &url), [true]);
    }

    /// A session of another host is not resumed either, even at the same address.
    #[test]
    fn r14_sessions_are_not_shared_between_hosts() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        let client = trusting(&pki).resolve("a.test", server.addr()).build().unwrap();
        assert_eq!(resumed(&[&client, &client], &server.url("/get")), [false, true]);
        let url = server.url("/get").replace("localhost", "a.test");
        let error = client.get(url).send().unwrap_err();
        assert!(error.to_string().contains("not valid for name \"a.test\""), "{error}");
    }
}

mod told {
    use super::*;

    #[test]
    fn a_response_has_tls_information() {
        let pki = Pki::new();
        let rows = [
            (&TLS13, Version::TLS_1_3, "TLS_AES_256_GCM_SHA384"),
            (&TLS12, Version::TLS_1_2, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        ];
        for (spoken, version, suite) in rows {
            let config = pki.server_config_for(Leaf::Good, &[spoken], Clients::Anyone);
            let server = Httpbin::start_tls_with(config);
            let client = trusting(&pki).build().unwrap();
            for _ in 0..2 {
                let response = client.get(server.url("/get")).send().unwrap();
                let tls = response.tls().unwrap();
                assert_eq!((tls.version(), tls.cipher_suite()), (Some(version), Some(suite)));
                assert!(!tls.is_resumed());
                let chain: Vec<_> = tls.peer_certificates().collect();
                assert_eq!(chain.len(), 1);
                let key = pki.server_key();
                let has_key = chain[0].windows(key.len()).any(|window| window == key);
                assert!(has_key && tls.peer_certificate() == Some(chain[0]));
                assert!(response.extensions().get::<TlsInfo>().is_none(), "`tls_info` is off");
            }
            assert_eq!(server.connections_opened(), 1);
        }
    }

    #[test]
    fn tls_info_is_an_extension_if_enabled() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        let client = trusting(&pki).tls_info(true).build().unwrap();
        let response = client.get(server.url("/get")).send().unwrap();
        let info = response.extensions().get::<TlsInfo>().unwrap();
        assert_eq!(info.peer_certificate(), response.tls().unwrap().peer_certificate());
        let shown = format!("{info:?}");
        assert!(shown.starts_with("TlsInfo { certificates: 1, version: Some("), "{shown}");
    }

    /// Neither for plain http, nor for the proxy in place of the server.
    #[test]
    fn there_is_no_tls_information_without_tls_to_the_server() {
        let plain = Httpbin::start();
        assert!(leanhttp::get(plain.url("/get")).unwrap().tls().is_none());
        let pki = Pki::new();
        let proxy = Script::serve_tls(vec![answer(ok("yes"))], pki.server_config(Leaf::Good));
        let by = Proxy::all(proxy.url("")).unwrap();
        let client = trusting(&pki).proxy(by).tls_info(true).build().unwrap();
        let response = client.get("http://h.invalid/").send().unwrap();
        assert!(response.tls().is_none() && response.extensions().get::<TlsInfo>().is_none());
    }
}

/// Bytes that arrive on an idle connection.
mod idle {
    use super::*;

    /// RFC 8446 §4.6: a server may send these at any time.
    #[test]
    fn late_tls_messages_keep_the_connection() {
        let rows: [(&[Word], usize); 12] = [
            (&[], 1),
            (&[Word::Tickets(1)], 1),
            (&[Word::Tickets(4)], 1),
            (&[Word::Tickets(1), Word::Tickets(1)], 1),
            (&[Word::Tickets(100)], 1),
            (&[Word::Tickets(500)], 2),
            (&[Word::HalfATicket], 2),
            (&[Word::Garbage], 2),
            (&[Word::CloseNotify], 2),
            (&[Word::Tickets(2), Word::CloseNotify], 2),
            (&[Word::Data(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")], 2),
            (&[Word::Tickets(1), Word::Data(b"H"), Word::Tickets(1)], 2),
        ];
        let pki = Pki::new();
        let config = pki.server_config_for(Leaf::Good, &[&TLS13], Clients::Anyone);
        for (words, connections) in rows {
            let server = Late::start(Arc::clone(&config), words.to_vec());
            assert_eq!(connections_for_two_requests(&pki, server), connections, "{words:?}");
        }
    }

    /// The reply to a key update is sent before the next request.
    #[test]
    fn key_updates_are_answered() {
        let pki = Pki::new();
        let config = pki.server_config_for(Leaf::Good, &[&TLS13], Clients::Anyone);
        assert_eq!(connections_for_two_requests(&pki, Late::refreshing_keys(config)), 1);
    }

    fn connections_for_two_requests(pki: &Pki, server: Late) -> usize {
        let client = trusting(pki).build().unwrap();
        let get = || client.get(server.url()).send().unwrap().text().unwrap();
        assert_eq!(get(), "ok");
        assert_eq!(client.pool_stats().idle, 1);
        server.speak();
        assert_eq!(get(), "ok");
        server.connections()
    }

    /// Without TLS, any byte on an idle connection makes it unusable.
    #[test]
    fn unsolicited_plain_bytes_close_the_connection() {
        let first = vec![Step::ExpectRequest, support::script::send([ok("1"), ok("2")].concat())];
        let server = Script::serve(vec![first, answer(ok("3"))]);
        let client = Client::new();
        let get = || client.get(server.url("/")).send().unwrap().text().unwrap();
        assert_eq!((get(), get()), ("1".to_owned(), "3".to_owned()));
    }
}

/// A test cannot change the environment of its process safely, so each of these runs one test below
/// in a child process.
mod environment {
    use std::env;
    use std::fs;
    use std::path::PathBuf;
    use std::process::{self, Command};

    use super::*;

    /// A temporary folder.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("leanhttp-tls-{name}-{}", process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str, text: &str) -> String {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const URL: &str = "LEANHTTP_TEST_URL";

    fn run(name: &str, variables: &[(&str, &str)]) {
        let mut child = Command::new(env::current_exe().unwrap());
        let (_, module) = module_path!().split_once("::").unwrap();
        child.args(["--exact", &format!("{module}::{name}"), "--ignored"]).env_clear();
        let output = child.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{variables:?}: {text}");
    }

    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` with the meaning that OpenSSL gives them.
    #[test]
    fn certificates() {
        let (pki, folder) = (Pki::new(), Folder::new("certificates"));
        let server = Httpbin::start_tls(&pki);
        let url = server.url("/get");
        // Damaged certificates are skipped and do not hide the good ones.
        let (begin, end) = ("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n");
        let damaged = format!("{begin}!!!!\n{end}-----BEGIN CERTIFICATE\n{begin}AAAA\n{end}");
        let bundle = [&Pki::new().ca_pem(), "a comment\n", &damaged, &pki.ca_pem(), begin].concat();
        let file = folder.file("bundle.pem", &bundle);
        let other = folder.file("other.pem", &Pki::new().ca_pem());
        folder.file("notes.txt", "nothing of use");
        fs::create_dir(folder.0.join("empty")).unwrap();
        let folders = format!("{0}/empty:{0}", folder.0.display());
        run("trusted", &[(URL, &url), ("SSL_CERT_FILE", &file)]);
        run("trusted", &[(URL, &url), ("SSL_CERT_DIR", &folders)]);
        run("trusted", &[(URL, &url), ("SSL_CERT_FILE", &other), ("SSL_CERT_DIR", &folders)]);
        run("not_trusted", &[(URL, &url), ("SSL_CERT_FILE", &other)]);
        run("nothing_changes", &[(URL, &url), ("SSL_CERT_FILE", ""), ("SSL_CERT_DIR", "")]);
        run("not_looked_at", &[(URL, &url), ("SSL_CERT_FILE", &file)]);
        run("trusted_by_default", &[(URL, &url), ("SSL_CERT_FILE", &file)]);
        run("trusted_by_default", &[(URL, &url), ("SSL_CERT_DIR", &folders)]);
        run("default_without_variables", &[(URL, &url)]);
        run(
            "default_without_variables",
            &[(URL, &url), ("SSL_CERT_FILE", ""), ("SSL_CERT_DIR", "")],
        );
        let empty = format!("{}/empty", folder.0.display());
        for (name, value, reason) in [
            ("SSL_CERT_FILE", "/no/such/file", "No such file or directory (os error 2)"),
            ("SSL_CERT_FILE", &folder.file("junk.pem", "junk"), "no certificate found"),
            ("SSL_CERT_FILE", &folder.file("bad.pem", &damaged), "no certificate found"),
            ("SSL_CERT_DIR", "/no/such/folder", "No such file or directory (os error 2)"),
            ("SSL_CERT_DIR", &empty, "no certificate found"),
        ] {
            let line = format!("{name}={value}: {reason}");
            run("is_a_mistake", &[(URL, &line), (name, value)]);
            run("is_a_mistake_by_default", &[(URL, &line), (name, value)]);
        }
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn trusted() {
        let client = Client::builder().tls_certs_from_env().build().unwrap();
        assert_eq!(client.get(env::var(URL).unwrap()).send().unwrap().status(), 200);
    }

    /// On Linux that is a bundle of certificates, which this variable can replace.
    #[test]
    #[cfg(all(feature = "platform-verifier", target_os = "linux"))]
    fn platform() {
        let (pki, folder) = (Pki::new(), Folder::new("platform"));
        let server = Httpbin::start_tls(&pki);
        let (url, file) = (server.url("/get"), folder.file("ca.pem", &pki.ca_pem()));
        run("trusted_by_the_platform", &[(URL, &url), ("SSL_CERT_FILE", &file)]);
        let other = folder.file("other.pem", &pki.other_ca_pem());
        run("not_trusted_by_the_platform", &[(URL, &url), ("SSL_CERT_FILE", &other)]);
        run("trusted_by_the_program", &[(URL, &other), ("SSL_CERT_FILE", &other)]);
    }

    #[test]
    #[cfg(feature = "platform-verifier")]
    #[ignore = "run by another test, with an environment of its own"]
    fn trusted_by_the_platform() {
        let client = Client::builder().tls_platform_verifier().build().unwrap();
        assert_eq!(client.get(env::var(URL).unwrap()).send().unwrap().status(), 200);
        // The last setting counts.
        assert_refused(
            Client::builder().tls_platform_verifier().tls_certs_only([root(&Pki::new())]),
            "BadSignature",
        );
    }

    #[test]
    #[cfg(feature = "platform-verifier")]
    #[ignore = "run by another test, with an environment of its own"]
    fn not_trusted_by_the_platform() {
        assert_refused(Client::builder().tls_platform_verifier(), "UnknownIssuer");
    }

    /// Added roots count beside those of the platform, and unsupported settings are errors.
    #[test]
    #[cfg(feature = "platform-verifier")]
    #[ignore = "run by another test, with an environment of its own"]
    fn trusted_by_the_program() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        let builder = || trusting(&pki).tls_platform_verifier();
        let client = builder().build().unwrap();
        assert_eq!(client.get(server.url("/get")).send().unwrap().status(), 200);
        let line = "TLS settings: the operating system's verifier takes no revocation lists";
        assert_told(&builder().add_crl(crl(&pki.crl_pem())).build().unwrap_err(), line);
        let line = "TLS settings: the operating system's verifier always looks at the name";
        let any_name = builder().danger_accept_invalid_hostnames(true);
        assert_told(&any_name.build().unwrap_err(), line);
    }

    #[track_caller]
    fn assert_refused(builder: ClientBuilder, reason: &str) {
        let error = builder.build().unwrap().get(env::var(URL).unwrap()).send().unwrap_err();
        let reason = format!(": invalid peer certificate: {reason}");
        assert!(error.to_string().contains(&reason), "{error}");
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn not_trusted() {
        // The other authority has the same name.
        assert_refused(Client::builder().tls_certs_from_env(), "BadSignature");
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn nothing_changes() {
        assert_refused(Client::builder().tls_certs_from_env(), "UnknownIssuer");
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn not_looked_at() {
        let bundled = || Client::builder().tls_roots(Roots::Bundled);
        assert_roots(bundled(), RootSource::Bundled);
        assert_roots(
            Client::builder().tls_roots(Roots::Environment).tls_roots(Roots::Bundled),
            RootSource::Bundled,
        );
        // What the program names counts, whatever the variables say.
        assert_roots(Client::builder().tls_certs_only([root(&Pki::new())]), RootSource::Program);
        assert_roots(Client::builder().tls_built_in_native_certs(false), RootSource::Bundled);
        let only = Client::builder().tls_built_in_root_certs(false);
        assert_roots(only.add_root_certificate(root(&Pki::new())), RootSource::Program);
    }

    /// The request is refused, and the error names the roots.
    #[track_caller]
    fn assert_roots(builder: ClientBuilder, roots: RootSource) {
        let error = builder.build().unwrap().get(env::var(URL).unwrap()).send().unwrap_err();
        let (refusal, named) = match roots {
            RootSource::Bundled => (": UnknownIssuer; ", "the bundled ones of Mozilla"),
            RootSource::Program => (": BadSignature; ", "only those that the program added"),
            RootSource::Platform => (": UnknownIssuer; ", "those of the operating system"),
            RootSource::Environment => {
                (": BadSignature; ", "those of SSL_CERT_FILE and SSL_CERT_DIR")
            }
            _ => panic!("{roots:?}"),
        };
        let line = error.to_string();
        assert!(line.contains(refusal), "{line}");
        assert!(line.ends_with(&format!("; the trusted roots are {named}")), "{line}");
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn trusted_by_default() {
        let also = Client::builder().add_root_certificate(root(&Pki::new()));
        let pinned = Client::builder().danger_accept_invalid_hostnames(true);
        for builder in
            [Client::builder(), Client::builder().tls_roots(Roots::Environment), also, pinned]
        {
            let response = builder.build().unwrap().get(env::var(URL).unwrap()).send().unwrap();
            assert_eq!(response.tls().unwrap().roots(), RootSource::Environment);
        }
        let anyone = Client::builder().danger_accept_invalid_certs(true).build().unwrap();
        let response = anyone.get(env::var(URL).unwrap()).send().unwrap();
        assert_eq!(response.tls().unwrap().roots(), RootSource::Unverified);
    }

    /// The roots of the system with the feature for them, else the bundled ones. A system may have none.
    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn default_without_variables() {
        let error = Client::new().get(env::var(URL).unwrap()).send().unwrap_err().to_string();
        let named = |roots| error.ends_with(&format!("; the trusted roots are {roots}"));
        let is_of_system = named("those of the operating system");
        assert!(error.contains(": UnknownIssuer; "), "{error}");
        assert!(is_of_system || named("the bundled ones of Mozilla"), "{error}");
        assert!(!is_of_system || cfg!(feature = "platform-verifier"), "{error}");
        // Settings that the verifier of the system does not support do not become errors.
        let pki = Pki::new();
        let strict = Client::builder().add_crl(crl(&pki.crl_pem())).build().unwrap();
        let line = strict.get(env::var(URL).unwrap()).send().unwrap_err().to_string();
        assert!(line.ends_with("; the trusted roots are the bundled ones of Mozilla"), "{line}");
        let error = Client::builder().tls_roots(Roots::Environment).build().unwrap_err();
        let line =
            "TLS settings: Roots::Environment: neither SSL_CERT_FILE nor SSL_CERT_DIR is set";
        assert_told(&error, line);
        if cfg!(not(feature = "platform-verifier")) {
            let error = Client::builder().tls_roots(Roots::Platform).build().unwrap_err();
            let line =
                "TLS settings: Roots::Platform: needs the feature `platform-verifier` of leanhttp";
            assert_told(&error, line);
        }
    }

    /// Each https request fails, and no request without TLS does.
    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn is_a_mistake_by_default() {
        let line = format!("TLS settings: {}", env::var(URL).unwrap());
        let client = Client::new();
        let unsafe_server = Script::serve(vec![answer(ok(""))]);
        assert_eq!(client.get(unsafe_server.url("/")).send().unwrap().status(), 200);
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        for _ in 0..2 {
            let error = client.get(server.url("/get")).send().unwrap_err();
            assert!(error.to_string().contains(&line), "{error} and not {line}");
        }
        assert!(server.requests_seen().is_empty());
        // A setting of the program's that is about TLS is checked by `build`, and so are the roots.
        let error = Client::builder().tls_sni(true).build().unwrap_err();
        assert_told(&error, &line);
        // Explicit roots do not depend on the variables.
        let client = trusting(&pki).build().unwrap();
        let response = client.get(server.url("/get")).send().unwrap();
        assert_eq!(response.tls().unwrap().roots(), RootSource::Program);
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn is_a_mistake() {
        let error = Client::builder().tls_certs_from_env().build().unwrap_err();
        assert_told(&error, &env::var(URL).unwrap());
    }

    /// The file gets secrets only if the program has enabled that too.
    #[test]
    fn key_log() {
        let (pki, folder) = (Pki::new(), Folder::new("keys"));
        let server = Httpbin::start_tls(&pki);
        let url = server.url("/get");
        let roots = folder.file("ca.pem", &pki.ca_pem());
        for (name, written) in [("secrets_are_logged", true), ("secrets_are_kept", false)] {
            let keys = folder.file("keys", "");
            run(name, &[(URL, &url), ("SSL_CERT_FILE", &roots), ("SSLKEYLOGFILE", &keys)]);
            let keys = fs::read_to_string(keys).unwrap();
            assert_eq!(keys.contains("CLIENT_TRAFFIC_SECRET_0 "), written, "{keys}");
        }
    }

    fn get_with(builder: ClientBuilder) {
        let client = builder.tls_certs_from_env().build().unwrap();
        assert_eq!(client.get(env::var(URL).unwrap()).send().unwrap().status(), 200);
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn secrets_are_logged() {
        get_with(Client::builder().tls_sslkeylogfile(true));
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn secrets_are_kept() {
        get_with(Client::builder());
    }
}
