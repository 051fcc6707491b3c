//! Checks the layers of ARCHITECTURE.md: no file uses one of a layer above its own, and no more
//! than three files use each other in a circle. And checks that the table of attacks,
//! `tests/HOSTILE.md`, names the tests that exist.
//!
//! The paths that a file uses are `use` declarations and paths in code that begin with `crate`,
//! `super` or `self`. Comments do not count, and neither do the files of the unit tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Most files that may use each other in a circle.
const LARGEST_CIRCLE: usize = 3;

/// Most entries in `src`.
const MOST_ENTRIES: usize = 24;

/// Most names that more than one type may have.
const MOST_NAMES_USED_TWICE: usize = 9;

/// The text of each file of a tree by its path in it, without the extension: `http1/head`.
type Sources = BTreeMap<String, String>;

/// The files that each file uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_file_uses_one_of_a_layer_above_it() {
    let wrong = upward(&uses(&sources()), &layers());
    assert!(wrong.is_empty(), "uses of a layer above:\n{}", wrong.join("\n"));
}

#[test]
fn no_circle_has_more_than_three_files() {
    let circles = circles(&uses(&sources()));
    let large: Vec<_> = circles.iter().filter(|files| files.len() > LARGEST_CIRCLE).collect();
    assert!(large.is_empty(), "files that use each other in a circle: {large:#?}");
}

#[test]
fn every_folder_has_a_page() {
    let folders = fs::read_dir(source_folder()).unwrap();
    let names: Vec<_> = folders.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.len() <= MOST_ENTRIES, "{} entries in src", names.len());
    let layers = layers();
    for name in names {
        let name = name.to_str().unwrap().trim_end_matches(".rs").to_owned();
        let is_listed = layers.contains(&name) || BESIDE.contains(&&*name);
        assert!(is_listed, "ARCHITECTURE.md does not list {name}");
    }
    for (file, text) in sources().into_iter().filter(|(file, _)| is_judged(file)) {
        assert!(text.starts_with("//! "), "{file} does not begin by saying what it is");
    }
}

/// They stand in `tests.rs` beside the file, or in `…_tests.rs`: a reader finds the code alone, and the published
/// crate, which leaves these files out, has no tests.
#[test]
fn unit_tests_stand_in_files_of_their_own() {
    let sources = sources();
    let with_tests =
        sources.iter().filter(|(file, text)| has_tests(text) && !file.starts_with(HARNESS));
    let (apart, inline): (Vec<_>, Vec<_>) =
        with_tests.map(|(file, _)| file).partition(|file| is_test(file));
    assert!(inline.is_empty(), "tests beside code: {inline:#?}");
    assert!(apart.len() > 70, "the tests were not found");
    assert!(has_tests("fn f() {}\n\n    #[tokio::test]\n    async fn g() {}"));
}

#[test]
fn at_most_nine_type_names_are_used_twice() {
    let twice = names_used_twice(&sources());
    assert!(twice.len() <= MOST_NAMES_USED_TWICE, "types with one name: {twice:#?}");
}

/// A test such as `h01_endless_header_lines_are_a_limit_error` belongs to the row H01.
#[test]
fn every_id_of_a_hostile_test_is_in_the_table() {
    let mut sources = Sources::new();
    for folder in ["src", "tests"] {
        collect(&Path::new(ROOT).join(folder), &format!("{folder}/"), &mut sources);
    }
    let table = fs::read_to_string(Path::new(ROOT).join("tests/HOSTILE.md")).unwrap();
    assert!(rows(&table).len() > 100, "the rows were not found");
    let wrong = untrue_rows(&sources, &table);
    assert!(wrong.is_empty(), "tests/HOSTILE.md:\n{}", wrong.join("\n"));
}

