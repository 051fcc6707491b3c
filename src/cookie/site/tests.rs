use super::*;

#[test]
fn domain_matching_5_1_3() {
    let table = [
        ("http://example.com", "example.com", true),
        ("http://www.example.com", "example.com", true),
        ("http://a.b.example.com", "example.com", true),
        ("http://example.com", "www.example.com", false),
        ("http://aexample.com", "example.com", false),
        ("http://example.com", "ample.com", false),
        ("http://example.com", ".com", false),
        ("http://example.com.", "example.com", false),
        ("http://www.example.com.", "example.com.", true),
        ("http://127.0.0.1", "127.0.0.1", true),
        ("http://127.0.0.1", "0.0.1", false),
        ("http://[::1]", "[::1]", true),
        ("http://[::1]", "[::2]", false),
    ];
    for (url, domain, expected) in table {
        assert_eq!(Site::from(url).domain_matches(domain), expected, "{url} {domain}");
    }
}

#[test]
fn default_path_5_1_4() {
    let table = [
        ("", "/"),
        ("/", "/"),
        ("/a", "/"),
        ("/a/", "/a"),
        ("/a/b", "/a"),
        ("/a/b/", "/a/b"),
        ("//", "/"),
        ("//a", "/"),
        ("/a//b", "/a/"),
    ];
    for (path, expected) in table {
        let url = format!("http://a.example{path}");
        assert_eq!(Site::from(url.as_str()).default_path(), expected, "{path}");
    }
    let relative = Site { path: "a/b", ..Site::from("http://a.example") };
    assert_eq!(relative.default_path(), "/");
}

#[test]
fn path_matching_5_1_4() {
    let table = [
        ("/", "/", true),
        ("/a", "/", true),
        ("/a", "/a", true),
        ("/a/", "/a", true),
        ("/a/b", "/a", true),
        ("/a/b", "/a/", true),
        ("/ab", "/a", false),
        ("/a", "/a/", false),
        ("/a", "/a/b", false),
        ("/A", "/a", false),
        ("/a%20b", "/a b", false),
    ];
    for (path, cookie_path, expected) in table {
        let result = path_matches(path.as_bytes(), cookie_path.as_bytes());
        assert_eq!(result, expected, "{path} {cookie_path}");
    }
}

#[test]
fn keys_distinguish_hosts() {
    let table = [
        ("http://www.example.com", "com.example.www"),
        ("http://com", "com"),
        ("http://com.", ".com"),
        ("http://a..b", "b..a"),
        ("http://127.0.0.1", "127:0:0:1"),
        ("http://[::1]", "[::1]"),
    ];
    for (url, expected) in table {
        let site = Site::from(url);
        assert_eq!(site.key(site.host), expected);
    }
}

#[test]
fn single_labels_are_public() {
    let table = [
        ("com", true),
        ("com.", true),
        ("intranet", true),
        ("localhost", false),
        ("localhost.", false),
        ("example.com", false),
        ("example.com.", false),
    ];
    for (domain, expected) in table {
        assert_eq!(is_public_suffix(domain), expected, "{domain}");
    }
}

/// Rules of two labels, a wildcard with its exception, a private one, an internationalized one;
/// and names that are no suffix: addresses, empty labels.
#[cfg(feature = "public-suffix")]
#[test]
fn the_list_knows_more() {
    let table = [
        ("co.uk", true),
        ("co.uk.", true),
        ("example.co.uk", false),
        ("kyoto.jp", true),
        ("ck", true),
        ("any.ck", true),
        ("www.ck", false),
        ("github.io", true),
        ("someone.github.io", false),
        ("xn--55qx5d.cn", true),
        ("xn--85x722f.xn--55qx5d.cn", false),
        ("127.0.0.1", false),
        ("example..com", false),
    ];
    for (domain, expected) in table {
        assert_eq!(is_public_suffix(domain), expected, "{domain}");
    }
}
