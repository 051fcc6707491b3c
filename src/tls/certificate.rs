//! Certificates to trust, and lists of those that are revoked.

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::error::{Error, Result};

/// A certificate to trust as a root.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pem = std::fs::read("company-ca.pem")?;
/// let ca = leanhttp::Certificate::from_pem(&pem)?;
/// let client = leanhttp::Client::builder().add_root_certificate(ca).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Certificate {
    pub(super) der: CertificateDer<'static>,
}

impl Certificate {
    /// A certificate in DER (RFC 5280).
    ///
    /// # Errors
    ///
    /// If it cannot be a root certificate.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Self::checked(CertificateDer::from(der.to_vec()))
    }

    /// The first certificate of a PEM text (RFC 7468).
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be a root certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let der = CertificateDer::from_pem_slice(pem)
            .map_err(|error| Error::builder("no certificate in the PEM text").cause(error))?;
        Self::checked(der)
    }

    /// Every certificate of a PEM text.
    ///
    /// # Errors
    ///
    /// If one of them is malformed.
    pub fn from_pem_bundle(pem: &[u8]) -> Result<Vec<Self>> {
        CertificateDer::pem_slice_iter(pem)
            .map(|der| Self::checked(der.map_err(malformed)?))
            .collect()
    }

    /// Found out here and not at the first request.
    pub(super) fn checked(der: CertificateDer<'static>) -> Result<Self> {
        RootCertStore::empty()
            .add(der.clone())
            .map_err(|error| Error::builder("invalid root certificate").cause(error))?;
        Ok(Self { der })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("bytes", &self.der.len()).finish()
    }
}

/// A list of certificates that their issuer has revoked (RFC 5280 §5).
///
/// See [`add_crl`](crate::config::ClientBuilder::add_crl).
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
    pub(super) der: CertificateRevocationListDer<'static>,
}

impl CertificateRevocationList {
    /// A list in DER. What is wrong with it is told when the client is built.
    pub fn from_der(der: &[u8]) -> Self {
        Self { der: CertificateRevocationListDer::from(der.to_vec()) }
    }

    /// The first list of a PEM text (RFC 7468).
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let der = CertificateRevocationListDer::from_pem_slice(pem)
            .map_err(|error| Error::builder("no revocation list in the PEM text").cause(error))?;
        Ok(Self { der })
    }

    /// Every list of a PEM text.
    ///
    /// # Errors
    ///
    /// If one of them is malformed.
    pub fn from_pem_bundle(pem: &[u8]) -> Result<Vec<Self>> {
        CertificateRevocationListDer::pem_slice_iter(pem)
            .map(|der| Ok(Self { der: der.map_err(malformed)? }))
            .collect()
    }
}

impl fmt::Debug for CertificateRevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateRevocationList").field("bytes", &self.der.len()).finish()
    }
}

fn malformed(error: rustls::pki_types::pem::Error) -> Error {
    Error::builder("malformed PEM text").cause(error)
}
