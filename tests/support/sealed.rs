//! The records of a TLS server, made by hand with the keys of a rustls handshake.
//!
//! A rustls server sends only valid records. These records can be anything: messages cut across
//! records, padding (RFC 8446 §5.4), messages at the wrong time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, Iv, MessageDecrypter, MessageEncrypter, OutboundChunks,
    OutboundPlainMessage,
};
use rustls::crypto::tls13::OkmBlock;
use rustls::{
    ConnectionTrafficSecrets, ContentType, KeyLog, ProtocolVersion, ServerConfig, ServerConnection,
    SupportedCipherSuite, Tls13CipherSuite,
};

pub const HANDSHAKE: ContentType = ContentType::Handshake;
pub const DATA: ContentType = ContentType::ApplicationData;
pub const ALERT: ContentType = ContentType::Alert;

/// `close_notify`.
pub const CLOSE_NOTIFY: &[u8] = &[1, 0];

/// A `KeyUpdate` (RFC 8446 §4.6.3) that requests none in return.
pub const KEY_UPDATE: &[u8] = &[24, 0, 0, 1, 0];

/// A `KeyUpdate` that requests one in return.
pub const KEY_UPDATE_REQUEST: &[u8] = &[24, 0, 0, 1, 1];

/// A `NewSessionTicket` (RFC 8446 §4.6.1) for an hour, with a nonce and a ticket of one byte each.
pub const TICKET: &[u8] = b"\x04\0\0\x0f\0\0\x0e\x10\0\0\0\0\x01\0\0\x01t\0\0";

/// A ticket of this many bytes, its header included.
pub fn ticket(size: usize) -> Vec<u8> {
    let length = |size: usize| u32::try_from(size).unwrap().to_be_bytes();
    let mut ticket = vec![4];
    ticket.extend(&length(size - 4)[1..]);
    ticket.extend([0, 0, 14, 16, 0, 0, 0, 0, 1, 0]);
    ticket.extend(&length(size - 18)[2..]);
    ticket.resize(size - 2, b't');
    ticket.extend([0, 0]);
    ticket
}

/// The secrets of one connection (RFC 8446 §7.1) by name.
#[derive(Debug, Default)]
pub struct Secrets(Mutex<HashMap<String, Vec<u8>>>);

impl KeyLog for Secrets {
    fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
        self.0.lock().unwrap().insert(label.to_owned(), secret.to_vec());
    }
}

impl Secrets {
    pub fn get(&self, label: &str) -> Vec<u8> {
        self.0.lock().unwrap().get(label).cloned().unwrap_or_default()
    }
}

/// The server's side of a connection whose records the test can make itself. It sends no tickets of
/// its own.
pub fn connection(config: &ServerConfig) -> (ServerConnection, Arc<Secrets>) {
    let secrets = Arc::new(Secrets::default());
    let mut config = config.clone();
    config.enable_secret_extraction = true;
    config.send_tls13_tickets = 0;
    config.key_log = Arc::clone(&secrets) as _;
    (ServerConnection::new(Arc::new(config)).unwrap(), secrets)
}

/// Takes over a connection whose handshake is done.
pub fn take_over(connection: ServerConnection, secrets: &Secrets) -> (Sealer, Opener) {
    let suite = connection.negotiated_cipher_suite().unwrap();
    let extracted = connection.dangerous_extract_secrets().unwrap();
    let ((sent, tx), (received, rx)) = (extracted.tx, extracted.rx);
    let (key, iv) = parts(tx);
    let encrypter = match suite {
        SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
        // A part of the nonce of GCM is implicit (RFC 5288 §3).
        SupportedCipherSuite::Tls12(suite) => {
            let (fixed, explicit) = iv.as_ref().split_at(4);
            suite.aead_alg.encrypter(key, fixed, explicit)
        }
    };
    let (key, iv) = parts(rx);
    let decrypter = match suite {
        SupportedCipherSuite::Tls13(suite) => suite.aead_alg.decrypter(key, iv),
        SupportedCipherSuite::Tls12(suite) => suite.aead_alg.decrypter(key, &iv.as_ref()[..4]),
    };
    let secret = secrets.get("SERVER_TRAFFIC_SECRET_0");
    (Sealer { suite, secret, encrypter, sent }, Opener { decrypter, received })
}

fn parts(secrets: ConnectionTrafficSecrets) -> (AeadKey, Iv) {
    use ConnectionTrafficSecrets::{Aes128Gcm, Aes256Gcm, Chacha20Poly1305};
    match secrets {
        Aes128Gcm { key, iv } | Aes256Gcm { key, iv } | Chacha20Poly1305 { key, iv } => (key, iv),
        _ => unreachable!(),
    }
}

