use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

use super::*;
use crate::config::tls::TlsSettings;
use crate::http1::exchange::{Expectation, Outgoing, SENT_PIECE};
use crate::http1::limits::Limits;
use crate::policy::route::IdentityUse;

/// A connection without its socket.
struct Machine {
    pipe: Pipe,
    exchange: Exchange,
}

impl Machine {
    fn step(&mut self) -> Result<Step, PipeError> {
        self.pipe.step(&mut self.exchange)
    }

    fn output(&self) -> &[u8] {
        self.pipe.output(&self.exchange)
    }

    fn wrote(&mut self, count: usize) {
        self.pipe.wrote(&mut self.exchange, count);
    }
}

fn client(length: u64) -> Machine {
    let tls = TlsSettings::trusting_anyone().stage("localhost", IdentityUse::Shown).unwrap();
    let mut exchange = Exchange::new(&Limits::default());
    let body = Outgoing::Length(length);
    exchange.start(http::Method::POST, body, Expectation::None, |head| head.push(b"the head"));
    Machine { pipe: Pipe::new(Some(tls)), exchange }
}

fn server() -> ServerConnection {
    let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)
        .unwrap();
    ServerConnection::new(Arc::new(config)).unwrap()
}

/// A connection that takes few bytes at a time must not accumulate ciphertext.
#[test]
fn ciphertext_is_written_before_more_is_encrypted() {
    const LENGTH: u64 = 1 << 20;
    let (mut client, mut server) = (client(LENGTH), server());
    let (mut received, mut most, mut left) = (Vec::new(), 0, LENGTH as usize);
    while (received.len() as u64) < LENGTH {
        match client.step().unwrap() {
            Step::Write => {
                most = most.max(client.output().len());
                let count = client.output().len().min(1000);
                server.read_tls(&mut &client.output()[..count]).unwrap();
                client.wrote(count);
                server.process_new_packets().unwrap();
                let _ = server.reader().read_to_end(&mut received);
            }
            Step::Fill => {
                let count = client.exchange.body_space().len().min(left);
                client.exchange.body_filled(count);
                left -= count;
            }
            Step::Read => {
                let mut bytes = Vec::new();
                server.write_tls(&mut bytes).unwrap();
                receive(&mut client, &bytes);
            }
            step => panic!("{step:?}"),
        }
    }
    // One piece, the overhead of its records, and the head.
    assert!(most < SENT_PIECE + SENT_PIECE / 16, "{most} bytes of ciphertext waited");
}

/// Pending ciphertext belongs to the request as much as pending plaintext.
#[test]
fn a_refusal_ends_a_request_with_pending_ciphertext() {
    for (status, is_sending) in [(413, false), (200, true)] {
        let (mut client, mut server) = (client(50_000), server());
        let mut left = 50_000;
        loop {
            match client.step().unwrap() {
                Step::Write if left == 0 => break,
                Step::Write => {
                    let count = client.output().len();
                    server.read_tls(&mut client.output()).unwrap();
                    client.wrote(count);
                    server.process_new_packets().unwrap();
                }
                Step::Fill => {
                    client.exchange.body_space();
                    client.exchange.body_filled(left);
                    left = 0;
                }
                Step::Read => to_client(&mut server, &mut client),
                step => panic!("{step:?}"),
            }
            if server.wants_write() {
                to_client(&mut server, &mut client);
            }
        }
        client.wrote(1000);
        let response = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
        server.writer().write_all(response.as_bytes()).unwrap();
        to_client(&mut server, &mut client);
        assert!(matches!(client.step().unwrap(), Step::Head(_)));
        assert_eq!(client.pipe.is_sending(&client.exchange), is_sending, "{status}");
        assert!(client.pipe.reusable(&client.exchange).is_err(), "half a request");
    }
}

/// Nothing more may be readable, and the source may have no data for a long time.
#[test]
fn an_alert_after_an_interim_response_is_reported_before_the_body_is_read() {
    let (mut client, mut server) = (client(9), server());
    client.exchange.send_head_first();
    loop {
        match client.step().unwrap() {
            Step::Write => {
                let count = client.output().len();
                server.read_tls(&mut client.output()).unwrap();
                client.wrote(count);
                server.process_new_packets().unwrap();
            }
            Step::Fill => break,
            Step::Read => {}
            step => panic!("{step:?}"),
        }
        if server.wants_write() {
            to_client(&mut server, &mut client);
        }
    }
    server.writer().write_all(b"HTTP/1.1 103 X\r\n\r\n").unwrap();
    let garbage = b"\x17\x03\x03\x00\x20 this is no record of TLS at all";
    server.read_tls(&mut garbage.as_slice()).unwrap();
    server.process_new_packets().unwrap_err(); // it queues an alert for the client
    to_client(&mut server, &mut client);
    assert!(client.step().is_err());
}

fn to_client(server: &mut ServerConnection, client: &mut Machine) {
    let mut bytes = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut bytes).unwrap();
    }
    receive(client, &bytes);
}

fn receive(client: &mut Machine, bytes: &[u8]) {
    client.pipe.read_space(&mut client.exchange).write_all(bytes).unwrap();
    if !bytes.is_empty() {
        client.pipe.read(&mut client.exchange, bytes.len()).unwrap();
    }
}
