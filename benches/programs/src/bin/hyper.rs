use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use leanhttp_programs::{Outcome, run};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Builder;

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(get(url, certificate))
    })
}

async fn get(url: &str, certificate: Option<&str>) -> Outcome<u64> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = certificate {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes())?)?;
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::get(url).body(Empty::<Bytes>::new())?;
    let mut body = client.request(request).await?.into_body();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        total += frame?.data_ref().map_or(0, Bytes::len) as u64;
    }
    Ok(total)
}
