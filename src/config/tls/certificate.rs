//! Certificates to trust, and certificate revocation lists.

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use super::pem;
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
            match (is_pem(der), is_der(der)) {
                (true, _) => error.note("this is PEM: `from_pem` reads it"),
                (_, true) if !pem::is_pkcs12(der) => error,
                _ => pem::explained(error, der),
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
    let items = pem::items(text)?;
    if !items.is_empty() {
        return Ok(items);
    }
    let error = Error::builder(format!("no {sort} in the PEM text"));
    Err(match is_der(text) && !pem::is_pkcs12(text) {
        true => error.note("this is DER: `from_der` reads it"),
        false => pem::explained(error, text),
    })
}

fn is_pem(text: &[u8]) -> bool {
    pem::text(text).trim_ascii_start().starts_with(b"-----BEGIN ")
}

/// Returns whether the bytes begin like DER: a sequence of at least 128 bytes (X.690 §8.1.3.5).
fn is_der(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, 0x81..=0x84, ..])
}
