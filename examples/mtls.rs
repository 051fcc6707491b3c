//! A server with a certificate of your own authority, which asks its clients for certificates (mTLS).
//!
//! ```text
//! cargo run --example mtls [URL [CA.pem [CLIENT.pem]]]
//! ```
//!
//! CLIENT.pem has the certificate of the client and its private key.

use std::{env, error::Error, fs};

use leanhttp::{Certificate, Client, Identity};

fn main() -> Result<(), Box<dyn Error>> {
    let argument = |n, default: &str| env::args().nth(n).unwrap_or_else(|| default.to_owned());
    let url = argument(1, "https://localhost:8443/");
    let ca = fs::read(argument(2, "ca.pem"))?;
    let client = fs::read(argument(3, "client.pem"))?;

    // `tls_certs_only` trusts this authority alone; `tls_certs_merge` adds it to the public ones.
    let client = Client::builder()
        .tls_certs_only([Certificate::from_pem(&ca)?])
        .identity(Identity::from_pem(&client)?)
        .build()?;

    let response = client.get(url).send()?.error_for_status()?;
    println!("{:?}", response.tls());
    println!("{}", response.text()?);
    Ok(())
}
