//! A TLS 1.3 server that sends more after its response.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use rustls::crypto::cipher::{
    InboundOpaqueMessage, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundPlainMessage,
};
use rustls::{
    ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig, ServerConnection,
    SupportedCipherSuite,
};

/// The bytes that follow the first response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// So many `NewSessionTicket` messages (RFC 8446 §4.6.1).
    Tickets(usize),
    /// All but the last byte of a ticket.
    HalfATicket,
    Data(&'static [u8]),
    CloseNotify,
    /// A record that cannot be decrypted.
    Garbage,
}

/// Responds to the next request of a connection, if there is one.
type Answer = Box<dyn FnMut() -> io::Result<()>>;

/// The first connection responds to a request, sends those bytes, and responds to another request
/// if it arrives there; later connections respond to one request each.
pub struct Late {
    addr: SocketAddr,
    go: Sender<()>,
    said: Receiver<()>,
    server: JoinHandle<usize>,
}

impl Late {
    pub fn start(config: Arc<ServerConfig>, words: Vec<Word>) -> Late {
        let mut config = ServerConfig::clone(&config);
        config.enable_secret_extraction = true;
        config.send_tls13_tickets = 0;
        Late::with(Arc::new(config), move |socket, connection| {
            let mut sealed = Sealed::new(socket, connection);
            words.iter().for_each(|word| sealed.say(*word));
            Box::new(move || sealed.answer())
        })
    }

    /// `speak` sends the bytes and returns the function that responds to the next request.
    fn with(
        config: Arc<ServerConfig>,
        speak: impl FnOnce(TcpStream, ServerConnection) -> Answer + Send + 'static,
    ) -> Late {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let ((go, begin), (done, said)) = (mpsc::channel(), mpsc::channel());
        let server = thread::spawn(move || {
            let (socket, connection) = answer(&listener, &config);
            begin.recv().unwrap();
            let mut next = speak(socket, connection);
            done.send(()).unwrap();
            if next().is_ok() {
                return 1;
            }
            answer(&listener, &config);
            2
        });
        Late { addr, go, said, server }
    }

    /// The first connection sends a `KeyUpdate` (RFC 8446 §4.6.3) that requests one of the client,
    /// instead of other bytes.
    pub fn refreshing_keys(config: Arc<ServerConfig>) -> Late {
        Late::with(config, |mut socket, mut connection| {
            connection.refresh_traffic_keys().unwrap();
            while connection.wants_write() {
                connection.write_tls(&mut socket).unwrap();
            }
            Box::new(move || exchange(&mut socket, &mut connection))
        })
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}/", self.addr.port())
    }

    /// Sends the bytes now, and waits until they are sent.
    pub fn speak(&self) {
        self.go.send(()).unwrap();
        self.said.recv().unwrap();
    }

    /// Number of connections for two requests.
    pub fn connections(self) -> usize {
        self.server.join().unwrap()
    }
}

/// Accepts a connection and responds to its first request.
fn answer(listener: &TcpListener, config: &Arc<ServerConfig>) -> (TcpStream, ServerConnection) {
    let (mut socket, _) = listener.accept().unwrap();
    socket.set_nodelay(true).unwrap(); // written data is sent immediately
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    exchange(&mut socket, &mut connection).unwrap();
    (socket, connection)
}

fn exchange(socket: &mut TcpStream, connection: &mut ServerConnection) -> io::Result<()> {
    let mut stream = rustls::Stream::new(connection, socket);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    stream.write_all(RESPONSE)?;
    stream.flush()
}

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A connection whose records are made by hand.
struct Sealed {
    socket: TcpStream,
    encrypter: Box<dyn MessageEncrypter>,
    sent: u64,
    decrypter: Box<dyn MessageDecrypter>,
    received: u64,
}

impl Sealed {
    fn new(socket: TcpStream, connection: ServerConnection) -> Sealed {
        let Some(SupportedCipherSuite::Tls13(suite)) = connection.negotiated_cipher_suite() else {
            unreachable!()
        };
        let secrets = connection.dangerous_extract_secrets().unwrap();
        let ((sent, tx), (received, rx)) = (secrets.tx, secrets.rx);
        use ConnectionTrafficSecrets::{Aes128Gcm, Aes256Gcm, Chacha20Poly1305};
        let parts = |secrets| match secrets {
            Aes128Gcm { key, iv } | Aes256Gcm { key, iv } | Chacha20Poly1305 { key, iv } => {
                (key, iv)
            }
            _ => unreachable!(),
        };
        let ((tx_key, tx_iv), (rx_key, rx_iv)) = (parts(tx), parts(rx));
        Sealed {
            socket,
            encrypter: suite.aead_alg.encrypter(tx_key, tx_iv),
            sent,
            decrypter: suite.aead_alg.decrypter(rx_key, rx_iv),
            received,
        }
    }

    fn say(&mut self, word: Word) {
        let bytes = match word {
            Word::Tickets(count) => {
                (0..count).flat_map(|_| self.seal(ContentType::Handshake, &ticket())).collect()
            }
            Word::HalfATicket => {
                let mut record = self.seal(ContentType::Handshake, &ticket());
                record.pop();
                record
            }
            Word::Data(data) => self.seal(ContentType::ApplicationData, data),
            Word::CloseNotify => self.seal(ContentType::Alert, &[1, 0]),
            Word::Garbage => [&[23, 3, 3, 0, 32][..], &[0; 32]].concat(),
        };
        self.socket.write_all(&bytes).unwrap();
    }

    /// Responds to a request, if the client makes one here.
    fn answer(&mut self) -> io::Result<()> {
        while !self.open()?.ends_with(b"\r\n\r\n") {}
        let response = self.seal(ContentType::ApplicationData, RESPONSE);
        self.socket.write_all(&response)
    }

    fn seal(&mut self, typ: ContentType, payload: &[u8]) -> Vec<u8> {
        let payload = OutboundChunks::Single(payload);
        let record = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        let sealed = self.encrypter.encrypt(record, self.sent).unwrap().encode();
        self.sent += 1;
        sealed
    }

    /// The plaintext of the next record.
    fn open(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 5];
        self.socket.read_exact(&mut header)?;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        self.socket.read_exact(&mut payload)?;
        let (typ, version) = (ContentType::ApplicationData, ProtocolVersion::TLSv1_2);
        let record = InboundOpaqueMessage::new(typ, version, &mut payload);
        let plain = self.decrypter.decrypt(record, self.received).map_err(io::Error::other)?;
        self.received += 1;
        match plain.typ {
            ContentType::Alert => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => Ok(plain.payload.to_vec()),
        }
    }
}

/// A ticket that is valid for an hour and useless.
fn ticket() -> Vec<u8> {
    let mut body = vec![0, 0, 0x0e, 0x10, 1, 2, 3, 4, 1, 7];
    body.extend([0, 32]);
    body.extend([9; 32]);
    body.extend([0, 0]);
    [&[4, 0, 0, body.len() as u8][..], &body].concat()
}
