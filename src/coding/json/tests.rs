use super::*;

#[test]
fn the_error_shows_the_position_and_the_text() {
    let cases: [(&[u8], &str); 4] = [
        (
            b"{\"a\": 1,\n \"b\": oops}",
            "JSON near \" \\\"b\\\": oops}\": expected value at line 2 column 7",
        ),
        (b"", "JSON near \"\": EOF while parsing a value at line 1 column 0"),
        (b"<html>", "JSON near \"<html>\": expected value at line 1 column 1"),
        (b"{\"a\": \"\xff\"}", "line 1 column"),
    ];
    for (body, expected) in cases {
        let line = parse::<serde_json::Value>(body).unwrap_err().to_string();
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn the_error_of_a_line_names_its_number_in_the_text() {
    let error = parse_line::<serde_json::Value>(b"<html>", 17).unwrap_err();
    let expected = "JSON near \"<html>\": expected value at line 17 column 1";
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_eq!(error.line_number(), Some(17));
}
