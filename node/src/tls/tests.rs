//! Claims about a door, through real sockets: who gets in, who does not, and that nobody holds up the others.

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::StreamExt as _;
use rustls::{ClientConfig, HandshakeKind, client::Resumption, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use wego_proto::{
    key::{PublicKey, SecretKey},
    pin::{self, Identity},
};
use zeroize::Zeroizing;

mod side;

use super::{ConnectInfo, ListenLimits, Loopback, TlsCounters, incoming};

const DEADLINE: Duration = Duration::from_secs(20);

/// A door with an echo behind it.
struct Door {
    address: SocketAddr,
    counters: Arc<TlsCounters>,
    known: Arc<Mutex<BTreeSet<PublicKey>>>,
    seen: Arc<Mutex<Vec<ConnectInfo>>>,
    _tasks: JoinSet<()>,
}

impl Door {
    async fn open(known: &[u8], limits: ListenLimits) -> Self {
        let known: BTreeSet<_> = known.iter().map(|seed| secret(*seed).public()).collect();
        let known = Arc::new(Mutex::new(known));
        let asked = known.clone();
        let judge: pin::Judge = Arc::new(move |key| asked.lock().unwrap().contains(key));
        let config = pin::server_config(identity(0), judge).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counters = Arc::new(TlsCounters::default());
        let door = incoming(listener, Arc::new(ArcSwap::from_pointee(config)), limits, counters.clone());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        tasks.spawn(echo(door, seen.clone()));
        Self { address, counters, known, seen, _tasks: tasks }
    }

    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Connects and says hello; whether there was an answer.
    async fn greet(&self, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("wego.invalid").unwrap();
        let mut tls = TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await?;
        tls.write_all(b"hello").await?;
        let mut answer = [0; 5];
        tls.read_exact(&mut answer).await?;
        assert_eq!(&answer, b"hello");
        Ok(tls)
    }
}

async fn echo(mut door: super::Incoming, seen: Arc<Mutex<Vec<ConnectInfo>>>) {
    let mut conversations = JoinSet::new();
    while let Some(conn) = door.next().await {
        let conn = conn.unwrap();
        seen.lock().unwrap().push(*conn.info());
        conversations.spawn(async move {
            let (mut from, mut to) = tokio::io::split(conn);
            let _ = tokio::io::copy(&mut from, &mut to).await;
        });
    }
}

pub(super) fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

pub(super) fn identity(seed: u8) -> Identity {
    let pem = secret(seed).to_pem();
    let pair = rcgen::KeyPair::from_pem(&pem).unwrap();
    let certificate = rcgen::CertificateParams::new([]).unwrap().self_signed(&pair).unwrap();
    Identity::from_pem(&certificate.pem(), &pem).unwrap()
}

pub(super) fn client(seed: u8) -> ClientConfig {
    let server = secret(0).public();
    pin::client_config(identity(seed), Arc::new(move |key| *key == server)).unwrap()
}

fn without_certificate() -> ClientConfig {
    let mut config = client(1);
    config.client_auth_cert_resolver = Arc::new(NoCertificate);
    config
}

#[derive(Debug)]
struct NoCertificate;

impl rustls::client::ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

async fn reaches(counter: &AtomicU64, value: u64) {
    let reached = async {
        let mut look = tokio::time::interval(Duration::from_millis(2));
        while counter.load(Ordering::Relaxed) < value {
            look.tick().await;
        }
    };
    let now = || counter.load(Ordering::Relaxed);
    tokio::time::timeout(DEADLINE, reached).await.unwrap_or_else(|_| panic!("{} of {value}", now()));
}

/// A TLS 1.2 hello: no supported_versions extension.
fn tls12_hello() -> Vec<u8> {
    // signature_algorithms with Ed25519, supported_groups with X25519
    let extensions = [0, 13, 0, 4, 0, 2, 8, 7, 0, 10, 0, 4, 0, 2, 0, 0x1d];
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0xc0, 0x2b, 1, 0, 0, extensions.len() as u8]);
    body.extend(extensions);
    let mut hello = vec![22, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
    hello.extend(body);
    hello
}

