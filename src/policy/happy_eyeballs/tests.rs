use super::*;

fn addresses(text: &str) -> Vec<SocketAddr> {
    let one = |name: &str| match name.strip_prefix('4') {
        Some(last) => format!("10.0.0.{last}:80").parse().unwrap(),
        None => format!("[fd00::{}]:80", &name[1..]).parse().unwrap(),
    };
    text.split_whitespace().map(one).collect()
}

#[test]
fn families_take_turns() {
    let rows = [
        ("", ""),
        ("41", "41"),
        ("41 42 43", "41 42 43"),
        ("61 62 41 42", "61 41 62 42"),
        ("41 61 62 63", "41 61 62 63"),
        ("61 62 63 41", "61 41 62 63"),
        ("41 42 61", "41 61 42"),
    ];
    for (given, expected) in rows {
        assert_eq!(interleave(&addresses(given)), addresses(expected), "{given}");
    }
}

fn none() -> Option<Duration> {
    None
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn attempts_start_250_ms_apart() {
    let all = addresses("61 41 62");
    let start = Instant::now();
    let mut race = Race::new(&all);
    assert_eq!(race.step(start, none), Move::Start(all[0]));
    assert_eq!(race.step(start, none), Move::Wait(Some(ms(250))));
    assert_eq!(race.step(start + ms(100), none), Move::Wait(Some(ms(150))));
    assert_eq!(race.step(start + ms(250), none), Move::Start(all[1]));
    assert_eq!(race.step(start + ms(250), none), Move::Wait(Some(ms(250))));
    assert_eq!(race.step(start + ms(600), none), Move::Start(all[2]));
    assert_eq!(race.step(start + ms(600), none), Move::Wait(None), "there is no other");
}

/// With an unresponsive first address, each of the others is tried within the limit.
#[test]
fn attempts_share_the_remaining_time() {
    let cases = [
        // (addresses, limit, start times)
        (2, 100, vec![0, 50]),
        (2, 20, vec![0, 10]),
        (4, 400, vec![0, 100, 200, 300]),
        (8, 1000, vec![0, 125, 250, 375, 500, 625, 750, 875]),
        (2, 10_000, vec![0, 250]),
        (3, 700, vec![0, 233, 466]),
        // The minimum delay of the RFC takes precedence.
        (4, 20, vec![0, 10]),
        (2, 5, vec![0]),
    ];
    for (count, limit, expected) in cases {
        let start = Instant::now();
        let names: Vec<_> = (1..=count).map(|last| format!("4{last}")).collect();
        let mut race = Race::new(&addresses(&names.join(" ")));
        let mut started = Vec::new();
        for at in 0..limit {
            let left = || Some(ms(limit - at));
            while let Move::Start(_) = race.step(start + ms(at), left) {
                started.push(at);
            }
        }
        let is_near = |(at, wanted): (&u64, &u64)| at.abs_diff(*wanted) <= 2;
        let is_near = started.iter().zip(&expected).all(is_near);
        assert!(is_near && started.len() == expected.len(), "{count} in {limit}: {started:?}");
    }
}

/// Each pending attempt uses a file descriptor.
#[test]
fn thousands_of_addresses_are_not_all_tried() {
    let start = Instant::now();
    let names: Vec<_> = (0..4000).map(|n: u16| format!("6{n:x}")).collect();
    let mut race = Race::new(&addresses(&names.join(" ")));
    let started = (0..10_000).filter(|at| {
        let left = || Some(ms(10_000 - at));
        matches!(race.step(start + ms(*at), left), Move::Start(_))
    });
    let started = started.count();
    assert!((40..120).contains(&started), "{started}");
}

#[test]
fn a_failure_starts_the_next_attempt_immediately() {
    let all = addresses("41 42 43");
    let start = Instant::now();
    let mut race = Race::new(&all);
    assert_eq!(race.step(start, none), Move::Start(all[0]));
    race.failed(start + ms(10));
    assert_eq!(race.step(start + ms(10), none), Move::Start(all[1]));
    assert_eq!(race.step(start + ms(260), none), Move::Start(all[2]));
    race.failed(start + ms(300));
    assert_eq!(race.step(start + ms(300), none), Move::Wait(None), "one is still running");
    race.failed(start + ms(301));
    assert_eq!(race.step(start + ms(301), none), Move::Lost);
}

#[test]
fn a_race_without_addresses_is_lost() {
    assert_eq!(Race::new(&[]).step(Instant::now(), none), Move::Lost);
}
