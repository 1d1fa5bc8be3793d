//! Making durable what was written, beside the writing of what comes next.
//!
//! The problem: whoever puts entries would wait for the disk after each step, as often as steps are small. The
//! rule: a thread of its own flushes while the next step is written, and no more than [`UNDER_WAY_BYTES`] are
//! written and not flushed. It must never call durable what no flush has covered.

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use ::sled::Tree;
use wego_proto::id::StoreId;

use crate::store::{
    StoreError,
    sled::{
        WRITE_FACTOR,
        contained::{Contained, Failure},
        sync_mark::SyncMark,
        write::{STEP_BYTES, UNDER_WAY_BYTES},
    },
    space::Space,
};

/// The database, and how much of it is durable. Dropping it waits for the flush under way.
pub(super) struct Durability {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

struct Shared {
    db: Contained,
    space: Arc<dyn Space>,
    store_id: StoreId,
    mark: SyncMark,
    under_way: Mutex<UnderWay>,
    changed: Condvar,
    /// Held by the flush that is under way.
    flushing: Mutex<()>,
    /// Everything before this cursor is durable.
    durable: AtomicU64,
}

/// Bytes since the database was opened: begun, of those written, of those flushed.
#[derive(Debug, Clone, Copy, Default)]
struct UnderWay {
    begun: u64,
    written: u64,
    flushed: u64,
    /// Before it, whole batches are written.
    cursor: u64,
    /// The thread is to flush.
    asked: bool,
    /// The last flush failed: whoever needs one makes it, and learns why.
    failed: bool,
    stopped: bool,
}

impl UnderWay {
    fn bytes(&self) -> u64 {
        self.begun - self.flushed
    }
}

impl Durability {
    /// Everything in `db` is durable, and comes before `cursor`.
    ///
    /// # Errors
    /// [`StoreError::Io`] when there can be no thread.
    pub(super) fn start(
        db: Contained,
        space: Arc<dyn Space>,
        store_id: StoreId,
        mark: SyncMark,
        cursor: u64,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            db,
            space,
            store_id,
            mark,
            under_way: Mutex::new(UnderWay { cursor, ..UnderWay::default() }),
            changed: Condvar::new(),
            flushing: Mutex::default(),
            durable: AtomicU64::new(cursor),
        });
        let flusher = shared.clone();
        let thread = thread::Builder::new()
            .name("flush".to_owned())
            .spawn(move || flusher.flush_when_asked())
            .map_err(StoreError::io("starting the thread that flushes"))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Everything before this cursor is durable.
    pub(super) fn cursor(&self) -> u64 {
        self.shared.durable.load(Ordering::Acquire)
    }

    /// Does `work` that reads the tree.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Tree) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.shared.db.run(work)
    }

    /// Promises what `bytes` can come to on disk; flushes first when that frees promises.
    pub(super) fn promise(&self, bytes: u64) -> Result<(), StoreError> {
        match self.shared.space.admit(bytes * WRITE_FACTOR) {
            Err(StoreError::Full { .. }) if self.shared.under_way().bytes() > 0 => {
                self.flush()?;
                self.shared.space.admit(bytes * WRITE_FACTOR)
            }
            other => other,
        }
    }

    /// Takes back a promise of `bytes` that will not be written.
    pub(super) fn give_back(&self, bytes: u64) {
        self.shared.space.settle(bytes * WRITE_FACTOR);
    }

    /// Writes a step of `bytes`, promised before; waits until there is room for it under way. One at a time.
    pub(super) fn write(
        &self,
        bytes: u64,
        work: impl FnOnce(&Tree) -> Result<(), Failure>,
    ) -> Result<(), StoreError> {
        self.shared.make_room(bytes).inspect_err(|_| self.give_back(bytes))?;
        self.shared.under_way().begun += bytes;
        let written = self.shared.db.write(work);
        let mut under_way = self.shared.under_way();
        match &written {
            Ok(()) => under_way.written += bytes,
            Err(_) => {
                under_way.begun -= bytes;
                self.give_back(bytes);
            }
        }
        written
    }

    /// Says that all batches before `cursor` are written, so that a flush may begin.
    pub(super) fn written(&self, cursor: u64) {
        self.shared.under_way().cursor = cursor;
        self.shared.flush_soon();
    }

    /// Returns once everything written is durable.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Io`] or [`StoreError::Corrupt`].
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.shared.flush()
    }
}

impl Shared {
    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush_when_asked(&self) {
        loop {
            let idle = |under_way: &mut UnderWay| !under_way.asked && !under_way.stopped;
            let waited = self.changed.wait_while(self.under_way(), idle);
            let mut under_way = waited.unwrap_or_else(PoisonError::into_inner);
            if under_way.stopped {
                return;
            }
            under_way.asked = false;
            drop(under_way);
            if let Err(error) = self.flush() {
                tracing::debug!(error = &error as &dyn std::error::Error, "the store was not flushed");
            }
        }
    }

