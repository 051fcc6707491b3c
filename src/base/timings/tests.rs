use super::*;

#[test]
fn laps_follow_each_other_and_hops_add_up() {
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut timings = Timings::start(start);
    for (lap, now) in [
        (Lap::Queue, 1),
        (Lap::Resolve, 3),
        (Lap::Connect, 6),
        (Lap::Handshake, 10),
        (Lap::Request, 15),
        (Lap::FirstByte, 21),
    ] {
        timings.lap(lap, at(now));
    }
    timings.next_hop(at(100));
    timings.lap(Lap::Request, at(101));
    // The system's clock may go backward, and a phase may occur twice: neither may panic.
    timings.lap(Lap::Request, at(90));
    timings.lap(Lap::Request, at(92));
    let millis = |time: Option<Duration>| time.map(|time| time.as_millis());
    let hops: Vec<_> = timings
        .attempts()
        .map(|hop| {
            [
                hop.queue(),
                hop.resolve(),
                hop.connect(),
                hop.handshake(),
                hop.request(),
                hop.first_byte(),
            ]
            .map(millis)
        })
        .collect();
    let first = [1, 2, 3, 4, 5, 6].map(Some);
    assert_eq!(hops, [first, [None, None, None, None, Some(3), None]]);
    assert_eq!(timings.total(), Duration::from_millis(92));
    assert_eq!(timings.attempts().last().unwrap().start(), Duration::from_millis(100));
}

#[test]
fn a_waterfall_shows_each_phase_at_its_place() {
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut timings = Timings::start(start);
    timings.lap(Lap::Resolve, at(10));
    timings.lap(Lap::Connect, at(20));
    timings.next_hop(at(30));
    timings.lap(Lap::Request, at(30));
    timings.lap(Lap::FirstByte, at(40));
    let expected = [
        "attempt 1",
        "  resolve        10.000 ms |##########                              |",
        "  connect        10.000 ms |          ##########                    |",
        "attempt 2",
        "  request         0.000 ms |                              #         |",
        "  first byte     10.000 ms |                              ##########|",
        "total            40.000 ms",
    ];
    assert_eq!(timings.to_string(), expected.join("\n"));
    let empty = Timings::start(start);
    assert_eq!(empty.to_string(), "attempt 1\ntotal             0.000 ms");
    // A phase that ends after the last one, or that took no time in a call of no time.
    let mut odd = Timings::start(start);
    odd.lap(Lap::Request, start);
    odd.next_hop(at(50));
    odd.lap(Lap::Request, start);
    assert_eq!(odd.to_string().matches('#').count(), 1 + 1);
}
