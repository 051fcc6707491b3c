use leanhttp_programs::{Outcome, drain, run};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let mut config = Agent::config_builder();
        if let Some(pem) = certificate {
            let roots = RootCerts::new_with_certs(&[Certificate::from_pem(pem.as_bytes())?]);
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        let agent: Agent = config.build().into();
        drain(agent.get(url).call()?.body_mut().as_reader())
    })
}
