//! A socket, rustls for TLS, and one call of httparse.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use leanhttp_programs::{Outcome, SPACE, drain, run};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let (scheme, rest) = url.split_once("://").ok_or("no scheme")?;
        let (authority, path) = rest.split_once('/').ok_or("no path")?;
        let socket = TcpStream::connect(authority)?;
        socket.set_nodelay(true)?;
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nAccept: */*\r\n\r\n");
        if scheme == "http" {
            return get(socket, &request);
        }
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let pem = certificate.ok_or("no certificate")?;
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes())?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let (host, _) = authority.split_once(':').ok_or("no port")?;
        let name = ServerName::try_from(host)?.to_owned();
        get(StreamOwned::new(ClientConnection::new(Arc::new(config), name)?, socket), &request)
    })
}

/// Reads a body with a Content-Length.
fn get(mut stream: impl Read + Write, request: &str) -> Outcome<u64> {
    stream.write_all(request.as_bytes())?;
    let mut space = vec![0; SPACE];
    let mut held = 0;
    loop {
        held += match stream.read(&mut space[held..])? {
            0 => return Err("no answer".into()),
            count => count,
        };
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut head = httparse::Response::new(&mut fields);
        if let httparse::Status::Complete(start) = head.parse(&space[..held])? {
            let length = head.headers.iter().find(|it| it.name == "Content-Length");
            let length: u64 = str::from_utf8(length.ok_or("no length")?.value)?.parse()?;
            let come = (held - start) as u64;
            return Ok(come + drain(stream.take(length - come))?);
        }
    }
}
