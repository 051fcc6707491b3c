//! Endurance: many threads on one client, bodies of all sizes in both directions, plain and over
//! TLS, directly and through a relay that disturbs connections. Every body is correct or an error
//! in time, and nothing leaks: no connection, no descriptor, no thread, no memory.
//!
//! | variable | default | |
//! | --- | --- | --- |
//! | `LEANHTTP_SOAK_SECONDS` | 3 | duration |
//! | `LEANHTTP_SOAK_SEED` | the time | determines requests and faults; their order depends on the threads |
//! | `LEANHTTP_SOAK_GROWTH` | 64 | most memory, in MiB, by which the last third of the time may exceed the second |
//!
//! The GNU allocator retains freed memory. It shows much smaller leaks if it is configured not to,
//! as `.ci/run soak` does; that also prints the summary.
#![cfg(all(
    feature = "blocking",
    feature = "tls",
    feature = "ring",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart"
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub, reason = "a test")]

mod support;

mod soak {
    pub mod content;
    pub mod dice;
    pub mod relay;
    pub mod server;
    pub mod tally;
    pub mod worker;
}

use std::env;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use leanhttp::Certificate;
use leanhttp::blocking::Client;

use soak::dice::Dice;
use soak::relay::Relay;
use soak::server::Server;
use soak::tally::{Holdings, Tally, memory};
use soak::worker::{Site, Way, Worker};
use support::pki::{Leaf, Pki};

const WORKERS: u64 = 32;

#[test]
fn many_threads_leak_nothing() {
    let seconds = variable("LEANHTTP_SOAK_SECONDS").unwrap_or(3);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let seed = variable("LEANHTTP_SOAK_SEED").unwrap_or(now.as_secs());
    println!("LEANHTTP_SOAK_SECONDS={seconds} LEANHTTP_SOAK_SEED={seed}");
    let before = Holdings::now();
    let peaks = {
        let stage = Stage::start(seed);
        let client = stage.client();
        let (tally, peaks) = work(&client, &stage, Duration::from_secs(seconds), seed);
        let stats = client.pool_stats();
        println!("{tally}{stage}at the end {stats:?}");
        assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
        assert!(stage.faults().is_empty(), "{}", stage.faults().join("\n"));
        assert_eq!(stats.open, stats.idle, "leaked connections");
        drop(client);
        assert!(eventually(|| stage.open() == 0), "{} connections are left", stage.open());
        peaks
    };
    eventually(|| Holdings::now() == before);
    assert_eq!(Holdings::now(), before, "the resources of the process");
    println!(
        "memory     {} MiB, {} MiB, {} MiB at most in each third",
        peaks[0], peaks[1], peaks[2]
    );
    let growth = variable("LEANHTTP_SOAK_GROWTH").unwrap_or(64);
    assert!(peaks[2] <= peaks[1] + growth, "it grows: {peaks:?} MiB");
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap())
}

fn eventually(holds: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
    holds()
}

/// Runs all threads; returns the peak memory in each third of the time.
fn work(client: &Client, stage: &Stage, time: Duration, seed: u64) -> (Tally, [u64; 3]) {
    let (began, sites) = (Instant::now(), stage.sites());
    let mut tally = Tally::default();
    let mut peaks = [0; 3];
    let worker = |number| {
        let (dice, tally) = (Dice::new(seed, number), Tally::default());
        Worker { number, client, sites: &sites, dice, tally, count: 0 }
    };
    thread::scope(|scope| {
        let workers = (0..WORKERS).map(worker);
        let workers = workers.map(|worker| scope.spawn(move || worker.work_until(began + time)));
        let workers: Vec<_> = workers.collect();
        while began.elapsed() < time {
            let third = began.elapsed().as_millis() * 3 / time.as_millis();
            let peak = &mut peaks[(third as usize).min(2)];
            *peak = memory().max(*peak);
            thread::sleep(Duration::from_millis(20));
        }
        workers.into_iter().for_each(|worker| tally.add(worker.join().unwrap()));
    });
    (tally, peaks)
}

/// The servers, and the relays in front of them.
struct Stage {
    servers: [Server; 2],
    relays: [Relay; 2],
    root: Certificate,
}

impl Stage {
    fn start(seed: u64) -> Stage {
        let pki = Pki::new();
        let servers = [Server::start(None), Server::start(Some(pki.server_config(Leaf::Good)))];
        let relays = [0, 1].map(|i| Relay::start(servers[i].addr(), seed + i as u64));
        let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        Stage { servers, relays, root }
    }

    fn client(&self) -> Client {
        let roots = [self.root.clone()];
        Client::builder().no_proxy().cookie_store(true).tls_certs_only(roots).build().unwrap()
    }

    fn sites(&self) -> [Site; 4] {
        let direct = self.servers.iter().map(|server| (server.addr(), Way::Direct));
        let spoilt = self.relays.iter().map(|relay| (relay.addr(), Way::Spoilt));
        let mut all = direct.chain(spoilt).zip(["http", "https"].into_iter().cycle());
        [(); 4].map(|()| {
            let ((addr, way), scheme) = all.next().unwrap();
            Site { url: format!("{scheme}://{addr}"), way }
        })
    }

    fn open(&self) -> usize {
        let servers: usize = self.servers.iter().map(Server::open).sum();
        servers + self.relays.iter().map(Relay::open).sum::<usize>()
    }

    fn faults(&self) -> Vec<String> {
        self.servers.iter().flat_map(Server::faults).collect()
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let requests: usize = self.servers.iter().map(Server::requests).sum();
        let accepted: usize = self.servers.iter().map(Server::accepted).sum();
        let reused = 100 * requests.saturating_sub(accepted) / requests.max(1);
        writeln!(f, "servers    {requests} requests on {accepted} connections: {reused} % reused")
    }
}
