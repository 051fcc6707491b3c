//! The whole client in a simulated world: calls, state machines, policies, cookies, pool and the
//! real driver, against simulated servers, proxies and names, on a simulated clock. One number, the
//! seed, determines everything: the client's settings, its requests, the order of polls, the timing
//! of bytes, the responses, and the faults. After each run the rules in `check` must hold. A seed
//! that violates one fails the test and can be run again, with a trace of all events:
//!
//! ```text
//! LEANHTTP_SIMULATION_SEED=1234 cargo test --all-features --lib simulation -- --nocapture
//! LEANHTTP_SIMULATION_SEEDS=20000 cargo test --release --all-features --lib simulation
//! ```
//!
//! `plan` is what the seed determines in advance; `world`, `clock`, `line` and `executor` replace
//! the system and the runtime; `origin`, `answer`, `request` and `proxy` are the servers, which
//! share no code with the client and use rustls in `tls`; `task` is the caller; `ledger`, `framing`
//! and `check` verify.
//! `downloads` is a scenario of its own: one file, a server with several versions of it, and the downloads of it.

mod answer;
mod check;
mod clock;
#[cfg(feature = "download")]
mod downloads;
mod executor;
mod framing;
mod ledger;
mod line;
mod origin;
mod plan;
mod proxy;
mod request;
mod seed;
mod task;
mod tls;
mod world;

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{HeaderMap, HeaderValue};

use self::executor::Work;
use self::plan::{HOSTS, Plan, TaskPlan};
use self::world::{Simulated, World, with};
use crate::client::Client;
use crate::client::ClientBuilder;
use crate::config::proxy::Proxy;
use crate::cookie::Jar;
use crate::egress::EgressPolicy;
use crate::policy::retry;
use crate::redirect::Policy;

/// Number of seeds by default.
const SEEDS: u64 = 200;

/// The result of a run.
struct Outcome {
    violations: Vec<String>,
    trace: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tracing {
    Off,
    On,
}

#[test]
fn all_rules_hold_whatever_happens() {
    if let Some(seed) = number("LEANHTTP_SIMULATION_SEED") {
        return replay(seed);
    }
    let count = number("LEANHTTP_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let first = number("LEANHTTP_SIMULATION_FIRST").unwrap_or(0);
    let failed: Vec<_> = (first..first + count).filter_map(failure).take(5).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Otherwise no seed could be run again.
#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..30 {
        let [first, second] = [(); 2].map(|()| run(seed, Tracing::On));
        assert_eq!(first.trace, second.trace, "seed {seed}");
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap())
}

fn replay(seed: u64) {
    let outcome = run(seed, Tracing::On);
    println!("{}", outcome.trace.join("\n"));
    assert!(outcome.violations.is_empty(), "seed {seed}: {}", outcome.violations.join("; "));
}

fn failure(seed: u64) -> Option<String> {
    let violations = run(seed, Tracing::Off).violations;
    let failure = format!("LEANHTTP_SIMULATION_SEED={seed}: {}", violations.first()?);
    eprintln!("{failure}"); // the others may take their time
    Some(failure)
}

fn run(number: u64, tracing: Tracing) -> Outcome {
    let (plan, seed) = Plan::of(number);
    tls::begin(number);
    let trace =
        (tracing == Tracing::On).then(|| vec![format!("{:?} {:?}", plan.faults, plan.client)]);
    drop(with(|world| std::mem::replace(world, World::new(plan, seed, trace))));
    with(World::know_secrets);
    if panic::catch_unwind(AssertUnwindSafe(simulate)).is_err() {
        with(|world| world.violated("panicked"));
    }
    with(|world| Outcome {
        violations: std::mem::take(&mut world.violations),
        trace: world.trace.take().unwrap_or_default(),
    })
}

fn simulate() {
    let plan = with(|world| Arc::clone(&world.plan));
    let client = client(&plan);
    let task = |plan: &TaskPlan| {
        let work: Work = Box::pin(task::run(client.clone(), plan.clone()));
        (work, plan.cancelled_at)
    };
    executor::run(plan.tasks.iter().map(task));
    check_pool(&client);
    client.close_idle_connections();
    check_pool(&client);
    drop(client);
    executor::run(std::iter::empty());
}

/// Checks that only idle connections are left.
fn check_pool(client: &Client<Simulated>) {
    let stats = client.pool_stats();
    with(|world| world.check_rest([stats.idle, stats.open, stats.waiting]));
}

fn client(plan: &Plan) -> Client<Simulated> {
    let settings = &plan.client;
    let mut builder = ClientBuilder::<Simulated>::new()
        .redirect(if settings.redirects > 0 {
            Policy::limited(settings.redirects)
        } else {
            Policy::none()
        })
        .pool_max_idle_per_host(settings.max_idle)
        .pool_idle_timeout(settings.idle_timeout)
        .pool_max_age(settings.max_age)
        .connect_timeout(settings.limits.connect)
        .read_timeout(settings.limits.read)
        .write_timeout(settings.limits.write)
        .timeout(settings.limits.total)
        .no_proxy();
    if let Some(attempts) = settings.attempts {
        builder = builder.retry(retry::Policy::new().max_attempts(attempts));
    }
    if let Some(max) = settings.max_open {
        builder = builder.pool_max_open_per_host(max);
    }
    if let Some(proxy) = &settings.proxy {
        let url = format!("{}://{}:3128", proxy.scheme, HOSTS[4]);
        let proxy = Proxy::all(url).unwrap().basic_auth(proxy::USER, &proxy.password);
        builder = builder.proxy(proxy);
    }
    if let Some(config) = tls::client(plan) {
        builder = builder.use_preconfigured_tls(config);
    }
    if let Some(password) = &settings.credentials {
        builder = builder.basic_auth("client", Some(password));
    }
    if let Some(key) = &settings.default_secret {
        let mut key = HeaderValue::from_str(key).unwrap();
        key.set_sensitive(true);
        builder =
            builder.default_headers(HeaderMap::from_iter([("x-client-key".parse().unwrap(), key)]));
    }
    if settings.cookies {
        let jar = Jar::with_clock(|| SystemTime::UNIX_EPOCH + with(|world| world.agenda.now()));
        builder = builder.cookie_provider(Arc::new(jar));
    }
    if let Some(host) = settings.denied {
        let [v4, v6] = plan::addresses(host).map(|ip| ip.to_string().parse().unwrap());
        builder = builder.egress(EgressPolicy::allow_all().deny_network(v4).deny_network(v6));
    }
    builder.build().unwrap()
}
