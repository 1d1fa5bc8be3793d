//! Where entries are kept: two small traits, several implementations, one conformance suite.
//!
//! The problem: a self-fork (two different entries signed at one position) cannot be taken back, and an embedded
//! database can lose or garble what it acknowledged. The rule: [`HeadLock`] is small, trusted and durable, and
//! moves the own log's head by compare-and-swap before anything is acknowledged; [`EntryStore`] is large and
//! untrusted, so whoever reads from it checks what it read. Whatever the store lacks after a crash is put again
//! from the lock. Without the split, one bit flip in the database would make this member a liar.
//!
//! No type of an implementation may show above these traits.

use std::{collections::BTreeMap, io, path::PathBuf};

use thiserror::Error;
use wego_proto::{
    entry::Verified,
    id::{Hash, Origin, Position, RequestId, StoreId},
    v1,
};

pub mod anchor;
pub mod aside;
mod chain;
#[cfg(any(test, feature = "test-support"))]
pub mod conformance;
pub mod erasure;
pub mod fence;
mod folder_lock;
pub mod governance_files;
pub mod journal;
pub mod memory;
mod projection;
mod requests;
pub mod roster_files;
mod shared_lock;
pub mod sled;
pub mod space;

pub use aside::set_aside;
pub use chain::entry_hash;
pub(crate) use chain::extends;
pub use fence::Fence;
pub use governance_files::GovernanceFiles;
pub use journal::Journal;
pub use memory::{MemoryLock, MemoryStore};
pub use projection::{Arrived, Projection};
pub use roster_files::{RosterFiles, RosterFilesError};
pub use shared_lock::SharedLock;
pub use sled::SledStore;
pub use space::{DiskGuard, NoGuard, Space, SpaceReport};

/// The own log's head as it is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockedHead {
    /// Its position.
    pub at: Position,
    /// Its hash.
    pub hash: Hash,
}

/// The newest entry held of each origin and epoch.
pub type Heads = BTreeMap<(Origin, u32), (u64, Hash)>;

/// A place in the local order of arrival: the number of entries put before. Gap-free, never reused within one
/// [`StoreId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor(pub u64);

/// An entry as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// The entry. Untrusted, as everything that is read from a store.
    pub entry: v1::Entry,
    /// When it was first seen, ms since 1970; `None` for one that was put before stores remembered.
    pub seen_ms: Option<u64>,
}

/// The own log's head and its last entries: trusted, durable, compare-and-swap.
///
/// It holds the whole own log, so that the entry store is never the only copy of anything acknowledged.
pub trait HeadLock: Send {
    /// The head, `None` before the first entry.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when what was acknowledged cannot be read back.
    fn load(&mut self) -> Result<Option<LockedHead>, StoreError>;

    /// Appends `batch`, consecutive entries that extend `old`, and returns the new head once all of it is on
    /// disk. On any error nothing of the batch is acknowledged and the head is unchanged.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when `old` is not the head; [`StoreError::Fenced`] when another process took
    /// over; [`StoreError::Full`]; [`StoreError::Io`], after which the lock must be opened anew.
    fn replace(&mut self, old: Option<&LockedHead>, batch: &[Verified]) -> Result<LockedHead, StoreError>;

    /// At most `max` entries of the own log after `after`, in order; unverified bytes with a good checksum.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] or [`StoreError::Io`].
    fn since(&mut self, after: Option<Position>, max: usize) -> Result<Vec<v1::Entry>, StoreError>;

    /// Where the entry with this request id stands, among the newest
    /// [`REQUESTS_REMEMBERED`] entries.
    fn position_of(&self, request: &RequestId) -> Option<Position>;

    /// Drops payload and nonce of the entries at these positions, for ever; their headers stay, and so does the head.
    /// Positions that are not held are passed over. Durable on return, and idempotent.
    ///
    /// # Errors
    /// [`StoreError::Full`]: nothing changed. [`StoreError::Io`]: some may be dropped; try again, after opening the
    /// lock anew where it says so. [`StoreError::Corrupt`] or [`StoreError::CorruptFile`].
    fn erase(&mut self, targets: &[Position]) -> Result<(), StoreError>;
}

/// Request ids a [`HeadLock`] remembers: two months of a city that writes a thousand entries a day, in 4 MiB.
pub const REQUESTS_REMEMBERED: usize = 65_536;

