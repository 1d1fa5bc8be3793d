//! How long it takes until what one city published can be read at all others.

use std::{
    thread,
    time::{Duration, Instant},
};

use wego_node::{app::Node, engine::read::ReadHandle};
use wego_proto::id::RecordId;

use crate::{
    disk,
    progress::say,
    row::{Row, median, ms, percentile},
    size::Size,
    text, town, wire,
};

/// How often the nodes are asked.
const ASK_EVERY: Duration = Duration::from_micros(300);
/// Between two publishes the nodes come to rest for so long.
const REST: Duration = Duration::from_millis(60);
/// Sessions every node has before the first publish; the overlay's degree bounds them above.
const SESSIONS_MIN: usize = 16;
const LIMIT: &str = "one fdatasync and 3 TLS round trips on loopback";

/// Measures.
pub(crate) async fn measure(size: Size) -> Vec<Row> {
    let mut rows = Vec::new();
    for (nodes, publishes) in size.pick([(9, 100), (50, 40)], [(2, 3), (4, 3)]) {
        say(&format!("propagate: {publishes} publishes to {nodes} nodes"));
        let (times, limit) = among(nodes, publishes).await;
        for percent in [50, 99] {
            let name = format!("propagate-{nodes}-p{percent}");
            rows.push(Row::new(name, percentile(&times, percent), "ms", LIMIT, limit));
        }
    }
    rows
}

/// Milliseconds of each publish, and of the limit.
async fn among(size: usize, publishes: u64) -> (Vec<f64>, f64) {
    let (dir, mut seats) = town::founded(size, town::Memory::Least).await;
    let flush = disk::appends(dir.path(), &[7; 1_300], Duration::from_millis(300));
    let flush = median(&flush.into_iter().map(ms).collect::<Vec<_>>());
    let trip = median(&wire::round_trips(200).await.into_iter().map(ms).collect::<Vec<_>>());
    let mut nodes = Vec::new();
    for seat in &mut seats {
        nodes.push(seat.start().await.expect("a node starts"));
    }
    town::connected(&nodes, SESSIONS_MIN.min(size - 1)).await;
    let mut times = Vec::new();
    // The first publish opens what is opened once, and does not count.
    for n in 0..=publishes {
        tokio::time::sleep(REST).await;
        times.push(ms(publish(&nodes, n).await));
    }
    for node in nodes {
        node.stop().await;
    }
    (times.split_off(1), flush + 3.0 * trip)
}

async fn publish(nodes: &[Node], n: u64) -> Duration {
    let write = town::write(text::record(n));
    let id = write.record_id;
    let readers: Vec<_> = nodes.iter().map(|node| node.reader().clone()).collect();
    let publisher = &nodes[n as usize % nodes.len()];
    let begun = Instant::now();
    let seen = tokio::task::spawn_blocking(move || seen_by_all(readers, id));
    publisher.engine().write(write).await.expect("a write");
    seen.await.expect("the reader").saturating_duration_since(begun)
}

/// Waits on a thread of its own: the runtime's clock is too coarse.
fn seen_by_all(mut readers: Vec<ReadHandle>, id: RecordId) -> Instant {
    let begun = Instant::now();
    loop {
        readers.retain(|reader| reader.record(&id).expect("a read").is_none());
        if readers.is_empty() {
            return Instant::now();
        }
        assert!(begun.elapsed() < town::PATIENCE, "not seen within {:?}", town::PATIENCE);
        thread::park_timeout(ASK_EVERY);
    }
}
