//! How fast an empty node takes in everything a peer has, beside the parts alone: sled, and TLS.
//!
//! The peer that sends is a process of its own, as it is elsewhere, for sled has one lock for all databases of a
//! process. Both share the processors of this machine, with the indexes of the one that receives.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use wego_node::{
    demo::founding::Seat,
    store::{Cursor, EntryStore as _, NoGuard, SledStore},
};
use wego_proto::prost::Message as _;

use crate::{
    process::{Running, program},
    progress::say,
    row::{Row, median},
    size::Size,
    town, wire,
};

/// Entries of one batch.
const BATCH: usize = 256;
/// How often the receiving node is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(2);
const SLED: &str = "the same entries into sled alone, batches of 256, each flushed";
const TLS: &str = "the same bytes through TLS on loopback";

/// Entries a second of each round.
#[derive(Default)]
struct Rates {
    stored: Vec<f64>,
    indexed: Vec<f64>,
    sled: Vec<f64>,
    tls: Vec<f64>,
}

/// Measures.
pub(crate) async fn measure(size: Size) -> Vec<Row> {
    let (rounds, entries) = size.pick((3, 100_000), (1, 600));
    let (dir, mut seats) = town::founded(rounds + 1, town::Memory::Default).await;
    say(&format!("catch-up: preparing {entries} entries"));
    let encoded = prepare(&mut seats[0], entries).await;
    let bytes = encoded.iter().map(Vec::len).sum();
    let source = Running::start(&program(), &seats[0]).await;
    let mut rates = Rates::default();
    for (round, seat) in seats.iter_mut().enumerate().skip(1) {
        say(&format!("catch-up: round {round} of {rounds}"));
        let rate = |seconds: f64| entries as f64 / seconds;
        town::quiet().await;
        rates.sled.push(rate(sled_alone(dir.path(), &encoded)));
        rates.tls.push(rate(wire::carry(bytes).await));
        let (stored, indexed) = receive(seat, entries).await;
        rates.stored.push(rate(stored));
        rates.indexed.push(rate(indexed));
    }
    source.stop().await;
    let (sled, tls) = (median(&rates.sled), median(&rates.tls));
    let stored = median(&rates.stored);
    vec![
        Row::new("catch-up-store", stored, "entries/s", SLED, sled),
        Row::new("catch-up-wire", stored, "entries/s", TLS, tls),
        Row::new("catch-up-search", median(&rates.indexed), "entries/s", SLED, sled),
    ]
}

/// Fills the node and returns its entries as they are stored.
async fn prepare(seat: &mut Seat, entries: u64) -> Vec<Vec<u8>> {
    let node = seat.start().await.expect("a node starts");
    town::fill(&node, entries).await;
    node.stop().await;
    let space = std::sync::Arc::new(NoGuard);
    let dir = seat.config.node.data_dir.join("store");
    let store = SledStore::open(&dir, seat.config.store.cache_bytes, space).expect("the store");
    let mut encoded = Vec::new();
    let mut at = Cursor(0);
    loop {
        let (found, next) = store.tail(at, BATCH).expect("its entries");
        if found.is_empty() {
            return encoded;
        }
        encoded.extend(found.iter().map(|arrival| arrival.entry.encode_to_vec()));
        at = next;
    }
}

/// Seconds until an empty node has stored everything and flushed it, and until everything can be found there.
async fn receive(seat: &mut Seat, entries: u64) -> (f64, f64) {
    let begun = Instant::now();
    let node = seat.start().await.expect("a node starts");
    while node.reader().view().cursor.0 < entries {
        assert!(begun.elapsed() < town::PATIENCE, "not caught up within {:?}", town::PATIENCE);
        tokio::time::sleep(ASK_EVERY).await;
    }
    flush(&seat.config.node.data_dir.join("store/db"));
    let stored = begun.elapsed().as_secs_f64();
    town::settled(&node).await;
    let indexed = begun.elapsed().as_secs_f64();
    node.stop().await;
    (stored, indexed)
}

fn flush(path: &Path) {
    std::fs::File::open(path).and_then(|file| file.sync_all()).expect("a flush");
}

/// Seconds for the same rows in a database of the same cache, in steps as small as the store's.
fn sled_alone(dir: &Path, encoded: &[Vec<u8>]) -> f64 {
    let dir = TempDir::new_in(dir).expect("a temporary folder");
    let begun = Instant::now();
    let config = sled::Config::default().path(dir.path()).cache_capacity(64 * 1_024 * 1_024);
    let db = config.flush_every_ms(None).mode(sled::Mode::HighThroughput).open().expect("a database");
    for (first, batch) in (0..).step_by(BATCH).zip(encoded.chunks(BATCH)) {
        let mut rows = sled::Batch::default();
        for (seq, entry) in (first..).zip(batch) {
            rows.insert(&key(seq), entry.as_slice());
        }
        db.apply_batch(rows).expect("a batch");
        // sled 0.34 can stand still for ever when much of it is under way at once.
        db.flush().expect("a flush");
    }
    begun.elapsed().as_secs_f64()
}

/// As long as the store's keys.
fn key(seq: u64) -> [u8; 17] {
    let mut key = [b'e'; 17];
    key[9..].copy_from_slice(&seq.to_be_bytes());
    key
}
