use super::*;
use crate::http1::testing::headers;

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
        assert!(
            plan(&headers(&fields), Codings::default(), &Limits::default()).unwrap().is_none(),
            "{lines:?}"
        );
    }
}

#[test]
fn what_is_offered_can_be_undone() {
    for name in Codings::default().accept_encoding().into_iter().flat_map(|names| names.split(", "))
    {
        let decoder =
            plan(&headers(&[("content-encoding", name)]), Codings::default(), &Limits::default())
                .unwrap()
                .unwrap();
        assert_eq!(decoder.stages.len(), 1, "{name}");
    }
    assert_eq!(Codings::default().accept_encoding().is_none(), CODINGS.is_empty());
}

#[test]
fn each_coding_has_its_switch() {
    for coding in CODINGS {
        let name = coding.names[0];
        let mut codings = Codings::default();
        codings.switch(name, false).unwrap();
        assert!(!codings.names().contains(&name));
        assert!(
            plan(&headers(&[("content-encoding", name)]), codings, &Limits::default())
                .unwrap()
                .is_none()
        );
        assert_eq!(codings.names().len(), CODINGS.len() - 1);
        codings.switch(name, true).unwrap();
        assert_eq!(codings, Codings::default());
    }
    let mut none = Codings::default();
    CODINGS.iter().for_each(|coding| none.switch(coding.names[0], false).unwrap());
    assert_eq!(none.accept_encoding(), None);
    none.switch("bogus", false).unwrap();
    let error = none.switch("bogus", true).unwrap_err();
    assert!(error.is_builder());
    assert_eq!(error.to_string(), "bogus: it needs the feature `bogus` of leanhttp");
    assert_eq!(none.accept_encoding(), None);
}
