//! The default entry store: sled, guarded.
//!
//! The problem: sled is fast and embedded, but a full disk or a flipped bit makes it lose or garble what it
//! holds, and some damage makes it panic. The rule: it is never the only copy of anything, it is asked for space
//! before every write, its panics end here, and whoever reads from it checks what was read. It must never show
//! an entry that is not part of a complete batch.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use prost::Message as _;
use wego_proto::{
    entry::Verified,
    id::{Hash, Origin, Position, RecordId, StoreId},
    v1,
};

use crate::store::{
    Arrival, Cursor, EntryStore, Heads, StoreError, chain,
    erasure::{Place, Records},
    folder_lock::FolderLock,
    sled::{
        check::Index,
        contained::Contained,
        erased::{Fresh, HeldOrders},
        sync_mark::SyncMark,
    },
    space::Space,
};

mod check;
mod contained;
mod erased;
mod read;
mod rewind;
mod rewrite;
mod rows;
mod steps;
mod sync_mark;
#[cfg(test)]
mod tests;
mod unflushed;
mod write;

pub(crate) use contained::{open, writing};
pub(crate) use rewrite::{finish_rewrite, rewrite};
pub(crate) use unflushed::{STEP_BYTES, Unflushed};

/// Bytes that sled may write for one byte put: the value itself, and its leaf again when links to it are
/// consolidated and when it splits.
pub const WRITE_FACTOR: u64 = 4;

/// Bytes that must be free to open the database: recovery writes a snapshot and begins segments.
pub const OPENING_BYTES: u64 = 8 * 1_024 * 1_024;

/// An entry store in a folder.
pub struct SledStore {
    db: Contained,
    space: Arc<dyn Space>,
    store_id: StoreId,
    /// What readers see: moves only after a whole batch is in the tree.
    view: RwLock<View>,
    /// Held by the one put that is under way.
    writer: Mutex<Unflushed>,
    durable: AtomicU64,
    mark: SyncMark,
    /// Dropped last.
    _lock: FolderLock,
}

#[derive(Debug)]
struct View {
    heads: Heads,
    cursor: u64,
    orders: HeldOrders,
    set_aside: u64,
}

impl SledStore {
    /// Opens the store in `dir`, creating it when there is none, and checks that its parts fit together.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]: set it aside with [`set_aside`](super::set_aside) and build it again. [`StoreError::Locked`],
    /// [`StoreError::NewerFormat`], [`StoreError::Full`], [`StoreError::Io`].
    pub fn open(dir: &Path, cache_bytes: u64, space: Arc<dyn Space>) -> Result<Self, StoreError> {
        finish_rewrite(dir)?;
        std::fs::create_dir_all(dir).map_err(StoreError::io("creating the store folder"))?;
        let report = space.check()?;
        if report.free_bytes < OPENING_BYTES {
            let (free_bytes, reserve_bytes) = (report.free_bytes, report.reserve_bytes);
            return Err(StoreError::Full { free_bytes, reserve_bytes });
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| StoreError::io("drawing a store id")(error.into()))?;
        let mut lock = FolderLock::take(dir)?;
        let mut db = Contained::open(dir, cache_bytes)?;
        if db.run(|tree| Ok(tree.contains_key(rows::UNPURGED_KEY)?))? {
            drop(db);
            if rewrite(dir, cache_bytes, rows::UNPURGED_KEY, space.as_ref())? {
                lock = FolderLock::take(dir)?;
            }
            db = Contained::open(dir, cache_bytes)?;
        }
        let Index { store_id, heads, cursor, set_aside } =
            db.write(|tree| Index::read(tree, StoreId::new(id)))?;
        let orders = db.run(HeldOrders::read)?;
        // After a kill, what was read back may still be in the kernel's cache only.
        let flushed = File::open(dir.join("db")).and_then(|file| file.sync_all());
        flushed.map_err(StoreError::io("flushing the database"))?;
        let mark = SyncMark::open(dir, store_id, cursor)?;
        Ok(Self {
            db,
            space,
            store_id,
            view: RwLock::new(View { heads, cursor, set_aside, orders }),
            writer: Mutex::default(),
            durable: AtomicU64::new(cursor),
            mark,
            _lock: lock,
        })
    }

