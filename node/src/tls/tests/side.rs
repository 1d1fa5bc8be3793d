//! Claims about the second way through a door: who comes by it, where it leads, and that it takes nothing from the first.

use std::{io, sync::Arc, sync::atomic::Ordering, time::Duration};

use arc_swap::ArcSwap;
use futures_util::{Stream, StreamExt as _};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use wego_proto::pin;

use super::{
    super::{Conn, ConnectInfo, ListenLimits, Loopback, SideEntrance, TlsCounters, incoming},
    DEADLINE, client, identity, reaches, secret,
};

/// Each way answers with a letter of its own.
const MAIN: u8 = b'm';
const SIDE: u8 = b's';

struct Door {
    address: std::net::SocketAddr,
    counters: Arc<TlsCounters>,
    /// Who came by the second way.
    seen: mpsc::UnboundedReceiver<ConnectInfo>,
    _tasks: JoinSet<()>,
}

/// Key 1 is a member's; any key may come by the second way, `connections_max` at once.
async fn open(connections_max: usize, lifetime: Duration) -> Door {
    open_with(limits(), connections_max, lifetime).await
}

fn limits() -> ListenLimits {
    ListenLimits { loopback: Loopback::Exempt, ..ListenLimits::default() }
}

async fn open_with(limits: ListenLimits, connections_max: usize, lifetime: Duration) -> Door {
    let member = secret(1).public();
    let config = pin::server_config(identity(0), Arc::new(move |key| *key == member)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counters = Arc::new(TlsCounters::default());
    let main = incoming(listener, Arc::new(ArcSwap::from_pointee(config)), limits, counters.clone());
    let (main, side) = main.beside(SideEntrance {
        protocol: pin::JOIN_ALPN,
        config: Arc::new(ArcSwap::from_pointee(pin::join_server_config(identity(0)).unwrap())),
        connections_max,
        connections_per_ip_max: 1,
        lifetime,
    });
    let (see, seen) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(answer(main, MAIN, None));
    tasks.spawn(answer(side, SIDE, Some(see)));
    Door { address, counters, seen, _tasks: tasks }
}

async fn answer(
    mut door: impl Stream<Item = io::Result<Conn>> + Unpin,
    letter: u8,
    see: Option<mpsc::UnboundedSender<ConnectInfo>>,
) {
    let mut conversations = JoinSet::new();
    while let Some(conn) = door.next().await {
        let mut conn = conn.unwrap();
        if let Some(see) = &see {
            see.send(*conn.info()).unwrap();
        }
        conversations.spawn(async move {
            while conn.read_u8().await.is_ok() {
                let _ = conn.write_all(&[letter]).await;
                let _ = conn.flush().await;
            }
        });
    }
}

fn joining(seed: u8) -> ClientConfig {
    let server = secret(0).public();
    pin::join_client_config(identity(seed), Arc::new(move |key| *key == server)).unwrap()
}

async fn greet(door: &Door, config: ClientConfig) -> io::Result<(TlsStream<TcpStream>, u8)> {
    let name = ServerName::try_from("wego.invalid").unwrap();
    let tcp = TcpStream::connect(door.address).await.unwrap();
    let mut tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    tls.write_all(b"?").await?;
    let letter = tls.read_u8().await?;
    Ok((tls, letter))
}

#[tokio::test]
async fn a_stranger_comes_by_the_second_way_only_whatever_else_it_offers() {
    let door = open(8, DEADLINE).await;
    greet(&door, client(2)).await.unwrap_err();
    assert_eq!(greet(&door, joining(2)).await.unwrap().1, SIDE);
    for first in [true, false] {
        let mut both = joining(2);
        both.alpn_protocols.insert(usize::from(first), b"h2".to_vec());
        let (tls, letter) = greet(&door, both).await.unwrap();
        assert_eq!((letter, tls.get_ref().1.alpn_protocol()), (SIDE, Some(pin::JOIN_ALPN)));
    }
    let mut none = joining(2);
    none.alpn_protocols.clear();
    greet(&door, none).await.unwrap_err();
    assert_eq!(greet(&door, client(1)).await.unwrap().1, MAIN);
    assert_eq!(door.counters.accepted.load(Ordering::Relaxed), 1);
    assert_eq!(door.counters.accepted_aside.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn both_ends_export_the_same_value_and_another_for_each_connection() {
    let mut door = open(8, DEADLINE).await;
    let mut bindings = Vec::new();
    for _ in 0..2 {
        let (tls, _) = greet(&door, joining(2)).await.unwrap();
        let seen = door.seen.recv().await.unwrap();
        let ours = pin::bind(tls.get_ref().1).unwrap();
        assert_eq!((seen.key, seen.binding), (secret(2).public(), Some(ours)));
        bindings.push(ours);
    }
    assert_ne!(bindings[0], bindings[1]);
}

#[tokio::test]
async fn strangers_have_places_of_their_own_and_members_keep_theirs() {
    let door = open(2, DEADLINE).await;
    let (_one, _) = greet(&door, joining(2)).await.unwrap();
    let (other, _) = greet(&door, joining(3)).await.unwrap();
    greet(&door, joining(4)).await.unwrap_err();
    reaches(&door.counters.over_limit, 1).await;
    assert_eq!(greet(&door, client(1)).await.unwrap().1, MAIN);
    drop(other);
    let again = async { while greet(&door, joining(4)).await.is_err() {} };
    tokio::time::timeout(DEADLINE, again).await.expect("the place was given back");
}

#[tokio::test]
async fn a_strangers_connection_is_cut_when_its_time_is_over() {
    let door = open(2, Duration::from_millis(300)).await;
    let (mut tls, _) = greet(&door, joining(2)).await.unwrap();
    let (mut member, _) = greet(&door, client(1)).await.unwrap();
    let cut = tokio::time::timeout(DEADLINE, tls.read(&mut [0])).await.expect("cut in time");
    assert_eq!(cut.unwrap_or(0), 0);
    member.write_all(b"?").await.unwrap();
    assert_eq!(member.read_u8().await.unwrap(), MAIN, "a member's is not");
}

#[tokio::test]
async fn a_strangers_handshake_stays_taken_from_the_ration() {
    let limits = ListenLimits { failures_per_s: 1, failures_burst: 1, ..limits() };
    let door = open_with(limits, 8, DEADLINE).await;
    let begun = std::time::Instant::now();
    let (_first, _) = greet(&door, joining(2)).await.unwrap();
    let (_second, _) = greet(&door, joining(3)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "the second waited for the ration to grow");
}
