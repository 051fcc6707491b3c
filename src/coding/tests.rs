use super::*;
use crate::proto::testing::headers;

/// RFC 9110 §8.4: what names no coding that we know is left alone as a whole.
#[test]
fn nothing_is_planned_where_nothing_can_be_undone() {
    let cases: [&[&str]; 10] = [
        &[],
        &[""],
        &[",, ,"],
        &["identity"],
        &["Identity", "identity"],
        &["bogus"],
        &["gzip, bogus"],
        &["bogus", "gzip"],
        &["gzip;q=1"],
        &["\"gzip\""],
    ];
    for lines in cases {
        let fields: Vec<_> = lines.iter().map(|line| ("content-encoding", *line)).collect();
        assert!(plan(&headers(&fields)).unwrap().is_none(), "{lines:?}");
    }
}

#[test]
fn what_is_offered_can_be_undone() {
    for name in accept_encoding().into_iter().flat_map(|names| names.split(", ")) {
        let decoder = plan(&headers(&[("content-encoding", name)])).unwrap().unwrap();
        assert_eq!(decoder.stages.len(), 1, "{name}");
    }
    assert_eq!(accept_encoding().is_none(), CODINGS.is_empty());
}
