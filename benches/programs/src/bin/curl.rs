use curl::easy::Easy;
use leanhttp_programs::{Outcome, run};

fn main() -> Outcome<()> {
    run(|url, certificate| {
        let mut handle = Easy::new();
        handle.url(url)?;
        handle.fail_on_error(true)?;
        if let Some(pem) = certificate {
            handle.ssl_cainfo_blob(pem.as_bytes())?;
        }
        let mut total = 0;
        let mut transfer = handle.transfer();
        transfer.write_function(|piece| {
            total += piece.len() as u64;
            Ok(piece.len())
        })?;
        transfer.perform()?;
        drop(transfer);
        Ok(total)
    })
}
