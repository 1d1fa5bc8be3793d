//! Claims about carrying out: every order, after any crash, in journal, store and projections.

use std::sync::{Mutex, atomic::AtomicUsize};

use wego_proto::{
    entry::Verified,
    id::{RequestId, StoreId},
};

use super::*;
use crate::{
    engine::follow::{Follower, Share},
    store::{
        Arrived, HeadLock, LockedHead, MemoryLock, MemoryStore,
        conformance::{Author, SEEN_MS},
        memory::{Moment, Step},
    },
};

const RECORD: RecordId = RecordId::new([3; 16]);

/// A projection that keeps what it is given and told to forget.
#[derive(Default)]
struct Witness {
    at: Mutex<Cursor>,
    forgotten: Mutex<Vec<(Origin, Position)>>,
}

impl Projection for Witness {
    fn name(&self) -> &'static str {
        "witness"
    }

    fn cursor(&self) -> Result<Cursor, StoreError> {
        Ok(*self.at.lock().expect("whole"))
    }

    fn apply(&self, _: &[Arrived], next: Cursor) -> Result<(), StoreError> {
        *self.at.lock().expect("whole") = next;
        Ok(())
    }

    fn forget(&self, entries: &[Unverified]) -> Result<(), StoreError> {
        let mut forgotten = self.forgotten.lock().expect("whole");
        for entry in entries {
            assert!(entry.payload().is_none(), "it is gone from the store before");
            forgotten.push((entry.header().origin, entry.header().at));
        }
        Ok(())
    }

    fn wipe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Bench {
    store: MemoryStore,
    lock: MemoryLock,
    log: Vec<Verified>,
    witness: Arc<Witness>,
}

impl Bench {
    /// A node that holds two versions of a record of its own, one of somebody else, and the orders to erase both.
    fn new() -> Self {
        let (mut ada, mut ben) = (Author::new(1), Author::new(2));
        let log =
            vec![ada.put(RECORD, 100), ada.next(100), ada.put(RECORD, 100), ada.erase(RECORD), ada.next(9)];
        let foreign = vec![ben.put(RECORD, 100), ben.next(50), ben.erase(RECORD)];
        let store = MemoryStore::new(StoreId::new([1; 16]));
        let mut lock = MemoryLock::new(ada.origin());
        lock.replace(None, &log).expect("a lock");
        for entry in log.iter().chain(&foreign) {
            store.put(std::slice::from_ref(entry), SEEN_MS).expect("a put");
        }
        store.sync().expect("a sync");
        let log = [log, foreign].concat();
        Self { store, lock, log, witness: Arc::default() }
    }

    fn eraser(&self, projections: Vec<(Arc<dyn Projection>, Progress)>) -> Eraser {
        Eraser {
            me: Origin(1),
            store: Arc::new(self.store.clone()),
            lock: SharedLock::new(Box::new(self.lock.clone())),
            projections,
            done: Arc::default(),
        }
    }

    /// Which payloads are held, in the lock and in the store.
    fn held(&self) -> (Vec<bool>, Vec<bool>) {
        let locked = self.lock.clone().since(None, 99).expect("readable");
        let (stored, _) = self.store.tail(Cursor(0), 99).expect("readable");
        let held = |entries: Vec<v1::Entry>| entries.iter().map(|entry| entry.payload.is_some()).collect();
        (held(locked), held(stored.into_iter().map(|arrival| arrival.entry).collect()))
    }
}

/// A lock that remembers how many entries were asked of it at once.
struct Asked {
    lock: MemoryLock,
    most: Arc<AtomicUsize>,
}

impl HeadLock for Asked {
    fn load(&mut self) -> Result<Option<LockedHead>, StoreError> {
        self.lock.load()
    }

    fn replace(&mut self, old: Option<&LockedHead>, batch: &[Verified]) -> Result<LockedHead, StoreError> {
        self.lock.replace(old, batch)
    }

    fn since(&mut self, after: Option<Position>, max: usize) -> Result<Vec<v1::Entry>, StoreError> {
        self.most.fetch_max(max, Ordering::Relaxed);
        self.lock.since(after, max)
    }

    fn position_of(&self, request: &RequestId) -> Option<Position> {
        self.lock.position_of(request)
    }

    fn erase(&mut self, targets: &[Position]) -> Result<(), StoreError> {
        self.lock.erase(targets)
    }
}

