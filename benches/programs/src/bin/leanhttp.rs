use leanhttp::{Certificate, Client};
use leanhttp_programs::{Outcome, drain, run};

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let mut builder = Client::builder();
        if let Some(pem) = certificate {
            builder = builder.add_root_certificate(Certificate::from_pem(pem.as_bytes())?);
        }
        let client = builder.build()?;
        drain(client.get(url).send()?.error_for_status()?)
    })
}
