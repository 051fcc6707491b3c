use attohttpc::Session;
use leanhttp_programs::{Outcome, drain, run};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let mut session = Session::new();
        if let Some(pem) = certificate {
            session.add_root_certificate(CertificateDer::from_pem_slice(pem.as_bytes())?);
        }
        drain(session.get(url).send()?.error_for_status()?)
    })
}
