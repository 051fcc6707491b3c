use leanhttp_programs::{Outcome, drain, run};
use reqwest::blocking::Client;
use reqwest::tls::Certificate;

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = Certificate::from_pem(certificate.as_bytes())?;
        let client = Client::builder().tls_certs_only([certificate]).build()?;
        drain(client.get(url).send()?.error_for_status()?)
    })
}
