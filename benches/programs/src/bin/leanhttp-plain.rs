//! Without TLS.

use leanhttp::Client;
use leanhttp_programs::{Outcome, drain, run};

fn main() -> Outcome<()> {
    run(|url, _| drain(Client::new().get(url).send()?.error_for_status()?))
}
