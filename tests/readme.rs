//! README, the guide, Cargo.toml and the code agree, and README is short and leads somewhere.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The crate documentation and the guide have the same table.
#[test]
fn crate_docs_and_guide_share_the_table_of_features() -> Result<(), Box<dyn Error>> {
    let crate_docs = crate_docs()?;
    let page = page("features")?;
    let of_crate =
        table(&crate_docs, "\n# Features\n").ok_or("no table in the crate documentation")?;
    let of_page = table(&page, "\n# Features\n").ok_or("no table in the guide")?;
    assert_eq!(of_crate, of_page);
    Ok(())
}

#[test]
fn every_feature_has_its_row() -> Result<(), Box<dyn Error>> {
    let page = page("features")?;
    let rows = table(&page, "\n# Features\n").ok_or("no table")?;
    for (name, is_default) in features()? {
        let is_default = if is_default { "yes" } else { "no" };
        let start = format!("| `{name}` | {is_default} |");
        assert!(rows.iter().any(|row| row.starts_with(&start)), "no row {start}");
    }
    assert_eq!(rows.len(), features()?.len() + 2, "a row of a feature that does not exist");
    Ok(())
}

/// The short table of README names each feature once, the default ones in its first row.
#[test]
fn readme_names_every_feature() -> Result<(), Box<dyn Error>> {
    let readme = readme()?;
    let rows = table(&readme, "\n## Features\n").ok_or("no table")?;
    let mut named = Vec::new();
    for row in rows.iter().skip(2) {
        let is_default = row.starts_with("| on by default |");
        let names = row.split('`').skip(1).step_by(2);
        named.extend(names.map(|name| (name.to_owned(), is_default)));
    }
    let mut expected = features()?;
    named.sort();
    expected.sort();
    assert_eq!(named, expected);
    Ok(())
}

/// The first screens of a visitor: what is longer is a page of the guide.
#[test]
fn readme_is_short() -> Result<(), Box<dyn Error>> {
    let lines = readme()?.lines().count();
    assert!(lines <= 180, "{lines} lines");
    Ok(())
}

/// A link within the repository leads to a file, and its anchor to a heading there.
#[test]
fn links_of_readme_lead_somewhere() -> Result<(), Box<dyn Error>> {
    let readme = readme()?;
    let targets = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets: Vec<&str> = targets.filter(|target| !target.contains("://")).collect();
    assert!(targets.len() > 50, "only {} links were found", targets.len());
    for target in targets {
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = if path.is_empty() { "README.md" } else { path };
        let text = fs::read(root().join(path)).map_err(|error| format!("{target}: {error}"))?;
        let text = String::from_utf8_lossy(&text);
        let is_there =
            anchor.is_empty() || text.lines().any(|line| slug(line).as_deref() == Some(anchor));
        assert!(is_there, "no such heading: {target}");
    }
    Ok(())
}

/// The anchor of a heading, as code forges and rustdoc make it.
fn slug(line: &str) -> Option<String> {
    let title = line.trim_start_matches('#');
    let is_kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let title = title.strip_prefix(' ').filter(|_| line.starts_with('#'))?.to_lowercase();
    Some(title.chars().filter(is_kept).collect::<String>().replace(' ', "-"))
}

/// Every page begins with a sentence and an example.
#[test]
fn pages_of_the_guide_begin_with_an_example() -> Result<(), Box<dyn Error>> {
    for name in
        ["quick_start", "cookbook", "features", "performance", "limits", "async_or_blocking"]
    {
        let page = page(name)?;
        let (start, _) = page.split_once("\n```").ok_or(name)?;
        assert!(start.lines().count() <= 4 && !start.contains("\n#"), "{name}");
    }
    Ok(())
}