#[test]
fn a_writer_waits_for_no_more_of_the_journal_than_a_small_batch() {
    let bench = Bench::new();
    let most = Arc::new(AtomicUsize::new(0));
    let lock = Asked { lock: bench.lock.clone(), most: most.clone() };
    let mut eraser = Eraser { lock: SharedLock::new(Box::new(lock)), ..bench.eraser(vec![]) };
    eraser.catch_up(&[]).expect("carried out");
    assert_eq!(bench.held().0, ERASED_OWN);
    let bytes = most.load(Ordering::Relaxed) * 256 * 1_024;
    assert!((1..=16 * 1_024 * 1_024).contains(&bytes), "{bytes} bytes");
}

const ERASED_OWN: [bool; 5] = [false, true, false, false, true];
const ERASED_ALL: [bool; 8] = [false, true, false, false, true, false, true, false];

#[test]
fn what_a_crash_left_is_finished_before_the_node_serves() {
    for moment in [Moment::BeforeEffect, Moment::AfterEffect, Moment::DiskFull] {
        for (faults, after) in [(true, 0), (false, 0), (false, 1)] {
            let bench = Bench::new();
            assert_eq!(bench.held().1.iter().filter(|held| **held).count(), 6, "not carried out yet");
            let faults = if faults { bench.lock.faults() } else { bench.store.faults() };
            faults.arm(Step::Erase, moment, after);
            bench.eraser(vec![]).catch_up(&[]).expect_err("killed in the middle");
            assert!(bench.store.erased_through().expect("a mark") < Cursor(8), "nothing is claimed");
            let bench = Bench { store: bench.store.crash(usize::MAX), lock: bench.lock.reopen(), ..bench };
            bench.eraser(vec![]).catch_up(&[]).expect("the next process");
            assert_eq!(bench.held(), (ERASED_OWN.to_vec(), ERASED_ALL.to_vec()), "{moment:?}");
            assert_eq!(bench.store.erased_through().expect("a mark"), Cursor(8));
        }
    }
}

#[test]
fn a_store_that_is_built_anew_with_old_payloads_is_erased_again() {
    let bench = Bench::new();
    bench.eraser(vec![]).catch_up(&[]).expect("carried out");
    // As from a backup that was made before: payloads and orders, and no mark of what was carried out.
    let restored = Bench::new();
    assert_eq!(restored.log, bench.log);
    assert_eq!(restored.store.erased_through().expect("a mark"), Cursor(0));
    restored.eraser(vec![]).catch_up(&[]).expect("carried out again");
    assert_eq!(restored.held(), (ERASED_OWN.to_vec(), ERASED_ALL.to_vec()));
}

#[test]
fn the_journal_is_erased_although_the_store_never_had_the_payload() {
    let bench = Bench::new();
    let store = MemoryStore::new(StoreId::new([2; 16]));
    store.put(&bench.log, SEEN_MS).expect("one batch: what its order covers is stored without payload");
    let bench = Bench { store, ..bench };
    assert_eq!(bench.held().1, ERASED_ALL);
    bench.eraser(vec![]).catch_up(&[]).expect("carried out");
    assert_eq!(bench.held().0, ERASED_OWN);
}

#[test]
fn a_header_that_cannot_be_read_is_never_passed_over() {
    let damaged = v1::Entry { header: vec![0xff; 9], ..v1::Entry::default() };
    let damaged = Arrival { entry: damaged, seen_ms: None };
    assert!(matches!(orders_in(&[damaged]), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_takedown_is_carried_out_in_journal_store_and_projections_and_counts_only_then() {
    let bench = Bench::new();
    let bell = Arc::new(Bell::default());
    let projection: Arc<dyn Projection> = bench.witness.clone();
    let store: Arc<dyn EntryStore> = Arc::new(bench.store.clone());
    let follower =
        Follower::start(projection.clone(), store, bell.clone(), Share::Equal).expect("a follower");
    bell.ring(bench.store.cursor());
    let mut eraser = bench.eraser(vec![(projection, follower.progress())]);
    let at = |origin, seq| v1::Takedown { origin, at: Some(v1::Position { epoch: 1, seq }), reason: 1 };
    let takedowns = [at(1, 2), at(2, 2), at(2, 40)];
    bench.store.faults().arm(Step::Erase, Moment::BeforeEffect, 0);
    eraser.take_down(7, &takedowns).expect_err("not yet");
    assert_eq!(eraser.done.roster_version(), 0, "nothing is claimed");
    eraser.take_down(7, &takedowns).expect("carried out");
    assert_eq!(eraser.done.roster_version(), 7);
    let (locked, stored) = bench.held();
    assert!(!locked[1] && !stored[1] && !stored[6] && stored[0], "these two, and no other");
    let forgotten = bench.witness.forgotten.lock().expect("whole").clone();
    assert_eq!(forgotten, [1, 2].map(|origin| (Origin(origin), Position { epoch: 1, seq: 2 })));
    bell.stop();
    follower.join();
}