/// All entries held, own and others'. Untrusted: callers verify what they read.
pub trait EntryStore: Send + Sync {
    /// This incarnation of the database.
    fn store_id(&self) -> StoreId;

    /// Adds runs of consecutive entries, each run extending what is held of its origin and epoch. Idempotent:
    /// entries already held are skipped. An entry whose payload an erasure covers, held before or part of the batch,
    /// is stored without it. All of the batch or nothing becomes visible. Not durable before
    /// [`EntryStore::sync`], but never out of order: what survives a crash is a prefix of the entries put, which
    /// may end within a large batch.
    ///
    /// Each entry that is new remembers `now_ms`, this node's clock, as the moment when it was first seen.
    ///
    /// Returns the cursor after the batch.
    ///
    /// # Errors
    /// [`StoreError::Fork`] when another entry is held at a position, or at the position that an entry names as
    /// its predecessor; [`StoreError::Gap`] when entries before one are missing; [`StoreError::Full`],
    /// [`StoreError::Corrupt`]. Nothing was written.
    fn put(&self, batch: &[Verified], now_ms: u64) -> Result<Cursor, StoreError>;

    /// Entries of one origin and epoch from `from` to `until` (inclusive), in order, as many as fit into
    /// `max_bytes` but at least one if there is one.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn range(
        &self,
        origin: Origin,
        epoch: u32,
        from: u64,
        until: u64,
        max_bytes: usize,
    ) -> Result<Vec<v1::Entry>, StoreError>;

    /// One entry.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn entry(&self, origin: Origin, at: Position) -> Result<Option<v1::Entry>, StoreError>;

    /// At most `max` entries in order of arrival from `from` on, and the cursor to continue from.
    ///
    /// What it hands out is durable, so that a crash never gives a cursor that a projection has seen to another
    /// entry; it syncs when there is nothing durable left to hand out, and may hand out less than there is.
    /// Nothing handed out means that there is nothing from `from` on.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn tail(&self, from: Cursor, max: usize) -> Result<(Vec<Arrival>, Cursor), StoreError>;

    /// The cursor after everything held.
    fn cursor(&self) -> Cursor;

    /// The newest entry of each origin and epoch.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn heads(&self) -> Result<Heads, StoreError>;

    /// Sets aside what is held of an origin's epoch after `after`, because another history of it counts. The entries stay
    /// in quarantine and are not handed out any more; others can be put in their place. Durable on return.
    ///
    /// Returns the last entry that is left.
    ///
    /// # Errors
    /// [`StoreError::Full`] or [`StoreError::Corrupt`]; what was not moved stays where it was.
    fn rewind(&self, origin: Origin, epoch: u32, after: u64) -> Result<Option<(u64, Hash)>, StoreError>;

    /// The first `max` entries of an epoch, up to `last`, that change their author's endpoints, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn endpoint_changes(
        &self,
        origin: Origin,
        epoch: u32,
        last: u64,
        max: usize,
    ) -> Result<Vec<v1::Entry>, StoreError>;

    /// The last entry of an epoch, up to `last`, that says what its author is called.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn presentation(&self, origin: Origin, epoch: u32, last: u64) -> Result<Option<v1::Entry>, StoreError>;

    /// What a projection is bound to: it changes with the store's incarnation, and when entries were set aside that a
    /// projection may hold.
    fn lineage(&self) -> StoreId {
        let (id, set_aside) = (self.store_id(), self.set_aside());
        if set_aside == 0 {
            return id;
        }
        let hash = Hash::of(&[b"wego-lineage-v1", id.as_bytes(), &set_aside.to_be_bytes()]);
        let mut lineage = [0; 16];
        lineage.copy_from_slice(&hash.as_bytes()[..16]);
        StoreId::new(lineage)
    }

    /// How many entries were ever set aside. A projection that was built when there were fewer may hold some of them.
    fn set_aside(&self) -> u64;

    /// Keeps a fork proof in place of an earlier one of the same origin and epoch: which one counts is the caller's
    /// to decide. Durable on return.
    ///
    /// # Errors
    /// [`StoreError::Full`] or [`StoreError::Corrupt`].
    fn put_fork(&self, origin: Origin, epoch: u32, proof: &v1::ForkProof) -> Result<(), StoreError>;

    /// All fork proofs kept.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn forks(&self) -> Result<BTreeMap<(Origin, u32), v1::ForkProof>, StoreError>;

    /// Drops payload and nonce of what stands at these places and of what was set aside from there, for ever; the headers
    /// stay. What comes to stand there later is stored without its payload. Durable on return, and idempotent.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Io`] or [`StoreError::Corrupt`]; some may be dropped, try again.
    fn erase(&self, places: &[erasure::Place]) -> Result<(), StoreError>;

    /// Drops payload and nonce of a member's entries about these records, each before its place, set aside or not.
    /// Costs no more than there are such entries. Durable on return, and idempotent.
    ///
    /// # Errors
    /// As [`EntryStore::erase`].
    fn erase_records(&self, origin: Origin, records: &erasure::Records) -> Result<(), StoreError>;

    /// The erasures that a member's log orders: each record with the last place that does so, at most `max`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn erasures(&self, origin: Origin, max: usize) -> Result<erasure::Records, StoreError>;

    /// Up to where the erasures that entries order have been carried out here; 0 in a new store.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn erased_through(&self) -> Result<Cursor, StoreError>;

    /// Remembers that. A crash may take it back, so that they are carried out again.
    ///
    /// # Errors
    /// As [`EntryStore::erase`].
    fn set_erased_through(&self, cursor: Cursor) -> Result<(), StoreError>;

    /// Keeps receipts, each in place of the member's earlier one. Not durable before [`EntryStore::sync`].
    ///
    /// # Errors
    /// As [`EntryStore::erase`].
    fn put_receipts(&self, receipts: &[(Origin, v1::SignedReceipt)]) -> Result<(), StoreError>;

    /// All receipts kept. Untrusted, as everything here.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    fn receipts(&self) -> Result<BTreeMap<Origin, v1::SignedReceipt>, StoreError>;

    /// Makes everything put so far durable.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Io`] or [`StoreError::Corrupt`].
    fn sync(&self) -> Result<(), StoreError>;
}