    /// Asks for a flush when there is a step to make durable.
    fn flush_soon(&self) {
        let mut under_way = self.under_way();
        if under_way.bytes() >= STEP_BYTES && !under_way.failed {
            under_way.asked = true;
            drop(under_way);
            self.changed.notify_all();
        }
    }

    fn make_room(&self, bytes: u64) -> Result<(), StoreError> {
        let mut under_way = self.under_way();
        while under_way.bytes() > 0 && under_way.bytes() + bytes > UNDER_WAY_BYTES {
            if under_way.failed {
                drop(under_way);
                return self.flush();
            }
            under_way.asked = true;
            self.changed.notify_all();
            under_way = self.changed.wait(under_way).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        let UnderWay { written, flushed: before, cursor, .. } = *self.under_way();
        if written == before && cursor <= self.durable.load(Ordering::Acquire) {
            return Ok(());
        }
        let flushed = self.space.check().and_then(|_| self.db.write(|tree| Ok(tree.flush()?)));
        let mut under_way = self.under_way();
        under_way.failed = flushed.is_err();
        if flushed.is_ok() {
            under_way.flushed = written;
            self.space.settle((written - before) * WRITE_FACTOR);
            self.mark_durable(cursor);
        }
        drop(under_way);
        self.changed.notify_all();
        flushed.map(|_| ())
    }

    fn mark_durable(&self, cursor: u64) {
        let before = self.durable.fetch_max(cursor, Ordering::AcqRel);
        if before < cursor && self.mark.write(self.store_id, cursor).is_err() {
            // It lags behind, as it may.
            tracing::debug!(cursor, "the sync mark was not written");
        }
    }
}

impl Drop for Durability {
    fn drop(&mut self) {
        self.shared.under_way().stopped = true;
        self.shared.changed.notify_all();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that flushes ended by a panic");
        }
        self.shared.space.settle(self.shared.under_way().bytes() * WRITE_FACTOR);
    }
}

impl fmt::Debug for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Durability({:?}, durable before {})", *self.shared.under_way(), self.cursor())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::space::NoGuard;

    fn open(dir: &Path) -> Durability {
        let db = Contained::open(dir, 1_024 * 1_024).expect("a database");
        let id = StoreId::new([7; 16]);
        let mark = SyncMark::open(dir, id, 0).expect("a mark");
        Durability::start(db, Arc::new(NoGuard), id, mark, 0).expect("a thread")
    }

    fn put(disk: &Durability, key: u8, bytes: u64) -> Result<(), StoreError> {
        disk.write(bytes, |tree| {
            tree.insert([key], vec![key; 10])?;
            Ok(())
        })
    }

    #[test]
    fn no_more_is_under_way_than_may_be() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let disk = open(dir.path());
        for key in 0..40 {
            put(&disk, key, STEP_BYTES).expect("a write");
            assert!(disk.shared.under_way().bytes() <= UNDER_WAY_BYTES);
        }
        put(&disk, 40, 3 * UNDER_WAY_BYTES).expect("one that is larger than all that may be under way");
        assert_eq!(disk.shared.under_way().bytes(), 3 * UNDER_WAY_BYTES);
    }

    #[test]
    fn what_a_flush_began_before_is_not_durable_by_it() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let disk = open(dir.path());
        put(&disk, 1, 100).expect("a write");
        disk.written(1);
        let flush_within = |_: &Tree| {
            disk.flush().expect("a flush while a step is written");
            Ok(())
        };
        disk.write(100, flush_within).expect("a write");
        assert_eq!(disk.cursor(), 1, "the second batch is not covered");
        assert_eq!(disk.shared.under_way().bytes(), 100);
        disk.written(2);
        assert_eq!(disk.cursor(), 1);
        disk.flush().expect("a flush");
        assert_eq!((disk.cursor(), disk.shared.under_way().bytes()), (2, 0));
    }

    #[test]
    fn a_flush_between_the_write_and_the_word_that_it_is_whole_is_not_forgotten() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let disk = open(dir.path());
        put(&disk, 1, 100).expect("a write");
        disk.flush().expect("a flush");
        disk.written(1);
        disk.flush().expect("another");
        assert_eq!(disk.cursor(), 1);
    }

    #[test]
    fn work_that_fails_keeps_no_room_and_a_failed_flush_is_told_to_whoever_needs_one() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let disk = open(dir.path());
        put(&disk, 1, STEP_BYTES).expect("a write");
        let failed = disk.write(STEP_BYTES, |_| panic!("as sled does with damaged bytes"));
        assert!(failed.is_err_and(|error| error.is_corrupt()));
        assert_eq!(disk.shared.under_way().bytes(), STEP_BYTES);
        assert!(disk.flush().is_err());
        assert!(put(&disk, 2, UNDER_WAY_BYTES).is_err(), "it asks for room, and learns why there is none");
    }
}
