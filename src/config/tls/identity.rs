//! The client certificate.

use std::fmt;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder};

use super::pem;
use crate::error::{Error, Result};

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
    /// A function pointer, so that programs without an identity do not link this code.
    present: fn(&Self, WantsIdentity) -> Result<ClientConfig, rustls::Error>,
}

type WantsIdentity = ConfigBuilder<ClientConfig, WantsClientCert>;

impl Identity {
    /// Parses a PEM text (RFC 7468) with the certificate, optional intermediate certificates, and
    /// the private key: PKCS#8, PKCS#1 or SEC1, not encrypted. The key may be at any position. A
    /// key that does not match the certificate is reported when the client is built.
    ///
    /// # Errors
    ///
    /// Returns an error if the certificate or the key is missing, or the text is malformed.
    pub fn from_pem(buf: &[u8]) -> Result<Self> {
        let chain: Vec<CertificateDer<'_>> = pem::items(buf)?;
        if chain.is_empty() {
            let error = Error::builder("no certificate in the PEM text of an identity");
            return Err(pem::explained(error, buf));
        }
        let key = PrivateKeyDer::from_pem_slice(&pem::text(buf)).map_err(|error| {
            let error =
                Error::builder("no private key in the PEM text of an identity").cause(error);
            pem::explained(error, buf)
        })?;
        let present = |identity: &Self, builder: WantsIdentity| {
            builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
        };
        Ok(Self { chain, key: Arc::new(key), present })
    }

    /// Returns the configuration of a client that uses this identity.
    pub(super) fn present(&self, builder: WantsIdentity) -> Result<ClientConfig, rustls::Error> {
        (self.present)(self, builder)
    }
}

/// Shows nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}
