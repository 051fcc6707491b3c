//! Finds and reads a netrc file. [`crate::policy::auth::netrc`] parses it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::policy::auth::netrc::Netrc;

/// Reads a netrc file.
pub(crate) fn read(path: &Path) -> Result<Netrc> {
    let invalid = || Error::builder(format!("netrc file {}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| invalid().cause(error))?;
    Netrc::parse(&text).map_err(|error| invalid().cause(error))
}

/// Returns the path of the user's netrc file, if there is one.
pub(crate) fn default_path() -> Option<PathBuf> {
    usual_path(|name| env::var_os(name)).filter(|path| path.exists())
}

fn usual_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").or_else(|| set("USERPROFILE"));
    set("NETRC").or_else(|| Some(home()?.join(".netrc")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_path_is_in_the_home_directory() {
        type Variables<'a> = &'a [(&'a str, &'a str)];
        let cases: [(Variables<'_>, Option<&str>); 5] = [
            (&[("NETRC", "n"), ("HOME", "h")], Some("n")),
            (&[("NETRC", ""), ("HOME", "h"), ("USERPROFILE", "u")], Some("h/.netrc")),
            (&[("USERPROFILE", "u")], Some("u/.netrc")),
            (&[("HOME", "")], None),
            (&[], None),
        ];
        for (variables, expected) in cases {
            let variable = |name: &str| {
                let found = variables.iter().find(|(own, _)| *own == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(usual_path(variable), expected.map(PathBuf::from), "{variables:?}");
        }
    }
}
