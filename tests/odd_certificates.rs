//! Certificates as openssl users make them, and OpenSSL servers that present them: the extent of
//! `danger_accept_invalid_certs`. `curl -k` accepts all of these.
//!
//! Needs `openssl` in the path, 3.0 or later.
#![cfg(all(unix, feature = "blocking", any(feature = "ring", feature = "aws-lc-rs")))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use leanhttp::error::Kind;
use leanhttp::tls::{SpkiSha256, Version};
use leanhttp::{Client, ClientBuilder};

/// A temporary folder, deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("leanhttp-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("these tests need openssl: {error}"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {told}");
}

/// An HTTPS server of OpenSSL with the files `cert.pem` and `key.pem`.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path) -> Server {
        let arguments =
            ["s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem", "-www"];
        let weak = ["-cipher", "DEFAULT@SECLEVEL=0"]; // it would not use such keys itself
        let mut command = Command::new("openssl");
        command.args(arguments).args(weak).current_dir(folder);
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = streams.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("ACCEPT ")
                .and_then(|place| Some(place.rsplit_once(':')?.1.to_owned()))
        });
        // The rest of the output is small and is not read.
        let url = format!("https://localhost:{}/", port.unwrap());
        Server { process, url }
    }

    fn get(&self, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> leanhttp::Result<u16> {
        let builder = Client::builder().no_proxy().resolve("localhost", ([127, 0, 0, 1], 0).into());
        let client = set(builder).build()?;
        client.get(&self.url).send().map(|response| response.status().as_u16())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const P256: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const P521: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"];
const NAME: [&str; 4] = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];

/// A certificate that is signed by its own key.
fn self_signed(folder: &Path, key: &[&str], more: &[&str]) {
    let files = ["-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"];
    openssl(folder, &[&["req", "-x509"], key, &files, more].concat());
}

/// A certificate of version 1, which has no extensions.
fn version_1(folder: &Path) {
    let request = ["-nodes", "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost"];
    openssl(folder, &[&["req", "-new"][..], &P256, &request].concat());
    let files = ["-in", "request.pem", "-signkey", "key.pem", "-out", "cert.pem"];
    openssl(folder, &[&["x509", "-req"][..], &files].concat());
}

#[test]
fn danger_accept_invalid_certs_accepts_unusual_certificates() {
    let rsa = |size| ["-newkey", size];
    let with = |more: [&'static str; 2]| [&NAME[..], &more].concat();
    let name = NAME.to_vec();
    let rows: Vec<(&str, Vec<&str>, Vec<&str>)> = vec![
        ("version 1", vec![], vec![]),
        ("RSA of 1024 bits", rsa("rsa:1024").to_vec(), name.clone()),
        ("RSA of 2048 bits", rsa("rsa:2048").to_vec(), name.clone()),
        ("RSA-PSS", rsa("rsa-pss").to_vec(), name.clone()),
        ("P-521", P521.to_vec(), name.clone()),
        ("Ed25519", rsa("ed25519").to_vec(), name.clone()),
        ("Ed448", rsa("ed448").to_vec(), name.clone()),
        ("authority", P256.to_vec(), with(["-addext", "basicConstraints=critical,CA:TRUE"])),
        (
            "unknown critical extension",
            P256.to_vec(),
            with(["-addext", "1.2.3.4=critical,ASN1:UTF8String:x"]),
        ),
        ("for clients", P256.to_vec(), with(["-addext", "extendedKeyUsage=clientAuth"])),
        ("serial number below zero", P256.to_vec(), with(["-set_serial", "-5"])),
        ("SHA-1", rsa("rsa:2048").to_vec(), [&NAME[..], &["-sha1"]].concat()),
        ("no names", P256.to_vec(), vec!["-subj", "/O=nobody"]),
    ];
    for (what, key, more) in rows {
        let folder = Folder::new("odd");
        match key.as_slice() {
            [] => version_1(&folder.0),
            key => self_signed(&folder.0, key, &more),
        }
        let server = Server::start(&folder.0);
        let danger = |builder: ClientBuilder| builder.danger_accept_invalid_certs(true);
        assert_eq!(server.get(danger).unwrap_or_else(|error| panic!("{what}: {error}")), 200);
        let refused = server.get(|builder| builder).unwrap_err();
        assert_eq!(refused.kind(), Kind::Tls, "{what}: {refused}");
        // TLS 1.2 requires that the certificate's curve is one that the client offers, which are
        // the provider's; rustls ties cipher suites to the signature schemes that it knows.
        if !matches!(what, "P-521" | "Ed448" | "RSA-PSS") {
            let old = |builder| danger(builder).tls_version_max(Version::TLS_1_2);
            assert_eq!(server.get(old).unwrap_or_else(|error| panic!("{what}: {error}")), 200);
        }
    }
}

/// Without proof that the server has the key, a pin would be worthless, because the certificate is
/// public.
#[test]
fn a_pinned_key_must_be_of_a_supported_algorithm() {
    for (key, size, is_verified) in [("rsa:2048", 2048, true), ("rsa:1024", 1024, false)] {
        let folder = Folder::new(&format!("pins-{size}"));
        self_signed(&folder.0, &["-newkey", key], &NAME);
        let server = Server::start(&folder.0);
        let pinned = |pin: SpkiSha256| {
            server
                .get(|builder| builder.danger_accept_invalid_certs(true).tls_pin_spki_sha256([pin]))
        };
        // The error for another pin names the right one.
        let line = pinned(SpkiSha256::from([7; 32])).unwrap_err().to_string();
        let (_, found) = line.split_once("the public key ").unwrap_or_else(|| panic!("{line}"));
        let pin: SpkiSha256 = found.split(' ').next().unwrap().parse().unwrap();
        match (pinned(pin), is_verified) {
            (Ok(status), true) => assert_eq!(status, 200),
            (Err(error), false) => {
                let told = "the cryptography provider verifies no signature of this kind of key";
                assert!(error.to_string().contains(told), "{error}");
            }
            (outcome, _) => panic!("{key}: {outcome:?}"),
        }
    }
}
