//! The own versions that the records projection has not seen yet, so that a writer is judged by what it wrote last.

use std::collections::{BTreeMap, VecDeque};

use wego_proto::{
    entry::Unverified,
    id::{Origin, RecordId},
    v1::EntryKind,
};

use super::write::{Newest, Standing};
use crate::store::{Cursor, EntryStore, StoreError};

/// Entries read at once when a node starts.
const READ_TOGETHER: usize = 512;
/// Own versions, above which the projection must not rest: they are kept in memory until it has seen them.
const UNPROJECTED_MAX: usize = 16_384;

/// Own versions that the records projection has not seen yet.
#[derive(Debug, Default)]
pub(super) struct Unprojected {
    newest: BTreeMap<RecordId, (Cursor, Newest)>,
    /// The same in the order in which the projection comes to see them, so that forgetting costs nothing while
    /// many wait.
    order: VecDeque<(Cursor, RecordId)>,
}

impl Unprojected {
    /// What the projection has not seen of the own log that the store has: after a start, for a crash can take from
    /// it what the store keeps and it may be built anew; and after the store got what it had refused.
    ///
    /// # Errors
    /// [`StoreError`] of either.
    pub(super) fn read(store: &dyn EntryStore, me: Origin, projected: Cursor) -> Result<Self, StoreError> {
        let mut unprojected = Self::default();
        let mut at = projected;
        loop {
            let (entries, next) = store.tail(at, READ_TOGETHER)?;
            if entries.is_empty() {
                return Ok(unprojected);
            }
            let entries = entries.into_iter().filter_map(|arrival| Unverified::parse(arrival.entry).ok());
            for (record_id, newest) in entries.filter_map(|entry| own_version(&entry, me)) {
                unprojected.add(record_id, next, newest);
            }
            at = next;
        }
    }

    pub(super) fn add(&mut self, record_id: RecordId, cursor: Cursor, newest: Newest) {
        self.newest.insert(record_id, (cursor, newest));
        self.order.push_back((cursor, record_id));
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.order.len() > UNPROJECTED_MAX
    }

    /// The newest version of a record, when the projection has not seen it.
    pub(super) fn newest(&self, record: &RecordId) -> Option<Newest> {
        self.newest.get(record).map(|(_, newest)| *newest)
    }

    /// Forgets what the projection has seen by `projected`.
    pub(super) fn forget(&mut self, projected: Cursor) {
        while let Some((_, record_id)) = self.order.pop_front_if(|(cursor, _)| *cursor <= projected) {
            // A later version of it may still wait.
            if self.newest.get(&record_id).is_some_and(|(cursor, _)| *cursor <= projected) {
                self.newest.remove(&record_id);
            }
        }
    }
}

/// The version that an own entry makes of its record.
fn own_version(entry: &Unverified, me: Origin) -> Option<(RecordId, Newest)> {
    let header = entry.header();
    let standing = match header.known_kind()? {
        EntryKind::RecordPut => Standing::Current,
        EntryKind::Retract => Standing::Retracted,
        EntryKind::Erase => Standing::Erased,
        _ => return None,
    };
    let newest = Newest { at: header.at, hash: entry.hash(), record_kind: header.record_kind, standing };
    (header.origin == me).then_some((header.record_id?, newest))
}
