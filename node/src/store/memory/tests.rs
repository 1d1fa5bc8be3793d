//! Claims about the reference implementations.

use super::*;
use crate::store::{
    HeadLock as _,
    conformance::{self, Author, LockBed, SEEN_MS, StoreBed},
};

fn memory_store() -> MemoryStore {
    MemoryStore::new(StoreId::new([1; 16]))
}

/// Loses all but so many of the unsynced puts.
struct Memory {
    surviving_puts: usize,
}

impl StoreBed for Memory {
    type Store = MemoryStore;

    fn create(&mut self) -> Result<MemoryStore, StoreError> {
        Ok(memory_store())
    }

    fn crash(&mut self, store: MemoryStore) -> Result<MemoryStore, StoreError> {
        Ok(store.crash(self.surviving_puts))
    }

    fn reopen(&mut self, store: MemoryStore) -> Result<MemoryStore, StoreError> {
        Ok(store)
    }

    fn quarantine(store: &MemoryStore) -> Result<Vec<v1::Entry>, StoreError> {
        Ok(store.state().set_aside.iter().map(Verified::to_wire).collect())
    }
}

impl LockBed for Memory {
    type Lock = MemoryLock;

    fn create(&mut self) -> Result<MemoryLock, StoreError> {
        Ok(MemoryLock::new(Author::new(1).origin()))
    }

    fn crash(&mut self, lock: MemoryLock) -> Result<MemoryLock, StoreError> {
        Ok(lock.reopen())
    }
}

#[test]
fn it_holds_every_claim_about_entry_stores() {
    for surviving_puts in [0, 1, 2, usize::MAX] {
        conformance::entry_store(|| Memory { surviving_puts }).expect("every claim");
    }
}

#[test]
fn it_holds_every_claim_about_head_locks() {
    conformance::head_lock(|| Memory { surviving_puts: 0 }).expect("every claim");
}

#[test]
fn a_crash_loses_the_last_unsynced_puts_only() {
    let store = memory_store();
    let mut ada = Author::new(1);
    for payload_bytes in [1, 2, 3] {
        store.put(&ada.batch(2, payload_bytes), SEEN_MS).expect("a put");
    }
    let cursors: Vec<_> = (0..=3).map(|survivors| store.crash(survivors).cursor().0).collect();
    assert_eq!(cursors, [0, 2, 4, 6]);
    assert_eq!(store.unsynced_puts(), 3);
    store.sync().expect("a sync");
    assert_eq!(store.crash(0).cursor(), Cursor(6));
}

#[test]
fn a_step_fails_before_or_after_its_effect() {
    for (moment, held) in [(Moment::BeforeEffect, 0), (Moment::AfterEffect, 1)] {
        let store = memory_store();
        store.faults().arm(Step::Put, moment, 0);
        let entry = Author::new(1).next(1);
        assert!(matches!(store.put(std::slice::from_ref(&entry), SEEN_MS), Err(StoreError::Io { .. })));
        assert_eq!(store.cursor(), Cursor(held), "{moment:?}");
        assert_eq!(store.put(&[entry], SEEN_MS).expect("only once"), Cursor(1));
    }
}

#[test]
fn a_sync_that_fails_before_its_effect_leaves_puts_losable() {
    for (moment, held) in [(Moment::BeforeEffect, 0), (Moment::AfterEffect, 1)] {
        let store = memory_store();
        store.put(&[Author::new(1).next(1)], SEEN_MS).expect("a put");
        store.faults().arm(Step::Sync, moment, 0);
        store.sync().expect_err("it was armed");
        assert_eq!(store.crash(0).cursor(), Cursor(held), "{moment:?}");
    }
}

#[test]
fn a_lock_that_failed_is_opened_anew_and_fences_the_old_handle() {
    for (moment, held) in [(Moment::BeforeEffect, 1), (Moment::AfterEffect, 2)] {
        let mut lock = MemoryLock::new(Author::new(1).origin());
        let mut ada = Author::new(1);
        lock.faults().arm(Step::Replace, moment, 1);
        let head = lock.replace(None, &[ada.next(1)]).expect("not armed for the first");
        lock.replace(Some(&head), &[ada.next(1)]).expect_err("armed for the second");
        assert!(matches!(lock.load(), Err(StoreError::Io { .. })), "it must be opened anew");
        let mut anew = lock.reopen();
        assert_eq!(anew.since(None, 9).expect("a log").len(), held, "{moment:?}");
        assert!(matches!(lock.load(), Err(StoreError::Fenced)));
    }
}

#[test]
fn a_full_disk_leaves_the_lock_as_it_was() {
    let mut lock = MemoryLock::new(Author::new(1).origin());
    let entry = Author::new(1).next(1);
    lock.faults().arm(Step::Replace, Moment::DiskFull, 0);
    let refused = lock.replace(None, std::slice::from_ref(&entry));
    assert!(matches!(refused, Err(StoreError::Full { .. })));
    assert_eq!(lock.load().expect("still usable"), None);
    lock.replace(None, &[entry]).expect("there is space again");
}
