//! What follows the store: anything derived from entries that can be deleted and built again. It must never hold the only
//! copy of anything.

use wego_proto::entry::Unverified;

use crate::store::{Cursor, StoreError};

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
    fn apply(&self, entries: &[Unverified], next: Cursor) -> Result<(), StoreError>;

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
