use super::hidden;

#[test]
fn passwords_in_urls_are_hidden() {
    let rows = [
        ("http://u:s3cret@h/p?q", Some("http://***/p?q")),
        ("https://s3cret@h", Some("https://***")),
        ("HTTP:\\\\u:s3cret@h\\p", Some("HTTP:\\\\***\\p")),
        ("http:u:s3cret@h/", Some("http:***/")),
        ("http:////u:s3cret@h/", Some("http:////***/")),
        ("//u:s3cret@h/", Some("//***/")),
        ("ftp://u:s3cret@h/", Some("ftp://***/")),
        ("http://u:s3cret%40h/", Some("http://***/")),
        ("http://u:s3cret\u{ff20}h/", Some("http://***/")),
        ("http://u:s3@cret@h/", Some("http://***/")),
        ("5; url=http://u:s3cret@h/", Some("5; url=http://***/")),
        (
            "<http://a/>; rel=next, <http://u:s3cret@b/>; rel=prev",
            Some("<http://a/>; rel=next, <http://***/>; rel=prev"),
        ),
        ("http://h/@p?mail=a@b", None),
        ("a@b.test", None),
        ("text/html; q=0.1", None),
        ("http://", None),
        ("http:", None),
        ("//", None),
        ("", None),
    ];
    for (value, expected) in rows {
        assert_eq!(hidden(value.as_bytes()).as_deref(), expected, "{value}");
    }
}
