use super::*;
use crate::url::tests::url;

/// *File state*, *file host state*, and drive letters in the *path state*.
#[test]
fn files() {
    let table = [
        ("file:", "file:///"),
        ("file:a?b#c", "file:///a?b#c"),
        ("file:?b", "file:///?b"),
        ("file:/a", "file:///a"),
        ("FILE:\\\\H\\a", "file://h/a"),
        ("file://LocalHost/a", "file:///a"),
        ("file:////a", "file:////a"),
        ("file://h//../..", "file://h/"),
        ("file:C|/a", "file:///C:/a"),
        ("file://C|/a", "file:///C:/a"),
        ("file://C:", "file:///C:"),
        ("file:///C|/../..", "file:///C:/"),
        ("file:///../c:/..", "file:///c:/"),
        ("file:///CC|/..", "file:///"),
        ("file:///a/C|", "file:///a/C|"),
        ("file://1/", "file://0.0.0.1/"),
    ];
    for (input, expected) in table {
        assert_eq!(url(input).as_str(), expected, "{input}");
    }
    let joins = [
        ("file:///C:/a", "/b", "file:///C:/b"),
        ("file:///C:/a", "/D|/b", "file:///D:/b"),
        ("file:///C:/a", "D|", "file:///D:"),
        ("file:///C:/a", "..", "file:///C:/"),
        ("file:///C:/a", "///b", "file:///b"),
        ("file:///C:a", "/b", "file:///b"),
        ("file://h/a/b?q", "c", "file://h/a/c"),
        ("file://h/a/b?q", "/c", "file://h/c"),
        ("file://h/a/b?q", "", "file://h/a/b?q"),
        ("file://h/a/b?q", "?", "file://h/a/b?"),
        ("file://h/a/b?q", "#f", "file://h/a/b?q#f"),
        ("file://h/a", "//g/b", "file://g/b"),
        ("file://h/a", "file:b", "file://h/b"),
        ("http://h/a", "file:b", "file:///b"),
    ];
    for (base, reference, expected) in joins {
        assert_eq!(url(base).join(reference).unwrap().as_str(), expected, "{base} {reference}");
    }
}

#[cfg(unix)]
#[test]
fn paths_come_back() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let table: [(&[u8], &str); 8] = [
        (b"/", "file:///"),
        (b"/a b/%2e?#", "file:///a%20b/%252e%3F%23"),
        (b"/a//./b/", "file:///a/b"),
        (b"/\t\n\\;:@", "file:///%09%0A%5C;:@"),
        (b"/C|/a", "file:///C%7C/a"),
        (b"/\xC3\xA9\xFFa", "file:///%C3%A9%FFa"),
        (b"/a ", "file:///a%20"),
        (b"/...", "file:///..."),
    ];
    for (path, expected) in table {
        let path = Path::new(OsStr::from_bytes(path));
        let url = Url::from_file_path(path).unwrap();
        assert_eq!(url.as_str(), expected);
        assert_eq!(url.to_file_path().as_deref(), Ok(path));
    }
    assert_eq!(Url::from_file_path("/a/../b"), Ok(url("file:///b")));
    assert_eq!(Url::from_directory_path("/a b"), Ok(url("file:///a%20b/")));
    assert_eq!(Url::from_directory_path("/"), Ok(url("file:///")));
    for relative in ["", "a", "../a"] {
        assert_eq!(Url::from_file_path(relative), Err(()));
        assert_eq!(Url::from_directory_path(relative), Err(()));
    }
    assert_eq!(Url::from_file_path("/a".repeat(40_000)), Err(()));
    assert_eq!(url("file:///a/?q#f").to_file_path(), Ok("/a/".into()));
    for other in
        ["http://h/a", "file://h/a", "file:///a%2Fb", "file:///%00", "foo:///a", "mailto:a"]
    {
        assert_eq!(url(other).to_file_path(), Err(()), "{other}");
    }
}

#[test]
fn windows_paths_come_back() {
    let table = [
        (r"C:\a b\%", "file:///C:/a%20b/%25", r"C:\a b\%"),
        (r"c:/a", "file:///c:/a", r"c:\a"),
        (r"C:\", "file:///C:", r"C:\"),
        (r"\\?\C:\a", "file:///C:/a", r"C:\a"),
        (r"\\server\share\a", "file://server/share/a", r"\\server\share\a"),
        (r"\\?\UNC\server\share", "file://server/share", r"\\server\share"),
        (r"C:\a\..\..\b", "file:///C:/b", r"C:\b"),
    ];
    for (path, expected, back) in table {
        let url = url_of_windows(path).unwrap();
        assert_eq!(url.as_str(), expected);
        assert_eq!(path_of_windows(&url).as_deref(), Some(back));
    }
    for path in
        [r"\a", r"a\b", r"\\.\COM1", r"\\localhost\a", r"\\a#b\c", r"\\?\Volume{1}\a", r"C|\a"]
    {
        assert_eq!(url_of_windows(path), None, "{path}");
    }
    for other in ["file:///a", "file:///C:/a%5Cb", "file:///C:/a%2Fb", "file:///C:/%FF"] {
        assert_eq!(path_of_windows(&url(other)), None, "{other}");
    }
}
