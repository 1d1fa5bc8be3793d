//! Durable publishes a second, beside plain append and fdatasync of the same bytes.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use wego_node::app::Node;
use wego_proto::prost::Message as _;
use wego_tests::{client::Client, records::publish};

use crate::{
    disk,
    progress::say,
    row::{Row, median},
    size::Size,
    text, town,
};

const WRITERS: [usize; 3] = [1, 16, 64];
/// Writers on one gRPC connection: below the calls that a node serves at once on one.
const WRITERS_PER_CONNECTION: usize = 16;
/// Bytes of an entry beside its record: header, signature, nonce and framing.
const ENTRY_BYTES: usize = 300;
/// What group commit must come to with 64 writers beside one.
const GAIN_WANTED: f64 = 8.0;
const APPEND: &str = "append + fdatasync, one writer";

/// Writes a second of each round.
#[derive(Default)]
struct Rates {
    appends: Vec<f64>,
    engine: [Vec<f64>; WRITERS.len()],
    grpc: [Vec<f64>; WRITERS.len()],
}

/// Measures.
pub(crate) async fn measure(size: Size) -> Vec<Row> {
    let (rounds, time) = size.pick((5, Duration::from_secs(1)), (1, Duration::from_millis(50)));
    let (dir, mut seats) = town::founded(1, town::Memory::Default).await;
    let node = seats[0].start().await.expect("a node starts");
    let mut connections = Vec::new();
    for _ in 0..WRITERS[WRITERS.len() - 1].div_ceil(WRITERS_PER_CONNECTION) {
        connections.push(Client::of_profile(&seats[0].created.profile_dir).await);
    }
    let mut rates = Rates::default();
    for round in 1..=rounds {
        say(&format!("publish: round {round} of {rounds}"));
        rates.round(dir.path(), &node, &connections, time).await;
    }
    node.stop().await;
    rates.rows()
}

impl Rates {
    async fn round(&mut self, dir: &Path, node: &Node, connections: &[Client], time: Duration) {
        let bytes = vec![7; text::record(0).encoded_len() + ENTRY_BYTES];
        let appended = disk::appends(dir, &bytes, time);
        self.appends.push(appended.len() as f64 / appended.iter().sum::<Duration>().as_secs_f64());
        for (n, writers) in WRITERS.into_iter().enumerate() {
            self.engine[n].push(in_process(node, writers, time).await);
            rest(node).await;
            self.grpc[n].push(over_grpc(connections, writers, time).await);
            rest(node).await;
        }
    }

    fn rows(&self) -> Vec<Row> {
        let append = median(&self.appends);
        let mut rows = Vec::new();
        for (way, rates) in [("engine", &self.engine), ("grpc", &self.grpc)] {
            for (writers, rates) in WRITERS.iter().zip(rates) {
                let name = format!("publish-{way}-{writers}");
                rows.push(Row::new(name, median(rates), "publishes/s", APPEND, append));
            }
            let gain = median(&rates[WRITERS.len() - 1]) / median(&rates[0]);
            let name = format!("publish-{way}-gain");
            rows.push(Row::new(name, gain, "times", "wanted of 64 writers beside one", GAIN_WANTED));
        }
        rows
    }
}

/// Each measure begins on an idle node.
async fn rest(node: &Node) {
    town::settled(node).await;
    town::quiet().await;
}

async fn in_process(node: &Node, writers: usize, time: Duration) -> f64 {
    let begun = Instant::now();
    let writer = |_| async {
        let mut written = 0_u32;
        while begun.elapsed() < time {
            node.engine().write(town::write(text::record(fresh()))).await.expect("a write");
            written += 1;
        }
        written
    };
    let written = join_all((0..writers).map(writer)).await;
    f64::from(written.iter().sum::<u32>()) / begun.elapsed().as_secs_f64()
}

async fn over_grpc(connections: &[Client], writers: usize, time: Duration) -> f64 {
    let begun = Instant::now();
    let writer = |n: usize| {
        let mut client = connections[n / WRITERS_PER_CONNECTION].catalogue();
        async move {
            let mut written = 0_u32;
            while begun.elapsed() < time {
                client.publish(publish(text::record(fresh()))).await.expect("a publish");
                written += 1;
            }
            written
        }
    };
    let written = join_all((0..writers).map(writer)).await;
    f64::from(written.iter().sum::<u32>()) / begun.elapsed().as_secs_f64()
}

/// Numbers of records, each once.
fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
