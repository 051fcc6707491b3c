//! Certificates to trust, certificate revocation lists, and the client's own certificate: public
//! types, with the files that they are read from.
//!
//! PEM texts (RFC 7468) are read as found in practice, with byte order marks, and an error about one
//! says what format the bytes have instead.
//!
//! # Errors that help
//!
//! Certificates come from other people's tools, and the usual failure is a right file in a wrong
//! format. rustls says "no certificate found"; this file looks at the bytes and says what they are,
//! and which command converts them: DER for PEM and the reverse, PKCS#12, PKCS#7, a Java keystore,
//! UTF-16, an encrypted or an OpenSSH key, a request, a file with only the key or only the
//! certificate (`other_formats_are_detected`). The text is never shown: it may be a private key.
//!
//! # When a certificate is refused
//!
//! | source | an invalid certificate |
//! | --- | --- |
//! | given by the program | an error when it is parsed, so that the mistake is found where it was made |
//! | a file of `SSL_CERT_FILE` or `SSL_CERT_DIR` | skipped: collections of systems contain some |
//! | all of a variable's certificates | an error: a client that trusts nothing would fail at each request |

use std::borrow::Cow;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

use crate::error::{Error, Result};

/// One or several certificates to trust as roots.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pem = std::fs::read("company-cas.pem")?;
/// let cas = leanhttp::Certificate::from_pem(&pem)?;
/// let client = leanhttp::Client::builder().add_root_certificate(cas).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Certificate {
    pub(super) ders: Vec<CertificateDer<'static>>,
}

impl Certificate {
    /// Parses a certificate in DER (RFC 5280).
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be a root certificate.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Self::checked(CertificateDer::from(der.to_vec())).map_err(|error| {
            if pem_text(der).trim_ascii_start().starts_with(b"-----BEGIN ") {
                error.note("this is PEM: `from_pem` reads it")
            } else if is_der(der) && !is_pkcs12(der) {
                error
            } else {
                explained(error, der)
            }
        })
    }

    /// Parses all certificates of a PEM text (RFC 7468) into one value, which trusts all of them.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, or one of them cannot be a root certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let each = Self::from_pem_bundle(pem)?;
        Ok(Self { ders: each.into_iter().flat_map(|one| one.ders).collect() })
    }

    /// Parses all certificates of a PEM text, each into a value of its own.
    ///
    /// # Errors
    ///
    /// See [`from_pem`](Self::from_pem).
    pub fn from_pem_bundle(pem: &[u8]) -> Result<Vec<Self>> {
        items("certificate", pem)?.into_iter().map(Self::checked).collect()
    }

    /// Checks the certificate here instead of at the first request.
    pub(super) fn checked(der: CertificateDer<'static>) -> Result<Self> {
        RootCertStore::empty()
            .add(der.clone())
            .map_err(|error| Error::builder("invalid root certificate").cause(error))?;
        Ok(Self { ders: vec![der] })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("count", &self.ders.len()).finish()
    }
}

/// One or several lists of certificates that their issuers have revoked (RFC 5280 §5).
///
/// See [`add_crl`](crate::client::ClientBuilder::add_crl).
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leanhttp::Certificate;
/// use leanhttp::tls::CertificateRevocationList;
///
/// let ca = Certificate::from_pem(&std::fs::read("company-ca.pem")?)?;
/// let revoked = CertificateRevocationList::from_pem(&std::fs::read("company-crl.pem")?)?;
/// let client = leanhttp::Client::builder().tls_certs_only([ca]).add_crl(revoked).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CertificateRevocationList {
    pub(super) ders: Vec<CertificateRevocationListDer<'static>>,
}

impl CertificateRevocationList {
    /// Takes a list in DER. Errors in it are reported when the client is built.
    pub fn from_der(der: &[u8]) -> Self {
        Self { ders: vec![CertificateRevocationListDer::from(der.to_vec())] }
    }

    /// Parses all lists of a PEM text (RFC 7468) into one value.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, or one of them is malformed.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        Ok(Self { ders: items("revocation list", pem)? })
    }

    /// Parses all lists of a PEM text, each into a value of its own.
    ///
    /// # Errors
    ///
    /// See [`from_pem`](Self::from_pem).
    pub fn from_pem_bundle(pem: &[u8]) -> Result<Vec<Self>> {
        let ders = items("revocation list", pem)?;
        Ok(ders.into_iter().map(|der| Self { ders: vec![der] }).collect())
    }
}

impl fmt::Debug for CertificateRevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateRevocationList").field("count", &self.ders.len()).finish()
    }
}

/// Returns all items of one kind in a PEM text: at least one.
fn items<T: PemObject>(sort: &str, text: &[u8]) -> Result<Vec<T>> {
    let items = pem_items(text)?;
    if !items.is_empty() {
        return Ok(items);
    }
    let error = Error::builder(format!("no {sort} in the PEM text"));
    if is_der(text) && !is_pkcs12(text) {
        return Err(error.note("this is DER: `from_der` reads it"));
    }
    Err(explained(error, text))
}

