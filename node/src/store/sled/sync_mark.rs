//! How far the database was durable, remembered beside it: a damaged database that comes back with less is found.
//!
//! sled cuts its log where a damaged byte makes it unreadable, and opens without a word. The mark is written
//! after each sync and never before, so it may lag behind but must never be ahead of what is durable. It needs no
//! flush of its own, and is worth nothing by itself: when it is missing or damaged, nothing is concluded.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

use wego_proto::id::StoreId;

use crate::store::StoreError;

const NAME: &str = "synced";
const BYTES: usize = 28;

/// The mark of an open database.
#[derive(Debug)]
pub(super) struct SyncMark(File);

impl SyncMark {
    /// Opens the mark in `dir` and compares it with what the database says of itself.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the database has lost what was durable.
    pub(super) fn open(dir: &Path, store_id: StoreId, cursor: u64) -> Result<Self, StoreError> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(dir.join(NAME));
        let mark = Self(file.map_err(StoreError::io("opening the sync mark"))?);
        match mark.read() {
            Some((marked, durable)) if marked != store_id || durable > cursor => {
                tracing::error!(durable, cursor, "the database has lost entries that were durable");
                Err(StoreError::Corrupt { what: "end of the database" })
            }
            _ => {
                mark.write(store_id, cursor).map_err(StoreError::io("writing the sync mark"))?;
                Ok(mark)
            }
        }
    }

    /// Remembers that everything before `cursor` is durable.
    pub(super) fn write(&self, store_id: StoreId, cursor: u64) -> io::Result<()> {
        let mut bytes = [0; BYTES];
        bytes[..16].copy_from_slice(store_id.as_bytes());
        bytes[16..24].copy_from_slice(&cursor.to_be_bytes());
        let crc = crc32fast::hash(&bytes[..24]);
        bytes[24..].copy_from_slice(&crc.to_be_bytes());
        self.0.write_all_at(&bytes, 0)
    }

    fn read(&self) -> Option<(StoreId, u64)> {
        let mut bytes = [0; BYTES];
        self.0.read_exact_at(&mut bytes, 0).ok()?;
        let (content, crc) = bytes.split_last_chunk::<4>()?;
        let (id, cursor) = content.split_first_chunk::<16>()?;
        let whole = crc32fast::hash(content) == u32::from_be_bytes(*crc);
        whole.then(|| Some((StoreId::new(*id), u64::from_be_bytes(cursor.try_into().ok()?))))?
    }
}
