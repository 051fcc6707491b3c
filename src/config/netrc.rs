//! Where a netrc file is found. What it says is read in [`crate::policy::auth::netrc`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::config::ClientBuilder;
use crate::driver::runtime::Front;
use crate::error::{Error, Result};
use crate::policy::auth::netrc::Netrc;

impl<F: Front> ClientBuilder<F> {
    /// As [`netrc_file`](Self::netrc_file), with the file that the environment variable `NETRC`
    /// names, or else `.netrc` in the home folder. No such file is no error.
    pub fn netrc(self) -> Self {
        match usual_path(|name| env::var_os(name)).filter(|path| path.exists()) {
            Some(path) => self.netrc_file(path),
            None => self,
        }
    }

    /// Takes logins from this netrc file, which is read now: Basic credentials for the host that a
    /// request names, if the file has an entry for it, or one called `default`. Off by default.
    ///
    /// They are not for where a request is redirected to. Everything that is said in the program
    /// comes first: an `Authorization` field, a password in the URL, the credentials of the request
    /// or of the client. A user in the URL without a password gets that of its own entry.
    ///
    /// A file that is missing or not well formed is an error of [`build`](Self::build). Who else
    /// may read it is not checked.
    ///
    /// ```no_run
    /// let client = leanhttp::Client::builder().netrc_file("/etc/backup/netrc").build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn netrc_file(self, path: impl AsRef<Path>) -> Self {
        self.checked(read(path.as_ref()), |config, netrc| config.netrc = Some(netrc))
    }
}

fn read(path: &Path) -> Result<Netrc> {
    let invalid = || Error::builder(format!("netrc file {}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| invalid().cause(error))?;
    Netrc::parse(&text).map_err(|error| invalid().cause(error))
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
    fn the_usual_path() {
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