/// Each check finds a planted violation.
#[test]
fn each_check_of_the_layers_finds_a_violation() {
    let layers = ["base", "http1", "client"].map(str::to_owned);
    let tree = |files: &[(&str, &str)]| -> Sources {
        let files = files.iter().map(|(file, text)| (file.to_string(), text.to_string()));
        files.collect()
    };
    let rows = [
        ("use crate::client::Client;", 1),
        ("use crate::{base::buffer, client::{self, Client as C}};", 1),
        ("fn f() { super::client::g() }", 1),
        ("use super::super::client;", 0), // there is nothing above the crate
        ("use crate::base::buffer::Buffer;", 0),
        ("// use crate::client::Client;", 0),
        ("/// See [`Client`](crate::client::Client).", 0),
    ];
    for (text, expected) in rows {
        let sources = tree(&[("base/buffer", ""), ("client", ""), ("http1", text)]);
        assert_eq!(upward(&uses(&sources), &layers).len(), expected, "{text}");
    }
    let names =
        tree(&[("a", "struct A;\nstruct B;"), ("b", "pub(crate) enum A<T> {"), ("c", "trait B")]);
    assert_eq!(names_used_twice(&names).len(), 2);
    let alike =
        tree(&[("blocking/a", "struct A;"), ("tokio/a", "struct A;"), ("c", "type A = u8;")]);
    assert!(names_used_twice(&alike).is_empty());
    let circle = tree(&[
        ("a", "use crate::b::B;"),
        ("b", "use crate::c::C;"),
        ("c", "use super::a::A;"),
        ("d", "use crate::a::A;"),
    ]);
    let found = circles(&uses(&circle));
    assert_eq!(found, [["a", "b", "c"].map(str::to_owned).into_iter().collect()]);
}

#[test]
fn the_check_of_the_table_finds_a_violation() {
    let text = "#[test]\nfn h01_a() {}\n#[tokio::test]\nasync fn s01_s02_b() {}\nfn u16_of() {}";
    let sources = Sources::from([("tests/x".to_owned(), text.to_owned())]);
    let good = "| H01 | `y::z` | | `tests/x.rs::h01_a` |\n\
                | S01 | | | `tests/x.rs::s01_s02_b` |\n\
                | S02 | | | `tests/x.rs::s01_s02_b` |\n";
    assert_eq!(untrue_rows(&sources, good), [""; 0]);
    let rows = [
        (good.replace("| S02", "| other"), "S02, of s01_s02_b in tests/x, has no row"),
        (format!("{good}| S03 | | | |"), "S03 has no test"),
        (format!("{good}{good}"), "H01 has two rows"),
        (good.replace("::h01_a", "::h01_b"), "H01: there is no test tests/x.rs::h01_b"),
        (good.replace("x.rs::h01_a", "y.rs::h01_a"), "H01: there is no test tests/y.rs::h01_a"),
        (good.replace("::h01_a", "::s01_s02_b"), "H01: tests/x.rs::s01_s02_b has another id"),
    ];
    for (table, expected) in rows {
        let wrong = untrue_rows(&sources, &table);
        assert!(wrong.iter().any(|line| line.trim() == expected), "{expected}: {wrong:#?}");
    }
}

/// The differences between the table of attacks and the tests that exist.
fn untrue_rows(sources: &Sources, table: &str) -> Vec<String> {
    let rows = rows(table);
    let mut wrong = Vec::new();
    for (file, text) in sources {
        for name in tests(text) {
            let missing = ids(name).filter(|id| rows.iter().all(|(row, _)| row != id));
            wrong.extend(missing.map(|id| format!("  {id}, of {name} in {file}, has no row")));
        }
    }
    let mut seen = BTreeSet::new();
    for (id, named) in &rows {
        if !seen.insert(id) {
            wrong.push(format!("  {id} has two rows"));
        }
        if named.is_empty() {
            wrong.push(format!("  {id} has no test"));
        }
        for test in named {
            let (file, name) = test.split_once("::").unwrap_or_default();
            let file = file.trim_end_matches(".rs").trim_end_matches("/mod");
            if !sources.get(file).is_some_and(|text| tests(text).contains(&name)) {
                wrong.push(format!("  {id}: there is no test {test}"));
            } else if !ids(name).any(|of_test| of_test == *id) {
                wrong.push(format!("  {id}: {test} has another id"));
            }
        }
    }
    wrong
}

