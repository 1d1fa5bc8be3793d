//! Sockets that say nothing, or too little, by the hundred.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use wego_proto::v1;
use wego_tests::{Cluster, DEADLINE, byzantine::Byzantine, client::Client};

/// As many as stay open for ever at a server without a handshake timeout.
const SILENT: usize = 500;

async fn open(at: SocketAddr, say: &[u8]) -> Vec<TcpStream> {
    let mut sockets = Vec::new();
    for _ in 0..SILENT {
        let mut socket = TcpStream::connect(at).await.unwrap();
        socket.write_all(say).await.unwrap();
        sockets.push(socket);
    }
    sockets
}

/// Waits until the other end has closed every one.
async fn all_closed(sockets: Vec<TcpStream>) {
    let closed = async {
        for mut socket in sockets {
            let mut rest = [0; 1_024];
            loop {
                match socket.read(&mut rest).await {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                        break;
                    }
                }
            }
        }
    };
    tokio::time::timeout(DEADLINE, closed).await.expect("every silent socket is closed");
}

async fn impatient() -> Cluster {
    let mut cluster = Cluster::found(2).await;
    cluster.seats[0].config.limits.handshake_timeout = Duration::from_secs(2);
    cluster.seats[1].release();
    cluster.up(0).await;
    cluster
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_silent_sockets_keep_no_operator_out_and_are_closed() {
    let cluster = impatient().await;
    // Nothing; the beginning of a TLS record; and no TLS at all.
    for say in [b"".as_slice(), &[22, 3, 1, 2, 0], b"GET / HTTP/1.1\r\n"] {
        let silent = open(cluster.seats[0].config.listen.clients, say).await;
        let honest = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
        honest.admin().status(v1::StatusRequest {}).await.unwrap();
        all_closed(silent).await;
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_silent_sockets_keep_no_peer_out_and_are_closed() {
    let cluster = impatient().await;
    let peer = Byzantine::holding(&cluster.seats[1]);
    let silent = open(cluster.seats[0].config.listen.peers, b"").await;
    let line = peer.greet(&cluster.seats[0]).await;
    cluster.connected(0, 1).await;
    all_closed(silent).await;
    cluster.connected(0, 1).await;
    drop(line);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_silent_sockets_keep_no_reader_of_the_portal_out_and_are_closed() {
    let cluster = impatient().await;
    let portal = cluster.seats[0].config.listen.portal.unwrap();
    for say in [b"".as_slice(), b"GET / HTTP/1.1\r\nHost: x\r\n"] {
        let silent = open(portal, say).await;
        let mut honest = TcpStream::connect(portal).await.unwrap();
        honest.write_all(b"GET / HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(DEADLINE, honest.read_to_end(&mut answer)).await;
        read.expect("an answer in time").unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer));
        all_closed(silent).await;
    }
    cluster.stop().await;
}
