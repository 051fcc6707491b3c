//! The logger is the program's code: it may use the client, and it may panic, in the middle of a
//! call, when a connection is closed, and while another panic unwinds.
#![cfg(all(feature = "blocking", feature = "log"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use leanhttp::blocking::Client;
use log::{LevelFilter, Log, Metadata, Record};

use support::script::{Script, answer, moved, ok};

struct Foreign;

static CLIENT: Mutex<Option<Client>> = Mutex::new(None);
static PANICS: AtomicBool = AtomicBool::new(false);
static LINES: AtomicUsize = AtomicUsize::new(0);

impl Log for Foreign {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if !record.target().starts_with("leanhttp") {
            return;
        }
        LINES.fetch_add(1, Ordering::SeqCst);
        if PANICS.load(Ordering::SeqCst) {
            panic!("a logger that panics");
        }
        let client = CLIENT.lock().unwrap().clone();
        let Some(client) = client else { return };
        let _ = (client.pool_stats(), format!("{client:?}"));
    }

    fn flush(&self) {}
}

/// One test, because all share the logger of the process.
#[test]
fn s11_a_logger_may_use_the_client_and_may_panic() {
    log::set_logger(&Foreign).unwrap();
    log::set_max_level(LevelFilter::Trace);
    for panics in [false, true] {
        let client = Client::builder().no_proxy().pool_max_open_per_host(1);
        let client = client.pool_idle_timeout(Duration::from_millis(1)).build().unwrap();
        *CLIENT.lock().unwrap() = Some(client.clone());
        PANICS.store(panics, Ordering::SeqCst);
        let before = LINES.load(Ordering::SeqCst);
        let target = Script::serve(vec![answer(ok("1"))]);
        let first = moved(302, &target.url("/to"));
        let server = Script::serve(vec![first, answer(ok("2")), answer(ok("3"))]);
        let others = [answer(ok("a")), answer(ok("b"))].map(|served| Script::serve(vec![served]));
        let get = |server: &Script| client.get(server.url("/")).send().unwrap().text().unwrap();
        assert_eq!(get(&server), "1");
        // Several connections that were idle too long are closed together.
        others.iter().for_each(|other| drop(get(other)));
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(get(&server), "2");
        // A connection is closed while a panic of the caller unwinds.
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            std::thread::sleep(Duration::from_millis(5));
            let _response = client.get(server.url("/")).send().unwrap();
            client.close_idle_connections();
            panic!("the caller's own");
        }));
        assert!(unwound.is_err());
        assert!(LINES.load(Ordering::SeqCst) > before + 5, "it was asked");
        assert_eq!(client.pool_stats().waiting, 0);
        *CLIENT.lock().unwrap() = None;
    }
    PANICS.store(false, Ordering::SeqCst);
}
