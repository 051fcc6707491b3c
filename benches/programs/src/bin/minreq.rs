//! It takes no certificate of one's own.

use leanhttp_programs::{Outcome, drain, run};

fn main() -> Outcome<()> {
    run(|url, _| drain(minreq::get(url).send_lazy()?))
}
