use std::mem;

use leanhttp_programs::{Outcome, drain, run};
use reqwest::blocking::Client;
use reqwest::tls::Certificate;

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder();
        if let Some(pem) = certificate {
            builder = builder.tls_certs_only([Certificate::from_pem(pem.as_bytes())?]);
        }
        let client = builder.build()?;
        // The client's thread ends with it, and then its CPU time could no longer be read.
        mem::forget(client.clone());
        drain(client.get(url).send()?.error_for_status()?)
    })
}