/// Returns whether the bytes begin like DER: a sequence of at least 128 bytes (X.690 §8.1.3.5).
fn is_der(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, 0x81..=0x84, ..])
}

/// A certificate of the client and its private key, for servers that ask for one (mutual TLS).
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let identity = leanhttp::Identity::from_pem(&std::fs::read("client.pem")?)?;
/// let client = leanhttp::Client::builder().identity(identity).build()?;
///
/// // From two files, concatenated.
/// let files = [std::fs::read("client.crt")?, std::fs::read("client.key")?];
/// let identity = leanhttp::Identity::from_pem(&files.join(&b'\n'))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    /// Parses a PEM text (RFC 7468) with the certificate, optional intermediate certificates, and
    /// the private key: PKCS#8, PKCS#1 or SEC1, not encrypted. The key may be at any position. A
    /// key that does not match the certificate is reported when the client is built.
    ///
    /// # Errors
    ///
    /// Returns an error if the certificate or the key is missing, or the text is malformed.
    pub fn from_pem(buf: &[u8]) -> Result<Self> {
        Self::from_pkcs8_pem(buf, buf)
    }

    /// Parses two PEM texts: the certificate with optional intermediate certificates, and the private key, as
    /// in [`from_pem`](Self::from_pem). Certificates beside the key are not used.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (certificate, key) = (std::fs::read("client.crt")?, std::fs::read("client.key")?);
    /// let identity = leanhttp::Identity::from_pkcs8_pem(&certificate, &key)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the certificate or the key is missing, or a text is malformed.
    pub fn from_pkcs8_pem(pem: &[u8], key: &[u8]) -> Result<Self> {
        Ok(Self { chain: chain(pem)?, key: Arc::new(private_key(key)?) })
    }

    /// Always fails: PKCS#12 is not supported. Crates that were written for reqwest with native-tls compile with it.
    /// Convert the file, and use [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// Returns an error that says how to convert the file.
    ///
    /// ```
    /// let error = leanhttp::Identity::from_pkcs12_der(b"", "password").unwrap_err();
    /// assert!(error.to_string().contains("openssl pkcs12 -in id.p12 -nodes -out id.pem"));
    /// ```
    pub fn from_pkcs12_der(_der: &[u8], _password: &str) -> Result<Self> {
        let how = "`openssl pkcs12 -in id.p12 -nodes -out id.pem`, then `Identity::from_pem`";
        Err(Error::builder(format!("PKCS#12 is not supported; convert the file: {how}")))
    }

    /// Returns the configuration of a client that uses this identity.
    pub(super) fn present(
        &self,
        builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    ) -> Result<ClientConfig, rustls::Error> {
        builder.with_client_auth_cert(self.chain.clone(), self.key.clone_key())
    }
}

/// Parses the certificates of an identity.
fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let chain = pem_items(pem)?;
    if chain.is_empty() {
        let error = Error::builder("no certificate in the PEM text of an identity");
        return Err(explained(error, pem));
    }
    Ok(chain)
}

/// Parses the first private key.
fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&pem_text(pem)).map_err(|error| match (encrypted(pem), error) {
        (Some(encrypted), _) => encrypted,
        (None, pem::Error::NoItemsFound) => {
            explained(Error::builder("no private key in the PEM text of an identity"), pem)
        }
        (None, error) => Error::builder("malformed PEM text").cause(error),
    })
}

/// Shows nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// Returns the certificates that environment variables name, as in OpenSSL and Go; `None` if neither
/// is set.
///
/// | variable | names |
/// | --- | --- |
/// | `SSL_CERT_FILE` | a file of certificates in PEM |
/// | `SSL_CERT_DIR` | folders of such files, separated as in `PATH` |
pub(super) fn certificates_of_environment(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Vec<Certificate>>> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let (file, folders) = (set(FILE), set(FOLDERS));
    if file.is_none() && folders.is_none() {
        return Ok(None);
    }
    let mut found = Vec::new();
    if let Some(file) = file {
        found.extend(at_least_one(FILE, &file, certificates_of_file(Path::new(&file)))?);
    }
    if let Some(folders) = folders {
        found.extend(at_least_one(FOLDERS, &folders, certificates_of_folders(&folders))?);
    }
    Ok(Some(found))
}

