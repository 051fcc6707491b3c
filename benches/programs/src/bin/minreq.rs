//! minreq cannot trust a given certificate.

use leanhttp_programs::{Outcome, drain, run};

fn main() -> Outcome<()> {
    run(|url, _| drain(minreq::get(url).send_lazy()?))
}