/// The id of each row, and the tests that its last column names.
fn rows(table: &str) -> Vec<(String, Vec<&str>)> {
    let row = |line| {
        let cells: Vec<&str> = str::trim(line).trim_matches('|').split('|').collect();
        let id = cells.first()?.trim();
        let named = cells.last()?.split('`').skip(1).step_by(2).collect();
        is_id(&id.to_lowercase()).then(|| (id.to_owned(), named))
    };
    table.lines().filter_map(row).collect()
}

/// The names of the tests in a file.
fn tests(text: &str) -> Vec<&str> {
    let mut is_test = false;
    let name = |line| {
        let line = str::trim_start(line);
        is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        let function = line.trim_start_matches("async ").strip_prefix("fn ")?;
        let name = function.split(['(', '<']).next();
        name.filter(|_| std::mem::take(&mut is_test))
    };
    text.lines().filter_map(name).collect()
}

/// The ids that the name of a test begins with: that of `s01_s02_flights` has two.
fn ids(name: &str) -> impl Iterator<Item = String> {
    name.split('_').take_while(|part| is_id(part)).map(str::to_uppercase)
}

fn is_id(text: &str) -> bool {
    matches!(text.as_bytes(), [b'a'..=b'z', b'0'..=b'9', b'0'..=b'9'])
}

/// The names of types that several files define. The two runtimes count as one place, because each
/// defines the same types. An alias is not a type of its own.
fn names_used_twice(sources: &Sources) -> BTreeMap<String, BTreeSet<String>> {
    let mut defined: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in sources.iter().filter(|(file, _)| is_judged(file)) {
        let place = match file.split('/').next() {
            Some("blocking" | "tokio") => "a runtime".to_owned(),
            _ => file.clone(),
        };
        for line in code(text).lines() {
            let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            let mut words = words.filter(|word| !matches!(*word, "" | "pub" | "crate" | "super"));
            if let (Some("struct" | "enum" | "trait"), Some(name)) = (words.next(), words.next()) {
                defined.entry(name.to_owned()).or_default().insert(place.clone());
            }
        }
    }
    defined.retain(|_, places| places.len() > 1);
    defined
}

/// Modules beside the layers: stand-ins replace the files of features that are off, and the harness
/// of fuzzers and vectors uses all layers.
const BESIDE: [&str; 3] = ["lib", "guide", "off"];

/// Beside the layers, in a folder that is one of them.
const HARNESS: &str = "testing/harness";

fn source_folder() -> std::path::PathBuf {
    Path::new(ROOT).join("src")
}

/// The names in the list of ARCHITECTURE.md, lowest layer first.
fn layers() -> Vec<String> {
    let page = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let (_, list) = page.split_once("```layers\n").expect("ARCHITECTURE.md has no list of layers");
    let (list, _) = list.split_once("```").unwrap();
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.map(|name| name.trim_end_matches(".rs").trim_end_matches('/').to_owned()).collect()
}

fn sources() -> Sources {
    let mut sources = Sources::new();
    collect(&source_folder(), "", &mut sources);
    assert!(sources.len() > 100, "the sources were not found");
    sources
}

