use super::*;
use crate::policy::deadline::Provisional;

/// Each timeout of a request replaces that of the client, and `UNLIMITED` takes it away.
#[test]
fn a_request_changes_or_removes_each_limit_of_its_client() {
    type Set = fn(&mut Overrides, Duration);
    type Get = fn(&Timeouts) -> Option<Duration>;
    let rows: [(Set, Get); 5] = [
        (|own, limit| own.total = Some(limit), |timeouts| timeouts.total),
        (|own, limit| own.connect = Some(limit), |timeouts| timeouts.connect),
        (|own, limit| own.write = Some(limit), |timeouts| timeouts.write),
        (|own, limit| own.read = Some(limit), |timeouts| timeouts.read),
        (|own, limit| own.first_byte = Some(limit), |timeouts| timeouts.first_byte),
    ];
    let second = Duration::from_secs(1);
    let mut client = Timeouts { total: Some(9 * second), ..Timeouts::default() };
    client.connect = Some(9 * second);
    client.write = Some(9 * second);
    client.set_read(Some(9 * second));
    client.set_first_byte(Some(9 * second));
    for (at, (set, get)) in rows.into_iter().enumerate() {
        assert_eq!(get(&Overrides::default().over(&client)), Some(9 * second), "row {at}");
        for (limit, expected) in [(second, Some(second)), (UNLIMITED, None)] {
            let mut own = Overrides::default();
            set(&mut own, limit);
            assert_eq!(get(&own.over(&client)), expected, "row {at}");
        }
    }
}

/// The total of a request replaces what its client has by default, not what was set on either.
#[test]
fn a_total_replaces_provisional_limits() {
    let second = Duration::from_secs(1);
    let limits = |timeouts: &Timeouts| (timeouts.connect, timeouts.read, timeouts.write);
    let mut client = Timeouts { provisional: Provisional::ALL, ..Timeouts::default() };
    let defaults = limits(&client);
    let none = Overrides::default();
    assert_eq!(limits(&none.over(&client)), defaults);
    for total in [second, UNLIMITED] {
        let own = Overrides { total: Some(total), ..Overrides::default() };
        assert_eq!(limits(&own.over(&client)), (None, None, None));
        assert_eq!(limits(&own.over(&Timeouts::default())), defaults, "not provisional");
    }
    let total = Some(second);
    let own = Overrides { total, write: Some(2 * second), ..Overrides::default() };
    client.set_connect(Some(3 * second));
    assert_eq!(limits(&own.over(&client)), (Some(3 * second), None, Some(2 * second)));
    client.set_total(None);
    assert_eq!(limits(&client), (Some(3 * second), None, None));
    client.set_read(Some(4 * second));
    client.set_total(total);
    assert_eq!(limits(&client), (Some(3 * second), Some(4 * second), None));
}
