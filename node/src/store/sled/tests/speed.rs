//! How fast a catch-up is beside plain sled. Run by hand; it claims nothing about time.

use std::time::Instant;

use super::*;

#[test]
#[ignore = "a measurement, not a claim: run it by name with --nocapture"]
fn catching_up_is_measured_beside_plain_sled() {
    let entries = 100_000;
    let signed = Author::new(1).batch(entries, 1_024);
    let root = tempfile::tempdir().expect("a temporary folder");

    let db = ::sled::Config::default().path(root.path().join("plain")).flush_every_ms(None);
    let db = db.cache_capacity(CACHE_BYTES).open().expect("plain sled");
    let began = Instant::now();
    for batch in signed.chunks(256) {
        let mut writes = ::sled::Batch::default();
        for entry in batch {
            let at = entry.header().at;
            let key = rows::entry_key(entry.header().origin, at.epoch, at.seq);
            writes.insert(&key, entry.to_wire().encode_to_vec());
        }
        db.apply_batch(writes).expect("a batch");
    }
    db.flush().expect("a flush");
    report("plain sled batches", entries, began);
    drop(db);

    let dir = root.path().join("entries");
    let store = open(&dir).expect("a store");
    let began = Instant::now();
    for batch in signed.chunks(256) {
        store.put(batch, SEEN_MS).expect("a put");
    }
    store.sync().expect("a sync");
    report("store puts", entries, began);

    let began = Instant::now();
    let found = whole_tail(&store).expect("readable");
    report("tail of 100 at a time", found.len(), began);
    drop(store);
    let began = Instant::now();
    let _store = open(&dir).expect("a store");
    report("opening", entries, began);
    let bytes = fs::metadata(dir.join("db")).expect("a file").len();
    println!("{} bytes on disk for each entry", bytes / entries as u64);
}

fn report(what: &str, entries: usize, began: Instant) {
    println!("{what}: {:.0} entries/s", entries as f64 / began.elapsed().as_secs_f64());
}
