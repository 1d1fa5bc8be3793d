//! Claims about the sled store beside the common ones: disk space, damage, panics, schema.

use std::fs;

use wego_proto::entry::Unverified;

use super::*;
use crate::store::{
    conformance::{self, Author, SEEN_MS, StoreBed},
    space::NoGuard,
};

mod damage;
mod full_disk;
mod speed;

const CACHE_BYTES: u64 = 16 * 1_024 * 1_024;

fn open(dir: &Path) -> Result<SledStore, StoreError> {
    SledStore::open(dir, CACHE_BYTES, Arc::new(NoGuard))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for file in fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        let target = to.join(file.file_name());
        if file.file_type().expect("a type").is_dir() {
            copy(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).expect("a copy");
        }
    }
}

fn whole_tail(store: &SledStore) -> Result<Vec<v1::Entry>, StoreError> {
    let mut found = Vec::new();
    let mut from = Cursor(0);
    loop {
        let (part, next) = store.tail(from, 100)?;
        if part.is_empty() {
            return Ok(found);
        }
        found.extend(part.into_iter().map(|arrival| arrival.entry));
        from = next;
    }
}

/// A crash is a copy of the folder, taken while the store is open.
struct Folders {
    root: tempfile::TempDir,
    incarnations: u32,
}

impl Folders {
    fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a temporary folder"), incarnations: 0 }
    }

    fn dir(&self) -> std::path::PathBuf {
        self.root.path().join(self.incarnations.to_string())
    }
}

impl StoreBed for Folders {
    type Store = SledStore;

    fn create(&mut self) -> Result<SledStore, StoreError> {
        open(&self.dir())
    }

    fn crash(&mut self, store: SledStore) -> Result<SledStore, StoreError> {
        let before = self.dir();
        self.incarnations += 1;
        copy(&before, &self.dir());
        drop(store);
        open(&self.dir())
    }

    fn reopen(&mut self, store: SledStore) -> Result<SledStore, StoreError> {
        drop(store);
        open(&self.dir())
    }

    fn quarantine(store: &SledStore) -> Result<Vec<v1::Entry>, StoreError> {
        store
            .db
            .run(|tree| tree.scan_prefix([rows::QUARANTINE]).map(|row| Ok(chain::decode(&row?.1)?)).collect())
    }
}

#[test]
fn it_holds_every_claim_about_entry_stores() {
    conformance::entry_store(Folders::new).expect("every claim");
}

#[test]
fn killed_after_any_put_or_sync_it_holds_a_prefix() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    let mut authors = [Author::new(1), Author::new(2), Author::new(3)];
    let (mut arrived, mut copies) = (Vec::new(), Vec::new());
    let mut synced = 0;
    for step in 0..24 {
        if step % 3 == 2 {
            store.sync().expect("a sync");
            synced = arrived.len();
        } else {
            let batch: Vec<_> = authors.iter_mut().flat_map(|author| author.batch(5, 2_000)).collect();
            store.put(&batch, SEEN_MS).expect("a put");
            arrived.extend(batch.iter().map(Verified::to_wire));
        }
        let dir = folders.root.path().join(format!("killed-{step}"));
        copy(&folders.dir(), &dir);
        copies.push((dir, synced));
    }
    for (dir, synced) in copies {
        let store = open(&dir).expect("a store");
        let found = whole_tail(&store).expect("readable");
        assert!(found.len() >= synced, "{}: what was synced is there", dir.display());
        assert!(
            arrived.starts_with(&found) && found.len().is_multiple_of(15),
            "{}: whole batches",
            dir.display()
        );
    }
}

#[test]
fn a_batch_of_256_consecutive_entries_costs_one_arrival_row() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    let mut ada = Author::new(1);
    for _ in 0..3 {
        store.put(&ada.batch(256, 10), SEEN_MS).expect("a put");
    }
    let rows = store.db.run(|tree| Ok(tree.scan_prefix(b"t").count())).expect("a count");
    assert_eq!(rows, 3);
    assert_eq!(whole_tail(&store).expect("readable").len(), 768);
}

#[test]
fn a_second_process_is_told_that_the_folder_is_in_use() {
    let mut folders = Folders::new();
    let _first = folders.create().expect("a store");
    let second = folders.create();
    assert!(matches!(second, Err(StoreError::Locked { .. })), "{second:?}");
}

