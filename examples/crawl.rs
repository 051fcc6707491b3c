//! Follows the links of a site with eight threads. They share one client, and so its connections.
//!
//! ```text
//! cargo run --example crawl [URL]
//! ```

use std::collections::HashSet;
use std::{env, error::Error, sync::Mutex, thread};

use leanhttp::{Client, Url};

const THREADS: usize = 8;
const MOST_PAGES: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let start = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/links/10/0".to_owned());
    let start = Url::parse(&start)?;
    let client = Client::new();

    let mut seen = HashSet::from([start.clone()]);
    let mut round = vec![start.clone()];
    while !round.is_empty() {
        let (pages, found) = (Mutex::new(round.into_iter()), Mutex::new(Vec::new()));
        let next = || pages.lock().ok()?.next();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while let Some(url) = next() {
                        let links = links(&client, url).unwrap_or_else(|error| {
                            println!("{error}");
                            Vec::new()
                        });
                        found.lock().map(|mut found| found.extend(links)).ok();
                    }
                });
            }
        });
        round = found.into_inner()?;
        round.retain(|link| link.origin() == start.origin() && seen.insert(link.clone()));
        round.truncate(MOST_PAGES.saturating_sub(seen.len() - round.len()));
    }
    println!("{} pages", seen.len());
    Ok(())
}

fn links(client: &Client, url: Url) -> leanhttp::Result<Vec<Url>> {
    let response = client.get(url).send()?.error_for_status()?;
    let base = response.url().clone(); // redirects may have led elsewhere
    let page = response.text()?;
    let targets = page.split("href=").skip(1).filter_map(|tag| tag.split(['"', '\'']).nth(1));
    let links: Vec<Url> = targets.filter_map(|target| base.join(target).ok()).collect();
    println!("{base}: {} links", links.len());
    Ok(links)
}
