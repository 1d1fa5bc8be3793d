//! What TLS 1.3 on loopback gives: bytes in one direction, and small round trips.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use wego_proto::pin::{self, Identity};

/// Bytes of one write.
const WRITE_BYTES: usize = 64 * 1_024;
/// Bytes of one message that goes there and back: about one note.
const MESSAGE_BYTES: usize = 64;

/// Two ends of one connection.
struct Wire {
    dialled: client::TlsStream<TcpStream>,
    accepted: server::TlsStream<TcpStream>,
}

/// Seconds that `bytes` take from one end to the other.
pub(crate) async fn carry(bytes: usize) -> f64 {
    let Wire { mut dialled, mut accepted } = connect().await;
    let begun = Instant::now();
    let sending = tokio::spawn(async move {
        let chunk = vec![7; WRITE_BYTES];
        let mut left = bytes;
        while left > 0 {
            let now = left.min(WRITE_BYTES);
            dialled.write_all(&chunk[..now]).await.expect("a write");
            left -= now;
        }
        dialled.flush().await.expect("a flush");
        dialled
    });
    let mut buffer = vec![0; WRITE_BYTES];
    let mut left = bytes;
    while left > 0 {
        let read = accepted.read(&mut buffer).await.expect("a read");
        assert!(read > 0, "the connection ended early");
        left = left.saturating_sub(read);
    }
    let took = begun.elapsed().as_secs_f64();
    sending.await.expect("the sender");
    took
}

/// The time of each of `count` small round trips.
pub(crate) async fn round_trips(count: usize) -> Vec<Duration> {
    let Wire { mut dialled, mut accepted } = connect().await;
    let echo = tokio::spawn(async move {
        let mut message = [0; MESSAGE_BYTES];
        while accepted.read_exact(&mut message).await.is_ok() {
            if accepted.write_all(&message).await.is_err() || accepted.flush().await.is_err() {
                break;
            }
        }
    });
    let mut message = [7; MESSAGE_BYTES];
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        dialled.write_all(&message).await.expect("a write");
        dialled.flush().await.expect("a flush");
        dialled.read_exact(&mut message).await.expect("a read");
        times.push(begun.elapsed());
    }
    drop(dialled);
    echo.await.expect("the echo");
    times
}

async fn connect() -> Wire {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let at = listener.local_addr().expect("an address");
    let accept = pin::server_config(identity(), Arc::new(|_| true)).expect("a configuration");
    let dial = pin::client_config(identity(), Arc::new(|_| true)).expect("a configuration");
    let accepting = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.expect("a connection");
        tcp.set_nodelay(true).expect("an option");
        TlsAcceptor::from(Arc::new(accept)).accept(tcp).await.expect("a handshake")
    });
    let tcp = TcpStream::connect(at).await.expect("a connection");
    tcp.set_nodelay(true).expect("an option");
    let name = ServerName::try_from("wego.invalid").expect("a name");
    let dialled = TlsConnector::from(Arc::new(dial)).connect(name, tcp).await.expect("a handshake");
    Wire { dialled, accepted: accepting.await.expect("the other end") }
}

fn identity() -> Identity {
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
    let names = vec!["wego.invalid".to_owned()];
    let certificate = CertificateParams::new(names).and_then(|params| params.self_signed(&key));
    Identity::from_pem(&certificate.expect("a certificate").pem(), &key.serialize_pem()).expect("an identity")
}
