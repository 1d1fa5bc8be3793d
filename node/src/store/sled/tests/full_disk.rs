//! Claims about a disk that gets full under the database.

use super::*;
use crate::store::space::{
    DiskGuard, SpaceReport, Writes,
    small_disk::{Kind, SmallDisk},
};

const RESERVE: u64 = 16 * 1_024 * 1_024;

struct Filled {
    disk: SmallDisk,
    guard: Arc<DiskGuard>,
    store: SledStore,
    accepted: usize,
}

/// A store on a small disk, after puts of `payload_bytes` were accepted until one was refused.
fn filled(kind: Kind, payload_bytes: usize) -> Option<Filled> {
    let disk = SmallDisk::mount(kind)?;
    let guard = Arc::new(DiskGuard::open(disk.path(), RESERVE).expect("a guard"));
    let store = open_on(&disk, &guard).expect("a store");
    let mut ada = Author::new(1);
    let mut accepted = 0;
    loop {
        let batch = ada.batch(8, payload_bytes);
        match store.put(&batch, SEEN_MS) {
            Ok(_) => accepted += batch.len(),
            Err(StoreError::Full { .. }) => break,
            Err(error) => panic!("{kind:?}: {error:?}"),
        }
    }
    Some(Filled { disk, guard, store, accepted })
}

fn open_on(disk: &SmallDisk, guard: &Arc<DiskGuard>) -> Result<SledStore, StoreError> {
    SledStore::open(&disk.path().join("entries"), CACHE_BYTES, Arc::clone(guard) as _)
}

fn assert_holds(store: &SledStore, entries: usize, payload_bytes: usize) {
    let expected: Vec<_> =
        Author::new(1).batch(entries, payload_bytes).iter().map(Verified::to_wire).collect();
    assert!(whole_tail(store).expect("readable") == expected, "everything accepted is there");
}

#[test]
fn the_guard_refuses_before_the_database_meets_a_full_disk() {
    for kind in Kind::ALL {
        for payload_bytes in [1_000, 200_000] {
            let Some(Filled { disk, guard, store, accepted, .. }) = filled(kind, payload_bytes) else {
                return;
            };
            assert!(accepted > 0);
            assert_holds(&store, accepted, payload_bytes);
            store.sync().expect("there is space for what was accepted");
            drop(store);
            let SpaceReport { free_bytes, .. } = guard.check().expect("an answer");
            println!("{kind:?}, {payload_bytes} bytes: {accepted} accepted, {free_bytes} bytes left free");
            let store = open_on(&disk, &guard).expect("it opens");
            assert_holds(&store, accepted, payload_bytes);
        }
    }
}

#[test]
fn what_was_accepted_is_finished_with_the_ballast_when_others_fill_the_disk() {
    for kind in Kind::ALL {
        for payload_bytes in [1_000, 200_000] {
            let Some(Filled { disk, guard, store, accepted }) = filled(kind, payload_bytes) else {
                return;
            };
            let filler = disk.fill("filler");
            let refused = store.put(&[Author::new(2).next(10)], SEEN_MS);
            assert!(matches!(refused, Err(StoreError::Full { .. })), "{kind:?}: {refused:?}");
            store.sync().expect("the ballast makes room for what was accepted");
            assert_eq!(guard.check().expect("an answer").writes, Writes::Refused, "{kind:?}");
            assert_holds(&store, accepted, payload_bytes);
            drop(store);
            let store = open_on(&disk, &guard).expect("it opens on a full disk");
            assert_holds(&store, accepted, payload_bytes);
            fs::remove_file(filler).expect("the filler");
            go_on(&disk, &guard, store, accepted, payload_bytes);
        }
    }
}

#[test]
fn a_disk_without_even_the_ballast_is_not_opened_and_stays_whole() {
    for kind in Kind::ALL {
        let Some(Filled { disk, guard, store, accepted, .. }) = filled(kind, 1_000) else { return };
        let first = disk.fill("first filler");
        store.sync().expect("the ballast makes room");
        drop(store);
        guard.check().expect("an answer");
        let second = disk.fill("second filler");
        let refused = open_on(&disk, &guard);
        assert!(matches!(refused, Err(StoreError::Full { .. })), "{kind:?}: {refused:?}");
        fs::remove_file(first).expect("a filler");
        fs::remove_file(second).expect("a filler");
        let store = open_on(&disk, &guard).expect("it opens");
        go_on(&disk, &guard, store, accepted, 1_000);
    }
}

/// There is space again: the reserve is held, writes go on, and everything is there after reopening.
///
/// What fits is less than before, so space is made by a smaller reserve.
fn go_on(disk: &SmallDisk, guard: &Arc<DiskGuard>, store: SledStore, accepted: usize, payload_bytes: usize) {
    guard.check().expect("an answer");
    drop(store);
    let guard = Arc::new(DiskGuard::open(disk.path(), RESERVE / 8).expect("a guard"));
    assert_eq!(guard.check().expect("an answer").writes, Writes::Accepted);
    let store = open_on(disk, &guard).expect("it opens");
    let mut ada = Author::new(1);
    let _held = ada.batch(accepted, payload_bytes);
    let more = ada.batch(8, payload_bytes);
    store.put(&more, SEEN_MS).expect("there is space again");
    store.sync().expect("a sync");
    drop(store);
    let store = open_on(disk, &guard).expect("it opens");
    assert_holds(&store, accepted + more.len(), payload_bytes);
}
