use super::*;
use crate::url::tests::url;

/// RFC 9110 §4.2.4: neither a request nor a message contains userinfo.
#[test]
fn userinfo_is_hidden_and_taken_out() {
    type Row<'a> = (&'a str, &'a str, &'a [u8], Option<&'a [u8]>);
    let table: [Row<'_>; 5] = [
        (
            "http://u%40:s%3Ae%E2%82%AC@h:81/p?q#f",
            "http://***:***@h:81/p?q#f",
            b"u@",
            Some("s:e€".as_bytes()),
        ),
        ("http://token@h/", "http://***@h/", b"token", None),
        ("http://token:@h/", "http://***@h/", b"token", None),
        ("http://:s@h/", "http://***:***@h/", b"", Some(b"s")),
        ("http://%FF:%0d%0A%zz+@h/", "http://***:***@h/", b"\xFF", Some(b"\r\n%zz+")),
    ];
    for (input, shown) in [
        ("user:secret@host", "***"),
        ("user:secret%40host/", "***"),
        ("htp:/user:secret@host", "***"),
        ("htp:///user:secret@host", "***"),
        ("ftp://u:p@h/", "ftp://***:***@h/"),
        ("foo://u:p@h/", "foo://***:***@h/"),
        ("localhost:80", "localhost:80"),
        ("file:///a@b", "file:///a@b"),
        ("data:,x", "data:,x"),
    ] {
        assert_eq!(format!("{:?}", url(input)), format!("Url({shown})"), "{input}");
    }
    for (input, shown, username, password) in table {
        let mut url = url(input);
        assert_eq!(url.redacted().to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("Url({shown})"));
        let userinfo = url.take_userinfo().unwrap();
        assert_eq!((&*userinfo.username, userinfo.password.as_deref()), (username, password));
        assert_eq!(format!("{userinfo:?}"), "Userinfo(***)");
        let rest = shown.split_once('@').unwrap().1;
        assert_eq!(url, Url::parse(&format!("http://{rest}")).unwrap());
        assert_eq!(url.take_userinfo(), None);
        assert_eq!(url.redacted().to_string(), url.as_str());
    }
}
