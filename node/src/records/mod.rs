//! What each record is now: a projection of the logs, kept in a database of its own.
//!
//! It never decides what may be written or believed; it reads entries that others accepted, and it can be deleted
//! at any time and built again to the same digest.
//!
//! # Whose record it is
//!
//! Ids are chosen by the member that publishes first, so two members with one id means that one of them took it
//! from the other. Each member's versions are kept apart, and only those of the owner are shown. The owner is the
//! member whose first version of the record has the smallest (time, origin), where the time of an entry is the
//! latest that its author's log had claimed by then in that epoch. Hence the order of arrival does not matter, and
//! a member cannot make itself an owner by dating an entry back: its own earlier entries stand against it.
//!
//! # What is void
//!
//! A new epoch continues from a base; entries of earlier epochs after that base are void, whenever they arrive.
//!
//! # Steps
//!
//! sled can stand still for ever when much of it is written at once, here or in another database of the process
//! (`store/sled/unflushed.rs` says why), so rows are written in small steps. The cursor moves with the last step of a
//! batch; what was written before a crash in between is applied again, to no effect.

use std::{
    fs, io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use wego_proto::{
    entry::Unverified,
    id::{Hash, StoreId},
};

use crate::store::{
    Arrived, Cursor, Projection, Space, StoreError,
    sled::{self as store, STEP_BYTES, Unflushed},
};

mod draft;
mod fold;
mod keys;
mod list;
mod rows;
mod view;

pub use list::{Filter, LIST_PAGE_MAX, LIST_SCAN_MAX, ListError, Page, Withdrawn};
pub use view::{AdoptionRow, RecordRow, State, Version};

use draft::Draft;

/// Number of the form in which rows are kept. Another number in the database makes it be built anew.
const SCHEMA: u32 = 3;

/// The database's cache: what lists and single reads touch again. The rest is the system's page cache.
const CACHE_BYTES: u64 = 16 * 1_024 * 1_024;

/// Rows removed at once when everything is forgotten.
const WIPED_TOGETHER: usize = 1_024;

/// The projection, and the questions it answers.
#[derive(Debug)]
pub struct Records {
    rows: sled::Db,
    store_id: StoreId,
    /// Held while a batch is applied, because applying reads what it changes.
    unflushed: Mutex<Unflushed>,
}

impl Records {
    /// Opens the projection in `dir`, or a new one. One built from another incarnation of the store, in another
    /// form, or damaged, is replaced by an empty one.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the directory cannot be used, or another process has it open.
    pub fn open(dir: &Path, store_id: StoreId, space: &dyn Space) -> Result<Self, StoreError> {
        store::finish_rewrite(dir)?;
        let rows = match open_database(dir) {
            Err(StoreError::Corrupt { .. }) => {
                tracing::warn!(dir = %dir.display(), "record projection is damaged, building it anew");
                set_aside(dir)?;
                open_database(dir)?
            }
            other => other?,
        };
        let rows = purged(dir, rows, space)?;
        let records = Self { rows, store_id, unflushed: Mutex::default() };
        if records.meta()?.is_none() {
            records.wipe()?;
        }
        Ok(records)
    }

    /// Makes everything applied so far durable; for an orderly stop.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn flush(&self) -> Result<(), StoreError> {
        let _turn = store::writing();
        self.rows.flush().map(|_| ()).map_err(failed)
    }

    /// SHA-256 over all rows but the cursor, the mark of what was dropped, and when entries were first seen: equal whenever
    /// the same entries were applied, in whatever batches, but for what is dated well after it was first seen.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn digest(&self) -> Result<Hash, StoreError> {
        let mut digest = Hash::of(&[]);
        for row in self.rows.iter() {
            let (key, value) = row.map_err(failed)?;
            if ![keys::META, keys::UNPURGED].contains(&key.as_ref()) && !key.starts_with(&[keys::SEEN]) {
                let lengths = [(key.len() as u64).to_be_bytes(), (value.len() as u64).to_be_bytes()];
                digest = Hash::of(&[digest.as_bytes(), &lengths[0], &lengths[1], &key, &value]);
            }
        }
        Ok(digest)
    }

    fn unflushed(&self) -> MutexGuard<'_, Unflushed> {
        self.unflushed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a step, after a flush when that and what was written before are too much to be under way.
    fn write(&self, unflushed: &mut Unflushed, bytes: u64, batch: sled::Batch) -> Result<(), StoreError> {
        if !unflushed.has_room_for(bytes) {
            self.flush()?;
            *unflushed = Unflushed::default();
        }
        unflushed.add(bytes);
        let _turn = store::writing();
        self.rows.apply_batch(batch).map_err(failed)
    }

    /// The cursor, when the rows are of this form and this store.
    fn meta(&self) -> Result<Option<Cursor>, StoreError> {
        let Some(meta) = self.rows.get(keys::META).map_err(failed)? else { return Ok(None) };
        let head = [&SCHEMA.to_be_bytes()[..], self.store_id.as_bytes()].concat();
        let cursor = meta.strip_prefix(head.as_slice()).and_then(|cursor| cursor.try_into().ok());
        Ok(cursor.map(|cursor| Cursor(u64::from_be_bytes(cursor))))
    }

    fn meta_row(&self, cursor: Cursor) -> Vec<u8> {
        [&SCHEMA.to_be_bytes()[..], self.store_id.as_bytes(), &cursor.0.to_be_bytes()].concat()
    }
}

