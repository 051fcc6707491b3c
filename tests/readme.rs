//! The README and the guide agree where they say the same thing twice.

use std::error::Error;
use std::fs;
use std::path::Path;

#[test]
fn readme_and_guide_share_the_same_sections() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md"))?;
    let source = fs::read_to_string(root.join("src/lib.rs"))?;
    let guide: String = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    for title in ["Features", "Limits and defaults"] {
        let of_guide = table(&guide, &format!("\n# {title}\n")).ok_or(title)?;
        let of_readme = table(&readme, &format!("\n## {title}\n")).ok_or(title)?;
        assert_eq!(of_readme, of_guide, "{title}");
    }
    Ok(())
}

#[test]
fn every_feature_has_its_row() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md"))?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let rows = table(&readme, "\n## Features\n").ok_or("no table")?;
    let (_, features) = manifest.split_once("\n[features]\n").ok_or("no features")?;
    let mut features = features.lines().take_while(|line| !line.starts_with('['));
    let default = features.next().ok_or("no default")?;
    for feature in features.filter_map(|line| line.split_once(" = ")) {
        let (name, _) = feature;
        let is_default = if default.contains(&format!("\"{name}\"")) { "yes" } else { "no" };
        let start = format!("| `{name}` | {is_default} |");
        assert!(rows.iter().any(|row| row.starts_with(&start)), "no row {start}");
    }
    Ok(())
}

/// The page lists the names of reqwest that are here, those that do nothing, and those that are missing.
#[test]
fn the_names_of_reqwest_are_where_the_guide_says() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let page = fs::read_to_string(root.join("guide/compatibility.md"))?;
    let mut source = String::new();
    read_all(&root, &mut source)?;
    let is_here = |name: &str| {
        let is_defined = |keyword: &&str| source.contains(&format!("{keyword} {name}"));
        ["fn", "struct", "trait", "type", "enum"].iter().any(is_defined)
    };
    let here = ["Names that are here", "Names without effect", "Names that are errors of `build`"];
    for (title, expected) in here.map(|title| (title, true)).into_iter().chain([(GONE, false)]) {
        let rows = table(&page, &format!("\n# {title}\n")).ok_or(title)?;
        let column = if title == "Names that are here" { 2 } else { 1 };
        for row in rows.iter().skip(2) {
            let names = row.split('|').nth(column).ok_or(*row)?.split('`').skip(1).step_by(2);
            for name in names.filter(|name| !OTHERS.contains(name)) {
                assert_eq!(is_here(name), expected, "{title}: {name}");
            }
        }
    }
    Ok(())
}

const GONE: &str = "Names that are not here";

/// Names with a further meaning.
const OTHERS: [&str; 3] = ["classify", "scoped", "retry::Builder"];

/// Appends the text of all files of Rust in a folder.
fn read_all(folder: &Path, text: &mut String) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_all(&path, text)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path)?);
        }
    }
    Ok(())
}

/// The lines of the first table below a heading.
fn table<'a>(text: &'a str, heading: &str) -> Option<Vec<&'a str>> {
    let (_, section) = text.split_once(heading)?;
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    Some(lines.take_while(|line| line.starts_with('|')).collect())
}
