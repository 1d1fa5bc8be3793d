//! Writing within what the disk has room for and sled survives at once. No step begins before its bytes are promised.

use std::sync::atomic::Ordering;

use super::{Fresh, SledStore, WRITE_FACTOR, contained, unflushed::Unflushed, write};
use crate::store::StoreError;

impl SledStore {
    /// Writes entries step by step; the promise for all of them comes first, so that no step is refused.
    pub(super) fn write(
        &self,
        writer: &mut Unflushed,
        fresh: &[Fresh<'_>],
        start: u64,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let chunks = write::chunks(fresh, start, now_ms);
        let mut promised = chunks.iter().map(|chunk| chunk.bytes).sum();
        self.promise(writer, promised)?;
        for chunk in chunks {
            let bytes = chunk.bytes;
            promised -= bytes;
            if let Err(error) =
                self.write_step(writer, bytes, |tree| Ok(tree.apply_batch(chunk.into_batch())?))
            {
                self.space.settle(promised * WRITE_FACTOR);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Flushes what was written before when that and this are too much to be under way.
    pub(super) fn write_step(
        &self,
        writer: &mut Unflushed,
        bytes: u64,
        work: impl FnOnce(&::sled::Tree) -> Result<(), contained::Failure>,
    ) -> Result<(), StoreError> {
        self.make_room(writer, bytes)?;
        self.db.write(work)
    }

    /// Counts `bytes` that were promised as under way.
    pub(super) fn make_room(&self, writer: &mut Unflushed, bytes: u64) -> Result<(), StoreError> {
        let flushed = if writer.has_room_for(bytes) { Ok(()) } else { self.flush(writer) };
        // From here on the promise is settled by a flush, or when the store is dropped.
        writer.add(bytes);
        flushed
    }

    /// Promises what `bytes` can come to on disk; syncs first when that frees promises.
    pub(super) fn promise(&self, writer: &mut Unflushed, bytes: u64) -> Result<(), StoreError> {
        match self.space.admit(bytes * WRITE_FACTOR) {
            Err(StoreError::Full { .. }) if writer.bytes() > 0 => {
                self.flush(writer)?;
                self.space.admit(bytes * WRITE_FACTOR)
            }
            other => other,
        }
    }

    pub(super) fn flush(&self, writer: &mut Unflushed) -> Result<(), StoreError> {
        let cursor = self.view().cursor;
        self.space.check()?;
        self.db.write(|tree| Ok(tree.flush()?))?;
        self.space.settle(std::mem::take(writer).bytes() * WRITE_FACTOR);
        let before = self.durable.fetch_max(cursor, Ordering::AcqRel);
        if before < cursor && self.mark.write(self.store_id, cursor).is_err() {
            // It lags behind, as it may.
            tracing::debug!(cursor, "the sync mark was not written");
        }
        Ok(())
    }
}
