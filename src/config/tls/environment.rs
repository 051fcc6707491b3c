//! The certificates that environment variables name, as in OpenSSL and Go:
//!
//! | variable | names |
//! | --- | --- |
//! | `SSL_CERT_FILE` | a file of certificates in PEM |
//! | `SSL_CERT_DIR` | folders of such files, separated as in `PATH` |

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::Certificate;
use crate::error::{Error, Result};

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// Returns the certificates, or `None` if neither variable is set.
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

/// Returns an error if there is no certificate: the client could trust nothing.
fn required(
    name: &str,
    value: &OsStr,
    found: io::Result<Vec<Certificate>>,
) -> Result<Vec<Certificate>> {
    let error = || Error::builder(format!("{name}={}", value.to_string_lossy()));
    let found = found.map_err(|cause| error().cause(cause))?;
    if found.is_empty() {
        return Err(error().cause("no certificate found"));
    }
    Ok(found)
}

fn of_folders(folders: &OsStr) -> io::Result<Vec<Certificate>> {
    let mut found = Vec::new();
    for folder in env::split_paths(folders) {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            // The folder may contain other entries: dangling links, folders, text files.
            if path.is_file() {
                found.extend(of_file(&path)?);
            }
        }
    }
    Ok(found)
}

/// Damaged certificates and those that cannot be roots are skipped: system collections contain
/// some.
///
/// A reader continues after an error, whereas a slice reports it forever (rustls-pki-types before
/// 1.13).
fn of_file(path: &Path) -> io::Result<Vec<Certificate>> {
    let pem = fs::read(path)?;
    let certificates = CertificateDer::pem_reader_iter(pem.as_slice()).filter_map(Result::ok);
    Ok(certificates.filter_map(|der| Certificate::checked(der).ok()).collect())
}
