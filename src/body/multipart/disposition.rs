//! The `Content-Disposition` of a part: its name and its file name.

use crate::base::text::{C0_CONTROL, Table};

/// The encoding of part names; file names are always encoded as [`Html`](Self::Html).
#[derive(Clone, Copy)]
pub(crate) enum NameEncoding {
    /// Quoted, as in browsers.
    Html,
    /// Percent-encoded as the parameter `name*` if the name needs encoding (RFC 5987 §3.2), else
    /// quoted.
    Extended(&'static Table),
}

impl NameEncoding {
    /// Encodes every character that is not allowed in a path segment of a URL.
    pub(crate) const PATH_SEGMENT: Self =
        Self::Extended(const { &C0_CONTROL.encoding(b" \"#%/<>?`{}") });
    /// Encodes every character that is not an `attr-char` (RFC 5987 §3.2.1).
    pub(crate) const ATTR_CHARS: Self =
        Self::Extended(const { &C0_CONTROL.encoding(b" \"%'()*,/:;<=>?@[\\]{}") });

    /// Returns the value of the field.
    pub(crate) fn disposition(self, name: &str, file_name: Option<&str>) -> String {
        let mut value = String::from("form-data; ");
        match self.extended(name) {
            Some(encoded) => {
                value.push_str("name*=utf-8''");
                value.push_str(&encoded);
            }
            None => push_quoted(&mut value, "name", name),
        }
        if let Some(file_name) = file_name {
            value.push_str("; ");
            push_quoted(&mut value, "filename", file_name);
        }
        value
    }

    /// Returns the encoded name, if a character needed encoding.
    fn extended(self, name: &str) -> Option<String> {
        let Self::Extended(table) = self else { return None };
        let mut encoded = String::with_capacity(name.len());
        table.push(&mut encoded, name);
        (encoded != name).then_some(encoded)
    }
}

/// Appends a quoted parameter. A backslash is not escaped: servers disagree about its meaning, and
/// Windows file names contain it.
fn push_quoted(value: &mut String, parameter: &str, text: &str) {
    value.push_str(parameter);
    value.push_str("=\"");
    for c in text.chars() {
        match c {
            '"' => value.push_str("%22"),
            '\r' => value.push_str("%0D"),
            '\n' => value.push_str("%0A"),
            c => value.push(c),
        }
    }
    value.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_names_escape_what_would_end_them() {
        let table = [
            ("a", None, r#"name="a""#),
            ("", Some(""), r#"name=""; filename="""#),
            ("é\u{65e5}😀", Some("日.txt"), "name=\"é\u{65e5}😀\"; filename=\"日.txt\""),
            ("a;b=\"c", Some("C:\\x\\"), r#"name="a;b=%22c"; filename="C:\x\""#),
            ("\r\nX: 1\r\n\r\n", Some("\r"), r#"name="%0D%0AX: 1%0D%0A%0D%0A"; filename="%0D""#),
            ("a\0\t%22", None, "name=\"a\0\t%22\""),
        ];
        for (name, file_name, expected) in table {
            let value = NameEncoding::Html.disposition(name, file_name);
            assert_eq!(value, format!("form-data; {expected}"), "{name:?} {file_name:?}");
        }
    }

    #[test]
    fn extended_names_are_plain_or_wholly_encoded() {
        let table = [
            ("plain", r#"name="plain""#, r#"name="plain""#),
            ("a b", "name*=utf-8''a%20b", "name*=utf-8''a%20b"),
            ("é\r\n", "name*=utf-8''%C3%A9%0D%0A", "name*=utf-8''%C3%A9%0D%0A"),
            ("a'b", r#"name="a'b""#, "name*=utf-8''a%27b"),
            ("100%", "name*=utf-8''100%25", "name*=utf-8''100%25"),
            ("a/\"", "name*=utf-8''a%2F%22", "name*=utf-8''a%2F%22"),
            ("!#$&+-.^_`|~", "name*=utf-8''!%23$&+-.^_%60|~", "name=\"!#$&+-.^_`|~\""),
        ];
        for (name, path_segment, attr_chars) in table {
            let value = |names: NameEncoding| names.disposition(name, Some("ü"));
            let expected = |name| format!("form-data; {name}; filename=\"ü\"");
            assert_eq!(value(NameEncoding::PATH_SEGMENT), expected(path_segment));
            assert_eq!(value(NameEncoding::ATTR_CHARS), expected(attr_chars));
        }
    }
}
