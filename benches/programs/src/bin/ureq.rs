use leanhttp_programs::{Outcome, drain, run};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let certificate = Certificate::from_pem(certificate.as_bytes())?;
        let roots = RootCerts::new_with_certs(&[certificate]);
        let tls = TlsConfig::builder().root_certs(roots).build();
        let agent: Agent = Agent::config_builder().tls_config(tls).build().into();
        drain(agent.get(url).call()?.body_mut().as_reader())
    })
}