/// Makes the server's records.
pub struct Sealer {
    suite: SupportedCipherSuite,
    /// The secret from which the next keys are derived; TLS 1.3 only.
    secret: Vec<u8>,
    encrypter: Box<dyn MessageEncrypter>,
    sent: u64,
}

impl Sealer {
    /// The records from this secret on: of the handshake of TLS 1.3, for example.
    pub fn from_secret(suite: &'static Tls13CipherSuite, secret: Vec<u8>) -> Sealer {
        let (key, iv) = keys(suite, &secret);
        let encrypter = suite.aead_alg.encrypter(key, iv);
        Sealer { suite: SupportedCipherSuite::Tls13(suite), secret, encrypter, sent: 0 }
    }

    pub fn is_tls13(&self) -> bool {
        matches!(self.suite, SupportedCipherSuite::Tls13(_))
    }

    /// One record.
    pub fn seal(&mut self, typ: ContentType, payload: &[u8]) -> Vec<u8> {
        let payload = OutboundChunks::Single(payload);
        let record = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        let sealed = self.encrypter.encrypt(record, self.sent).unwrap().encode();
        self.sent += 1;
        sealed
    }

    /// One record whose plaintext has this size, including type and padding; TLS 1.3 only.
    pub fn seal_padded(&mut self, typ: ContentType, payload: &[u8], size: usize) -> Vec<u8> {
        let mut inner = payload.to_vec();
        inner.push(typ.into());
        if inner.len() >= size {
            return self.seal(typ, payload);
        }
        inner.resize(size - 1, 0);
        self.seal(ContentType::Unknown(0), &inner) // the type is the last byte of the padding
    }

    /// A message in records of this many bytes each.
    pub fn seal_in_pieces(&mut self, typ: ContentType, message: &[u8], size: usize) -> Vec<u8> {
        message.chunks(size).flat_map(|piece| self.seal(typ, piece)).collect()
    }

    /// The keys that follow a `KeyUpdate` (RFC 8446 §7.2).
    pub fn update_keys(&mut self) {
        let SupportedCipherSuite::Tls13(suite) = self.suite else { return };
        let mut next = vec![0; self.secret.len()];
        expand(suite, &self.secret, b"traffic upd", &mut next);
        *self = Sealer::from_secret(suite, next);
    }
}

/// Key and nonce of a secret (RFC 8446 §7.3), for suites whose keys have 32 bytes.
fn keys(suite: &Tls13CipherSuite, secret: &[u8]) -> (AeadKey, Iv) {
    assert_eq!(suite.aead_alg.key_len(), 32);
    let (mut key, mut iv) = ([0; 32], [0; 12]);
    expand(suite, secret, b"key", &mut key);
    expand(suite, secret, b"iv", &mut iv);
    (key.into(), iv.into())
}

/// HKDF-Expand-Label (RFC 8446 §7.1) without context.
fn expand(suite: &Tls13CipherSuite, secret: &[u8], label: &[u8], output: &mut [u8]) {
    let expander = suite.hkdf_provider.expander_for_okm(&OkmBlock::new(secret));
    let length = u16::try_from(output.len()).unwrap().to_be_bytes();
    let label_length = [6 + u8::try_from(label.len()).unwrap()];
    expander.expand_slice(&[&length, &label_length, b"tls13 ", label, &[0]], output).unwrap();
}

/// Reads the client's records.
pub struct Opener {
    decrypter: Box<dyn MessageDecrypter>,
    received: u64,
}

impl Opener {
    /// The records from this secret on: of the handshake of TLS 1.3, for example.
    pub fn from_secret(suite: &Tls13CipherSuite, secret: &[u8]) -> Opener {
        let (key, iv) = keys(suite, secret);
        Opener { decrypter: suite.aead_alg.decrypter(key, iv), received: 0 }
    }

    /// The content of a record; `None` if it does not belong to the connection.
    pub fn open(&mut self, record: &[u8]) -> Option<(ContentType, Vec<u8>)> {
        let mut payload = record.get(5..)?.to_vec();
        let typ = ContentType::from(record[0]);
        let message = InboundOpaqueMessage::new(typ, ProtocolVersion::TLSv1_2, &mut payload);
        let plain = self.decrypter.decrypt(message, self.received).ok()?;
        self.received += 1;
        Some((plain.typ, plain.payload.to_vec()))
    }
}

/// The first complete record of these bytes, and the rest.
pub fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = bytes.get(3..5)?;
    bytes.split_at_checked(5 + usize::from(u16::from_be_bytes([length[0], length[1]])))
}
