use super::*;

#[test]
fn events_of_one_time_happen_in_the_order_of_scheduling() {
    let mut agenda = Agenda::default();
    let at = Duration::from_secs;
    for (time, name) in [(2, "c"), (1, "a"), (2, "d"), (1, "b")] {
        agenda.schedule(at(time), name);
    }
    let cancelled = agenda.schedule(at(1), "x");
    assert_eq!(agenda.cancel(cancelled), Some("x"));
    let all: Vec<_> = std::iter::from_fn(|| agenda.next()).collect();
    assert_eq!(all, ["a", "b", "c", "d"]);
    assert_eq!(agenda.now(), at(2));
}

#[test]
fn the_clock_moves_to_the_given_time_after_all_events_that_are_due() {
    let mut agenda = Agenda::default();
    let at = Duration::from_secs;
    agenda.schedule(at(1), "due");
    agenda.schedule(at(3), "not due");
    assert_eq!(agenda.next_until(at(2)), Some("due"));
    assert_eq!(agenda.next_until(at(2)), None);
    assert_eq!(agenda.now(), at(2));
    assert_eq!(agenda.next_time(), Some(at(3)));
}
