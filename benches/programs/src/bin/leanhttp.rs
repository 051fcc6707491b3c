use leanhttp::{Certificate, Client};
use leanhttp_programs::{Outcome, drain, run};

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let certificate = Certificate::from_pem(certificate.as_bytes())?;
        let client = Client::builder().add_root_certificate(certificate).build()?;
        drain(client.get(url).send()?.error_for_status()?)
    })
}