/// Returns an error if there is no certificate: the client could trust nothing.
fn at_least_one(
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

fn certificates_of_folders(folders: &OsStr) -> io::Result<Vec<Certificate>> {
    let mut found = Vec::new();
    for folder in env::split_paths(folders) {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            // The folder may contain other entries: dangling links, folders, text files.
            if path.is_file() {
                found.extend(certificates_of_file(&path)?);
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
fn certificates_of_file(path: &Path) -> io::Result<Vec<Certificate>> {
    let pem = fs::read(path)?;
    let certificates = CertificateDer::pem_reader_iter(pem.as_slice()).filter_map(Result::ok);
    Ok(certificates.filter_map(|der| Certificate::checked(der).ok()).collect())
}

/// The UTF-8 byte order mark. In concatenated files it can be in the middle, too.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns the text without byte order marks: after one, the first line of an item is not
/// recognized.
fn pem_text(pem: &[u8]) -> Cow<'_, [u8]> {
    let mark = BYTE_ORDER_MARK;
    if !pem.windows(mark.len()).any(|window| window == mark) {
        return Cow::Borrowed(pem);
    }
    let (mut text, mut rest) = (Vec::with_capacity(pem.len()), pem);
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(mark) {
            Some(after) => rest = after,
            None => {
                text.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(text)
}

/// Returns all items of one kind in a PEM text.
fn pem_items<T: PemObject>(pem: &[u8]) -> Result<Vec<T>> {
    let items = T::pem_slice_iter(&pem_text(pem)).collect::<Result<Vec<_>, _>>();
    items.map_err(|error| {
        let malformed = || explained(Error::builder("malformed PEM text").cause(error), pem);
        encrypted(pem).unwrap_or_else(malformed)
    })
}

/// Returns the error of an encrypted key. The reader knows none: one with a `Proc-Type` it takes for bad Base64,
/// because of the fields above the key.
fn encrypted(pem: &[u8]) -> Option<Error> {
    let hint = instead(pem).filter(|hint| [ENCRYPTED_PKCS8, ENCRYPTED_PEM].contains(hint));
    hint.map(Error::builder)
}

/// Adds to the error the actual format of the bytes and how to convert it, if that is known.
fn explained(error: Error, bytes: &[u8]) -> Error {
    match instead(bytes) {
        Some(hint) => error.note(hint),
        None => error,
    }
}

/// Detects the actual format of bytes that are not the expected PEM.
fn instead(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        // A PFX (RFC 7292 §4): a sequence that begins with version 3.
        [0x30, 0x80..=0x84, ..] if is_pkcs12(bytes) => return Some(PKCS12),
        [0x30, 0x81..=0x84, ..] => return Some(DER),
        [0xfe, 0xed, 0xfe, 0xed, ..] => return Some(JAVA),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some(UTF16),
        _ => {}
    }
    let has = |label: &str| has_line(bytes, label);
    let labels = [
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----", ENCRYPTED_PKCS8),
        ("Proc-Type: 4,ENCRYPTED", ENCRYPTED_PEM),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", OPENSSH),
        ("-----BEGIN PKCS7-----", PKCS7),
        ("-----BEGIN TRUSTED CERTIFICATE-----", TRUSTED),
        ("-----BEGIN CERTIFICATE REQUEST-----", REQUEST),
        ("-----BEGIN PUBLIC KEY-----", PUBLIC),
    ];
    let known = labels.into_iter().find(|(label, _)| has(label)).map(|(_, hint)| hint);
    known.or_else(|| {
        let has_key = KEYS.iter().any(|label| has(label));
        match (has_key, has("-----BEGIN CERTIFICATE-----")) {
            (true, false) => Some(ONLY_KEY),
            (false, true) => Some(ONLY_CERTIFICATE),
            _ => None,
        }
    })
}

const KEYS: [&str; 3] = [
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----",
];

fn is_pkcs12(bytes: &[u8]) -> bool {
    const VERSION_3: &[u8] = &[0x02, 0x01, 0x03];
    let length = match bytes.get(1) {
        Some(long @ 0x81..=0x84) => usize::from(*long - 0x80),
        _ => 0,
    };
    bytes.get(2 + length..).is_some_and(|contents| contents.starts_with(VERSION_3))
}

/// Returns whether a line of the text begins with `start`.
fn has_line(text: &[u8], start: &str) -> bool {
    let marked = |line: &[u8]| line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).to_vec();
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
        .any(|line| marked(line.trim_ascii_start()).starts_with(start.as_bytes()))
}

const PKCS12: &str = "this is PKCS#12: `openssl pkcs12 -in FILE -out identity.pem -nodes` makes PEM \
    of it";
const DER: &str = "this is DER and not PEM";
const JAVA: &str = "this is a Java keystore: `keytool -importkeystore` with `-deststoretype PKCS12`, \
    then `openssl pkcs12 -nodes` make PEM of it";
const UTF16: &str = "this is UTF-16: save it as UTF-8 or ASCII";
const ENCRYPTED_PKCS8: &str = "the private key of an identity is encrypted (PKCS#8): `openssl pkey -in \
    FILE -out key.pem` decrypts it";
const ENCRYPTED_PEM: &str = "the private key of an identity is encrypted (PEM, Proc-Type: 4,ENCRYPTED): `openssl \
    pkey -in FILE -out key.pem` decrypts it";
const OPENSSH: &str = "the private key is in the format of OpenSSH: `ssh-keygen -p -m PEM -f FILE` \
    converts it";
const PKCS7: &str = "this is PKCS#7: `openssl pkcs7 -in FILE -print_certs` gives the certificates";
const TRUSTED: &str = "this is OpenSSL's own format: `openssl x509 -in FILE` gives the certificate";
const REQUEST: &str = "this is a certificate request, which an authority has yet to sign";
const PUBLIC: &str = "this is a public key";
const ONLY_KEY: &str = "there is a private key and no certificate: are the files swapped?";
const ONLY_CERTIFICATE: &str =
    "there are certificates and no private key: append the text of the key";

#[cfg(test)]
mod tests;