impl Projection for Records {
    fn name(&self) -> &'static str {
        "records"
    }

    fn cursor(&self) -> Result<Cursor, StoreError> {
        Ok(self.meta()?.unwrap_or_default())
    }

    fn apply(&self, entries: &[Arrived], next: Cursor) -> Result<(), StoreError> {
        let mut unflushed = self.unflushed();
        let mut draft = Draft::new(&self.rows);
        for entry in entries {
            match fold::apply(&mut draft, entry) {
                Err(StoreError::Conflict) => {
                    let bases = draft.under(keys::ALL_BASES)?;
                    drop((draft, unflushed));
                    tracing::info!("an epoch brings back what was void; the records are built anew");
                    self.wipe_but(bases)?;
                    return Err(StoreError::Conflict);
                }
                applied => applied?,
            }
            if draft.bytes() >= STEP_BYTES {
                let step = std::mem::replace(&mut draft, Draft::new(&self.rows));
                self.write(&mut unflushed, step.bytes(), step.into_batch())?;
            }
        }
        draft.put(keys::META.to_vec(), self.meta_row(next));
        self.write(&mut unflushed, draft.bytes(), draft.into_batch())
    }

    fn forget(&self, entries: &[Unverified]) -> Result<(), StoreError> {
        let mut unflushed = self.unflushed();
        for entry in entries {
            let mut draft = Draft::new(&self.rows);
            fold::forget(&mut draft, entry)?;
            self.write(&mut unflushed, draft.bytes(), draft.into_batch())?;
        }
        self.flush()?;
        *unflushed = Unflushed::default();
        Ok(())
    }

    fn wipe(&self) -> Result<(), StoreError> {
        self.wipe_but(Vec::new())
    }
}

impl Records {
    fn wipe_but(&self, kept: Vec<draft::Row>) -> Result<(), StoreError> {
        let mut unflushed = self.unflushed();
        // Without its cursor row the database counts as foreign: a crash between here and the end wipes it again.
        self.rows.remove(keys::META).map_err(failed)?;
        self.flush()?;
        let unpurged = self.rows.contains_key(keys::UNPURGED).map_err(failed)?;
        loop {
            let keys: Result<Vec<_>, _> = self.rows.iter().keys().take(WIPED_TOGETHER).collect();
            let keys = keys.map_err(failed)?;
            if keys.is_empty() {
                break;
            }
            let mut batch = sled::Batch::default();
            keys.into_iter().for_each(|key| batch.remove(key));
            self.write(&mut unflushed, STEP_BYTES, batch)?;
        }
        for (key, row) in kept {
            self.rows.insert(key, row).map_err(failed)?;
        }
        self.rows.insert(keys::META, self.meta_row(Cursor(0))).map_err(failed)?;
        if unpurged {
            self.rows.insert(keys::UNPURGED, &[]).map_err(failed)?;
        }
        *unflushed = Unflushed::default();
        self.flush()
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        // Closing flushes, and must not write while another database does.
        if let Err(error) = self.flush() {
            tracing::warn!(error = &error as &dyn std::error::Error, "the last flush of the records failed");
        }
    }
}

fn open_database(dir: &Path) -> Result<sled::Db, StoreError> {
    let _turn = store::writing();
    store::open(dir, CACHE_BYTES).map_err(failed)
}

/// The database, written anew when something was dropped from it: `store/sled/rewrite.rs` says why.
fn purged(dir: &Path, rows: sled::Db, space: &dyn Space) -> Result<sled::Db, StoreError> {
    if !rows.contains_key(keys::UNPURGED).map_err(failed)? {
        return Ok(rows);
    }
    {
        let _turn = store::writing();
        drop(rows);
    }
    match store::rewrite(dir, CACHE_BYTES, keys::UNPURGED, space) {
        // It can be built again, which leaves nothing of it either.
        Err(StoreError::Corrupt { .. }) => fs::remove_dir_all(dir)
            .map_err(|source| StoreError::Io { what: "removing a damaged record projection", source })?,
        other => {
            other?;
        }
    }
    open_database(dir)
}

/// Moves a damaged database out of the way, in place of the one damaged before.
fn set_aside(dir: &Path) -> Result<(), StoreError> {
    let aside = dir.with_extension("damaged");
    match fs::remove_dir_all(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::rename(dir, &aside),
    }
    .map_err(|source| StoreError::Io { what: "setting a damaged record projection aside", source })
}

fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(source) => StoreError::Io { what: "access to the record projection", source },
        _ => corrupt(),
    }
}

const fn corrupt() -> StoreError {
    StoreError::Corrupt { what: "record projection" }
}

#[cfg(test)]
mod tests;
