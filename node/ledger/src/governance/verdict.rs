//! What becomes of a roster version, and why it becomes nothing.

use thiserror::Error;
use wego_proto::{
    id::Hash,
    roster::{Roster, RosterError},
    v1,
};

/// What becomes of a version.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is here, with all the signatures.
    Known,
    /// It collects signatures; `instead_of` make room for it.
    Propose {
        /// With the signatures known so far.
        version: v1::SignedRoster,
        /// Proposals that fewer have signed.
        instead_of: Vec<Hash>,
    },
    /// It is the next in force. The first of these follows a version in force; when there are several, or that one is
    /// not the last, a settled conflict moves this node to another branch.
    Adopt(Vec<Roster>),
    /// Another version is fully signed under its number: all of these are proof.
    Conflict(Vec<v1::SignedRoster>),
}

/// Why a version becomes nothing here. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It is wrong by itself: whoever made it must make another.
    #[error(transparent)]
    Bad(#[from] RosterError),
    /// A signature of a governance key in it does not hold, and there are not enough others. Whoever brought it made
    /// that signature up, or took a copy from who did.
    #[error("a signature of a governance key in it does not hold")]
    Forged(#[source] RosterError),
    /// No governance key of the version that it follows has signed it.
    #[error("no governance key of the version in force has signed it")]
    Unsigned,
    /// It does not follow the version in force, or is under a number that was decided.
    #[error("version {found} does not follow version {known}, which is in force")]
    NotNext {
        /// Version in force.
        known: u64,
        /// Version offered.
        found: u64,
    },
    /// Enough keys have signed it, but its number was decided otherwise, and versions have followed that.
    #[error("version {found} was decided otherwise, and version {known} is in force")]
    Decided {
        /// Version in force.
        known: u64,
        /// Version offered.
        found: u64,
    },
    /// It follows another version than the one in force.
    #[error("version {found} follows another version {} than the one in force", found - 1)]
    OtherBranch {
        /// Version offered.
        found: u64,
    },
    /// The roster is in conflict and it does not settle that.
    #[error("two versions {version} are fully signed: only a version that settles this is taken")]
    InConflict {
        /// Number under conflict.
        version: u64,
    },
    /// It settles a conflict of which this node does not know both versions.
    #[error("it settles a conflict that is not known here")]
    UnknownConflict,
    /// As many proposals are kept as there may be.
    #[error("too many proposals are kept")]
    Crowded,
}
