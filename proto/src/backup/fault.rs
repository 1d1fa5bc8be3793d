//! What can be wrong with a backup, and where.
//!
//! Whatever it is, nothing of the file counts: it must never be taken for a warning.

use thiserror::Error;

use crate::{
    convert::FieldError,
    entry::EntryError,
    epochs::EpochError,
    id::{Origin, Position},
    key::KeyError,
    roster::RosterError,
};

/// What is wrong with a backup, and where. Nothing in it can be relied upon; get another copy.
#[derive(Debug, Error)]
#[error("frame {frame}, at byte {offset}")]
pub struct Fault {
    /// Number of the frame, from 0.
    pub frame: u64,
    /// Where it begins.
    pub offset: u64,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

/// What can be wrong with a backup.
#[derive(Debug, Error)]
pub enum Problem {
    /// It does not begin like one.
    #[error("this is no backup")]
    NotABackup,
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Io(#[source] std::io::Error),
    /// It ends before its trailer.
    #[error("the file ends here, before its end")]
    Truncated,
    /// There is something behind its trailer.
    #[error("something follows the end of the backup")]
    Trailing,
    /// Bytes were changed, or frames before were changed, moved or left out.
    #[error("the check does not hold: bytes were changed, moved or left out here or in a frame before")]
    Check,
    /// A kind of frame that this version does not know.
    #[error("a frame of unknown kind {0}: it may be of newer software")]
    UnknownKind(u8),
    /// A frame where its kind may not stand.
    #[error("a {0} may not stand here")]
    OutOfOrder(&'static str),
    /// Longer than its kind may be.
    #[error("a {what} of {bytes} bytes")]
    TooLarge {
        /// Which kind.
        what: &'static str,
        /// As declared.
        bytes: usize,
    },
    /// A field is missing, wrong or over its limit.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Manifest or trailer are not signed by the key that the manifest names.
    #[error("the signature of the backup")]
    Signature(#[source] KeyError),
    /// A roster version does not verify or follow.
    #[error("the roster chain")]
    Roster(#[from] RosterError),
    /// The manifest does not fit the roster behind it.
    #[error("the manifest does not fit the roster: {0}")]
    Manifest(&'static str),
    /// A fork proof that proves nothing.
    #[error("a fork proof whose entries do not contradict each other")]
    ForkProof,
    /// Not the entry that comes next.
    #[error("entry {found_origin} {found} stands where {wanted} is due")]
    NotNext {
        /// Its author.
        found_origin: Origin,
        /// Its position.
        found: Position,
        /// What the manifest announces.
        wanted: Wanted,
    },
    /// An entry is malformed or its signature does not verify.
    #[error("entry {origin} {at}")]
    Entry {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
        /// What is wrong.
        #[source]
        error: EntryError,
    },
    /// An entry does not name the one before it.
    #[error("entry {origin} {at} does not follow the one before")]
    Chain {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
    },
    /// The first entry of an epoch does not open it.
    #[error("entry {origin} {at}")]
    Opening {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
        /// Why not.
        #[source]
        error: EpochError,
    },
    /// The author has no such key at this position.
    #[error("member {origin} has no log key {key_no} at {at}")]
    UnknownKey {
        /// Author.
        origin: Origin,
        /// Key named in the header.
        key_no: u32,
        /// Position.
        at: Position,
    },
    /// A log ends in another entry than the manifest says.
    #[error("the log of member {origin} ends in another entry at {at} than the manifest says")]
    OtherHead {
        /// Author.
        origin: Origin,
        /// Position.
        at: Position,
    },
    /// Fewer or more of something than the manifest or the trailer says.
    #[error("there are not as many {0} as the backup says")]
    Count(&'static str),
}

/// What is due at a place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// This entry.
    Entry(Origin, Position),
    /// No entry any more.
    Nothing,
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entry(origin, at) => write!(f, "{origin} {at}"),
            Self::Nothing => f.write_str("no entry"),
        }
    }
}
