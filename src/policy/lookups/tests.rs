use proptest::prelude::*;

use super::*;

fn start_all(queue: &mut LookupQueue<String>) -> Vec<String> {
    std::iter::from_fn(|| queue.next(|_| true, &mut Vec::new())).collect()
}

fn add(queue: &mut LookupQueue<String>, host: &str) {
    queue.add(host, host.to_owned());
}

/// The names of one site, or of several, leave room for those of another.
#[test]
fn sites_get_their_shares() {
    for (sites, expected) in [(1, 13), (8, 41), (30, 57), (200, MAX_RUNNING)] {
        let mut queue = LookupQueue::default();
        (0..1000).for_each(|n| add(&mut queue, &format!("{n}.silent{}.test", n % sites)));
        assert_eq!(start_all(&mut queue).len(), expected, "{sites} sites");
        add(&mut queue, "other.test");
        let started = start_all(&mut queue);
        assert_eq!(started, if sites < 200 { &["other.test"][..] } else { &[] }, "{sites}");
    }
}

#[test]
fn sites_take_turns_and_names_keep_their_order() {
    let mut queue = LookupQueue::default();
    for host in ["1.a.test", "2.a.test", "3.a.test", "1.b.test", "2.b.test", "1.c.test"] {
        add(&mut queue, host);
    }
    let expected = ["1.a.test", "1.b.test", "1.c.test", "2.a.test", "2.b.test", "3.a.test"];
    assert_eq!(start_all(&mut queue), expected);
    assert_eq!(queue.busiest_site(), Some(("a.test", 3)));
    expected.iter().for_each(|host| queue.end(host));
    assert!(queue.running() == 0 && queue.sites.is_empty() && queue.turns.is_empty());
}

#[test]
fn unwanted_lookups_do_not_run() {
    let mut queue = LookupQueue::default();
    for host in ["1.a.test", "2.a.test", "1.b.test"] {
        add(&mut queue, host);
    }
    let mut unwanted = Vec::new();
    let next = queue.next(|host| host == "2.a.test", &mut unwanted);
    assert_eq!(
        (next.as_deref(), unwanted.as_slice()),
        (Some("2.a.test"), &["1.a.test".to_owned()][..])
    );
    assert_eq!(queue.next(|_| false, &mut unwanted), None);
    queue.end("2.a.test");
    assert!(queue.sites.is_empty() && queue.turns.is_empty());
}

proptest! {
    /// No lookup is lost or runs twice, never too many run, a free slot is not left to a site
    /// without a running lookup, and ended lookups leave nothing behind.
    #[test]
    fn every_lookup_runs_once(
        steps in prop::collection::vec((0..6_usize, 0..4_usize), 1..600),
    ) {
        let (mut queue, mut running, mut added, mut started) =
            (LookupQueue::default(), Vec::new(), 0, 0);
        for (site, ends) in steps {
            queue.add(&format!("s{site}.test"), format!("s{site}.test"));
            added += 1;
            let now = start_all(&mut queue);
            started += now.len();
            running.extend(now);
            prop_assert_eq!(queue.running(), running.len());
            prop_assert!(running.len() <= MAX_RUNNING);
            prop_assert_eq!(started + queue.waiting(), added);
            let is_idle = |site: &SiteLookups<_>| site.running == 0;
            prop_assert!(running.len() == MAX_RUNNING || !queue.sites.values().any(is_idle));
            for _ in 0..ends.min(running.len()).saturating_sub(2) {
                queue.end(&running.remove(0));
            }
        }
        while let Some(host) = running.pop() {
            queue.end(&host);
            let now = start_all(&mut queue);
            started += now.len();
            running.extend(now);
        }
        prop_assert_eq!(started, added);
        prop_assert!(queue.sites.is_empty() && queue.turns.is_empty());
    }
}

#[test]
fn the_site_is_the_registrable_domain() {
    let two_labels = [
        ("", ""),
        (".", ""),
        ("localhost", "localhost"),
        ("a.test", "a.test"),
        ("a.test.", "a.test"),
        ("b.a.test", "a.test"),
        ("d.c.b.a.test.", "a.test"),
    ];
    for (host, expected) in two_labels {
        assert_eq!(site_of(host), expected, "{host}");
    }
    let uk = if cfg!(feature = "public-suffix") { "a.co.uk" } else { "co.uk" };
    assert_eq!(site_of("b.a.co.uk"), uk);
}