    /// Checks again that heads, last entries and cursor fit together.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn check(&self) -> Result<(), StoreError> {
        let _no_put_meanwhile = self.writer();
        let (heads, cursor, set_aside) = {
            let view = self.view();
            (view.heads.clone(), view.cursor, view.set_aside)
        };
        let index = Index { store_id: self.store_id, heads, cursor, set_aside };
        self.db.run(|tree| index.check(tree))
    }

    fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn view_mut(&self) -> RwLockWriteGuard<'_, View> {
        self.view.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Unflushed> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hash of the entry below the head at `at`, as its successor names it.
    ///
    /// The successor is asked because a damaged entry must not look like a fork.
    fn held_hash(&self, origin: Origin, at: Position) -> Result<Hash, StoreError> {
        let missing = StoreError::Corrupt { what: "entry" };
        let next = self.entry(origin, Position { epoch: at.epoch, seq: at.seq + 1 })?.ok_or(missing)?;
        let header = v1::EntryHeader::decode(next.header.as_slice());
        let header = header.map_err(|_| StoreError::Corrupt { what: "entry" })?;
        Hash::try_from(header.prev.as_slice()).map_err(|_| StoreError::Corrupt { what: "entry" })
    }

    /// A fork is reported only when the entry that is held reads back as the one its successor names.
    fn confirm_fork(&self, origin: Origin, at: Position) -> Result<(), StoreError> {
        let head = self.view().heads.get(&(origin, at.epoch)).copied();
        let expected = match head {
            Some((seq, hash)) if seq == at.seq => hash,
            Some((seq, _)) if seq > at.seq => self.held_hash(origin, at)?,
            // The two entries are both in the batch.
            _ => return Ok(()),
        };
        let entry = self.entry(origin, at)?;
        if entry.is_none_or(|entry| chain::entry_hash(&entry) != expected) {
            return Err(StoreError::Corrupt { what: "entry" });
        }
        Ok(())
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.space.settle(self.writer().bytes() * WRITE_FACTOR);
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = self.view();
        write!(f, "SledStore({:?}, {} logs, cursor {})", self.store_id, view.heads.len(), view.cursor)
    }
}

impl EntryStore for SledStore {
    fn store_id(&self) -> StoreId {
        self.store_id
    }

    fn put(&self, batch: &[Verified], now_ms: u64) -> Result<Cursor, StoreError> {
        // While the writer is held nobody moves the view, so it may be read again further down.
        let mut writer = self.writer();
        let (found, start, orders) = {
            let view = self.view();
            let found = chain::additions(batch, &view.heads, |origin, at| self.held_hash(origin, at));
            (found, view.cursor, view.orders)
        };
        let found = match found {
            Err(StoreError::Fork { origin, at }) => {
                self.confirm_fork(origin, at)?;
                return Err(StoreError::Fork { origin, at });
            }
            other => other?,
        };
        if found.fresh.is_empty() {
            return Ok(Cursor(start));
        }
        let fresh = self.db.run(|tree| Fresh::of(&found.fresh, tree, orders))?;
        self.write(&mut writer, &fresh, start, now_ms)?;
        let cursor = start + fresh.len() as u64;
        let mut view = self.view_mut();
        view.heads.extend(found.heads);
        view.cursor = cursor;
        if fresh.iter().any(|fresh| fresh.orders.is_some()) {
            view.orders = HeldOrders::Some;
        }
        Ok(Cursor(cursor))
    }

    fn range(
        &self,
        origin: Origin,
        epoch: u32,
        from: u64,
        until: u64,
        max_bytes: usize,
    ) -> Result<Vec<v1::Entry>, StoreError> {
        let head = self.view().heads.get(&(origin, epoch)).map_or(0, |(seq, _)| *seq);
        let wanted = read::Wanted { origin, epoch, from: from.max(1), until: until.min(head) };
        self.db.run(|tree| read::range(tree, wanted, max_bytes))
    }

    fn entry(&self, origin: Origin, at: Position) -> Result<Option<v1::Entry>, StoreError> {
        let found = self.range(origin, at.epoch, at.seq, at.seq, 0)?;
        Ok(found.into_iter().next())
    }

    fn tail(&self, from: Cursor, max: usize) -> Result<(Vec<Arrival>, Cursor), StoreError> {
        if from.0 >= self.durable.load(Ordering::Acquire) && from < self.cursor() {
            self.sync()?;
        }
        let until = self.durable.load(Ordering::Acquire);
        // Held while it reads: nothing may be set aside between looking at the heads and at the entries.
        let view = self.view();
        let (found, next) = self.db.run(|tree| read::arrivals(tree, &view.heads, from.0, until, max))?;
        Ok((found, Cursor(next)))
    }

    fn cursor(&self) -> Cursor {
        Cursor(self.view().cursor)
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        Ok(self.view().heads.clone())
    }

