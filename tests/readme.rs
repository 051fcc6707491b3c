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

/// The lines of the first table below a heading.
fn table<'a>(text: &'a str, heading: &str) -> Option<Vec<&'a str>> {
    let (_, section) = text.split_once(heading)?;
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    Some(lines.take_while(|line| line.starts_with('|')).collect())
}
