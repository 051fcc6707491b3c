use super::*;
use crate::http1::testing::headers;

/// RFC 9110 §8.4: a body with an unsupported coding is passed on unchanged.
#[test]
fn no_decoder_is_planned_for_unsupported_codings() {
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
fn offered_codings_can_be_decoded() {
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
fn each_coding_can_be_switched_off() {
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