    fn rewind(&self, origin: Origin, epoch: u32, after: u64) -> Result<Option<(u64, Hash)>, StoreError> {
        let mut writer = self.writer();
        loop {
            // While the writer is held nobody moves the view.
            let (head, set_aside) = {
                let view = self.view();
                (view.heads.get(&(origin, epoch)).copied(), view.set_aside)
            };
            let Some((seq, _)) = head.filter(|(seq, _)| *seq > after) else {
                self.flush(&mut writer)?;
                return Ok(head);
            };
            let step = self.db.run(|tree| rewind::step(tree, (origin, epoch), seq, after, set_aside))?;
            let rewind::Step { batch, bytes, head, moved } = step;
            self.promise(&mut writer, bytes)?;
            self.make_room(&mut writer, bytes)?;
            // Held while it is written: readers go by the heads, and must not look for what has just gone.
            let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
            self.db.write(|tree| Ok(tree.apply_batch(batch)?))?;
            view.set_aside += moved;
            match head {
                Some(head) => view.heads.insert((origin, epoch), head),
                None => view.heads.remove(&(origin, epoch)),
            };
        }
    }

    fn endpoint_changes(
        &self,
        origin: Origin,
        epoch: u32,
        last: u64,
        max: usize,
    ) -> Result<Vec<v1::Entry>, StoreError> {
        let of_epoch = |seq| rows::notice_key(rows::NOTICE, origin, epoch, seq);
        let found: Vec<Position> = self.db.run(|tree| {
            let keys = tree.range(of_epoch(0)..=of_epoch(last)).keys().take(max);
            keys.map(|key| Ok(rows::read_notice_key(&key?)?.1)).collect()
        })?;
        let entries = found.into_iter().filter_map(|at| self.entry(origin, at).transpose());
        entries.collect()
    }

    fn presentation(&self, origin: Origin, epoch: u32, last: u64) -> Result<Option<v1::Entry>, StoreError> {
        let of_epoch = |seq| rows::notice_key(rows::PRESENTATION, origin, epoch, seq);
        let found = self.db.run(|tree| {
            let key = tree.range(of_epoch(0)..=of_epoch(last)).keys().next_back();
            key.map(|key| Ok(rows::read_notice_key(&key?)?.1)).transpose()
        })?;
        found.map_or(Ok(None), |at| self.entry(origin, at))
    }

    fn set_aside(&self) -> u64 {
        self.view().set_aside
    }

    fn put_fork(&self, origin: Origin, epoch: u32, proof: &v1::ForkProof) -> Result<(), StoreError> {
        let key = rows::log_key(rows::FORK, origin, epoch);
        let encoded = proof.encode_to_vec();
        let mut writer = self.writer();
        let bytes = encoded.len() as u64 + rows::ROW_BYTES_MAX;
        self.promise(&mut writer, bytes)?;
        self.write_step(&mut writer, bytes, |tree| {
            tree.insert(key, encoded)?;
            Ok(())
        })?;
        self.flush(&mut writer)
    }

    fn forks(&self) -> Result<BTreeMap<(Origin, u32), v1::ForkProof>, StoreError> {
        self.db.run(|tree| {
            let mut forks = BTreeMap::new();
            for row in tree.scan_prefix([rows::FORK]) {
                let (key, row) = row?;
                let proof = v1::ForkProof::decode(&*row);
                let proof = proof.map_err(|_| StoreError::Corrupt { what: "fork proof" })?;
                forks.insert(rows::read_log_key(&key)?, proof);
            }
            Ok(forks)
        })
    }

    fn erase(&self, places: &[Place]) -> Result<(), StoreError> {
        self.drop_places(places)
    }

    fn erase_records(&self, origin: Origin, records: &Records) -> Result<(), StoreError> {
        self.drop_records(origin, records)
    }

    fn erasures(&self, origin: Origin, max: usize) -> Result<BTreeMap<RecordId, Position>, StoreError> {
        self.read_orders(origin, max)
    }

    fn erased_through(&self) -> Result<Cursor, StoreError> {
        let row = self.db.run(|tree| Ok(tree.get(rows::ERASED_KEY)?))?;
        row.map_or(Ok(Cursor(0)), |row| rows::read_cursor(&row).map(Cursor))
    }

    fn set_erased_through(&self, cursor: Cursor) -> Result<(), StoreError> {
        let mut writer = self.writer();
        self.promise(&mut writer, rows::ROW_BYTES_MAX)?;
        self.write_step(&mut writer, rows::ROW_BYTES_MAX, |tree| {
            tree.insert(rows::ERASED_KEY, &cursor.0.to_be_bytes())?;
            Ok(())
        })
    }

    fn put_receipts(&self, receipts: &[(Origin, v1::SignedReceipt)]) -> Result<(), StoreError> {
        self.write_receipts(receipts)
    }

    fn receipts(&self) -> Result<BTreeMap<Origin, v1::SignedReceipt>, StoreError> {
        self.read_receipts()
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.flush(&mut self.writer())
    }
}