fn collect(folder: &Path, prefix: &str, into: &mut Sources) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), into);
        } else if let Some(stem) = name.strip_suffix(".rs") {
            let module = match stem {
                "mod" => prefix.trim_end_matches('/').to_owned(),
                stem => format!("{prefix}{stem}"),
            };
            into.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Returns whether a file is part of the layers: tests may use everything.
fn is_judged(file: &str) -> bool {
    let first = file.split('/').next().unwrap_or_default();
    let is_beside = BESIDE.contains(&first) || file.starts_with(HARNESS);
    !is_beside && !is_test(file) && !file.ends_with("/testing")
}

fn is_test(file: &str) -> bool {
    file.split('/').any(|part| part == "tests" || part.ends_with("_tests"))
}

fn has_tests(text: &str) -> bool {
    text.lines()
        .map(str::trim_start)
        .any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
}

fn upward(uses: &Uses, layers: &[String]) -> Vec<String> {
    let layer = |file: &str| {
        let first = file.split('/').next().unwrap_or_default();
        layers.iter().position(|layer| layer == first)
    };
    let mut wrong = Vec::new();
    for (file, used) in uses {
        let own = layer(file).unwrap_or_else(|| panic!("ARCHITECTURE.md does not list {file}"));
        for used in used {
            if layer(used).is_none_or(|layer| layer > own) {
                wrong.push(format!("  {file} -> {used}"));
            }
        }
    }
    wrong
}

fn uses(sources: &Sources) -> Uses {
    let judged = sources.iter().filter(|(file, _)| is_judged(file));
    let used = judged.map(|(file, text)| {
        let paths = paths(&code(text), file);
        let files = paths.iter().filter_map(|path| file_of(path, sources));
        (file.clone(), files.filter(|used| used != file && is_judged(used)).collect())
    });
    used.collect()
}

/// The text without comments.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// All paths into the crate, as paths from its root.
fn paths(code: &str, file: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let is_part_of_path = |before: &str| {
        before.ends_with("::") || before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    };
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let Some((before, tree)) = code.split_at_checked(at) else { continue };
            if !is_part_of_path(before) {
                expand(&mut Vec::new(), &tree_of(tree), &mut paths);
            }
        }
    }
    paths.into_iter().filter_map(|path| absolute(path, file)).collect()
}

/// A path with the content of its braces, if it has any.
fn tree_of(text: &str) -> String {
    let mut depth = 0;
    let ends = |c: char| match c {
        '{' => {
            depth += 1;
            false
        }
        '}' => {
            depth -= 1;
            depth < 0
        }
        _ if depth > 0 => false,
        c => !(c.is_alphanumeric() || c == '_' || c == ':'),
    };
    let end = text.find(ends).unwrap_or(text.len());
    text[..end].to_owned()
}

/// Every path of a tree such as `a::{b, c::{self, D}}`.
fn expand(prefix: &mut Vec<String>, tree: &str, into: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let mut path = prefix.clone();
        path.extend(segments(tree.split(" as ").next().unwrap_or_default()));
        return into.push(path);
    };
    let length = prefix.len();
    prefix.extend(segments(head));
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut begin) = (0, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(prefix, &inner[begin..at], into);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if !inner[begin..].trim().is_empty() {
        expand(prefix, &inner[begin..], into);
    }
    prefix.truncate(length);
}

fn segments(path: &str) -> impl Iterator<Item = String> {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
}

/// The absolute path, for a path at the top of a file.
fn absolute(path: Vec<String>, file: &str) -> Option<Vec<String>> {
    let mut base: Vec<String> = file.split('/').map(str::to_owned).collect();
    let mut rest = path.into_iter().peekable();
    match rest.next()?.as_str() {
        "crate" => base.clear(),
        "super" => {
            base.pop()?;
            while rest.next_if(|part| part == "super").is_some() {
                base.pop()?;
            }
        }
        _ => {}
    }
    base.extend(rest.filter(|part| part != "self"));
    Some(base)
}

/// The file that defines a path: the longest prefix of the path that is a file.
fn file_of(path: &[String], sources: &Sources) -> Option<String> {
    let beginnings = (1..=path.len()).rev().filter_map(|length| path.get(..length));
    beginnings.map(|path| path.join("/")).find(|file| sources.contains_key(file))
}

/// The strongly connected components of the use graph.
fn circles(uses: &Uses) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        uses.keys().map(|file| (file, reachable(file, uses))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (file, all) in &reached {
        let is_mutual =
            |other: &&&String| reached.get(**other).is_some_and(|back| back.contains(file));
        let circle: BTreeSet<String> =
            all.iter().filter(is_mutual).map(|f| f.to_string()).collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

fn reachable<'u>(file: &'u String, uses: &'u Uses) -> BTreeSet<&'u String> {
    let mut reached = BTreeSet::new();
    let mut left = vec![file];
    while let Some(file) = left.pop() {
        for used in uses.get(file).into_iter().flatten() {
            if reached.insert(used) {
                left.push(used);
            }
        }
    }
    reached
}