#[test]
fn a_newer_schema_is_named_and_left_alone() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    store.db.run(|tree| Ok(tree.insert(rows::SCHEMA_KEY, &7_u32.to_be_bytes())?)).expect("a row");
    let error = folders.reopen(store).expect_err("a newer schema");
    assert_eq!(error.to_string(), "the entry store has format 7, and this version knows none above 2");
}

#[test]
fn every_new_database_is_another_incarnation() {
    let ids: Vec<_> = (0..2).map(|_| Folders::new().create().expect("a store").store_id()).collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_large_batch_is_written_in_steps_and_seen_at_once() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    let (mut ada, mut ben) = (Author::new(1), Author::new(2));
    let mut batch = ada.batch(30, 60_000);
    batch.extend(ben.batch(5, 256 * 1_024));
    batch.extend(ada.batch(30, 10));
    let fresh: Vec<_> = batch.iter().map(|entry| Fresh { entry, erased: false, orders: None }).collect();
    let steps = write::chunks(&fresh, 0, SEEN_MS);
    assert!(steps.len() > 5, "{}", steps.len());
    assert!(steps.iter().all(|step| step.bytes <= STEP_BYTES), "a step keeps its limit");
    assert_eq!(store.put(&batch, SEEN_MS).expect("a put"), Cursor(65));
    assert!(store.writer().bytes() <= STEP_BYTES, "what came before a step is flushed");
    let store = folders.crash(store).expect("a prefix is consistent");
    let found = whole_tail(&store).expect("readable");
    let put: Vec<_> = batch.iter().map(Verified::to_wire).collect();
    assert!(found.len() > 30 && put.starts_with(&found), "{} survive", found.len());
    assert_eq!(store.put(&batch, SEEN_MS).expect("the rest"), Cursor(65));
    assert_eq!(whole_tail(&store).expect("readable"), put);
}

#[test]
fn interleaved_origins_make_a_run_each_time_they_change() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    let (mut ada, mut ben) = (Author::new(1), Author::new(2));
    store.put(&[ada.next(1), ada.next(1), ben.next(1), ada.next(1)], SEEN_MS).expect("a put");
    let runs = store.db.run(|tree| {
        let rows: Result<Vec<_>, _> = tree.scan_prefix(b"t").values().collect();
        Ok(rows?.iter().map(|row| rows::read_run(row)).collect::<Result<Vec<_>, _>>()?)
    });
    let runs: Vec<_> =
        runs.expect("runs").iter().map(|run| (run.origin.0, run.first_seq, run.entries)).collect();
    assert_eq!(runs, [(1, 1, 2), (2, 1, 1), (1, 3, 1)]);
}

/// As a store of an earlier version has them.
#[test]
fn a_run_without_a_moment_is_read_as_one_of_an_unknown_moment() {
    let mut folders = Folders::new();
    let store = folders.create().expect("a store");
    store.put(&Author::new(1).batch(2, 10), SEEN_MS).expect("a put");
    let cut = store.db.run(|tree| {
        let (key, row) = tree.scan_prefix(b"t").next().expect("a run")?;
        tree.insert(key, &row[..row.len() - 8])?;
        Ok(())
    });
    cut.expect("written");
    let (found, _) = store.tail(Cursor(0), 9).expect("readable");
    assert_eq!(found.iter().map(|one| one.seen_ms).collect::<Vec<_>>(), [None, None]);
}

/// It cannot force the standstill that `unflushed.rs` describes; it holds several databases of one process under load.
#[test]
fn stores_written_side_by_side_never_stand_still() {
    let (finished, wait) = std::sync::mpsc::channel();
    let writers: Vec<_> = (1..=3)
        .map(|origin| {
            let finished = finished.clone();
            std::thread::spawn(move || {
                let mut folders = Folders::new();
                let store = folders.create().expect("a store");
                let mut author = Author::new(origin);
                for _ in 0..12 {
                    store.put(&author.batch(100, 7_000), SEEN_MS).expect("a put");
                }
                finished.send(store.cursor()).expect("somebody waits");
            })
        })
        .collect();
    for _ in &writers {
        let cursor = wait.recv_timeout(std::time::Duration::from_secs(120)).expect("no store stands still");
        assert_eq!(cursor, Cursor(1_200));
    }
    writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
}
