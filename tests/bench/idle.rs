//! What a session costs that has nothing to say: all bytes of its TCP connection, counted on the way.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{progress::say, row::Row, size::Size, town};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Both ends have said all they know by then.
const REST: Duration = Duration::from_secs(3);
/// Bytes a minute that a session may cost.
const LIMIT_BYTES: f64 = 1_000.0;
const LIMIT: &str = "allowed: TLS and HTTP/2 included, both directions";

/// Measures.
pub(crate) async fn measure(size: Size) -> Vec<Row> {
    let time = size.pick(Duration::from_secs(190), Duration::from_secs(5));
    let (_dir, mut seats) = town::founded(2, town::Memory::Least).await;
    let count = Arc::new(AtomicU64::new(0));
    let near = proxy(seats[1].config.listen.peers, count.clone()).await;
    pin(&seats[0].config.node.data_dir, &seats[1].city.handle, near);
    let mut nodes = Vec::new();
    // The one that does not dial first.
    for n in [1, 0] {
        nodes.push(seats[n].start().await.expect("a node starts"));
    }
    town::connected(&nodes, 1).await;
    tokio::time::sleep(REST).await;
    say(&format!("idle: counting for {} s", time.as_secs()));
    let before = count.load(Ordering::Relaxed);
    assert!(before > 0, "the session does not go through the counter");
    tokio::time::sleep(time).await;
    let bytes = count.load(Ordering::Relaxed) - before;
    for node in nodes {
        node.stop().await;
    }
    let a_minute = bytes as f64 * 60.0 / time.as_secs_f64();
    vec![Row::new("idle-session", a_minute, "bytes/min", LIMIT, LIMIT_BYTES)]
}

/// Leaves word for the node in `data_dir` where to reach `handle`, before it starts and dials.
fn pin(data_dir: &Path, handle: &str, at: SocketAddr) {
    std::fs::create_dir_all(data_dir).expect("a folder");
    let pins = format!("[peers]\n{handle} = \"{at}\"\n");
    std::fs::write(data_dir.join("peers.toml"), pins).expect("the pins");
}

/// Passes connections on to `to` and counts their bytes.
async fn proxy(to: SocketAddr, count: Arc<AtomicU64>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(to).await else { continue };
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(pass(near_in, far_out, count.clone()));
            tokio::spawn(pass(far_in, near_out, count.clone()));
        }
    });
    at
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, count: Arc<AtomicU64>) {
    let mut buffer = vec![0; 16 * 1_024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        count.fetch_add(read as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