#[tokio::test]
async fn a_known_key_gets_in_and_is_named() {
    let door = Door::open(&[1], ListenLimits::default()).await;
    let tls = door.greet(client(1)).await.unwrap();
    let seen = door.seen.lock().unwrap().clone();
    assert_eq!(seen[0].key, secret(1).public());
    assert_eq!(seen[0].remote_addr, tls.get_ref().0.local_addr().unwrap());
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let door = Door::open(&[1], ListenLimits::default()).await;
    door.greet(client(2)).await.unwrap_err();
    reaches(&door.counters.refused_key, 1).await;
    assert!(door.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_gets_in_without_a_certificate() {
    let door = Door::open(&[1], ListenLimits::default()).await;
    door.greet(without_certificate()).await.unwrap_err();
    reaches(&door.counters.no_certificate, 1).await;
}

#[tokio::test]
async fn a_removed_key_is_refused_at_its_next_handshake() {
    let door = Door::open(&[1], ListenLimits::default()).await;
    door.greet(client(1)).await.unwrap();
    door.known.lock().unwrap().clear();
    door.greet(client(1)).await.unwrap_err();
    reaches(&door.counters.refused_key, 1).await;
}

#[tokio::test]
async fn tls_1_2_is_not_spoken() {
    let door = Door::open(&[1], ListenLimits::default()).await;
    let mut tcp = door.tcp().await;
    tcp.write_all(&tls12_hello()).await.unwrap();
    let mut alert = [0; 7];
    tcp.read_exact(&mut alert).await.unwrap();
    assert_eq!((alert[0], alert[6]), (21, 70), "an alert protocol_version");
    reaches(&door.counters.incompatible, 1).await;
}

#[tokio::test]
async fn garbage_is_refused_and_counted() {
    let door = Door::open(&[1], ListenLimits::default()).await;
    door.tcp().await.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    reaches(&door.counters.malformed, 1).await;
    door.greet(client(1)).await.unwrap();
}

#[tokio::test]
async fn half_a_hello_is_dropped_when_its_time_is_over() {
    let limits = ListenLimits { handshake_timeout: Duration::from_millis(300), ..ListenLimits::default() };
    let door = Door::open(&[1], limits).await;
    let hello = tls12_hello();
    let mut waits = door.tcp().await;
    waits.write_all(&hello[..hello.len() / 2]).await.unwrap();
    let mut leaves = door.tcp().await;
    leaves.write_all(&hello[..hello.len() / 2]).await.unwrap();
    drop(leaves);
    reaches(&door.counters.abandoned, 1).await;
    reaches(&door.counters.timeouts, 1).await;
    assert_eq!(waits.read(&mut [0]).await.unwrap_or(0), 0, "closed by the node");
}

#[tokio::test]
async fn silent_sockets_are_dropped_and_an_honest_client_still_gets_in() {
    const SILENT: usize = 500;
    allow_descriptors(4 * SILENT as u64);
    let limits = ListenLimits {
        handshake_timeout: Duration::from_millis(300),
        connections_per_ip_max: 2 * SILENT,
        failures_burst: 8,
        ..ListenLimits::default()
    };
    let door = Door::open(&[1], limits).await;
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(door.tcp().await);
    }
    door.greet(client(1)).await.unwrap();
    reaches(&door.counters.timeouts, SILENT as u64).await;
    for mut socket in silent {
        assert_eq!(socket.read(&mut [0]).await.unwrap_or(0), 0, "closed by the node");
    }
    assert_eq!(door.counters.accepted.load(Ordering::Relaxed), 1);
}

fn allow_descriptors(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let current = Some(maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    }
}

#[tokio::test]
async fn one_address_has_its_share_and_a_place_comes_back() {
    let limits = ListenLimits { connections_per_ip_max: 2, ..ListenLimits::default() };
    refuses_the_third(limits).await;
}

#[tokio::test]
async fn all_addresses_together_have_a_bound() {
    let limits = ListenLimits { connections_max: 2, loopback: Loopback::Exempt, ..ListenLimits::default() };
    refuses_the_third(limits).await;
}

async fn refuses_the_third(limits: ListenLimits) {
    let door = Door::open(&[1], limits).await;
    let _first = door.greet(client(1)).await.unwrap();
    let second = door.greet(client(1)).await.unwrap();
    door.greet(client(1)).await.unwrap_err();
    assert_eq!(door.counters.over_limit.load(Ordering::Relaxed), 1);
    drop(second);
    let again = async { while door.greet(client(1)).await.is_err() {} };
    tokio::time::timeout(DEADLINE, again).await.expect("the place was given back");
}

#[tokio::test]
async fn no_session_is_ever_resumed() {
    let door = Door::open(&[1], ListenLimits::default()).await;
    let mut config = client(1);
    config.resumption = Resumption::in_memory_sessions(8);
    for _ in 0..2 {
        let tls = door.greet(config.clone()).await.unwrap();
        assert_eq!(tls.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(tls.get_ref().1.tls13_tickets_received(), 0);
    }
}

#[tokio::test]
async fn strangers_who_fail_are_rationed_and_members_pay_nothing() {
    let limits = ListenLimits { failures_per_s: 1, failures_burst: 2, ..ListenLimits::default() };
    let door = Door::open(&[1], limits).await;
    for _ in 0..10 {
        door.greet(client(1)).await.unwrap();
    }
    let stranger = async { door.greet(client(2)).await.unwrap_err() };
    tokio::join!(stranger, async { door.greet(client(2)).await.unwrap_err() });
    reaches(&door.counters.refused_key, 2).await;
    door.greet(client(1)).await.unwrap();
    assert_eq!(door.counters.accepted.load(Ordering::Relaxed), 11);
}
