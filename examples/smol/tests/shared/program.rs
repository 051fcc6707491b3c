//! The example itself, against a server that answers like httpbin, plain and over TLS.

use std::process::Command;

use crate::support::httpbin::Httpbin;
use crate::support::pki::Pki;

#[test]
fn the_example_does_what_it_says() {
    let (plain, pki) = (Httpbin::start(), Pki::new());
    let tls = Httpbin::start_tls(&pki);
    let roots = std::env::temp_dir().join(format!("leanhttp-smol-{}.pem", std::process::id()));
    std::fs::write(&roots, pki.ca_pem()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_leanhttp-smol"))
        .args([plain.url(""), tls.url("/get")])
        .env("SSL_CERT_FILE", &roots)
        .output()
        .unwrap();
    std::fs::remove_file(&roots).unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let said = [
        "POST of JSON: [1,2,3]",
        "POST of a reader: 200 OK",
        "chunk of ",
        "TLS: 200 OK",
        "timeout: ",
        "dropped: true",
    ];
    for part in said {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
