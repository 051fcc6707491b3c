use super::*;

#[test]
fn rows_fit_a_terminal() {
    let long = "x".repeat(200);
    let words = "word, ".repeat(60);
    for (label, value) in [("", long.as_str()), ("label", &long), ("label", &words), ("l", "")] {
        let row = wrapped(label, value);
        assert!(row.lines().all(|line| line.chars().count() <= COLUMNS), "{row}");
        let joined: String = row.strip_prefix(label).unwrap().split_whitespace().collect();
        assert_eq!(joined, value.replace(' ', ""));
    }
    assert_eq!(wrapped("proxy", "none"), "proxy       none");
}
