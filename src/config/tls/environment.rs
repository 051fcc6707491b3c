//! The certificates that the environment names, as for OpenSSL and Go:
//!
//! | variable | names |
//! | --- | --- |
//! | `SSL_CERT_FILE` | a file of certificates in PEM |
//! | `SSL_CERT_DIR` | folders of such files, separated as in `PATH` |

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::{env, fs, io};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::Certificate;
use crate::error::{Error, Result};

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// None, if neither variable is set.
pub(super) fn certificates(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Vec<Certificate>>> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let (file, folders) = (set(FILE), set(FOLDERS));
    if file.is_none() && folders.is_none() {
        return Ok(None);
    }
    let mut found = Vec::new();
    if let Some(file) = file {
        found.extend(required(FILE, &file, of_file(Path::new(&file)))?);
    }
    if let Some(folders) = folders {
        found.extend(required(FOLDERS, &folders, of_folders(&folders))?);
    }
    Ok(Some(found))
}

/// What names no certificate is a mistake: without one, nothing could be trusted.
fn required(
    name: &str,
    value: &OsStr,
    found: io::Result<Vec<Certificate>>,
) -> Result<Vec<Certificate>> {
    let error = || Error::builder(format!("{name}={}", value.to_string_lossy()));
    let found = found.map_err(|cause| error().cause(cause))?;
    if found.is_empty() {
        return Err(error().cause("no certificate there"));
    }
    Ok(found)
}

fn of_folders(folders: &OsStr) -> io::Result<Vec<Certificate>> {
    let mut found = Vec::new();
    for folder in env::split_paths(folders) {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            // Other things lie there too: links that lead nowhere, folders, texts.
            if path.is_file() {
                found.extend(of_file(&path)?);
            }
        }
    }
    Ok(found)
}

/// What is damaged, and certificates that cannot be roots, are passed over: collections of a system
/// have some.
///
/// A reader goes on behind an error, where a slice stays on it for ever (rustls-pki-types before
/// 1.13).
fn of_file(path: &Path) -> io::Result<Vec<Certificate>> {
    let pem = fs::read(path)?;
    let certificates = CertificateDer::pem_reader_iter(pem.as_slice()).filter_map(Result::ok);
    Ok(certificates.filter_map(|der| Certificate::checked(der).ok()).collect())
}
