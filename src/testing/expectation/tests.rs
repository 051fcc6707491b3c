use super::*;

#[test]
fn a_star_is_anything_within_a_segment_and_two_are_any_number_of_them() {
    for (pattern, path, expected) in [
        ("/a", "/a", true),
        ("/a", "/a/", false),
        ("/a", "/b", false),
        ("/users/*", "/users/7", true),
        ("/users/*", "/users/", false),
        ("/users/*", "/users/7/posts", false),
        ("/users/*/posts", "/users/7/posts", true),
        ("/f-*.txt", "/f-1.txt", true),
        ("/f-*.txt", "/f-1.csv", false),
        ("/*a*b", "/xaxb", true),
        ("/*a*b", "/xbxa", false),
        ("/cache/**", "/cache", true),
        ("/cache/**", "/cache/a/b", true),
        ("/cache/**", "/other/a", false),
    ] {
        assert_eq!(matches_path(pattern, path), expected, "{pattern} {path}");
    }
}

#[cfg(feature = "json")]
#[test]
fn the_first_difference_of_json_has_its_place() {
    use serde_json::json;

    let place = |found, expected| {
        let difference = json_difference(&found, &expected).map(|(at, ..)| at);
        difference.unwrap_or_else(|| "equal".to_owned())
    };
    assert_eq!(place(json!({"a": [1, 2]}), json!({"a": [1, 2]})), "equal");
    assert_eq!(place(json!({"a": [1, 2]}), json!({"a": [1, 3]})), "/a/1");
    assert_eq!(place(json!({"a": [1]}), json!({"a": [1, 3]})), "/a/1");
    assert_eq!(place(json!({"a": 1, "b": 2}), json!({"a": 1})), "/b");
    assert_eq!(place(json!(1), json!("1")), "");
}
