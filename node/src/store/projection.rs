//! What follows the store: anything derived from entries that can be deleted and built again. It must never hold the only
//! copy of anything.

use std::ops::Deref;

use wego_proto::entry::Unverified;

use crate::store::{Arrival, Cursor, StoreError};

/// A well-formed entry, and when it was first seen here.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The entry.
    pub entry: Unverified,
    /// By this node's clock, ms since 1970; 0 unknown.
    pub seen_ms: u64,
}

impl Arrived {
    /// Reads arrivals; what is no entry is left out. One of an unknown time was seen by `now_ms` at the latest.
    pub fn read(arrivals: Vec<Arrival>, now_ms: u64) -> Vec<Self> {
        let parsed = arrivals.into_iter().filter_map(|arrival| {
            let seen_ms = arrival.seen_ms.unwrap_or(now_ms);
            Some(Self { entry: Unverified::parse(arrival.entry).ok()?, seen_ms })
        });
        parsed.collect()
    }
}

impl Deref for Arrived {
    type Target = Unverified;

    fn deref(&self) -> &Unverified {
        &self.entry
    }
}

impl From<Unverified> for Arrived {
    fn from(entry: Unverified) -> Self {
        Self { entry, seen_ms: 0 }
    }
}

/// Something derived from the entries in order of arrival, that can be deleted and built again.
///
/// It follows the store's cursor on its own thread and can neither block nor break replication.
pub trait Projection: Send + Sync {
    /// A word for logs.
    fn name(&self) -> &'static str;

    /// Up to where it has applied; [`Cursor`] 0 for a new one, or one built from another incarnation of the store. It goes
    /// back to 0 when an epoch's opening makes something valid that was left out as void.
    ///
    /// # Errors
    /// [`StoreError`] of what it is kept in.
    fn cursor(&self) -> Result<Cursor, StoreError>;

    /// Applies entries in order and remembers `next`, never `next` without the entries. After an error or a crash
    /// the same entries come again, and what was applied of them already changes nothing. Entries are well-formed;
    /// who wrote them was checked when they were put. An entry that says nothing it understands is skipped.
    ///
    /// # Errors
    /// [`StoreError`] of what it is kept in.
    fn apply(&self, entries: &[Arrived], next: Cursor) -> Result<(), StoreError>;

    /// Makes readers see everything applied, where that costs too much to do for every batch. The follower calls
    /// it when nothing new has come for a moment, and at least once a second.
    ///
    /// # Errors
    /// [`StoreError`] of what it is kept in; what readers do not see comes again, from
    /// [`Projection::next_cursor`].
    fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Where to continue: up to where it has applied, whether or not readers see it.
    ///
    /// # Errors
    /// [`StoreError`] of what it is kept in.
    fn next_cursor(&self) -> Result<Cursor, StoreError> {
        self.cursor()
    }

    /// Forgets what it holds of the contents of these entries: they were taken down, and are without payload now.
    /// Readers see it on return; idempotent. One that was not applied is passed over.
    ///
    /// # Errors
    /// [`StoreError`] of what it is kept in; try again.
    fn forget(&self, entries: &[Unverified]) -> Result<(), StoreError>;

    /// Forgets everything, to be built again.
    ///
    /// # Errors
    /// [`StoreError`] of what it is kept in.
    fn wipe(&self) -> Result<(), StoreError>;
}
