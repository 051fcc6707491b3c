//! How the names of a request's fields are spelt, and in which order the fields leave. To HTTP it
//! is all the same (RFC 9110 §5.1, §5.3), to some servers it is not.

use std::collections::{HashMap, VecDeque};

/// The spelling of names that nobody gave a spelling of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Case {
    /// `content-length`, as HTTP/2 and HTTP/3 have it.
    #[default]
    Lower,
    /// `Content-Length`.
    Title,
}

/// What the caller asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spelling<'a> {
    pub(crate) case: Case,
    /// Names as they were given, one for each field line, in the order of the lines.
    pub(crate) names: &'a [Box<str>],
}

impl Spelling<'_> {
    /// Whether a head may be sent as it was written.
    pub(crate) fn is_usual(self) -> bool {
        self.case == Case::Lower && self.names.is_empty()
    }

    /// A head as it was asked for: Host unless it was given a place, then what was given a place,
    /// then the others. `head` is written by us: lines that end with CRLF, names in lower case.
    pub(crate) fn apply(self, head: &[u8]) -> Vec<u8> {
        let mut lines = head.split_inclusive(|byte| *byte == b'\n');
        let mut spelt = lines.next().unwrap_or_default().to_vec();
        let mut places = Places::of(self.names);
        let mut fields: Vec<_> = lines.map(|line| self.field(line, &mut places)).collect();
        fields.sort_by_key(|field| field.place);
        for field in fields {
            spelt.extend(field.name);
            spelt.extend(field.rest);
        }
        spelt
    }

    fn field<'h>(self, line: &'h [u8], places: &mut Places) -> Field<'h> {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(0);
        let (name, rest) = line.split_at_checked(colon).unwrap_or_default();
        let place = places.take(name);
        let name = match place {
            Place::Given(at) => self.names.get(at).map(|name| name.as_bytes().to_vec()),
            Place::First | Place::Last => None,
        };
        let name = name.unwrap_or_else(|| self.case.spell(line.get(..colon).unwrap_or_default()));
        Field { place, name, rest }
    }
}

impl Case {
    fn spell(self, name: &[u8]) -> Vec<u8> {
        let mut spelt = name.to_vec();
        if self == Case::Title {
            let words = spelt.split_mut(|byte| *byte == b'-');
            words.filter_map(<[u8]>::first_mut).for_each(|first| first.make_ascii_uppercase());
        }
        spelt
    }
}

/// A field line.
struct Field<'h> {
    place: Place,
    name: Vec<u8>,
    /// From the colon to the end of the line; for the blank line all of it.
    rest: &'h [u8],
}

/// Where a field line stands in the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    First,
    Given(usize),
    Last,
}

/// The places that were given to each name, in lower case, and are still free.
struct Places(HashMap<Vec<u8>, VecDeque<usize>>);

impl Places {
    fn of(names: &[Box<str>]) -> Self {
        let mut places: HashMap<_, VecDeque<_>> = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            places.entry(name.to_ascii_lowercase().into_bytes()).or_default().push_back(at);
        }
        Self(places)
    }

    fn take(&mut self, name: &[u8]) -> Place {
        match self.0.get_mut(name).and_then(VecDeque::pop_front) {
            Some(at) => Place::Given(at),
            // RFC 9110 §7.2: Host as the first field, so that a server can route at once.
            None if name == b"host" => Place::First,
            None => Place::Last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(case: Case, names: &[&str]) -> String {
        let names: Vec<Box<str>> = names.iter().map(|name| (*name).into()).collect();
        let head = b"GET / HTTP/1.1\r\nhost: a\r\nx-b: 1\r\nx--a: 2: 3\r\nx-b: 4\r\nb-: \r\n\r\n";
        let spelt = Spelling { case, names: &names }.apply(head);
        let text = String::from_utf8(spelt).unwrap();
        text.strip_prefix("GET / HTTP/1.1\r\n").unwrap().replace("\r\n", "|")
    }

    /// A head is sent as it was written only if nobody asked for anything else.
    #[test]
    fn usual_is_lower_case_without_names() {
        let names: [Box<str>; 1] = ["X-A".into()];
        for (case, names, is_usual) in [
            (Case::Lower, &[][..], true),
            (Case::Title, &[], false),
            (Case::Lower, &names, false),
            (Case::Title, &names, false),
        ] {
            assert_eq!(Spelling { case, names }.is_usual(), is_usual, "{case:?} {names:?}");
        }
    }

    #[test]
    fn names_are_spelt_and_lines_placed() {
        use Case::{Lower, Title};
        let rows: [(_, &[&str], &str); 6] = [
            (Lower, &[], "host: a|x-b: 1|x--a: 2: 3|x-b: 4|b-: ||"),
            (Title, &[], "Host: a|X-B: 1|X--A: 2: 3|X-B: 4|B-: ||"),
            (Lower, &["x--A", "HOST"], "x--A: 2: 3|HOST: a|x-b: 1|x-b: 4|b-: ||"),
            (Title, &["x-b"], "Host: a|x-b: 1|X--A: 2: 3|X-B: 4|B-: ||"),
            // The second spelling is that of the second line.
            (Lower, &["B-", "X-b", "x-B"], "host: a|B-: |X-b: 1|x-B: 4|x--a: 2: 3||"),
            // A name that is no longer there, because a redirect took it.
            (Lower, &["Gone", "x-B"], "host: a|x-B: 1|x--a: 2: 3|x-b: 4|b-: ||"),
        ];
        for (case, names, expected) in rows {
            assert_eq!(spelt(case, names), expected, "{names:?}");
        }
    }
}