/// The methods and fields that the table of limits names exist.
#[test]
fn limits_are_changed_by_methods_that_exist() -> Result<(), Box<dyn Error>> {
    let page = page("limits")?;
    let mut source = String::new();
    read_all(&root().join("src"), &mut source)?;
    let rows = table(&page, "\n# Limits and defaults\n").ok_or("no table")?;
    let mut checked = 0;
    for row in rows.iter().skip(2) {
        let names = row.split('|').nth(3).ok_or(*row)?.split('`').skip(1).step_by(2);
        for name in names.filter_map(|name| name.rsplit("::").next()) {
            let forms = [format!("fn {name}"), format!("pub {name}:"), format!("struct {name}")];
            assert!(forms.iter().any(|form| source.contains(form)), "no {name}");
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} names were found");
    Ok(())
}

/// The errors in README are printed like that.
#[cfg(all(feature = "blocking", feature = "json"))]
mod errors {
    use std::error::Error;
    use std::io::{self, Read, Write};
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use leanhttp::{Client, Result};

    #[derive(Debug, serde::Deserialize)]
    struct User {
        #[allow(dead_code, reason = "the type alone matters")]
        name: String,
    }

    #[test]
    fn readme_shows_errors_as_they_are_printed() -> std::result::Result<(), Box<dyn Error>> {
        let client = Client::builder().no_proxy().build()?;
        let number = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"name\": 5}";
        let truncated = "HTTP/1.1 200 OK\r\nContent-Length: 5242890\r\n\r\n0123456789";
        let lines = [
            line(number, |url| client.get(url).send()?.json::<User>().map(drop))?,
            line(truncated, |url| client.get(url).send()?.bytes().map(drop))?,
            line("", |url| client.get(url).timeout(Duration::from_millis(100)).send().map(drop))?,
        ];
        let readme = super::readme()?;
        for line in lines {
            assert!(readme.lines().any(|of_readme| of_readme == line), "not in README: {line}");
        }
        Ok(())
    }

    /// Returns the line of an error if a server answers like that, or not at all, with port 8000.
    fn line(
        response: &'static str,
        call: impl FnOnce(&str) -> Result<()>,
    ) -> std::result::Result<String, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let addr = listener.local_addr()?.to_string();
        let server = thread::spawn(move || -> io::Result<()> {
            let (mut socket, _) = listener.accept()?;
            let mut request = Vec::new();
            let mut piece = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                let read = socket.read(&mut piece)?;
                request.extend_from_slice(piece.get(..read.max(1)).unwrap_or_default());
            }
            socket.write_all(response.as_bytes())?;
            if response.is_empty() {
                io::copy(&mut socket, &mut io::sink()).ok(); // until the client has given up
            }
            Ok(())
        });
        let error = call(&format!("http://{addr}/")).err().ok_or("no error")?;
        server.join().map_err(|_| "the server panicked")??;
        Ok(error.to_string().replace(&addr, "127.0.0.1:8000"))
    }
}

/// The page lists the names of reqwest that are here, those that do nothing, and those that are missing.
#[test]
fn the_names_of_reqwest_are_where_the_guide_says() -> Result<(), Box<dyn Error>> {
    let page = page("compatibility")?;
    let mut source = String::new();
    read_all(&root().join("src"), &mut source)?;
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

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> std::io::Result<String> {
    fs::read_to_string(root().join("README.md"))
}

fn page(name: &str) -> std::io::Result<String> {
    fs::read_to_string(root().join("src/guide").join(name).with_extension("md"))
}

fn crate_docs() -> std::io::Result<String> {
    let source = fs::read_to_string(root().join("src/lib.rs"))?;
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    Ok(lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect())
}

/// The features of Cargo.toml, and whether each is a default one.
fn features() -> Result<Vec<(String, bool)>, Box<dyn Error>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    let (_, features) = manifest.split_once("\n[features]\n").ok_or("no features")?;
    let mut features = features.lines().take_while(|line| !line.starts_with('['));
    let default = features.next().ok_or("no default")?;
    let names = features.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let is_default = |name: &str| default.contains(&format!("\"{name}\""));
    Ok(names.map(|name| (name.to_owned(), is_default(name))).collect())
}

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