/// Why the store refused. Each says whether it is worth trying again.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The head is not the one the caller built on. Nothing was written; read the head and decide again.
    #[error("the own log's head has moved")]
    Conflict,
    /// Another process took over this log. Stop.
    #[error("another process has taken over the own log")]
    Fenced,
    /// Another entry is held at this position. Nothing was written; the two together are a fork proof.
    #[error("another entry is held at {origin} {at}")]
    Fork {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
    },
    /// The entry does not follow what is held. Nothing was written; fetch what lies between.
    #[error("entries before {origin} {at} are missing")]
    Gap {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
    },
    /// The disk reserve is reached. Nothing was written; reads go on; try again when there is space.
    #[error("disk reserve reached: {free_bytes} bytes free, {reserve_bytes} reserved")]
    Full {
        /// Free on the file system.
        free_bytes: u64,
        /// Kept free.
        reserve_bytes: u64,
    },
    /// What was stored cannot be read back. Set it aside and rebuild.
    #[error("stored {what} is corrupt")]
    Corrupt {
        /// Which part.
        what: &'static str,
    },
    /// Reading or writing failed. Open anew before going on.
    #[error("{what} failed")]
    Io {
        /// Which operation.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that cannot be built again from elsewhere is damaged. Nothing was changed; an operator must look.
    #[error("{} is corrupt: {what}", path.display())]
    CorruptFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The journal is of another member. Nothing was changed; the configuration names the wrong folder or member.
    #[error("{} is of member {found}, and this node speaks for member {own}", path.display())]
    OtherOrigin {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        found: Origin,
        /// Whose it should be.
        own: Origin,
    },
    /// An own entry is over the limits that every reader checks. Nothing was written; sign another one.
    #[error("entry {origin} {at} is over the limits and could not be read back")]
    Malformed {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
    },
    /// Another process works in this folder. Stop the other one first.
    #[error("{} is in use by another process", path.display())]
    Locked {
        /// Which folder.
        path: PathBuf,
    },
    /// Written by newer software. Nothing was changed; start the newer software again.
    #[error("{what} has format {found}, and this version knows none above {known}")]
    NewerFormat {
        /// What was written.
        what: &'static str,
        /// Its format.
        found: u32,
        /// The newest format known.
        known: u32,
    },
}

impl StoreError {
    /// Whether what was stored is damaged, in a database or in a file.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::CorruptFile { .. })
    }

    /// For `map_err`: reading or writing failed during `what`.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
